"""A PPMID that has the reference test port (docs/port-your-console.md), reached through pyserial."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from drivers.ppmid import answers
from drivers.ppmid.conversation import Conversation, discard
from drivers.ppmid.lines import Line
from harness.documents import Seconds
from harness.errors import DutFault, RigFault
from harness.rig.faces import (
    DriverContext,
    DriverSpec,
    Face,
    JoinOutcome,
    PpmidIdentity,
    PpmidStatus,
    ReceivedCommand,
)

_JOINED = "joined"
_JOIN_FAILED = "join-failed"
_ANSWER_S = Seconds(1.0)
_LEAVE_S = Seconds(10.0)
_JOIN_GRACE_S = Seconds(3.0)
_UNSECURED_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPortOptions:
    """A reference test port as a rig file has it. `path` is a device or a pyserial URL (``rfc2217://…``).

    `answer_timeout` is how long the device has before a command is repeated, `leave_timeout` how long it has
    to leave its network, and `join_grace` how long after the join's own timeout it may still report.
    """

    __test__: ClassVar[bool] = False  # pytest: not a test, for all its name

    path: str
    baudrate: int = 115200
    rtscts: bool = False
    answer_timeout: Seconds = _ANSWER_S
    leave_timeout: Seconds = _LEAVE_S
    join_grace: Seconds = _JOIN_GRACE_S


class TestPortPpmid:
    """Implements harness.rig.faces.PpmidPort."""

    __test__: ClassVar[bool] = False

    def __init__(self, options: TestPortOptions, context: DriverContext) -> None:
        self._options = options
        self._conversation = Conversation(
            options.path,
            baudrate=options.baudrate,
            rtscts=options.rtscts,
            answer_timeout_s=options.answer_timeout,
            name=context.name,
            tap=context.tap,
            event=self._event,
            lost=self._lost,
        )
        self._ending: asyncio.Future[Line] | None = None  # of the join in progress
        self._early: list[Line] = []  # how a join ended, told before its command was even answered
        self._join_sequence: str | None = None

    async def open(self) -> None:
        """Open the port for ourselves alone; RigFault names the port and what to do."""
        await self._conversation.close()
        await self._conversation.open()

    async def close(self) -> None:
        """Close the port; never raises; may be called twice."""
        self._lost(RigFault(f"PPMID port {self._options.path} was closed"))
        await self._conversation.close()

    async def identify(self) -> PpmidIdentity:
        """Ask who it is."""
        return answers.identity((await self._conversation.command("info")).fields)

    async def status(self) -> PpmidStatus:
        """Ask where it is."""
        return answers.status((await self._conversation.command("status")).fields)

    async def join(self, timeout_s: float) -> JoinOutcome:
        """Have it join, and wait until it says how that ended."""
        ending = await self._joined_or_not(timeout_s)
        elapsed_s = answers.seconds(ending.fields, "elapsed")
        if ending.words[1] == _JOINED:
            now = answers.status(ending.fields)
            return JoinOutcome(joined=True, reason=None, elapsed_s=elapsed_s, status=now)
        reason = answers.text(ending.fields, "reason")
        return JoinOutcome(joined=False, reason=reason, elapsed_s=elapsed_s, status=await self.status())

    async def _joined_or_not(self, timeout_s: float) -> Line:
        loop = asyncio.get_running_loop()
        ending: asyncio.Future[Line] = loop.create_future()
        self._ending = ending
        self._early.clear()
        self._join_sequence = None
        try:
            accepted = await self._conversation.command("join", timeout=_decimal(timeout_s))
            self._join_sequence = accepted.fields["seq"]
            for line in self._early:
                self._end_join(line)
            async with asyncio.timeout(timeout_s + self._options.join_grace):
                return await ending
        except TimeoutError:
            now = await self.status()  # raises, rightly, when the device is silent altogether
            raise DutFault(
                f"the PPMID was to join within {timeout_s:g} s and did not say how that ended;"
                f" it says state={now.state} mode={now.mode}"
            ) from None
        finally:
            self._ending = None
            discard(ending)

    async def leave(self) -> None:
        """Have it leave its network and forget its mode."""
        await self._conversation.command("leave", deadline_s=self._options.leave_timeout)

    async def set_install_code(self, install_code: bytes) -> None:
        """Give it another install code (16 octets, without CRC)."""
        await self._conversation.command("install-code", value=install_code.hex().upper())

    async def received(self) -> tuple[ReceivedCommand, ...]:
        """Return and clear what reached its application since the last call."""
        answer = await self._conversation.command("received")
        answers.text(answer.fields, "count")
        return tuple(_received(line) for line in answer.events)

    async def raise_alert(self, code: int) -> None:
        """Have it raise a GBCS alert, such as 8F8B; StimulusImpossible when it has no such verb."""
        await self._conversation.command("alert", code=f"{code:04X}")

    async def read_unsecured(self, cluster: int, attribute: int) -> int | None:
        """Have it read an attribute of the hub without the link key; return the hub's ZCL status."""
        answer = await self._conversation.command(
            "read-unsecured",
            deadline_s=_UNSECURED_S,
            cluster=f"{cluster:04X}",
            attribute=f"{attribute:04X}",
        )
        return answers.zcl_status(answer.fields, "status")

    async def restart(self) -> None:
        """Have it restart; what it keeps in non-volatile memory it must keep."""
        await self._conversation.command("reset")

    def _event(self, line: Line) -> None:
        if self._ending is None or len(line.words) != 2 or line.words[1] not in (_JOINED, _JOIN_FAILED):
            return
        if self._join_sequence is None:
            self._early.append(line)
        else:
            self._end_join(line)

    def _end_join(self, line: Line) -> None:
        # An event of an earlier join that came too late carries that join's number.
        mine = line.fields.get("seq", self._join_sequence) == self._join_sequence
        if mine and self._ending is not None and not self._ending.done():
            self._ending.set_result(line)

    def _lost(self, fault: RigFault) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_exception(fault)


def _decimal(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _received(line: Line) -> ReceivedCommand:
    rest = {key: value for key, value in line.fields.items() if key not in ("seq", "n", "kind")}
    return ReceivedCommand(kind=answers.text(line.fields, "kind"), fields=rest)


def _create(options: TestPortOptions, context: DriverContext) -> TestPortPpmid:
    return TestPortPpmid(options, context)


DRIVER = DriverSpec(
    face=Face.PPMID,
    options=TestPortOptions,
    create=_create,
    summary="a PPMID with the reference test port on a serial line",
)
