"""Requests for a later time: by whom they are held until then, when they are refused, how one is cancelled.

Source: the rules FUTURE-… of the rulebook.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum

from harness.smets.requests import Answer, Judgement, code_for
from harness.smets.rulebook import Rulebook, RuleError

HELD, CANCEL, VARIANTS = "FUTURE-HELD", "FUTURE-CANCEL", "FUTURE-VARIANTS"


class Holder(Enum):
    """Who holds a request until its time has come."""

    DSP = "dsp"
    DEVICE = "device"


def holder_of(srv: str, rules: Rulebook) -> Holder | None:
    """Return who holds a request of this kind, None for one that cannot be for later."""
    rule = rules.rule(HELD)
    return next((holder for holder in Holder if srv in rule.texts(holder.value)), None)


def cancellation_time(rules: Rulebook) -> datetime:
    """Return the execution time that means that an earlier request is withdrawn."""
    text = rules.rule(CANCEL).text("time")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RuleError(CANCEL, f"`time` must be a time as in 3000-12-31T00:00:00Z, not {text!r}") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def is_cancellation(execution: datetime, rules: Rulebook) -> bool:
    """Whether an execution time means that an earlier request is withdrawn."""
    return execution == cancellation_time(rules)


def judge_execution(srv: str, variant: int, execution: datetime, now: datetime, rules: Rulebook) -> Judgement:
    """Whether a request may be for this time."""
    holder = holder_of(srv, rules)
    if holder is None:
        return _refused(Answer.NOT_APPLICABLE, f"{srv} is never for a later time", rules, HELD)
    if execution < now:
        reason = f"the execution time {execution.isoformat()} is over"
        return _refused(Answer.EXECUTION_PAST, reason, rules, HELD)
    if holder is Holder.DEVICE:
        return Judgement(rules=(HELD,))
    allowed = _numbers(rules)
    if variant not in allowed:
        reason = f"command variant {variant} of {srv} is not for a later time"
        return _refused(Answer.VARIANT, reason, rules, HELD, VARIANTS)
    return Judgement(rules=(HELD, VARIANTS))


def check(rules: Rulebook) -> None:
    """Raise RuleError unless the rules are of the right shape."""
    for holder in Holder:
        rules.rule(HELD).texts(holder.value)
    cancellation_time(rules)
    _numbers(rules)


def _numbers(rules: Rulebook) -> tuple[int, ...]:
    found = rules.rule(VARIANTS).part()
    if not isinstance(found, tuple) or not all(isinstance(entry, int) for entry in found):
        raise RuleError(VARIANTS, "its value must be a list of command variants")
    return tuple(int(str(entry)) for entry in found)


def _refused(answer: Answer, reason: str, rules: Rulebook, *leaned: str) -> Judgement:
    refusal = code_for(answer, rules)
    return Judgement(code=refusal.code, reason=reason, rules=(*leaned, *refusal.rules))
