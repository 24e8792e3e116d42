"""A pack as plain data: what ran, how it ended, what it leaned on. Versioned; static and live pages read it.

Everything but the traffic is in here; `case` has that, an attempt at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from harness.errors import ConfigError
from harness.evidence.layout import RUN, case_folder
from harness.evidence.report.parties import Parties
from harness.evidence.report.text import all_visible
from harness.evidence.verdict import ROW_COLUMNS, Verdict, gravest

FORMAT = "ppmid-bench/report@1"
_WORDS = tuple(verdict.value for verdict in Verdict)


def overview(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as plain data; `run` is what `read_run` returns. Raises ConfigError for another form."""
    try:
        return _overview(run)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{RUN} is not of the form of a run: {error!r}") from None


def _overview(run: Mapping[str, Any]) -> dict[str, Any]:
    attempts = [case for case in run.get("cases", ()) if case.get("id") and case.get("verdict") in _WORDS]
    last = {case["id"]: case for case in attempts}
    view = {
        "format": FORMAT,
        "run": _run(run, last.values()),
        "table": {"columns": list(ROW_COLUMNS), "rows": _rows(last.values())},
        "triage": _triage(attempts, last),
        "cases": [_case(case, case is last[case["id"]]) for case in attempts],
        "requirements": _requirements(run, last),
        "assumptions": _assumptions(run, last.values()),
        "bench": list(run.get("bench", ())),
    }
    visible: dict[str, Any] = all_visible(view)
    return visible


def key_of(case_id: str, attempt: int) -> str:
    """Return the name that an attempt goes by in a report and in its addresses."""
    name = case_folder(Path(), case_id).name
    return name if attempt == 1 else f"{name}.{attempt}"


def folder_of(pack: Path, case: Mapping[str, Any]) -> Path:
    """Return where the evidence of an attempt is that `overview` lists."""
    return case_folder(pack, case["id"], case["attempt"])


def parties_of(run: Mapping[str, Any]) -> Parties:
    """Return who is who on the bench of a run."""
    return Parties.of(run)


def _run(run: Mapping[str, Any], cases: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    verdicts = [Verdict(case["verdict"]) for case in cases]
    counts = {word: sum(verdict.value == word for verdict in verdicts) for word in _WORDS}
    finished = run.get("state") == "finished"
    selected = run.get("selected", ())
    kept = (
        "began",
        "ended",
        "elapsed_s",
        "exit_code",
        "current_case",
        "rulebook",
        "overlays",
        "versions",
        "rig",
    )
    return {
        "state": run.get("state", "unknown"),
        "verdict": gravest(verdicts).value if verdicts else "none",
        "complete": finished and len(verdicts) >= len(selected),
        "counts": counts,
        "executed": len(verdicts),
        "selected": len(selected) or len(verdicts),
        "plans": [
            {"title": plan.get("title", ""), "file": PurePath(str(plan.get("file", ""))).name}
            for plan in run.get("plans", ())
        ],
        **{name: run.get(name) for name in kept},
    }


def _rows(cases: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = [
        {
            "cells": [case["row"].get(column, "-") for column in ROW_COLUMNS],
            "verdict": case["verdict"],
            "case": key_of(case["id"], case.get("attempt", 1)),
        }
        for case in cases
        if case.get("row")
    ]
    return sorted(rows, key=lambda row: str(row["cells"][0]))


_FAULT = {
    "fail": "the system under test",
    "error": "the rig or the harness",
    "inconclusive": "nobody, yet: the expectation is only assumed, or the stimulus could not be given",
}


def _triage(attempts: list[Mapping[str, Any]], last: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what went wrong, the gravest first and the earliest first among them, and what to look at."""
    wrong = [case for case in attempts if case["verdict"] != "pass" and case is last[case["id"]]]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for case in wrong:
        groups.setdefault((case["verdict"], _cause(case)), []).append(case)
    retried = [case for case in attempts if case is not last[case["id"]]]
    unhealthy = [
        {"case": key_of(case["id"], case.get("attempt", 1)), "health": case["health"]}
        for case in attempts
        if case.get("health")
    ]
    found = [
        {
            "verdict": verdict,
            "fault": _FAULT[verdict],
            "cause": cause,
            "step": _step(cases[0]),
            "first": key_of(cases[0]["id"], cases[0].get("attempt", 1)),
            "at": cases[0].get("started_s"),
            "cases": [key_of(case["id"], case.get("attempt", 1)) for case in cases],
        }
        for (verdict, cause), cases in groups.items()
    ]
    return {
        "groups": sorted(found, key=lambda group: ("fail", "error", "inconclusive").index(group["verdict"])),
        "retried": [
            {"case": key_of(case["id"], case.get("attempt", 1)), "reason": case.get("reason")}
            for case in retried
        ],
        "unhealthy": unhealthy,
    }


def _cause(case: Mapping[str, Any]) -> str:
    """Return the reason without the step that it begins with: the same cause at two steps is one."""
    step = _wrong_step(case)
    return str((step or {}).get("reason") or case.get("reason") or "no reason given")


def _step(case: Mapping[str, Any]) -> str | None:
    step = _wrong_step(case)
    return None if step is None else str(step.get("title"))


def _wrong_step(case: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((step for step in case.get("steps", ()) if step.get("verdict") != "pass"), None)


def _case(case: Mapping[str, Any], last: bool) -> dict[str, Any]:
    kept = (
        *("id", "title", "verdict", "reason", "attempt", "started_s", "elapsed_s", "timeout_s", "covers"),
        *("rules", "assumptions", "health", "row"),
    )
    return {
        "key": key_of(case["id"], case.get("attempt", 1)),
        "last": last,
        "plan": PurePath(str(case.get("plan", ""))).name,
        "steps": [_plain_step(step) for step in case.get("steps", ())],
        **{name: case.get(name) for name in kept},
        "attempt": case.get("attempt", 1),
    }


def _plain_step(step: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("title", "verdict", "reason", "started_s", "elapsed_s", "limit_s", "seen")
    return {"place": PurePath(str(step.get("place", ""))).name, **{name: step.get(name) for name in kept}}


def _requirements(run: Mapping[str, Any], last: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    told = run.get("requirements", {})
    named = dict.fromkeys((*told, *(name for case in last.values() for name in case.get("covers", ()))))
    return [
        {
            "id": name,
            "text": told.get(name, {}).get("text", ""),
            "source": told.get(name, {}).get("source", ""),
            "cases": [
                [key_of(case["id"], case.get("attempt", 1)), case["verdict"]]
                for case in last.values()
                if name in case.get("covers", ())
            ],
        }
        for name in named
    ]


def _assumptions(run: Mapping[str, Any], cases: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rules = run.get("rules", {})
    leaned: dict[str, list[str]] = {}
    for case in cases:
        for name in case.get("assumptions", ()):
            leaned.setdefault(name, []).append(key_of(case["id"], case.get("attempt", 1)))
    return [
        {
            "id": name,
            "title": rules.get(name, {}).get("title", ""),
            "source": rules.get(name, {}).get("source", ""),
            "basis": rules.get(name, {}).get("basis", "assumed"),
            "cases": found,
        }
        for name, found in sorted(leaned.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    ]
