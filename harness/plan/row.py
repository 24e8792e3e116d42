"""A case's line in the four-row table, filled in as the case goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.plan.model import Case

COLUMNS = ("row", "pre-notified", "hub", "expected", "SMI", "on-air mode", "route")
UNKNOWN = "-"


@dataclass(slots=True)
class Row:
    """The cells known so far, by column."""

    cells: dict[str, str] = field(default_factory=dict)

    def note(self, column: str, text: str) -> None:
        """Fill a cell in."""
        if column not in COLUMNS:
            raise ValueError(f"the table has no column `{column}`")
        self.cells[column] = text


def planned(case: Case) -> Mapping[str, str]:
    """Return the cells that the plan alone decides: pre-notified, hub, expected."""
    cells = dict.fromkeys(COLUMNS, UNKNOWN)
    if case.row is not None:
        cells["row"] = str(case.row)
    for column, word, argument in (
        ("pre-notified", "prenotify", "as"),
        ("hub", "whitelist", "hub"),
        ("expected", "expect_inventory", "smets"),
    ):
        for step in case.steps:
            if step.word == word and argument in step.where.items:
                cells[column] = str(step.where.items[argument].value)
    return cells
