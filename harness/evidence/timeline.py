"""The timeline: every event at every boundary in one order, streamed to disk as it happens.

One line of json an event. `n` counts from 0 over a file, `t` is seconds since the run began on a monotonic
clock, `at` the same moment as Unix time; `data` is hex. Octets beyond a limit are left out, and `cut` then
says how many there were.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import DecodeError
from harness.tap import Boundary

LONGEST_DATA = 16 * 1024
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class RunClock:
    """One moment on two clocks: seconds since the run began, and Unix time that never runs backwards."""

    began_monotonic_s: float
    began_unix_s: float

    @classmethod
    def start(cls) -> RunClock:
        """Return a clock that begins now."""
        return cls(time.monotonic(), time.time())

    def elapsed_s(self) -> float:
        """Return seconds since the run began."""
        return time.monotonic() - self.began_monotonic_s

    def unix_s(self, elapsed_s: float) -> float:
        """Return the Unix time of a moment of the run."""
        return self.began_unix_s + elapsed_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that crossed a boundary, or a step of the plan."""

    number: int
    elapsed_s: float
    unix_s: float
    boundary: Boundary
    source: str
    destination: str
    summary: str
    data: bytes = b""
    details: Mapping[str, Any] = field(default_factory=dict)
    cut: int | None = None  # octets that there were, when `data` does not have them all

    def as_json(self) -> dict[str, Any]:
        """Return the event as plain json values."""
        plain: dict[str, Any] = {
            "n": self.number,
            "t": round(self.elapsed_s, 6),
            "at": round(self.unix_s, 6),
            "boundary": self.boundary.value,
            "source": self.source,
            "destination": self.destination,
            "summary": self.summary,
        }
        if self.data:
            plain["data"] = self.data.hex()
        if self.cut is not None:
            plain["cut"] = self.cut
        if self.details:
            plain["details"] = dict(self.details)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Event:
        """Read what `as_json` wrote; raises DecodeError."""
        try:
            return cls(
                number=plain["n"],
                elapsed_s=plain["t"],
                unix_s=plain["at"],
                boundary=Boundary(plain["boundary"]),
                source=plain["source"],
                destination=plain["destination"],
                summary=plain["summary"],
                data=bytes.fromhex(plain.get("data", "")),
                details=plain.get("details", {}),
                cut=plain.get("cut"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DecodeError("timeline event", str(error)) from None


class Timeline:
    """Writes a timeline file. Safe to use from several threads; after `close`, events are dropped."""

    def __init__(self, path: Path, clock: RunClock, *, longest_data: int = LONGEST_DATA) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._clock = clock
        self._longest = longest_data
        self._lock = threading.Lock()
        self._count = 0

    def record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes = b"",
        **details: object,
    ) -> None:
        """Stamp and write one event; the line is with the operating system when this returns."""
        with self._lock:
            if self._file.closed:
                return
            elapsed_s = self._clock.elapsed_s()
            event = Event(
                number=self._count,
                elapsed_s=elapsed_s,
                unix_s=self._clock.unix_s(elapsed_s),
                boundary=boundary,
                source=source,
                destination=destination,
                summary=_short(summary),
                data=bytes(data[: self._longest]),
                details=details,
                cut=len(data) if len(data) > self._longest else None,
            )
            self._count += 1
            self._file.write(json.dumps(event.as_json(), ensure_ascii=True, default=str) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._file.close()


def read_timeline(path: Path) -> Iterator[Event]:
    """Yield the events of a file. A last line that a killed run left unfinished is passed over.

    Raises DecodeError, with the line's number, for any other line that is no event.
    """
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith("\n"):
                return
            try:
                yield Event.from_json(json.loads(line))
            except (json.JSONDecodeError, DecodeError) as error:
                raise DecodeError(f"{path.name} line {number}", str(error)) from None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"
