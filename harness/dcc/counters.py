"""Originator counters: every party that starts messages has one, and no value of it is ever used twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class OriginatorCounter:
    """Milliseconds of Unix time, or one more than the last value where that is larger.

    So a counter grows from one run to the next without anything being kept, as a device under test demands.
    """

    def __init__(self, clock: Clock = utc_now, *, last: int = 0) -> None:
        self._clock = clock
        self._last = last

    def next(self) -> int:
        """Return the next value."""
        self._last = max(self._last + 1, int(self._clock().timestamp() * 1000))
        return self._last
