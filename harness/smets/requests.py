"""Service requests as the DSP judges them: which it knows, what they aim at, when they are refused and how.

Source: the rules SRV-…, STATUS-…, RESPONSE-…, CPL-PRENOTIFY and CPL-REQUEST of the rulebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from harness.smets.cpl import DeviceType, RowState
from harness.smets.rulebook import Rulebook, RuleError
from harness.smets.smi import DeviceStatus
from harness.smets.version import SmetsVersion

_SRV, _STATUS = "SRV-", "STATUS-"
CPL_PRENOTIFY = "CPL-PRENOTIFY"
CPL_REQUEST = "CPL-REQUEST"


class Target(Enum):
    """What a service request aims at."""

    DSP = "dsp"  # the DSP itself
    HUB = "hub"  # a Communications Hub, about a device
    DEVICE = "device"


class Answer(Enum):
    """Response codes by what they mean; the value is the id of the rule that holds the code."""

    SUCCESS = "RESPONSE-SUCCESS"
    ACCEPTED = "RESPONSE-ACCEPTED"
    STATUS = "RESPONSE-STATUS"
    NOT_APPLICABLE = "RESPONSE-NOT-APPLICABLE"
    UNKNOWN_DEVICE = "RESPONSE-UNKNOWN-DEVICE"
    NO_COMMUNICATION = "RESPONSE-NO-COMMUNICATION"
    NO_ANSWER = "RESPONSE-NO-ANSWER"
    BAD_ANSWER = "RESPONSE-BAD-ANSWER"
    DEVICE_FAILED = "RESPONSE-DEVICE-FAILED"
    UNKNOWN_REQUEST = "RESPONSE-UNKNOWN-REQUEST"
    ALREADY_NOTIFIED = "RESPONSE-ALREADY-NOTIFIED"


class Require(Enum):
    """Which Active CPL row a model must have."""

    FAMILY = "family"  # one of the version in question
    ANY = "any"  # one of either version
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a request may go on. `code` is there when it may not."""

    rules: tuple[str, ...]
    code: str | None = None
    reason: str = ""


def code_for(answer: Answer, rules: Rulebook) -> Judgement:
    """Return the code for this meaning, and the rule it is from."""
    rule = rules.rule(answer.value)
    return Judgement(code=rule.text("code"), reason=rule.title, rules=(rule.id,))


def target_of(srv: str, rules: Rulebook) -> Target | None:
    """Return what a service reference aims at, None when the rulebook does not know it."""
    rule_id = _SRV + srv
    return rules.rule(rule_id).choice(Target, "target") if rule_id in rules.rules else None


def judge_type(srv: str, device_type: DeviceType, rules: Rulebook) -> Judgement:
    """Whether a known service request applies to devices of this type."""
    rule = rules.rule(_SRV + srv)
    if device_type in rule.choices(DeviceType, "types"):
        return Judgement(rules=(rule.id,))
    refusal = code_for(Answer.NOT_APPLICABLE, rules)
    reason = f"{srv} is not for a {device_type.value}"
    return Judgement(code=refusal.code, reason=reason, rules=(rule.id, *refusal.rules))


def judge_status(srv: str, status: DeviceStatus, rules: Rulebook) -> Judgement:
    """Whether a device in this status can be the target of a request."""
    rule_id = _STATUS + srv
    if rule_id not in rules.rules:
        return Judgement(rules=())
    if status in rules.rule(rule_id).choices(DeviceStatus):
        return Judgement(rules=(rule_id,))
    refusal = code_for(Answer.STATUS, rules)
    reason = f"{srv} is not for a device that is {status.value}"
    return Judgement(code=refusal.code, reason=reason, rules=(rule_id, *refusal.rules))


def judge_cpl(
    rule_id: str, family: SmetsVersion | None, rows: Mapping[SmetsVersion, RowState], rules: Rulebook
) -> Judgement:
    """Whether a device's model has the CPL row that the rule (CPL_PRENOTIFY or CPL_REQUEST) requires.

    A device of no known family needs a row of either.
    """
    rule = rules.rule(rule_id)
    require = rule.choice(Require, "require")
    wanted = (family,) if require is Require.FAMILY and family is not None else tuple(SmetsVersion)
    states = {entry: rows.get(entry, RowState.MISSING) for entry in wanted}
    if require is Require.NOTHING or RowState.ACTIVE in states.values():
        return Judgement(rules=(rule_id,))
    said = ", ".join(f"{entry.value} {state.value}" for entry, state in states.items())
    return Judgement(code=rule.text("code"), reason=f"no Active CPL row ({said})", rules=(rule_id,))


def check(rules: Rulebook) -> None:
    """Raise RuleError unless every rule named here is there and of the right shape."""
    for answer in Answer:
        code_for(answer, rules)
    for rule in rules.starting(_SRV):
        rule.choice(Target, "target")
        rule.choices(DeviceType, "types")
    for rule in rules.starting(_STATUS):
        rule.choices(DeviceStatus)
        if _SRV + rule.id.removeprefix(_STATUS) not in rules.rules:
            raise RuleError(rule.id, "is about a service request that no SRV- rule knows")
    for rule_id in (CPL_PRENOTIFY, CPL_REQUEST):
        rules.rule(rule_id).choice(Require, "require")
        rules.rule(rule_id).text("code")
