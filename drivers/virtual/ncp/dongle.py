"""A virtual EZSP dongle: a port, ASH, the EZSP application and a coordinator's stack."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.virtual.ncp import injection
from drivers.virtual.ncp.application import NcpApplication
from drivers.virtual.ncp.ash import AshNcp, HostReset, ResetCode, encode, randomised
from drivers.virtual.ncp.faults import LineFaults, Mishaps
from drivers.virtual.ncp.state import NonVolatile
from drivers.virtual.ports import BytePort
from drivers.virtual.stack.faces import CoordinatorStack
from harness.eui64 import Eui64

# RST, and `version` in the first DATA frame after it.
_ANOTHER_HOST = encode(b"\xc0") + encode(b"\x00" + randomised(b"\x00\x00\x00\x04"))


class Dongle:
    """One dongle on the virtual bench. Everything runs on one loop.

    `make_stack` returns the coordinator's stack, given ``listener`` and ``trust_centre``. With a `state_file`
    the network, the key table and tokens stay there between runs.
    """

    def __init__(
        self,
        make_stack: Callable[..., CoordinatorStack],
        port: BytePort,
        *,
        eui64: Eui64,
        ezsp_version: int = 13,
        rng: random.Random,
        state_file: Path | None = None,
    ) -> None:
        self._port = port
        self._ash = AshNcp()
        self.line = LineFaults()
        self._tasks: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._on = False
        self._application = NcpApplication(
            make_stack,
            self._send,
            self._spawn,
            eui64=eui64,
            version=ezsp_version,
            kept=NonVolatile.load(state_file),
            rng=rng,
        )

    async def open(self) -> None:
        """Make the port appear and switch the dongle on."""
        self._port.received = self._received
        await self._port.open()
        self.power(True)

    async def close(self) -> None:
        """Switch off and take the port away; nothing runs on. May be called twice."""
        self.power(False)
        await self._port.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._application.stack.close()

    def power(self, on: bool) -> None:
        """Switch the supply; on means a dongle that has just started."""
        if on == self._on:
            return
        self._on = on
        self._ash = AshNcp()
        self._stop_timer()
        if not on:
            self._application.reset()
        self._application.stack.power(on)

    async def inject(self, fault: str, **arguments: object) -> None:
        """Make it misbehave; StimulusImpossible for a fault that it does not know (`injection.FAULTS`)."""
        await injection.inject(self, fault, arguments)

    # `injection.Faulty`

    @property
    def mishaps(self) -> Mishaps:
        """What goes wrong behind the line."""
        return self._application.mishaps

    async def plug(self, *, into: bool) -> None:
        """Pull its plug, or put it back."""
        if into:
            await self._port.replug()
            self.power(True)
        else:
            self.power(False)
            await self._port.unplug()

    def fall_over(self, code: int, *, stopped: bool) -> None:
        """Reset by itself, or stop with an ERROR frame."""
        self._application.reset()
        (self._ash.fail if stopped else self._ash.started)(code)
        self._flush()

    def second_host(self) -> None:
        """Take a reset and a command from another host on the same line."""
        self._take(_ANOTHER_HOST)

    def network_down(self, *, really: bool, told: bool) -> None:
        """Fall off the network, or only say so."""
        self._application.network_down(really=really, told=told)

    def cure(self) -> None:
        """Misbehave no more, but for the plug."""
        self.line = LineFaults()
        self._application.cure()

    def knows(self, eui64: Eui64) -> bool:
        """Whether its key table has a link key of a device."""
        return self._application.knows(eui64)

    # The line.

    def _received(self, octets: bytes) -> None:
        if not self._on:
            return
        for part, late_s in self.line.spoil_incoming(octets):
            if late_s:
                asyncio.get_running_loop().call_later(late_s, self._take, part)
            elif part:
                self._take(part)

    def _take(self, octets: bytes) -> None:
        if not self._on:
            return
        for event in self._ash.feed(octets, self._now()):
            if isinstance(event, HostReset):
                self._application.reset()
                self._ash.started(ResetCode.SOFTWARE)
            elif not self.line.deaf:
                self._application.request(event.frame)
        self._flush()

    def _send(self, frame: bytes) -> None:
        if self._on:
            self._ash.send(frame, self._now())
            self._flush()

    def _flush(self) -> None:
        for frame in self._ash.take_output():
            octets, late_s = self.line.spoil(frame)
            if late_s:
                asyncio.get_running_loop().call_later(late_s, self._port.write, octets)
            elif octets:
                self._port.write(octets)
        self._schedule()

    def _schedule(self) -> None:
        """Be woken by the next deadline; a timer that is due before it may stay, and does nothing then."""
        deadline = self._ash.next_deadline()
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_at(deadline, self._tick)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        self._ash.tick(self._now())
        self._flush()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _spawn(self, work: Awaitable[object]) -> asyncio.Task[object]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a virtual dongle failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)
