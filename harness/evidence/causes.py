"""Which event answers which: found from what the events say of themselves, as they are recorded.

A response names its request (`request_id`), a line of the test port its command (`seq=`), an IEEE 802.15.4
acknowledgement the frame (its sequence number); and everything happens in a step of the plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.tap import Boundary

BENCH = "bench"  # who speaks to the PPMID's port
_SEQUENCE = re.compile(r"\bseq=(\d+)")
_ACK, _ACK_OCTETS, _KIND = 0b010, 5, 0b111
_REMEMBERED = 4096


class Causes:
    """Keeps what later events may refer to. One a timeline; not for several threads."""

    def __init__(self) -> None:
        self._step: int | None = None
        self._asked: dict[tuple[str, object], int] = {}

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
        key = _key(boundary, summary, data, details)
        if key is None:
            return self._step, None
        if _asks(boundary, source, data):
            self._remember(key, number)
            return self._step, None
        known = self._asked.get(key)
        if known is None and boundary is not Boundary.AIR:
            self._remember(key, number)
        return self._step, known

    def _remember(self, key: tuple[str, object], number: int) -> None:
        if len(self._asked) >= _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        self._asked[key] = number


def _key(
    boundary: Boundary, summary: str, data: bytes, details: Mapping[str, object]
) -> tuple[str, object] | None:
    request = details.get("request_id")
    if isinstance(request, str):
        return "request", request
    if boundary is Boundary.AIR:
        return ("frame", data[2]) if len(data) >= _ACK_OCTETS else None
    if boundary is Boundary.SERIAL and (found := _SEQUENCE.search(summary[:200])):
        return "line", found[1]
    return None


def _asks(boundary: Boundary, source: str, data: bytes) -> bool:
    """Say whether an event is never an answer, though one with its key was there before."""
    if boundary is Boundary.SERIAL:
        return source == BENCH
    return boundary is Boundary.AIR and not _is_ack(data)


def _is_ack(psdu: bytes) -> bool:
    return len(psdu) == _ACK_OCTETS and psdu[0] & _KIND == _ACK
