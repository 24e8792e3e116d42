"""What the live page shows at a moment, made of nothing but a pack's events: every viewer sees the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.evidence.report.text import all_visible, shortened, visible

FRAMES, LINES = 60, 200
"""How many frames and lines of the serial console a page shows."""

_LONGEST = 300
_FRAMES_OF = ("air", "radio")
_ALL = 1 << 20


@dataclass(slots=True)
class Picture:
    """Takes events in and remembers what a viewer who comes later must know."""

    case: str = ""
    step: str = ""
    step_number: int = 0
    question: Mapping[str, str] | None = None
    paused: bool = False
    events: int = 0
    frames: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=FRAMES))
    serial: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LINES))

    def take(self, key: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Take an event in; return it as viewers are told of it: short, with nothing hidden in its text."""
        told = _told(key, event)
        self.events += 1
        boundary = told["b"]
        if boundary in _FRAMES_OF:
            self.frames.append(told)
        elif boundary == "serial":
            self.serial.append(told)
        elif boundary == "step":
            self._steer(told, event.get("details", {}))
        return told

    def turn_to(self, key: str) -> None:
        """Note which attempt is going on, none when `key` is empty."""
        if key != self.case:
            self.case, self.step, self.step_number = key, "", 0

    def _steer(self, told: dict[str, Any], details: Mapping[str, Any]) -> None:
        if isinstance(details.get("step"), int):
            self.step, self.step_number = told["s"], details["step"]
            told["step"] = self.step_number
        if isinstance(details.get("question"), str):
            self.question = {"id": visible(details["question"]), "text": told["s"]}
            told["question"] = self.question
        if isinstance(details.get("answer"), str):
            self.question = None
            told["answered"] = visible(details["answer"])
        if isinstance(details.get("paused"), bool):
            self.paused = told["paused"] = details["paused"]

    def plain(self) -> dict[str, Any]:
        """Return it as plain json values."""
        return {
            "case": self.case,
            "step": self.step,
            "step_number": self.step_number,
            "question": self.question,
            "paused": self.paused,
            "events": self.events,
            "frames": list(self.frames),
            "serial": list(self.serial),
        }


def _told(key: str, event: Mapping[str, Any]) -> dict[str, Any]:
    longest = _ALL if event.get("boundary") == "step" else _LONGEST
    told = {
        "k": key,
        "n": event.get("n"),
        "t": event.get("t"),
        "at": event.get("at"),
        "b": event.get("boundary"),
        "from": shortened(str(event.get("source", "")), 80),
        "to": shortened(str(event.get("destination", "")), 80),
        "s": shortened(str(event.get("summary", "")), longest),
        "octets": event.get("cut") or len(str(event.get("data", ""))) // 2,
    }
    found: dict[str, Any] = all_visible(told)
    return found
