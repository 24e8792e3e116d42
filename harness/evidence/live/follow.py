"""Follows a pack on disk while it is written: what is new in ``run.json`` and in its timelines.

A page that is fed from the pack shows what the pack will say, costs the run nothing, and may be served by
another process than the one that runs the cases.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.evidence.layout import RUN, RUN_EVENTS, case_folder
from harness.evidence.recorder import TIMELINE
from harness.evidence.report.overview import key_of

_AT_MOST = 1 << 20  # octets of a file a poll


class Tail:
    """Reads a file of lines as far as it has got."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = 0
        self._rest = b""

    def lines(self) -> list[bytes]:
        """Return the whole lines that have come since."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                octets = file.read(_AT_MOST)
        except FileNotFoundError:
            return []
        self._at += len(octets)
        *whole, self._rest = (self._rest + octets).split(b"\n")
        return whole

    @property
    def behind(self) -> bool:
        """Whether there is more to read already."""
        try:
            return self.path.stat().st_size > self._at
        except FileNotFoundError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a poll found: ``run.json`` when it is another one, and events, each with its attempt's key."""

    run: Mapping[str, Any] | None = None
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(slots=True)
class Follower:
    """Follows one pack. `poll` never blocks for long and never raises for what is not there yet."""

    folder: Path
    run: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""  # of the attempt that is going on
    _seen: tuple[int, int] = (0, 0)
    _between: Tail = field(init=False)
    _case: Tail | None = None

    def __post_init__(self) -> None:
        self._between = Tail(self.folder / RUN_EVENTS)

    def poll(self) -> News:
        """Return what is new."""
        before = self._events()
        run = self._changed_run()
        if run is None:
            return News(events=tuple(before))
        # The case that ended may have written on since; then comes the one that has begun.
        before += self._events()
        while self._case is not None and self._case.behind:
            before += self._events()
        self.run = run
        self._turn_to(run)
        return News(run=run, events=tuple(before + self._events()))

    def _changed_run(self) -> Mapping[str, Any] | None:
        path = self.folder / RUN
        try:
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
            if seen == self._seen:
                return None
            run = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        self._seen = seen
        return run if isinstance(run, dict) else None

    def _turn_to(self, run: Mapping[str, Any]) -> None:
        current = run.get("current_case")
        if not isinstance(current, str):
            self.key, self._case = "", None
            return
        attempt = 1 + sum(case.get("id") == current for case in run.get("cases", ()))
        path = case_folder(self.folder, current, attempt) / TIMELINE
        if self._case is None or self._case.path != path:
            self.key, self._case = key_of(current, attempt), Tail(path)

    def _events(self) -> list[tuple[str, Mapping[str, Any]]]:
        found = [("", event) for event in _parsed(self._between)]
        if self._case is not None:
            found += [(self.key, event) for event in _parsed(self._case)]
        return sorted(found, key=_moment)


def _parsed(tail: Tail) -> Iterator[Mapping[str, Any]]:
    for line in tail.lines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("t"), int | float):
            yield event


def _moment(entry: tuple[str, Mapping[str, Any]]) -> float:
    moment: float = entry[1]["t"]
    return moment
