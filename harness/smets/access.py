"""Who may send which service request, and in which command variant: the matrix, as rules.

Each line of `service-requests.yaml` is a rule ACCESS- and its service reference, with the roles that are
eligible and the command variants that apply.
Source: DUIS service request matrix; DUIS 5.4 `CommandVariant`.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from harness.smets.requests import ACCESS, Answer, Judgement, code_for
from harness.smets.rulebook import Rulebook, RuleError
from harness.smets.version import SmetsVersion

VARIANT_SMETS1 = "VARIANT-SMETS1"
RESPONSIBLE = "ACCESS-BY-REGISTRATION"
REPLAY = "REQUEST-REPLAY"
_VARIANTS = range(1, 9)


class UserRole(Enum):
    """The roles of a service user."""

    IMPORT_SUPPLIER = "IS"
    EXPORT_SUPPLIER = "ES"
    GAS_SUPPLIER = "GS"
    REGISTERED_SUPPLIER_AGENT = "RSA"
    ELECTRICITY_DISTRIBUTOR = "ED"
    GAS_TRANSPORTER = "GT"
    OTHER_USER = "OU"


class UserStatus(Enum):
    """Whether a user may send anything at all."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class CounterRule(Enum):
    """When an originator's counter is taken for a replay."""

    UNIQUE = "unique"  # it was used before
    INCREASING = "increasing"  # it is not above all that were used before


def judge_sender(
    srv: str, roles: Collection[UserRole] | None, status: UserStatus, rules: Rulebook
) -> Judgement:
    """Whether a user of these roles (None: nobody known) may send a service request at all."""
    if roles is None:
        return _refused(Answer.UNKNOWN_USER, "the sender is no user of the DCC", rules)
    if status is not UserStatus.ACTIVE:
        return _refused(Answer.USER_STATUS, f"the sender is {status.value}", rules)
    rule = rules.rule(ACCESS + srv)
    eligible = rule.choices(UserRole, "roles")
    if any(role in eligible for role in roles):
        return Judgement(rules=(rule.id,))
    has, wants = (", ".join(role.value for role in some) or "none" for some in (roles, eligible))
    return _refused(Answer.ROLE, f"{srv} is for the roles {wants}; the sender has {has}", rules, rule.id)


def judge_variant(srv: str, variant: int, version: SmetsVersion | None, rules: Rulebook) -> Judgement:
    """Whether a command variant applies to a request, to a device of that SMETS version (None: to none)."""
    rule_id = VARIANT_SMETS1 if version is SmetsVersion.SMETS1 else ACCESS + srv
    allowed = _variants(rule_id, rules)
    if variant in allowed:
        return Judgement(rules=(rule_id,))
    to = " for a SMETS1 device" if rule_id == VARIANT_SMETS1 else ""
    said = ", ".join(map(str, allowed))
    return _refused(
        Answer.VARIANT, f"{srv} has no command variant {variant}{to}, it has {said}", rules, rule_id
    )


def counter_rule(rules: Rulebook) -> CounterRule:
    """Return what the DSP takes for a replay."""
    return rules.rule(REPLAY).choice(CounterRule, "counter")


def check(rules: Rulebook) -> None:
    """Raise RuleError unless every line of the matrix and the rules beside it are of the right shape."""
    for rule in rules.starting(ACCESS):
        if rule.id == RESPONSIBLE:
            continue
        rule.choices(UserRole, "roles")
        _variants(rule.id, rules)
    _variants(VARIANT_SMETS1, rules)
    rules.rule(RESPONSIBLE).choices(UserRole, "roles")
    rules.rule(RESPONSIBLE).texts("exempt")
    counter_rule(rules)
    rules.rule(REPLAY).text("code")


def _variants(rule_id: str, rules: Rulebook) -> tuple[int, ...]:
    found = rules.rule(rule_id).part("variants")
    numbers = tuple(entry for entry in found if entry in _VARIANTS) if isinstance(found, tuple) else ()
    if not numbers or numbers != found:
        raise RuleError(rule_id, "`variants` must be a list of numbers from 1 to 8")
    return tuple(int(str(number)) for number in numbers)


def _refused(answer: Answer, reason: str, rules: Rulebook, *leaned: str) -> Judgement:
    refusal = code_for(answer, rules)
    return Judgement(code=refusal.code, reason=reason, rules=(*leaned, *refusal.rules))
