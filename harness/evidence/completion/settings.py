"""What a user says for a completion report: scope, severities, thresholds, and the defects that are known.

What a severity means, and how many of each may be open when a phase ends, the published documents do not say:
both are the user's, and the report says so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.documents import Node, bind, load_document, nearest
from harness.errors import ConfigError

KIND = "completion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """A grade of defects, from the gravest. `open_at_most` of it may be open; None sets no limit."""

    id: str
    meaning: str = ""
    open_at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A defect that is known, with the id that the user's own register gives it, and what it explains."""

    id: str
    severity: str
    title: str = ""
    state: Literal["open", "closed"] = "open"
    cases: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    where: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What must be reached; shares are percentages. `unexplained` counts cases without a known defect."""

    executed_at_least: float = 100.0
    passed_at_least: float = 100.0
    requirements_proved_at_least: float = 100.0
    unexplained_at_most: int = 0

    def __post_init__(self) -> None:
        for share in (self.executed_at_least, self.passed_at_least, self.requirements_proved_at_least):
            if not 0 <= share <= 100:
                raise ValueError(f"a share is a percentage from 0 to 100, not {share:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A completion file (`ppmid-bench/completion@1`); every key may be left out."""

    title: str = "Completion report"
    phase: str = ""
    scope: str = ""
    out_of_scope: str = ""
    severities: tuple[Severity, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    defects: tuple[Defect, ...] = ()

    def grades(self) -> tuple[Severity, ...]:
        """Return the severities, those that only defects name included."""
        known = {severity.id: severity for severity in self.severities}
        for name in sorted({defect.severity for defect in self.defects}):
            known.setdefault(name, Severity(id=name))
        return tuple(known.values())


def load_settings(path: Path) -> Settings:
    """Read a completion file. Raises ConfigError."""
    settings = bind(load_document(path, KIND), Settings)
    names = [severity.id for severity in settings.severities]
    ids = Counter((*names, *(defect.id for defect in settings.defects)))
    for defect in settings.defects:
        if names and defect.severity not in names:
            raise _wrong(defect, "severity", nearest(defect.severity, names))
        if not defect.cases and not defect.requirements:
            raise defect.where.error("a defect names `cases` or `requirements` that it explains")
        if ids[defect.id] > 1:
            raise defect.where.error(f"`{defect.id}` is given twice")
    return settings


def _wrong(defect: Defect, key: str, remedy: str | None) -> ConfigError:
    node = defect.where.items[key]
    return node.error(f"`{defect.severity}` is none of the severities", remedy=remedy)
