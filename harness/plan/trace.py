"""Requirement, case, last verdict: what has been proved, by what, and what nobody covers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.evidence.layout import RUN
from harness.plan.model import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """A requirement. `cases` has the last verdict by case, None for a case that has none."""

    id: str
    text: str
    source: str
    cases: Mapping[str, str | None]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain json values."""
        return {"id": self.id, "text": self.text, "source": self.source, "cases": dict(self.cases)}


def trace_requirements(plans: Iterable[Plan], verdicts: Mapping[str, str]) -> tuple[TraceLine, ...]:
    """Return every requirement that the plans name, in the order of their files."""
    plans = tuple(plans)
    requirements = {name: entry for plan in plans for name, entry in plan.requirements.items()}
    return tuple(
        TraceLine(
            id=name,
            text=entry.text,
            source=entry.source,
            cases={
                case.id: verdicts.get(case.id) for plan in plans for case in plan.cases if name in case.covers
            },
        )
        for name, entry in requirements.items()
    )


def last_verdicts(packs: Iterable[Path]) -> dict[str, str]:
    """Return the last verdict on each case in evidence packs. Raises ConfigError for what is no pack."""
    verdicts: dict[str, str] = {}
    for pack in packs:
        try:
            cases = json.loads((pack / RUN).read_text(encoding="utf-8"))["cases"]
            verdicts.update((case["id"], case["verdict"]) for case in cases)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"no evidence pack: {RUN} cannot be read ({error})", file=pack) from None
    return verdicts
