"""Two packs held against each other: verdicts, how long cases took, how much crossed each boundary.

Times and counts of traffic vary from run to run; only what goes beyond a share and a least amount is told as
a difference, and a difference of times alone is none of what the packs say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import DecodeError
from harness.evidence.intact import read_run
from harness.evidence.layout import case_folder
from harness.evidence.recorder import TIMELINE
from harness.evidence.timeline import read_timeline

ABSENT = "not there"
_LEAST_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not the same. `kind` is verdict, time, traffic or run; `case` is empty for those."""

    kind: str
    case: str
    what: str
    before: Any
    after: Any

    @property
    def counts(self) -> bool:
        """Whether the packs differ by it: times do not count."""
        return self.kind != "time"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain json values."""
        return {
            "kind": self.kind,
            "case": self.case,
            "what": self.what,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far times and traffic may lie apart, as a share of the earlier ones."""

    time: float = 0.5
    traffic: float = 0.25


def differences(before: Path, after: Path, tolerance: Tolerance | None = None) -> tuple[Difference, ...]:
    """Return what is not the same in two packs. Raises ConfigError when one is no pack."""
    limits = tolerance or Tolerance()
    runs = read_run(before), read_run(after)
    found = [*_of_run(*runs)]
    cases = _cases(runs[0]), _cases(runs[1])
    for case_id in dict.fromkeys((*cases[0], *cases[1])):
        old, new = cases[0].get(case_id), cases[1].get(case_id)
        found += _of_verdict(case_id, old, new)
        if old is not None and new is not None:
            found += _of_time(case_id, old, new, limits.time)
            counts = _traffic(before, old), _traffic(after, new)
            found += _of_traffic(case_id, *counts, limits.traffic)
    return tuple(found)


def _cases(run: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the last attempt at each case."""
    return {case["id"]: case for case in run.get("cases", ())}


def _of_run(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for what in ("rulebook", "overlays", "secrets"):
        if old.get(what) != new.get(what):
            yield Difference(kind="run", case="", what=what, before=old.get(what), after=new.get(what))
    rigs = (old.get("rig") or {}).get("name"), (new.get("rig") or {}).get("name")
    if rigs[0] != rigs[1]:
        yield Difference(kind="run", case="", what="rig", before=rigs[0], after=rigs[1])
    versions = old.get("versions", {}), new.get("versions", {})
    for name in dict.fromkeys((*versions[0], *versions[1])):
        pair = versions[0].get(name), versions[1].get(name)
        if pair[0] != pair[1]:
            yield Difference(kind="run", case="", what=f"version of {name}", before=pair[0], after=pair[1])


def _of_verdict(
    case_id: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[Difference]:
    for what in ("verdict", "reason", "row"):
        pair = [ABSENT if case is None else case.get(what) for case in (old, new)]
        if pair[0] != pair[1] and (what == "verdict" or ABSENT not in pair):
            yield Difference(kind="verdict", case=case_id, what=what, before=pair[0], after=pair[1])


def _of_time(
    case_id: str, old: Mapping[str, Any], new: Mapping[str, Any], share: float
) -> Iterator[Difference]:
    pair = old.get("elapsed_s", 0.0), new.get("elapsed_s", 0.0)
    if abs(pair[1] - pair[0]) > max(_LEAST_S, share * pair[0]):
        yield Difference(
            kind="time", case=case_id, what="seconds", before=round(pair[0], 3), after=round(pair[1], 3)
        )


def _of_traffic(
    case_id: str, old: Mapping[str, int], new: Mapping[str, int], share: float
) -> Iterator[Difference]:
    for boundary in sorted({*old, *new}):
        pair = old.get(boundary, 0), new.get(boundary, 0)
        if abs(pair[1] - pair[0]) > share * pair[0]:
            yield Difference(
                kind="traffic", case=case_id, what=f"{boundary} events", before=pair[0], after=pair[1]
            )


def _traffic(folder: Path, case: Mapping[str, Any]) -> dict[str, int]:
    path = case_folder(folder, case["id"], case.get("attempt", 1)) / TIMELINE
    try:
        return Counter(event.boundary.value for event in read_timeline(path))
    except (OSError, DecodeError):
        return {}
