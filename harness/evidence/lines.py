"""Digests of a timeline's lines, so that a line that was altered, added or removed can be named later.

``NAME.jsonl`` has ``NAME.lines`` beside it: the first 16 hex digits of each line's SHA-256, one a line.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from harness.evidence.sums import write_whole

TIMELINES, LINES = ".jsonl", ".lines"
_DIGITS = 16
_COMPARED = 2000  # lines; a longer stretch of changes is told as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Lines of a timeline that are not as they were. Numbers count from 1; `first` is where they are now."""

    what: str  # altered, added or removed
    first: int
    count: int

    def __str__(self) -> str:
        if self.what == "removed":
            lines = "1 line" if self.count == 1 else f"{self.count} lines"
            return f"{lines} removed before line {self.first}"
        if self.count == 1:
            return f"line {self.first} {self.what}"
        return f"lines {self.first} to {self.first + self.count - 1} {self.what}"


def lines_of(timeline: Path) -> Path:
    """Return the file of a timeline's digests."""
    return timeline.with_suffix(LINES)


def write_lines(timeline: Path) -> None:
    """Write the digests of a timeline that is finished."""
    write_whole(lines_of(timeline), "".join(f"{digest}\n" for digest in _digests(timeline)))


def changes(timeline: Path) -> tuple[Change, ...]:
    """Say which lines are not as they were when `write_lines` ran."""
    before = lines_of(timeline).read_text(encoding="utf-8", errors="replace").splitlines()
    now = _digests(timeline)
    start = 0
    while start < min(len(before), len(now)) and before[start] == now[start]:
        start += 1
    end = 0
    while end < min(len(before), len(now)) - start and before[-1 - end] == now[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], now[start : len(now) - end]
    if max(len(old), len(new)) > _COMPARED:
        return tuple(_told("replace", start, len(old), len(new)))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(
        change
        for what, i1, i2, j1, j2 in blocks
        if what != "equal"
        for change in _told(what, start + j1, i2 - i1, j2 - j1)
    )


def _told(what: str, at: int, old: int, new: int) -> list[Change]:
    both = min(old, new) if what == "replace" else 0
    told = [Change(what="altered", first=at + 1, count=both)] if both else []
    if new > both:
        told.append(Change(what="added", first=at + both + 1, count=new - both))
    if old > both:
        told.append(Change(what="removed", first=at + both + 1, count=old - both))
    return told


def _digests(path: Path) -> list[str]:
    lines = path.read_bytes().split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [hashlib.sha256(line).hexdigest()[:_DIGITS] for line in lines]
