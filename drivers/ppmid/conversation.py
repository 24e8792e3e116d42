"""Commands and answers on a PPMID's port: one at a time, numbered, repeated once, never waited for in vain.

Whose fault a missing answer is: a port on which nothing was ever heard, or on which only damaged frames
arrive, is the rig's; a device that answered before and falls silent, or answers wrongly, is itself at fault.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.ppmid import framing
from drivers.ppmid.framing import Dropped, Frame, FrameReader
from drivers.ppmid.lines import Line, parse
from drivers.ppmid.serial_line import SerialLine, lost_fault
from harness.errors import BenchError, DecodeError, DutFault, RigFault, StimulusImpossible
from harness.tap import Boundary, Tap

_LOG = logging.getLogger(__name__)
_HIGHEST_SEQUENCE = 65535
_LONGEST_LIST_S = 30.0  # a device that lists without end is stopped here
_NO_SUCH_VERB = "unknown-verb"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command was answered with: the fields of its ``ok``, and the events that belong to it."""

    fields: Mapping[str, str]
    events: tuple[Line, ...] = ()


@dataclass(slots=True)
class _Pending:
    sequence: str
    outcome: asyncio.Future[Answer]
    progress: bool = False  # something that belongs to the answer has come
    events: dict[str, Line] = field(default_factory=dict)  # by n, so that a repeated list counts once


class Conversation:
    """Talks to the device on one port. `event` is called with every event that no command waits for."""

    def __init__(
        self,
        path: str,
        *,
        baudrate: int,
        rtscts: bool,
        answer_timeout_s: float,
        name: str,
        tap: Tap,
        event: Callable[[Line], None],
        lost: Callable[[RigFault], None],
    ) -> None:
        self._path = path
        self._baudrate = baudrate
        self._answer_timeout_s = answer_timeout_s
        self._name = name
        self._tap = tap
        self._event = event
        self._on_loss = lost
        self._line = SerialLine(
            path, baudrate=baudrate, rtscts=rtscts, received=self._received, lost=self._lost
        )
        self._frames = FrameReader()
        self._lock = asyncio.Lock()
        self._pending: _Pending | None = None
        self._fault: RigFault | None = None
        self._heard = False
        self._damaged = 0  # bad frames since the last good one
        # Not from 1: the device knows a repeated command by its number, and may remember an earlier run's.
        self._sequence = secrets.randbelow(_HIGHEST_SEQUENCE)

    async def open(self) -> None:
        """Open the port. Raises RigFault."""
        self._fault, self._heard, self._damaged = None, False, 0
        self._frames = FrameReader()
        await self._line.open()

    async def close(self) -> None:
        """Close the port; whoever waits for an answer gets a RigFault."""
        self._fail(RigFault(f"PPMID port {self._path} was closed"))
        await self._line.close()

    async def command(self, verb: str, *, deadline_s: float | None = None, **arguments: str) -> Answer:
        """Send a command and return its answer; it is repeated once when no answer comes in time.

        The device has `deadline_s` in all, twice the answer timeout when not given. Raises DutFault,
        RigFault, and StimulusImpossible for a verb that the device does not have.
        """
        async with self._lock:
            if self._fault is not None:
                raise self._fault
            self._sequence = self._sequence % _HIGHEST_SEQUENCE + 1
            fields = {"seq": str(self._sequence)} | {
                key.replace("_", "-"): arguments[key] for key in arguments
            }
            loop = asyncio.get_running_loop()
            pending = self._pending = _Pending(str(self._sequence), loop.create_future())
            self._damaged = 0
            try:
                return await self._ask(Line((verb,), fields), pending, deadline_s)
            finally:
                self._pending = None
                discard(pending.outcome)

    async def _ask(self, line: Line, pending: _Pending, deadline_s: float | None) -> Answer:
        total_s = deadline_s if deadline_s is not None else 2 * self._answer_timeout_s
        first_s = min(self._answer_timeout_s, total_s / 2)
        try:
            async with asyncio.timeout(_LONGEST_LIST_S + total_s):
                for wait_s in (first_s, total_s - first_s):
                    await self._send(line)
                    answer = await self._answer(pending, wait_s)
                    if answer is not None:
                        return answer
        except TimeoutError:
            raise DutFault(f"the PPMID does not come to an end answering `{line.verb}`") from None
        raise self._silence(line.verb, total_s)

    async def _answer(self, pending: _Pending, wait_s: float) -> Answer | None:
        """Wait for the answer; whatever belongs to it and arrives meanwhile renews the wait."""
        while not pending.outcome.done():
            pending.progress = False
            await asyncio.wait({pending.outcome}, timeout=wait_s)
            if not pending.outcome.done() and not pending.progress:
                return None
        return pending.outcome.result()

    async def _send(self, line: Line) -> None:
        text = str(line)
        try:
            octets = framing.encode(text)
        except ValueError as error:
            raise StimulusImpossible(f"`{line.verb}` does not fit the test port: {error}") from error
        self._tap.record(Boundary.SERIAL, "bench", self._name, text, octets)
        await self._line.write(octets)

    def _silence(self, verb: str, waited_s: float) -> BenchError:
        if self._damaged:
            return RigFault(
                f"PPMID port {self._path}: {self._damaged} damaged frames and no answer to `{verb}`",
                remedy=f"check the baud rate ({self._baudrate}) and the wiring",
            )
        if not self._heard:
            return RigFault(
                f"PPMID port {self._path}: no answer to `{verb}` within {waited_s:.1f} s, nor ever before",
                remedy=f"check the cable, that the PPMID is on, and its baud rate ({self._baudrate})",
            )
        return DutFault(f"the PPMID answered before, but not to `{verb}` within {waited_s:.1f} s")

    # --- what the port brings -----------------------------------------------------------------------------

    def _received(self, octets: bytes) -> None:
        for found in self._frames.feed(octets):
            if isinstance(found, Dropped):
                self._damaged += 1
                summary = f"dropped: {found.damage.value}"
                self._tap.record(
                    Boundary.SERIAL, self._name, "bench", summary, found.octets, dropped=found.damage.name
                )
            else:
                self._tap.record(Boundary.SERIAL, self._name, "bench", found.line, found.octets)
                self._heard = True
                self._take(found)

    def _take(self, frame: Frame) -> None:
        try:
            line = parse(frame.line)
        except DecodeError as error:
            self._wrong(f"the PPMID sent a line that is none: {frame.line!r} ({error})")
            return
        if line.verb == "evt":
            self._take_event(line)
        elif line.verb in ("ok", "err"):
            self._take_answer(line)
        else:
            self._wrong(f"the PPMID sent neither ok, err nor evt: {frame.line!r}")

    def _take_event(self, line: Line) -> None:
        if line.words[1:] != ("received",):
            self._event(line)
            return
        pending = self._pending
        if pending is not None and line.fields.get("seq", pending.sequence) == pending.sequence:
            pending.events[line.fields.get("n", "")] = line
            pending.progress = True

    def _take_answer(self, line: Line) -> None:
        pending = self._pending
        sequence = line.fields.get("seq")
        refused = line.verb == "err"
        if pending is None or pending.outcome.done() or not (sequence == pending.sequence or _stray(line)):
            _LOG.info("PPMID %s: answer to no command in progress: %s", self._name, line)
        elif refused and line.fields.get("code") == _NO_SUCH_VERB:
            pending.outcome.set_exception(
                StimulusImpossible(f"the PPMID has not got this verb: {_told(line)}")
            )
        elif refused:
            pending.outcome.set_exception(DutFault(f"the PPMID refuses: {_told(line)}"))
        elif _is_whole(line, pending):
            events = tuple(sorted(pending.events.values(), key=lambda each: int(each.fields["n"])))
            pending.outcome.set_result(Answer(line.fields, events))
        # else lines of the list were lost: the command is repeated, and so is the list

    def _wrong(self, what: str) -> None:
        _LOG.warning("PPMID %s: %s", self._name, what)
        if self._pending is not None and not self._pending.outcome.done():
            self._pending.outcome.set_exception(DutFault(what))

    def _lost(self, reason: str) -> None:
        fault = lost_fault(self._path, reason)
        self._fail(fault)
        self._on_loss(fault)

    def _fail(self, fault: RigFault) -> None:
        self._fault = fault
        if self._pending is not None and not self._pending.outcome.done():
            self._pending.outcome.set_exception(fault)


def discard(future: asyncio.Future[Any]) -> None:
    """Be done with a future that nobody waits for any more, whatever became of it."""
    if not future.cancel() and not future.cancelled():
        future.exception()


def _stray(line: Line) -> bool:
    """Whether this is a refusal of a line of which the device could not even read the number."""
    return line.verb == "err" and "seq" not in line.fields


def _is_whole(line: Line, pending: _Pending) -> bool:
    """Whether as many events came as the answer counts, numbered from 1."""
    if "count" not in line.fields:
        return True
    return set(pending.events) == {str(number + 1) for number in range(_count(line))}


def _count(line: Line) -> int:
    count = line.fields["count"]
    return int(count) if count.isdecimal() and len(count) < 6 else 0


def _told(line: Line) -> str:
    return f"{line.fields.get('text', 'no text')} ({line.fields.get('code', 'no code')})"
