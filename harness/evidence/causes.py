"""Which event answers which: found from what the events say of themselves, as they are recorded.

A response names its request (`request_id`), a GBCS command the service request that it is for (its remote
party and that one's counter), a GBCS response its command (the originator counter), a line of the test port
its command (``seq=``), an IEEE 802.15.4 acknowledgement its frame; and everything happens in a step of the
plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.gbcs.header import Cra
from harness.gbcs.message import parse
from harness.tap import Boundary

BENCH = "bench"  # who speaks to the PPMID's port
_SEQUENCE = re.compile(r"\bseq=(\d+)")
_ACK, _ACK_OCTETS, _KIND = 0b010, 5, 0b111
_REMEMBERED = 4096

Key = tuple[str, object]


class Causes:
    """Keeps what later events may refer to. One a timeline; not for several threads."""

    def __init__(self) -> None:
        self._step: int | None = None
        self._asked: dict[Key, int] = {}

    def of(
        self,
        number: int,
        boundary: Boundary,
        source: str,
        summary: str,
        data: bytes,
        details: Mapping[str, object],
    ) -> tuple[int | None, int | None]:
        """Return the numbers of the step under way and of the event that this one answers."""
        if boundary is Boundary.STEP:
            if "step" in details:
                self._step = number
                return None, None
            return self._step, None
        asks, answers = _links(boundary, source, summary, data, details)
        cause = self._asked.get(answers) if answers is not None else None
        if asks is not None and (asks != answers or cause is None):
            self._remember(asks, number)
        return self._step, cause

    def _remember(self, key: Key, number: int) -> None:
        if len(self._asked) >= _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        self._asked[key] = number


def _links(
    boundary: Boundary, source: str, summary: str, data: bytes, details: Mapping[str, object]
) -> tuple[Key | None, Key | None]:
    """Return what later events may name an event by, and what it names an earlier one by."""
    request = details.get("request_id")
    if isinstance(request, str):  # the first one that names it asks
        return ("request", request), ("request", request)
    if boundary is Boundary.AIR and len(data) >= _ACK_OCTETS:
        frame = ("frame", data[2])
        return (None, frame) if _is_ack(data) else (frame, None)
    if boundary is Boundary.SERIAL and (found := _SEQUENCE.search(summary[:200])):
        line = ("line", found[1])
        return (line, None) if source == BENCH else (None, line)
    return _gbcs_links(data) if boundary is Boundary.GBCS else (None, None)


def _gbcs_links(octets: bytes) -> tuple[Key | None, Key | None]:
    try:
        message = parse(octets)
    except ValueError:  # DecodeError among it: what a tap hears may be anything
        return None, None
    if message.cra is Cra.COMMAND:
        remote = message.supplementary_party or message.originator
        counter = message.supplementary_counter or message.counter
        asks = ("gbcs", (message.recipient, message.counter))
        return asks, ("request", f"{remote}:{message.recipient}:{counter}")
    if message.cra is Cra.RESPONSE:
        return None, ("gbcs", (message.originator, message.counter))
    return None, None


def _is_ack(psdu: bytes) -> bool:
    return len(psdu) == _ACK_OCTETS and psdu[0] & _KIND == _ACK
