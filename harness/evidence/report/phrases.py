"""How a report says things: headline, facts, times, and which cases stand side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_WIDEST_MATRIX = 24  # cases; beyond that a column each is no longer read
_SLOWEST = 40
_WORDS = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "inconclusive",
    "error": "ended in an error of rig or harness",
}


def headline(run: Mapping[str, Any]) -> str:
    """Return the run in one line."""
    executed, counts = run["executed"], run["counts"]
    if not executed:
        return "No case has been executed"
    if counts["pass"] == executed == run["selected"] and run["state"] == "finished":
        return f"All {executed} cases passed" if executed > 1 else "The case passed"
    wrong = [f"{counts[word]} {_WORDS[word]}" for word in ("fail", "error", "inconclusive") if counts[word]]
    told = ", ".join(wrong) or f"{counts['pass']} passed so far"
    return f"{told} of {run['selected']}"


def subline(run: Mapping[str, Any]) -> str:
    """Return what stands below the headline: what the run did not get to, or what it proved on what."""
    rig = (run.get("rig") or {}).get("name", "no rig named")
    plans = "; ".join(plan["title"] for plan in run["plans"]) or "no plan named"
    if run["state"] != "finished":
        return f"The run has not ended: {run['executed']} of {run['selected']} cases so far, on {rig}."
    if run["executed"] < run["selected"]:
        return f"Only {run['executed']} of {run['selected']} cases were executed, on {rig}. {plans}."
    return f"{plans}. On {rig}."


def facts(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what identifies a run."""
    run = view["run"]
    device = next((part for part in view["bench"] if part.get("kind") == "ppmid"), None)
    found = [
        ("began", _moment(run.get("began"))),
        ("took", seconds(run.get("elapsed_s"))),
        ("exit code", "" if run.get("exit_code") is None else str(run["exit_code"])),
        ("verdicts", ", ".join(f"{count} {word}" for word, count in run["counts"].items() if count)),
        ("rig", (run.get("rig") or {}).get("name", "")),
        ("PPMID", _device(device)),
        ("bench", f"ppmid-bench {(run.get('versions') or {}).get('ppmid-bench', 'unknown')}"),
        ("assumptions leaned on", str(len(view["assumptions"]))),
    ]
    return [(name, value) for name, value in found if value]


def _device(device: Mapping[str, Any] | None) -> str:
    if device is None:
        return ""
    words = (device.get("manufacturer"), device.get("model"), device.get("firmware"))
    model = "/".join(str(word) for word in words if word)
    return " ".join(word for word in (device.get("eui64") or "", model) if word)


def _moment(text: str | None) -> str:
    return (text or "").replace("T", " ").replace("+00:00", " UTC")


def matrix(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the cases that get a column each, none when they are too many."""
    last = [case["key"] for case in cases if case["last"]]
    return last if len(last) <= _WIDEST_MATRIX else []


def slowest(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the longest cases with their share of the longest, and of their limit where it is near."""
    found = sorted(cases, key=lambda case: -case["elapsed_s"])[:_SLOWEST]
    longest = found[0]["elapsed_s"] if found else 0.0
    return [
        {
            **case,
            "share": round(100 * case["elapsed_s"] / longest, 1) if longest else 0,
            "limit_share": _limit_share(case.get("timeout_s"), longest),
        }
        for case in found
    ]


def _limit_share(limit_s: float | None, longest_s: float) -> float | None:
    if not limit_s or not longest_s or limit_s > longest_s:
        return None
    return round(100 * limit_s / longest_s, 1)


def seconds(value: float | None) -> str:
    """Return a duration."""
    if value is None:
        return ""
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def clock(unix_s: float) -> str:
    """Return a moment's time of day, UTC."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%H:%M:%S.%f")[:-3] + " UTC"


def tally(cases: Sequence[tuple[str, str]]) -> str:
    """Return how many cases came to which verdict."""
    counted = Counter(verdict for _, verdict in cases)
    return ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
