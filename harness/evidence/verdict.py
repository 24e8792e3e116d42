"""What a case came to, and why.

A verdict is honest about whose fault it is (DESIGN §4): `fail` is the system under test's, `error` the rig's
or the harness's, `inconclusive` nobody's yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Verdict(Enum):
    """How a step, a case or a run ended."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


# From the gravest: a run with one `fail` is a failed run, whatever else it has.
_GRAVITY = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)
_EXIT_CODE = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 3, Verdict.INCONCLUSIVE: 4}
NOTHING_RAN = 3

ROW_COLUMNS = (
    "row",
    "pre-notified",
    "hub",
    "expected",
    "SMI",
    "on-air mode",
    "route",
)  # of the four-row table


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that decides over the rest; PASS when there is none."""
    return min(verdicts, key=_GRAVITY.index, default=Verdict.PASS)


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return a run's exit code; 3 when no case was executed."""
    found = tuple(verdicts)
    return _EXIT_CODE[gravest(found)] if found else NOTHING_RAN


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step of a case. `started_s` counts from the case's start; `reason` is None on a pass."""

    title: str
    place: str  # file:line of the step
    verdict: Verdict
    started_s: float
    elapsed_s: float
    reason: str | None = None
    limit_s: float | None = None  # what the step was given to come true in
    seen: Mapping[str, Any] = field(default_factory=dict)  # plain json values


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One attempt at a case. Every verdict but `pass` has a `reason` that a bench engineer can act on."""

    id: str
    title: str
    plan: str
    verdict: Verdict
    reason: str | None
    attempt: int
    started_s: float  # Unix time
    elapsed_s: float
    timeout_s: float | None = None  # what the case was given
    covers: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()  # ids of the assumed rules that the verdict leans on
    rules: tuple[str, ...] = ()  # ids of all rules that the expectations came from
    steps: tuple[StepResult, ...] = ()
    health: str | None = None  # what the rig's health check found wrong, when it was made
    row: Mapping[str, str] | None = None  # by ROW_COLUMNS, for cases that have a line in the four-row table

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain json values."""
        return {
            "id": self.id,
            "title": self.title,
            "plan": self.plan,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "attempt": self.attempt,
            "started_s": round(self.started_s, 6),
            "elapsed_s": round(self.elapsed_s, 6),
            "timeout_s": self.timeout_s,
            "covers": list(self.covers),
            "rules": list(self.rules),
            "assumptions": list(self.assumptions),
            "health": self.health,
            "row": dict(self.row) if self.row is not None else None,
            "steps": [_step_json(step) for step in self.steps],
        }


def _step_json(step: StepResult) -> dict[str, Any]:
    return {
        "title": step.title,
        "place": step.place,
        "verdict": step.verdict.value,
        "reason": step.reason,
        "started_s": round(step.started_s, 6),
        "elapsed_s": round(step.elapsed_s, 6),
        "limit_s": step.limit_s,
        "seen": dict(step.seen),
    }
