"""How an expectation fails: the plan's value decides, the rulebook says how sure that is, both must agree.

An expectation that is not met is the fault of whom the step names; when a rule that it rests on is only
assumed, it is nobody's yet. A value that is as the plan wants, but not as the rulebook says, proves nothing:
one of the two is wrong. Source: DESIGN "A verdict is honest"; docs/rules-and-assumptions.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from harness.dcc.documents import InventoryRecord, ServiceResponse, Stage
from harness.errors import (
    AssumptionNotMet,
    BenchError,
    DecodeError,
    DeviceSilent,
    DutFault,
    RadioUndelivered,
    RigFault,
    StimulusImpossible,
    SystemFault,
)
from harness.plan.context import CaseContext
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus

Fault = type[DutFault] | type[SystemFault]

_NAMED = 3

_STAGE_RULES: Mapping[Stage, tuple[str, ...]] = {
    Stage.KNOWN_REQUEST: ("SRV-", "RESPONSE-UNKNOWN-REQUEST"),
    Stage.SENDER: ("ACCESS-", "RESPONSE-UNKNOWN-USER", "RESPONSE-ROLE", "RESPONSE-USER-STATUS"),
    Stage.REQUEST_ID: ("REQUEST-REPLAY",),
    Stage.RESPONSIBLE: ("ACCESS-BY-REGISTRATION", "RESPONSE-NOT-RESPONSIBLE"),
    Stage.VARIANT: ("ACCESS-", "VARIANT-", "RESPONSE-VARIANT"),
    Stage.EXECUTION: ("FUTURE-", "RESPONSE-EXECUTION-PAST", "RESPONSE-NOTHING-HELD"),
    Stage.DEVICE_KNOWN: ("RESPONSE-UNKNOWN-DEVICE", "RESPONSE-ALREADY-NOTIFIED"),
    Stage.STATUS: ("SMI-", "STATUS-"),
    Stage.CPL: ("CPL-", "VERSION-"),
    Stage.VERSIONING: ("MP202-", "INTERIM-", "HUB-", "VERSION-"),
    Stage.ROUTE: ("ROUTE-", "S1SP-", "USE-CASE-", "MP202-OTA"),
}


def unmet(case: CaseContext, says: str, rules: Iterable[str], fault: Fault) -> BenchError:
    """Return (not raise) what an expectation that was not met comes to."""
    leaned = tuple(rules)
    case.rules.note(*leaned)
    assumed = [rule.id for rule in case.bench.rules.assumptions(leaned)]
    if not assumed:
        return fault(says)
    names = (
        ", ".join(assumed) if len(assumed) <= _NAMED else f"{assumed[0]} and {len(assumed) - 1} more rules"
    )
    only = "which is only assumed" if len(assumed) == 1 else "which are only assumed"
    return AssumptionNotMet(
        f"{says}; that rests on {names}, {only}",
        remedy="confirm or replace the rule with --rules",
    )


def hold(
    case: CaseContext,
    what: str,
    *,
    wanted: object,
    seen: object,
    ruled: object,
    rules: Iterable[str],
    fault: Fault,
) -> None:
    """Hold what was seen against the plan's value, and that against the rulebook's (None: it has none)."""
    leaned = tuple(rules)
    case.rules.note(*leaned)
    apart = ruled is not None and ruled != wanted
    by = f"by {', '.join(leaned)}" if leaned else "of the bench"
    if seen != wanted:
        note = f" (the rulebook in force says {text(ruled)} {by})" if apart else ""
        raise unmet(case, f"{what}: expected {text(wanted)}, seen {text(seen)}{note}", leaned, fault)
    if apart:
        raise AssumptionNotMet(
            f"{what} is {text(seen)}, as the plan wants; the rulebook in force says {text(ruled)} {by}",
            remedy="correct the plan or the --rules overlay: one of them is wrong",
        )


def refused(case: CaseContext, response: ServiceResponse, what: str) -> BenchError:
    """Return what it comes to when the DCC does not carry out what a case needs of it.

    The rules of the stage at which it ended decide: a refusal that rests on an assumption fails nobody.
    """
    prefixes = _STAGE_RULES.get(response.stage, ()) if response.stage else ()
    rules = [rule for rule in response.rules if rule.startswith(prefixes)] if prefixes else []
    if response.stage is Stage.STATUS and not rules:  # no rule leads on from the status that it has
        rules = [rule.id for rule in case.bench.rules.starting("SMI-")]
    if response.stage is Stage.DEVICE_KNOWN and case.version is None:
        return StimulusImpossible(
            f"the DCC refused {what} with {response.code}: the plan has not pre-notified the PPMID",
            remedy="put a `prenotify` step before",
        )
    stage = f" at the stage `{response.stage.value}`" if response.stage else ""
    reason = f": {response.reason}" if response.reason else ""
    return unmet(case, f"the DCC refused {what} with {response.code}{stage}{reason}", rules, SystemFault)


def undelivered(response: ServiceResponse, says: str) -> BenchError:
    """Return whose fault it is that a request came to nothing on its way to the PPMID, or there.

    What came back from the PPMID, if only to be refused, is its own; of what kept it from answering the
    cause speaks.
    """
    if response.body is not None or isinstance(response.cause, DecodeError):
        return DutFault(says)
    for kind in (DeviceSilent, RadioUndelivered, RigFault):
        if isinstance(response.cause, kind):
            return kind(says)
    return SystemFault(says)


def hold_status(case: CaseContext, record: InventoryRecord, wanted: DeviceStatus) -> None:
    """Hold a device's status in the SMI against the plan's; that rests on the rules that lead there."""
    kind = record.device_type
    leads_there = [
        rule.id
        for rule in case.bench.rules.starting("SMI-")
        if rule.entries().get("to") == wanted.value
        and ("types" not in rule.entries() or kind in rule.choices(DeviceType, "types"))
    ]
    case.rules.note(*leads_there)
    if record.status is not wanted:
        says = f"status in the SMI: expected {text(wanted)}, seen {text(record.status)}"
        raise unmet(case, says, leads_there, SystemFault)


def text(value: object) -> str:
    """Return a value as a report has it."""
    if isinstance(value, Enum):
        return str(value.value)
    return "nothing" if value is None else str(value)
