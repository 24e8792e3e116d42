"""``verdicts.csv``: a line a case for spreadsheets, with its verdict and why.

A cell that a spreadsheet would take for a formula gets an apostrophe before it: texts come from devices too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

from harness.evidence.verdict import CaseResult

COLUMNS = (
    *("case", "title", "plan", "verdict", "reason", "attempts", "began", "seconds"),
    *("requirements", "rules", "assumptions", "rig_health"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def verdicts_csv(results: Iterable[CaseResult]) -> str:
    """Return the document; of several attempts at a case, the last one counts."""
    last = {result.id: result for result in results}
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for result in last.values():
        writer.writerow([_cell(value) for value in _row(result)])
    return written.getvalue()


def _row(result: CaseResult) -> tuple[str, ...]:
    began = datetime.fromtimestamp(result.started_s, UTC)
    return (
        result.id,
        result.title,
        result.plan,
        result.verdict.value,
        result.reason or "",
        str(result.attempt),
        began.isoformat(timespec="milliseconds"),
        f"{result.elapsed_s:.3f}",
        " ".join(result.covers),
        " ".join(result.rules),
        " ".join(result.assumptions),
        result.health or "",
    )


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
