"""The versioning table: which SMETS version a PPMID has in the SMI once it is whitelisted on a hub.

::

    in the SMI before   Communications Hub   in the SMI after
    SMETS1              SMETS1               SMETS1
    SMETS1              SMETS2+              SMETS2+
    SMETS2+             SMETS1               SMETS1
    SMETS2+             SMETS2+              SMETS2+

The published table assumes "that all models exist in the CPL". What lies next to it (no row of the resulting
version, a row that is not Active, a version that nobody can read) has a rule of its own, with an outcome.
Before MP202 (regime INTERIM) the version stays what it was pre-notified as, and one that is not the hub's
keeps the PPMID from being the target of any request.
Source: MP202 Modification Report §2, §3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from harness.smets.cpl import CPL_REGIME, CplRegime, DeviceType, RowState
from harness.smets.requests import Judgement
from harness.smets.rulebook import Consultation, Rule, Rulebook, RuleError
from harness.smets.version import SmetsVersion

TABLE = "MP202-TABLE-"
APPLIES_TO = "MP202-APPLIES-TO"
TRIGGER = "MP202-TRIGGER"
EXCHANGE = "HUB-EXCHANGE"
WRONG_VERSION = "INTERIM-WRONG-VERSION"
HUB_FAMILY = "HUB-FAMILY"
HUB_UNKNOWN = "MP202-HUB-UNKNOWN"
DEVICE_UNKNOWN = "MP202-DEVICE-UNKNOWN"
FIRMWARE = "MP202-FIRMWARE"
ROW = "MP202-ROW-"


class FirmwareAfter(Enum):
    """Which firmware version the SMI has after a change of SMETS version."""

    SAME = "same"  # the one it had, since both rows of the CPL share it
    ROW = "row"  # that of the CPL row of the resulting version, which may be another


class Outcome(Enum):
    """What becomes of the whitelisting."""

    APPLY = "apply"  # the SMI gets the resulting version
    KEEP = "keep"  # the SMI keeps the version it has, and the whitelisting goes on
    REFUSE = "refuse"  # no whitelisting, the SMI is left as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the rules say. `version` is the one in the SMI afterwards; `code` is there when refused."""

    outcome: Outcome
    before: SmetsVersion | None
    hub: SmetsVersion | None
    version: SmetsVersion | None
    reason: str
    rules: tuple[str, ...]
    code: str | None = None

    @property
    def flipped(self) -> bool:
        """Whether the SMI now says another version than before."""
        return self.version is not self.before


def applies_to(device_type: DeviceType, rules: Rulebook) -> bool:
    """Whether devices of this type get their version from the hub."""
    return device_type in rules.rule(APPLIES_TO).choices(DeviceType)


def resolve(
    before: SmetsVersion | None,
    hub: SmetsVersion | None,
    rows: Mapping[SmetsVersion, RowState],
    rules: Rulebook,
) -> Resolution:
    """Apply the table to a PPMID that is `before` in the SMI and is whitelisted on a hub of family `hub`.

    `rows` says how the CPL stands to the PPMID's model by family; a family that is left out has no row. None
    for a family means that its version text names none. Raises RuleError for a rulebook with holes.
    """
    used = rules.consult()
    if used.rule(CPL_REGIME).choice(CplRegime) is CplRegime.INTERIM:
        return Resolution(
            outcome=Outcome.KEEP,
            before=before,
            hub=hub,
            version=before,
            reason="before MP202 the SMETS version is that of the pre-notification",
            rules=used.rules,
        )
    used.rule(TRIGGER)
    if hub is None:
        return _neighbour(used.rule(HUB_UNKNOWN), before, hub, before, used)
    if before is None:
        unknown = used.rule(DEVICE_UNKNOWN)
        if unknown.choice(Outcome, "outcome") is not Outcome.APPLY:
            return _neighbour(unknown, before, hub, before, used)
        result = hub
    else:
        result = _row_of_table(before, hub, used)
    state = rows.get(result, RowState.MISSING)
    if state is not RowState.ACTIVE:
        return _neighbour(used.rule(ROW + state.value.upper()), before, hub, result, used)
    return Resolution(
        outcome=Outcome.APPLY,
        before=before,
        hub=hub,
        version=result,
        reason=f"a PPMID on a {hub.value} hub is {result.value}",
        rules=used.rules,
    )


def misplaced(
    version: SmetsVersion | None, hub: SmetsVersion | None, device_type: DeviceType, rules: Rulebook
) -> Judgement:
    """Whether a device may be asked on a hub of that family; two families that differ may forbid it."""
    used = rules.consult()
    wrong = used.rule(WRONG_VERSION)
    regime = rules.rule(CPL_REGIME).choice(CplRegime)
    if None in (version, hub) or version is hub or not applies_to(device_type, rules):
        return Judgement(rules=())
    if regime not in wrong.choices(CplRegime, "regimes"):
        return Judgement(rules=())
    assert version is not None
    assert hub is not None
    return Judgement(
        code=wrong.text("code"),
        reason=f"a {device_type.value} that is {version.value} in the SMI is on a {hub.value} hub",
        rules=used.rules,
    )


def check(rules: Rulebook) -> None:
    """Raise RuleError unless the table has each combination once and every neighbour an outcome."""
    rules.rule(APPLIES_TO).choices(DeviceType)
    rules.rule(WRONG_VERSION).choices(CplRegime, "regimes")
    rules.rule(WRONG_VERSION).text("code")
    rules.rule(EXCHANGE).part("versioning")
    rules.rule(EXCHANGE).text("code")
    rules.rule(TRIGGER).text()
    rules.rule(HUB_FAMILY).text()
    rules.rule(FIRMWARE).choice(FirmwareAfter)
    seen: dict[tuple[SmetsVersion, SmetsVersion], str] = {}
    for rule in rules.starting(TABLE):
        cell = (rule.choice(SmetsVersion, "before"), rule.choice(SmetsVersion, "hub"))
        if cell in seen:
            raise RuleError(rule.id, f"says again what {seen[cell]} says")
        seen[cell] = rule.id
    families = (*SmetsVersion, None)
    for before in families:
        for hub in families:
            for state in RowState:
                resolve(before, hub, dict.fromkeys(SmetsVersion, state), rules)


def _row_of_table(before: SmetsVersion, hub: SmetsVersion, used: Consultation) -> SmetsVersion:
    for rule in used.rulebook.starting(TABLE):
        if (rule.choice(SmetsVersion, "before"), rule.choice(SmetsVersion, "hub")) == (before, hub):
            used.note(rule.id)
            return rule.choice(SmetsVersion, "after")
    raise RuleError(TABLE + "…", f"no row for {before.value} on a {hub.value} hub")


def _neighbour(
    rule: Rule,
    before: SmetsVersion | None,
    hub: SmetsVersion | None,
    result: SmetsVersion | None,
    used: Consultation,
) -> Resolution:
    outcome = rule.choice(Outcome, "outcome")
    return Resolution(
        outcome=outcome,
        before=before,
        hub=hub,
        version=result if outcome is Outcome.APPLY else before,
        reason=rule.title,
        rules=used.rules,
        code=rule.text("code") if outcome is Outcome.REFUSE else None,
    )
