"""The timeline: every event at every boundary in one order, streamed to disk as it happens.

One line of json an event. `n` counts from 0 over a file, `t` is seconds since the run began on a monotonic
clock, `at` the same moment as Unix time; `data` is hex. `step` is the number of the plan's step under way,
`cause` that of the event which this one answers; `masked` says that secrets in `data` are masked. What is
beyond a limit is left out and said: `cut` counts the octets that an event had; where a file was full an event
of `timeline` says so, and at its end how many were left out.
"""

from __future__ import annotations

import errno
import heapq
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as _quoted
from pathlib import Path
from typing import Any

from harness.errors import DecodeError
from harness.evidence.air import HeardFrame
from harness.evidence.air_links import Links
from harness.evidence.causes import Causes, frame_links
from harness.evidence.limits import Allowance, Limits
from harness.evidence.secrets import Secrets
from harness.tap import Boundary

RECORDER = "timeline"  # the party that speaks of the timeline itself
_BOUNDARIES = {boundary.value: boundary for boundary in Boundary}
_decoded = json.JSONDecoder().raw_decode
_encoded = json.JSONEncoder(ensure_ascii=True, default=str, skipkeys=True).encode


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
    step: int | None = None  # number of the step under way
    cause: int | None = None  # number of the event that this one answers
    masked: bool = False  # whether secrets in `data` were masked

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Event:
        """Read one line's json; raises DecodeError."""
        try:
            return cls(
                number=plain["n"],
                elapsed_s=plain["t"],
                unix_s=plain["at"],
                boundary=_BOUNDARIES[plain["boundary"]],
                source=plain["source"],
                destination=plain["destination"],
                summary=plain["summary"],
                data=bytes.fromhex(plain.get("data", "")),
                details=plain.get("details", {}),
                cut=plain.get("cut"),
                step=plain.get("step"),
                cause=plain.get("cause"),
                masked=plain.get("masked", False) is True,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DecodeError("timeline event", str(error)) from None


class Timeline:
    """Writes a timeline file. Safe to use from several threads; after `close`, events are dropped."""

    def __init__(
        self,
        path: Path,
        clock: RunClock,
        *,
        allowance: Allowance | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._file = path.open("wb", buffering=0)
        self._clock = clock
        self._allowance = allowance or Allowance()
        self._limits: Limits = self._allowance.limits
        self._secrets = secrets or Secrets()
        self._causes = Causes()
        self._lock = threading.Lock()
        self._count = 0
        self._octets = 0
        self._left_out = 0
        self.failed: OSError | None = None

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
            if not self._file.closed:
                self._record(boundary, source, destination, summary, data, details)

    def heard(self, heard: HeardFrame, psdu: bytes, **details: object) -> None:
        """Stamp and write a frame off the air, as `record` does."""
        with self._lock:
            if not self._file.closed:
                parties = heard.source, heard.destination, heard.summary
                self._record(Boundary.AIR, *parties, psdu, details, frame_links(heard))

    def _record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes,
        details: Mapping[str, object],
        links: Links | None = None,
    ) -> None:
        elapsed_s = self._clock.elapsed_s()
        limits, number, secrets = self._limits, self._count, self._secrets
        step, cause = self._causes.of(number, boundary, source, summary, data, details, links)
        said = secrets.text(_short(summary, limits.text))
        line = (
            f'{{"n": {number}, "t": {elapsed_s:.6f}, "at": {self._clock.unix_s(elapsed_s):.6f},'
            f' "boundary": "{boundary.value}", "source": {_quoted(_short(source, limits.text))},'
            f' "destination": {_quoted(_short(destination, limits.text))}, "summary": {_quoted(said)}'
        )
        if data:
            kept = secrets.octets(data[: limits.data])
            line += f', "data": "{kept.hex()}"'
            if kept != data[: limits.data]:
                line += ', "masked": true'
            if len(data) > limits.data:
                line += f', "cut": {len(data)}'
        if step is not None:
            line += f', "step": {step}'
        if cause is not None:
            line += f', "cause": {cause}'
        if details:
            line += f', "details": {secrets.text(_details(details, limits.details))}'
        octets = f"{line}}}\n".encode()
        if boundary is Boundary.STEP or self._has_room(len(octets)):
            self._put(octets)

    def _has_room(self, octets: int) -> bool:
        """Say whether a line still fits; the first that does not leaves a marker in its place."""
        if not self._left_out:
            if self._octets + octets <= self._limits.file and self._allowance.take(octets):
                return True
            self._mark("the timeline is full: from here on only steps are kept")
        self._left_out += 1
        return False

    def _mark(self, summary: str, **details: object) -> None:
        elapsed_s = self._clock.elapsed_s()
        marker = {
            "n": self._count,
            "t": round(elapsed_s, 6),
            "at": round(self._clock.unix_s(elapsed_s), 6),
            "boundary": Boundary.STEP.value,
            "source": RECORDER,
            "destination": "",
            "summary": summary,
            "details": details,
        }
        self._put(f"{json.dumps(marker)}\n".encode())

    def _put(self, line: bytes) -> None:
        if self.failed is not None:
            return
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)
        except OSError as error:  # a tap never raises into what it listens to; who closes the case asks
            self.failed = error
            return
        self._octets += len(line)
        self._count += 1

    def close(self) -> None:
        """Close the file, and say in it how many events it did not take; may be called twice."""
        with self._lock:
            if not self._file.closed and self._left_out:
                self._mark(f"{self._left_out} events were left out", left_out=self._left_out)
            self._file.close()


def read_timeline(path: Path) -> Iterator[Event]:
    """Yield the events of a file. A last line that a killed run left unfinished is passed over.

    Raises DecodeError, with the line's number, for any other line that is no event.
    """
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith("\n"):
                return
            try:
                plain, end = _decoded(line)
                if end != len(line) - 1:
                    raise DecodeError("json", "there is more after it", offset=end)
                yield Event.from_json(plain)
            except (json.JSONDecodeError, DecodeError) as error:
                raise DecodeError(f"{path.name} line {number}", str(error)) from None


def merged(timelines: Iterable[Path]) -> Iterator[tuple[Path, Event]]:
    """Yield the events of several files of one run in one order, each with its file. Raises DecodeError."""

    def of(path: Path) -> Iterator[tuple[Path, Event]]:
        return ((path, event) for event in read_timeline(path))

    return heapq.merge(*(of(path) for path in timelines), key=_moment)


def _moment(entry: tuple[Path, Event]) -> float:
    return entry[1].elapsed_s


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def _details(details: Mapping[str, object], longest: int) -> str:
    try:
        told = _encoded(details)
    except (ValueError, RecursionError) as error:
        return _encoded({"unreadable": str(error)})
    return told if len(told) <= longest else f'{{"cut": {len(told)}}}'
