"""A test plan as its file says it: cases, the requirements that they cover, the steps that they take.

Source of the file's form: docs/write-a-case.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.documents import Node, Seconds
from harness.evidence.verdict import ROW_COLUMNS
from harness.plan.row import UNKNOWN
from harness.plan.steps.step import Step

DEFAULT_TIMEOUT = Seconds(90)
_CELLS = (
    ("pre-notified", "prenotify", "as"),
    ("hub", "whitelist", "hub"),
    ("expected", "expect_inventory", "smets"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that must hold, in the bench's own words; `source` says where it is written."""

    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. `row` is its line in MP202's table, for those that have one; `timeout` is for an attempt."""

    id: str
    title: str
    covers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    timeout: Seconds = DEFAULT_TIMEOUT
    row: int | None = None
    steps: tuple[Step, ...]
    where: Node

    @property
    def plan(self) -> Path:
        """The file that the case is written in."""
        return self.where.file

    @property
    def place(self) -> str:
        """``file:line`` of the case."""
        return f"{self.where.file}:{self.where.line}"

    @property
    def cells(self) -> Mapping[str, str]:
        """The cells of its line in the four-row table that the plan alone decides."""
        cells = dict.fromkeys(ROW_COLUMNS, UNKNOWN)
        if self.row is not None:
            cells["row"] = str(self.row)
        for column, word, argument in _CELLS:
            for step in self.steps:
                if step.word == word and argument in step.where.items:
                    cells[column] = str(step.where.items[argument].value)
        return cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan file (`ppmid-bench/plan@1`), checked whole."""

    file: Path
    title: str
    cases: tuple[Case, ...]
    requirements: Mapping[str, Requirement]
