"""Looks a Central Products List over for what will go wrong later: in keys, pairs and counterparts.

A list that can be read may still be wrong as a whole. Which PPMIDs are dual-mode does not stand in it: one is
taken for dual-mode when its manufacturer and model have rows of both SMETS families, under whichever firmware
versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from harness.smets.cpl import CPL_REGIME, CplRegime, CplRow, CplStatus, key_in_force
from harness.smets.rulebook import Rulebook
from harness.smets.table import applies_to
from harness.smets.version import SmetsVersion

_MOST_ROWS = 2  # of one firmware version: one of each family


class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"  # no DSP can go by such a list
    WARNING = "warning"  # some PPMID will be refused, or is still under the tactical interim solution
    NOTE = "note"  # as it may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found, at which line; `others` are the lines that it has to do with."""

    word: str
    severity: Severity
    line: int
    others: tuple[int, ...]
    says: str
    remedy: str = ""

    def plain(self) -> dict[str, object]:
        """Return it as json has it."""
        return {
            "finding": self.word,
            "severity": self.severity.value,
            "line": self.line,
            "others": list(self.others),
            "says": self.says,
            "remedy": self.remedy,
        }


def lint(rows: Iterable[CplRow], rules: Rulebook) -> tuple[Finding, ...]:
    """Return everything found in these rows, in the order of their lines."""
    listed = tuple(rows)
    found = [
        *_duplicates(listed, rules),
        *_too_many(listed),
        *(finding for rows in _ppmid_models(listed, rules) for finding in _model(rows, rules)),
    ]
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.word)))


def _duplicates(rows: Iterable[CplRow], rules: Rulebook) -> Iterator[Finding]:
    key = key_in_force(rules)
    first: dict[tuple[str, ...], CplRow] = {}
    for row in rows:
        before = first.setdefault(row.key(key), row)
        if before is not row:
            yield Finding(
                word="duplicate-key",
                severity=Severity.ERROR,
                line=_line(row),
                others=(_line(before),),
                says=f"the same key as line {_line(before)}: {row.model}, {row.family.value}",
                remedy="the key in force is " + ", ".join(field.value for field in key),
            )


def _too_many(rows: Iterable[CplRow]) -> Iterator[Finding]:
    for same in _groups(rows, lambda row: (*_model_of(row), row.model.firmware.upper())):
        if len(same) > _MOST_ROWS:
            yield Finding(
                word="too-many-rows",
                severity=Severity.ERROR,
                line=_line(same[_MOST_ROWS]),
                others=_lines(same[:_MOST_ROWS]),
                says=f"row {len(same)} of {same[0].model}, which has lines {_said(same)}",
                remedy="a firmware version has at most one row of each SMETS family",
            )


def _model(rows: tuple[CplRow, ...], rules: Rulebook) -> Iterator[Finding]:
    """Yield what is wrong with the rows of one PPMID model, of all its firmware versions."""
    firmwares = _groups(rows, lambda row: row.model.firmware.upper())
    lone = {
        family: [same[0] for same in firmwares if {row.family for row in same} == {family}]
        for family in SmetsVersion
    }
    smets1, smets2 = lone[SmetsVersion.SMETS1], lone[SmetsVersion.SMETS2_PLUS]
    dual = {row.family for row in rows} == set(SmetsVersion)
    for row in smets1 if smets2 else ():
        yield _tactical(row, smets2, rules)
    for row in (*smets1, *smets2):
        if not (smets1 and smets2) and row.status is CplStatus.ACTIVE:
            yield _lonely(row, dual=dual)
    for same in firmwares:
        yield from _inactive(same)


def _tactical(row: CplRow, real: list[CplRow], rules: Rulebook) -> Finding:
    interim = rules.rule(CPL_REGIME).choice(CplRegime) is CplRegime.INTERIM
    return Finding(
        word="tactical-pair",
        severity=Severity.NOTE if interim else Severity.WARNING,
        line=_line(row),
        others=_lines(real),
        says=f"SMETS1 under firmware version {row.model.firmware}, SMETS2+ under "
        + " or ".join(dict.fromkeys(other.model.firmware for other in real))
        + f" (line {_said(real)}): rows of the tactical interim solution",
        remedy="" if interim else "give the SMETS1 row the real firmware version, that of the SMETS2+ row",
    )


def _lonely(row: CplRow, *, dual: bool) -> Finding:
    return Finding(
        word="missing-counterpart",
        severity=Severity.WARNING if dual else Severity.NOTE,
        line=_line(row),
        others=(),
        says=f"{row.model} has a {row.family.value} row and none of {row.family.other.value}"
        + (", though other firmware versions of the model have both" if dual else ""),
        remedy=f"whitelisted on a {row.family.other.value} hub, such a PPMID has no row to go by",
    )


def _inactive(same: tuple[CplRow, ...]) -> Iterator[Finding]:
    active = [row for row in same if row.status is CplStatus.ACTIVE]
    if not active or {row.family for row in same} != set(SmetsVersion):
        return
    for row in same:
        if row.status is not CplStatus.ACTIVE and row.family is active[0].family.other:
            yield Finding(
                word="counterpart-not-active",
                severity=Severity.WARNING,
                line=_line(row),
                others=_lines(active),
                says=f"the {row.family.value} row of {row.model} is {row.status.value},"
                " its counterpart is Active",
                remedy=f"on a {row.family.value} hub, such a PPMID has no row to go by",
            )


def _ppmid_models(rows: Iterable[CplRow], rules: Rulebook) -> list[tuple[CplRow, ...]]:
    return _groups((row for row in rows if applies_to(row.model.device_type, rules)), _model_of)


def _model_of(row: CplRow) -> tuple[str, ...]:
    return (row.model.manufacturer.upper(), row.model.model.upper(), row.model.device_type.value)


def _groups(rows: Iterable[CplRow], key: Callable[[CplRow], object]) -> list[tuple[CplRow, ...]]:
    found: dict[object, list[CplRow]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return [tuple(group) for group in found.values()]


def _line(row: CplRow) -> int:
    return row.line or 0


def _lines(rows: Iterable[CplRow]) -> tuple[int, ...]:
    return tuple(map(_line, rows))


def _said(rows: Iterable[CplRow]) -> str:
    return ", ".join(map(str, _lines(rows)))
