"""How a pack is laid out: the names of its files, and where the evidence of a case is."""

from __future__ import annotations

import re
from pathlib import Path

FORMAT = "ppmid-bench/run@1"
RUN, RUN_EVENTS, JUNIT, CASES, RESULT = "run.json", "run.jsonl", "junit.xml", "cases", "result.json"
REPORT, VERDICTS = "report.html", "verdicts.csv"


def case_folder(folder: Path, case_id: str, attempt: int = 1) -> Path:
    """Return where an attempt's evidence is."""
    first = folder / CASES / folder_name(case_id)
    return first if attempt == 1 else first / f"attempt-{attempt}"


def folder_name(case_id: str) -> str:
    """Return a case's folder under ``cases``."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", case_id).lstrip(".") or "_"
