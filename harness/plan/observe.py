"""Who is told of a run as it goes on: a terminal, pytest, a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.evidence.verdict import CaseResult, StepResult
from harness.plan.model import Case


class Observer(Protocol):
    """Told of a run on the loop that runs it; must not block."""

    def run_started(self, cases: Sequence[Case]) -> None:
        """The bench is open, and these cases will run, in this order."""

    def case_started(self, case: Case, attempt: int) -> None:
        """An attempt at a case begins; attempts count from 1."""

    def step_finished(self, case: Case, step: StepResult) -> None:
        """A step of it has ended."""

    def case_finished(self, case: Case, result: CaseResult, *, again: bool) -> None:
        """An attempt has ended; `again` when another follows."""


class NullObserver:
    """Nobody."""

    def run_started(self, cases: Sequence[Case]) -> None:
        """Take no notice."""

    def case_started(self, case: Case, attempt: int) -> None:
        """Take no notice."""

    def step_finished(self, case: Case, step: StepResult) -> None:
        """Take no notice."""

    def case_finished(self, case: Case, result: CaseResult, *, again: bool) -> None:
        """Take no notice."""
