"""A virtual EZSP dongle: a port, ASH, the EZSP application and a coordinator's stack."""

from __future__ import annotations

import asyncio
import difflib
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from drivers.virtual.ncp.application import NcpApplication
from drivers.virtual.ncp.ash import AshNcp, HostReset, ResetCode
from drivers.virtual.ncp.faults import LineFaults
from drivers.virtual.ncp.state import NonVolatile
from drivers.virtual.ports import BytePort
from drivers.virtual.stack.faces import CoordinatorStack
from harness.errors import StimulusImpossible
from harness.eui64 import Eui64

_JUNK = b"\x00\x1a\x11\x11Bootloader v2.0\r\n\x1a"


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
        self._faults = LineFaults()
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
        """Make it misbehave; StimulusImpossible for a fault that it does not know.

        `frames` says for how many frames or messages (default 1), `seconds` how late, `code` what reset code.
        """
        doing = self._fault_table().get(fault)
        if doing is None:
            raise StimulusImpossible(
                f"a virtual dongle knows no fault `{fault}`", remedy=_nearest(fault, self._fault_table())
            )
        plugging = doing(arguments)
        if plugging is not None:
            await plugging

    def _fault_table(self) -> Mapping[str, Callable[[Mapping[str, object]], Awaitable[None] | None]]:
        faults, messaging = self._faults, self._application.messaging
        return {
            "unplug": lambda _: self._plug(into=False),
            "replug": lambda _: self._plug(into=True),
            "silent": lambda _: setattr(faults, "silent", True),
            "deaf": lambda _: setattr(faults, "deaf", True),
            "well": lambda _: self._cure(),
            "reset": lambda given: self._fall_over(self._ash.started, given, ResetCode.WATCHDOG),
            "error": lambda given: self._fall_over(self._ash.fail, given, ResetCode.MAXIMUM_ACK_TIMEOUTS),
            "corrupt": lambda given: setattr(faults, "corrupt", _frames(given)),
            "drop": lambda given: setattr(faults, "drop", _frames(given)),
            "duplicate": lambda given: setattr(faults, "duplicate", _frames(given)),
            "delay": self._delay,
            "junk": lambda _: setattr(faults, "junk", _JUNK),
            "network-down": lambda _: self._application.network_down(),
            "delivery-failed": lambda given: setattr(messaging, "failures", _frames(given)),
            "busy": lambda given: setattr(messaging, "refusals", _frames(given)),
            "sent-twice": lambda given: setattr(messaging, "repeats", _frames(given)),
        }

    def _cure(self) -> None:
        self._faults = LineFaults()

    def _delay(self, given: Mapping[str, object]) -> None:
        self._faults.delay, self._faults.delay_s = _frames(given), float(str(given.get("seconds", 0.2)))

    async def _plug(self, *, into: bool) -> None:
        if into:
            await self._port.replug()
            self.power(True)
        else:
            self.power(False)
            await self._port.unplug()

    def _fall_over(
        self, tell: Callable[[ResetCode], None], given: Mapping[str, object], usual: ResetCode
    ) -> None:
        code = ResetCode(int(str(given.get("code", usual.value)), 0))
        self._application.reset()
        tell(code)
        self._flush()

    def knows(self, eui64: Eui64) -> bool:
        """Whether its key table has a link key of a device."""
        return self._application.knows(eui64)

    # The line.

    def _received(self, octets: bytes) -> None:
        if not self._on or self._faults.silent:
            return
        for event in self._ash.feed(octets, self._now()):
            if isinstance(event, HostReset):
                self._application.reset()
                self._ash.started(ResetCode.SOFTWARE)
            elif not self._faults.deaf:
                self._application.request(event.frame)
        self._flush()

    def _send(self, frame: bytes) -> None:
        if self._on:
            self._ash.send(frame, self._now())
            self._flush()

    def _flush(self) -> None:
        for frame in self._ash.take_output():
            octets, late_s = self._faults.spoil(frame)
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


def _frames(given: Mapping[str, object]) -> int:
    return int(str(given.get("frames", 1)))


def _nearest(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}"
