"""A pack of many cases made from a real one: its cases again and again under names of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from harness.evidence.layout import CASES, RUN, case_folder
from harness.evidence.sums import SUMS, Sums, files_of


def multiplied(pack: Path, folder: Path, count: int) -> Path:
    """Write a pack of `count` cases to `folder`; all that is in them is what was in those of `pack`."""
    run = json.loads((pack / RUN).read_text(encoding="utf-8"))
    cases = [case for case in run["cases"] if case["attempt"] == 1]
    ids = {case["id"] for case in cases}
    shutil.copytree(pack, folder, ignore=shutil.ignore_patterns(CASES, SUMS, "report.html"))
    many = []
    for number in range(count):
        case = cases[number % len(cases)]
        name = f"{case['id']}-{number + 1:03d}"
        many.append({**case, "id": name})
        shutil.copytree(case_folder(pack, case["id"]), case_folder(folder, name))
    assert len({case["id"] for case in many} | ids) == count + len(ids)
    told = {**run, "cases": many, "selected": [case["id"] for case in many]}
    (folder / RUN).write_text(json.dumps(told), encoding="utf-8")
    sums = Sums(folder)
    sums.add(files_of(folder))
    sums.write()
    return folder
