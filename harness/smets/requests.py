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
_STATUS_REST = "STATUS-REST"
ACCESS = "ACCESS-"
_NON_DEVICE = (8,)
CPL_PRENOTIFY = "CPL-PRENOTIFY"
CPL_REQUEST = "CPL-REQUEST"
CPL_UPDATE = "CPL-UPDATE"
DELETE = "8.4-DELETE"
HUB_OF_LOG_UPDATE = "8.11-HUB"
_NO_SRVS = (DELETE, HUB_OF_LOG_UPDATE)  # a choice of 8.4, and the other device of an 8.11


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
    UNKNOWN_USER = "RESPONSE-UNKNOWN-USER"
    ROLE = "RESPONSE-ROLE"
    USER_STATUS = "RESPONSE-USER-STATUS"
    NOT_RESPONSIBLE = "RESPONSE-NOT-RESPONSIBLE"
    VARIANT = "RESPONSE-VARIANT"
    WEB_SERVICE = "RESPONSE-WEB-SERVICE"
    NO_LOCAL_COMMAND = "RESPONSE-NO-LOCAL-COMMAND"
    NOTHING_FOUND = "RESPONSE-NOTHING-FOUND"
    BAD_PRE_COMMAND = "RESPONSE-BAD-PRE-COMMAND"
    NO_LOCAL_REQUEST = "RESPONSE-NO-LOCAL-REQUEST"
    MALFORMED = "RESPONSE-MALFORMED"
    SIGNATURE = "RESPONSE-SIGNATURE"
    EXECUTION_PAST = "RESPONSE-EXECUTION-PAST"
    NOTHING_HELD = "RESPONSE-NOTHING-HELD"


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
    """Return what a service reference aims at, None when the rulebook does not know it.

    One that only the matrix knows is the DSP's if it is a non-device request, else a device's.
    """
    if _SRV + srv in rules.rules:
        return rules.rule(_SRV + srv).choice(Target, "target")
    if ACCESS + srv in rules.rules:
        variants = rules.rule(ACCESS + srv).part("variants")
        return Target.DSP if variants == _NON_DEVICE else Target.DEVICE
    return None


def rules_of(srv: str, rules: Rulebook) -> tuple[str, ...]:
    """Return the ids of the rules that know a service reference."""
    return tuple(rule_id for rule_id in (_SRV + srv, ACCESS + srv) if rule_id in rules.rules)


def judge_type(srv: str, device_type: DeviceType, rules: Rulebook) -> Judgement:
    """Whether a known service request applies to devices of this type; one that only the matrix knows may."""
    if _SRV + srv not in rules.rules:
        return Judgement(rules=(ACCESS + srv,))
    rule = rules.rule(_SRV + srv)
    if device_type in rule.choices(DeviceType, "types"):
        return Judgement(rules=(rule.id,))
    refusal = code_for(Answer.NOT_APPLICABLE, rules)
    reason = f"{srv} is not for a {device_type.value}"
    return Judgement(code=refusal.code, reason=reason, rules=(rule.id, *refusal.rules))


def judge_status(srv: str, status: DeviceStatus, rules: Rulebook) -> Judgement:
    """Whether a device in this status can be the target of a request."""
    rule_id = _STATUS + srv if _STATUS + srv in rules.rules else _STATUS_REST
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
    for name in (_STATUS_REST, *(_STATUS + one for one in _NO_SRVS)):
        rules.rule(name).choices(DeviceStatus)
    for rule in rules.starting(_STATUS):
        rule.choices(DeviceStatus)
        about = rule.id.removeprefix(_STATUS)
        if rule.id != _STATUS_REST and about not in _NO_SRVS and not rules_of(about, rules):
            raise RuleError(rule.id, "is about a service request that no SRV- rule knows")
    for rule_id in (CPL_PRENOTIFY, CPL_REQUEST, CPL_UPDATE):
        rules.rule(rule_id).choice(Require, "require")
        rules.rule(rule_id).text("code")
