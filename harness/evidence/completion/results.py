"""What packs come to, held against the settings: by case, requirement, severity and threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.evidence.completion.settings import Defect, Settings, Severity
from harness.evidence.intact import Findings, read_run, verify
from harness.evidence.verdict import Verdict

NOT_RUN = "not run"
_FIELDS = ("id", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLine:
    """A pack that the report rests on."""

    folder: str
    began: str
    rig: str
    intact: bool
    finished: bool
    signed: bool
    versions: Mapping[str, str]
    devices: tuple[Mapping[str, Any], ...]
    rulebook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A case's last verdict, and the open defects that explain it when it did not pass."""

    id: str
    title: str
    verdict: str
    reason: str
    pack: str
    requirements: tuple[str, ...]
    assumptions: tuple[str, ...]
    defects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """A requirement. `proved` when it has cases and all of them passed; `worst` is the gravest severity."""

    id: str
    text: str
    source: str
    counts: Mapping[str, int]
    proved: bool
    worst: str
    defects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityLine:
    """A severity: open and closed defects of it, the cases that the open ones explain, and the limit."""

    id: str
    meaning: str
    open: tuple[str, ...]
    closed: tuple[str, ...]
    cases: tuple[str, ...]
    limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdLine:
    """A threshold, what was reached, and whether that is enough."""

    what: str
    wanted: str
    reached: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Everything that a completion report says."""

    title: str
    phase: str
    scope: str
    out_of_scope: str
    packs: tuple[PackLine, ...]
    cases: tuple[CaseLine, ...]
    requirements: tuple[RequirementLine, ...]
    severities: tuple[SeverityLine, ...]
    severities_given: bool
    defects: tuple[Mapping[str, Any], ...]
    thresholds: tuple[ThresholdLine, ...]
    notes: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether every threshold is met."""
        return all(line.met for line in self.thresholds)

    @property
    def counts(self) -> dict[str, int]:
        """How many cases have each verdict."""
        words = (*(verdict.value for verdict in Verdict), NOT_RUN)
        return {word: sum(case.verdict == word for case in self.cases) for word in words}

    def as_json(self) -> dict[str, Any]:
        """Return it as plain json values."""
        return {"met": self.met, "counts": self.counts, **asdict(self)}


def completion(folders: Sequence[Path], settings: Settings) -> Completion:
    """Read packs, of which a later run's verdict on a case replaces an earlier one's. Raises ConfigError."""
    runs = sorted(
        ((folder, read_run(folder)) for folder in folders), key=lambda entry: str(entry[1].get("began", ""))
    )
    findings = {folder: verify(folder) for folder, _ in runs}
    opened = [defect for defect in settings.defects if defect.state == "open"]
    cases = tuple(_cases(runs, opened))
    requirements = tuple(_requirements(runs, cases, opened, settings.grades()))
    severities = tuple(_severity(grade, settings.defects, cases) for grade in settings.grades())
    packs = tuple(_pack(folder, run, findings[folder]) for folder, run in runs)
    return Completion(
        title=settings.title,
        phase=settings.phase,
        scope=settings.scope,
        out_of_scope=settings.out_of_scope,
        packs=packs,
        cases=cases,
        requirements=requirements,
        severities=severities,
        severities_given=bool(settings.severities),
        defects=tuple(_defect(defect) for defect in settings.defects),
        thresholds=tuple(_thresholds(settings, packs, cases, requirements, severities)),
        notes=tuple(_notes(settings.defects, cases, requirements)),
    )


def _pack(folder: Path, run: Mapping[str, Any], findings: Findings) -> PackLine:
    return PackLine(
        folder=folder.name,
        began=str(run.get("began", "")),
        rig=str((run.get("rig") or {}).get("name", "")),
        intact=findings.ok,
        finished=run.get("state") == "finished" and not findings.unfinished,
        signed=findings.signed,
        versions=dict(run.get("versions", {})),
        devices=tuple(run.get("bench", ())),
        rulebook=str(run.get("rulebook", "")),
    )


def _cases(runs: Iterable[tuple[Path, Mapping[str, Any]]], opened: Iterable[Defect]) -> Iterable[CaseLine]:
    last: dict[str, tuple[Path, Mapping[str, Any] | None]] = {}
    for folder, run in runs:
        for name in run.get("selected", ()):
            last.setdefault(name, (folder, None))
        for case in run.get("cases", ()):
            if any(not isinstance(case.get(name), str) for name in _FIELDS):
                raise ConfigError("run.json has a case without id or verdict", file=folder)
            last[case["id"]] = folder, case
    for name, (folder, found) in last.items():
        case = found or {}
        covers = tuple(case.get("covers", ()))
        passed = case.get("verdict") == Verdict.PASS.value
        yield CaseLine(
            id=name,
            title=str(case.get("title", "")),
            verdict=str(case.get("verdict", NOT_RUN)),
            reason=str(case.get("reason") or ""),
            pack=folder.name,
            requirements=covers,
            assumptions=tuple(case.get("assumptions", ())),
            defects=()
            if passed
            else tuple(defect.id for defect in opened if _explains(defect, name, covers)),
        )


def _explains(defect: Defect, case: str, covers: Iterable[str]) -> bool:
    return case in defect.cases or any(name in defect.requirements for name in covers)


def _requirements(
    runs: Iterable[tuple[Path, Mapping[str, Any]]],
    cases: Sequence[CaseLine],
    opened: Sequence[Defect],
    grades: Sequence[Severity],
) -> Iterable[RequirementLine]:
    known: dict[str, Mapping[str, Any]] = {}
    for _, run in runs:
        known.update(run.get("requirements", {}))
    order = {grade.id: number for number, grade in enumerate(grades)}
    for name in dict.fromkeys((*known, *(name for case in cases for name in case.requirements))):
        mine = [case for case in cases if name in case.requirements]
        explained = {entry for case in mine for entry in case.defects}
        found = [defect for defect in opened if defect.id in explained or name in defect.requirements]
        yield RequirementLine(
            id=name,
            text=str(known.get(name, {}).get("text", "")),
            source=str(known.get(name, {}).get("source", "")),
            counts={
                word: sum(case.verdict == word for case in mine) for word in sorted({c.verdict for c in mine})
            },
            proved=bool(mine) and all(case.verdict == Verdict.PASS.value for case in mine),
            worst=min((defect.severity for defect in found), key=order.__getitem__, default=""),
            defects=tuple(defect.id for defect in found),
        )


def _severity(grade: Severity, defects: Iterable[Defect], cases: Iterable[CaseLine]) -> SeverityLine:
    mine = [defect for defect in defects if defect.severity == grade.id]
    opened = tuple(defect.id for defect in mine if defect.state == "open")
    return SeverityLine(
        id=grade.id,
        meaning=grade.meaning,
        open=opened,
        closed=tuple(defect.id for defect in mine if defect.state == "closed"),
        cases=tuple(case.id for case in cases if set(case.defects) & set(opened)),
        limit=grade.open_at_most,
    )


def _defect(defect: Defect) -> dict[str, Any]:
    return {
        "id": defect.id,
        "severity": defect.severity,
        "title": defect.title,
        "state": defect.state,
        "cases": list(defect.cases),
        "requirements": list(defect.requirements),
    }


def _thresholds(
    settings: Settings,
    packs: Sequence[PackLine],
    cases: Sequence[CaseLine],
    requirements: Sequence[RequirementLine],
    severities: Iterable[SeverityLine],
) -> Iterable[ThresholdLine]:
    wanted = settings.thresholds
    executed = [case for case in cases if case.verdict not in (NOT_RUN, Verdict.ERROR.value)]
    passed = [case for case in cases if case.verdict == Verdict.PASS.value]
    proved = [line for line in requirements if line.proved]
    yield _share("cases executed", wanted.executed_at_least, len(executed), len(cases))
    yield _share("cases passed", wanted.passed_at_least, len(passed), len(cases))
    yield _share("requirements proved", wanted.requirements_proved_at_least, len(proved), len(requirements))
    unexplained = [case.id for case in cases if case.verdict != Verdict.PASS.value and not case.defects]
    yield _count("cases not passed that no open defect explains", wanted.unexplained_at_most, unexplained)
    for line in severities:
        if line.limit is not None:
            yield _count(f"open defects of severity {line.id}", line.limit, line.open)
    broken = [pack.folder for pack in packs if not (pack.intact and pack.finished)]
    yield _count("packs that are not intact or not finished", 0, broken)


def _share(what: str, least: float, count: int, of: int) -> ThresholdLine:
    share = 100.0 * count / of if of else 0.0
    reached = f"{count} of {of} ({share:.1f} %)"
    return ThresholdLine(what=what, wanted=f"at least {least:g} %", reached=reached, met=share >= least)


def _count(what: str, most: int, found: Sequence[str]) -> ThresholdLine:
    reached = f"{len(found)}: {', '.join(found)}" if found else "0"
    return ThresholdLine(what=what, wanted=f"at most {most}", reached=reached, met=len(found) <= most)


def _notes(
    defects: Iterable[Defect], cases: Sequence[CaseLine], requirements: Sequence[RequirementLine]
) -> Iterable[str]:
    verdicts = {case.id: case.verdict for case in cases}
    known = {line.id for line in requirements}
    for defect in defects:
        for case in defect.cases:
            if case not in verdicts:
                yield f"{defect.id} names case {case}, which no pack has"
        for name in defect.requirements:
            if name not in known:
                yield f"{defect.id} names requirement {name}, which no pack has"
        ran = [case for case in cases if case.verdict != NOT_RUN]
        explained = [case for case in ran if _explains(defect, case.id, case.requirements)]
        passing = explained and all(case.verdict == Verdict.PASS.value for case in explained)
        if defect.state == "open" and passing:
            yield f"{defect.id} is open, but every case that it explains passes"
        if defect.state == "closed" and not passing and explained:
            yield f"{defect.id} is closed, but a case that it explained does not pass"
