"""A case's line in the four-row table, filled in as the case goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.evidence.verdict import ROW_COLUMNS

UNKNOWN = "-"


@dataclass(slots=True)
class Row:
    """The cells known so far, by column."""

    cells: dict[str, str] = field(default_factory=dict)

    def note(self, column: str, text: str) -> None:
        """Fill a cell in."""
        if column not in ROW_COLUMNS:
            raise ValueError(f"the table has no column `{column}`")
        self.cells[column] = text
