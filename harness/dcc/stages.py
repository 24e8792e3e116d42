"""The DSP's stages before anything is sent: one function each; `harness.dcc.pipelines` has their order.

A stage looks at the enquiry, adds what later stages need, and returns a judgement; one with a code ends the
request. Nothing here changes the inventory.
"""

from __future__ import annotations

from harness.dcc.defects import DccDefect
from harness.dcc.duis.requests import (
    FutureDatable,
    JoinNonCritical,
    JoinOrUnjoin,
    LogAction,
    OtherRequest,
    ReadDeviceLog,
    ServiceRequest,
    SignedPreCommand,
    UnjoinNonCritical,
    UpdateHanDeviceLog,
)
from harness.dcc.enquiry import PASS, Enquiry, Estate, because
from harness.dcc.inventory import row_states
from harness.dcc.versioning import version_on
from harness.smets.access import (
    REPLAY,
    CounterRule,
    UserStatus,
    counter_rule,
    judge_sender,
    judge_variant,
)
from harness.smets.cpl import CPL_REGIME, CplRegime, DeviceType
from harness.smets.future import Holder, holder_of, is_cancellation, judge_execution
from harness.smets.requests import (
    CPL_REQUEST,
    HUB_OF_LOG_UPDATE,
    Answer,
    Judgement,
    Target,
    judge_cpl,
    judge_status,
    judge_type,
    rules_of,
    target_of,
)
from harness.smets.routing import GbcsRoute, NoRoute, S1spRoute, pair_operation, route
from harness.smets.smi import SmiEvent, transition
from harness.smets.table import APPLIES_TO, FIRMWARE, HUB_FAMILY, TRIGGER, applies_to, misplaced
from harness.smets.version import read_version

_SIGNED, _SENT = "signed", "sent"


def known_request(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the rulebook knows the service reference, and it aims where this request does."""
    request = enquiry.request
    target = target_of(request.srv, estate.rules)
    if target is None:
        return because(Answer.UNKNOWN_REQUEST, f"the DSP does not know {request.srv}", estate.rules)
    if type(request) is ServiceRequest and target is not Target.DEVICE:
        return because(Answer.NOT_APPLICABLE, f"{request.srv} is no request to a device", estate.rules)
    if isinstance(request, OtherRequest) and target is not Target.DEVICE:
        reason = f"this DSP does not carry out {request.srv} ({request.element})"
        return because(Answer.UNKNOWN_REQUEST, reason, estate.rules)
    return Judgement(rules=rules_of(request.srv, estate.rules))


def sender(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the sender is a user, active, and in a role that may send this."""
    if DccDefect.SKIP_ACCESS_CONTROL in estate.defects:
        return PASS
    user = estate.users.get(enquiry.request.request_id.originator)
    roles, status = (user.roles, user.status) if user else (None, UserStatus.ACTIVE)
    return judge_sender(enquiry.request.srv, roles, status, estate.rules)


def request_id(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the originator's counter is a new one. It is used up by this, whatever comes of the request."""
    if DccDefect.TAKE_REPLAYS in estate.defects:
        return PASS
    request = enquiry.request
    originator, counter = request.request_id.originator, request.request_id.counter
    rule = estate.rules.rule(REPLAY)
    signed = request.command_variant.signed_pre_command
    if counter_rule(estate.rules) is CounterRule.INCREASING and not signed:
        last = estate.store.last_counter(originator)
        if last is not None and counter <= last:
            reason = f"counter {counter} of {originator} is not above {last}"
            return Judgement(code=rule.text("code"), reason=reason, rules=(rule.id,))
    if not estate.store.note_request(originator, counter, _SIGNED if signed else _SENT):
        reason = f"counter {counter} of {originator} was used before, or is older than what is remembered"
        return Judgement(code=rule.text("code"), reason=reason, rules=(rule.id,))
    return Judgement(rules=(rule.id,))


def device_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the device."""
    enquiry.record = estate.store.get(enquiry.device)
    if enquiry.record is None:
        return because(Answer.UNKNOWN_DEVICE, f"{enquiry.device} is not in the SMI", estate.rules)
    return PASS


def device_of_request(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the device, and the request is for its type."""
    missing = device_known(enquiry, estate)
    if missing.code is not None:
        return missing
    return judge_type(enquiry.request.srv, enquiry.known.device_type, estate.rules)


def device_and_hub_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the device and the hub, and they are what 8.11 is for."""
    judged = device_of_request(enquiry, estate)
    if judged.code is not None:
        return judged
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    enquiry.hub = estate.store.get(enquiry.request.hub)
    if enquiry.hub is None:
        return because(Answer.UNKNOWN_DEVICE, f"hub {enquiry.request.hub} is not in the SMI", estate.rules)
    if enquiry.hub.device_type is not DeviceType.CHF:
        reason = f"{enquiry.hub.device} is a {enquiry.hub.device_type.value}, not a hub"
        return because(Answer.NOT_APPLICABLE, reason, estate.rules)
    return judged


def both_devices_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the device and the one that it is to be joined with, or unjoined from."""
    judged = device_of_request(enquiry, estate)
    if judged.code is not None or not isinstance(enquiry.meant, JoinOrUnjoin):
        return judged
    enquiry.other = estate.store.get(enquiry.meant.other)
    if enquiry.other is None:
        return because(Answer.UNKNOWN_DEVICE, f"{enquiry.meant.other} is not in the SMI", estate.rules)
    return judged


def variant(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the command variant applies: to the body, to the request, to a device of that SMETS version.

    A body that its variant does not go with would reach a device in another form than the variant stands for:
    a critical request without its sender's signature.
    """
    request = enquiry.request
    if request.command_variant.signed_pre_command is not isinstance(request, SignedPreCommand):
        wanted = (
            "a signed pre-command" if request.command_variant.signed_pre_command else "the request itself"
        )
        reason = f"command variant {request.command_variant.value} goes with {wanted} as its body"
        return because(Answer.VARIANT, reason, estate.rules)
    target = target_of(request.srv, estate.rules)
    record = {Target.DSP: None, Target.HUB: enquiry.hub, Target.DEVICE: enquiry.record}[target or Target.DSP]
    version = record.family if record is not None else None
    return judge_variant(request.srv, request.command_variant.value, version, estate.rules)


def execution(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether a request for a later time may be for that time; keep what the DSP itself holds until then."""
    request = enquiry.request
    when = request.execution if isinstance(request, FutureDatable) else None
    if when is None:
        return PASS
    now, variant = estate.clock(), request.command_variant.value
    judged = judge_execution(request.srv, variant, when, now, estate.rules)
    if judged.code is None:
        enquiry.cancels = is_cancellation(when, estate.rules)
        holds = DccDefect.EXECUTE_AT_ONCE not in estate.defects or enquiry.cancels
        enquiry.later = when if holds and holder_of(request.srv, estate.rules) is Holder.DSP else None
    return judged


def status_of_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether a device in its status can be the target of the request."""
    return judge_status(enquiry.request.srv, enquiry.known.status, estate.rules)


def status_of_log_update(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the hub's status lets its log be updated, and the device's lets it be put in or taken off."""
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    adds = enquiry.request.action is LogAction.ADD
    if not adds and enquiry.known.hub != enquiry.request.hub:
        reason = f"{enquiry.device} is not in the device log of hub {enquiry.request.hub}"
        return because(Answer.STATUS, reason, estate.rules)
    hub = judge_status(HUB_OF_LOG_UPDATE, enquiry.known_hub.status, estate.rules)
    if hub.code is not None:
        reason = f"{enquiry.request.srv} is not for a hub that is {enquiry.known_hub.status.value}"
        return Judgement(code=hub.code, reason=reason, rules=hub.rules)
    judged = moved(enquiry, estate, SmiEvent.WHITELISTED if adds else SmiEvent.UNLISTED)
    return Judgement(code=judged.code, reason=judged.reason, rules=(*hub.rules, *judged.rules))


def moved(enquiry: Enquiry, estate: Estate, event: SmiEvent) -> Judgement:
    """Whether the device's status lets that happen to it; keep where it leads."""
    status = enquiry.known.status
    enquiry.transition = transition(status, event, enquiry.known.device_type, estate.rules)
    reason = f"a device that is {status.value} cannot be {event.value}"
    return Judgement(code=enquiry.transition.code, reason=reason, rules=enquiry.transition.rules)


def cpl_of_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the CPL row of the device's version is Active."""
    if DccDefect.NEVER_SUSPEND in estate.defects:
        return PASS
    record = enquiry.known
    return judge_cpl(CPL_REQUEST, record.family, row_states(estate.cpl, record.model), estate.rules)


def cpl_of_log_update(enquiry: Enquiry, estate: Estate) -> Judgement:
    """As `cpl_of_device`, but a device that the versioning table applies to is judged there."""
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    by_table = (
        applies_to(enquiry.known.device_type, estate.rules)
        and estate.rules.rule(CPL_REGIME).choice(CplRegime) is CplRegime.MP202
    )
    if enquiry.request.action is LogAction.REMOVE or by_table:
        return PASS
    return cpl_of_device(enquiry, estate)


def versioning(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Apply MP202's table to a device that is being whitelisted."""
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    if enquiry.request.action is LogAction.REMOVE:
        return PASS
    enquiry.versioning = version_on(
        enquiry.known_hub, enquiry.known, estate.cpl, estate.rules, estate.defects
    )
    resolution = enquiry.versioning.resolution
    enquiry.used.note(APPLIES_TO)
    if resolution is None:
        return PASS
    if TRIGGER not in resolution.rules:  # the table is not in force
        return Judgement(rules=resolution.rules)
    for record in (enquiry.known, enquiry.known_hub):
        enquiry.used.note(*read_version(record.version, estate.rules).rules)
    enquiry.used.note(HUB_FAMILY)
    if resolution.flipped:
        enquiry.used.note(FIRMWARE)
    return Judgement(code=resolution.code, reason=resolution.reason, rules=resolution.rules)


def version_of_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the device's version lets it be asked on the hub that it is on."""
    record = enquiry.known
    hub = estate.store.get(record.hub) if record.hub else None
    return misplaced(record.family, hub.family if hub else None, record.device_type, estate.rules)


def route_to_hub(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Find the way to the hub, by the hub's version."""
    request = enquiry.request
    operation = request.action.name if isinstance(request, UpdateHanDeviceLog) else ""
    found = route(enquiry.known_hub.family, request.srv, DeviceType.CHF, estate.rules, operation=operation)
    return _taken(enquiry, found)


def route_to_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Find the way to the device, by its version in the SMI."""
    record = enquiry.known
    by_notice = DccDefect.ROUTE_BY_PRENOTIFIED in estate.defects
    family = record.notified_as if by_notice else record.family
    found = route(
        family, enquiry.request.srv, record.device_type, estate.rules, operation=_operation(enquiry)
    )
    return _taken(enquiry, found)


def _operation(enquiry: Enquiry) -> str:
    """Return what tells apart a request's use cases where it has several for one type of device."""
    request, other = enquiry.request, enquiry.other
    if isinstance(request, JoinNonCritical | UnjoinNonCritical) and other is not None:
        return pair_operation(request.srv, enquiry.known.device_type, other.device_type)
    if isinstance(request, ReadDeviceLog) and request.security_details:
        return "SECURITY"
    return ""


def _taken(enquiry: Enquiry, found: GbcsRoute | S1spRoute | NoRoute) -> Judgement:
    if isinstance(found, NoRoute):
        return Judgement(code=found.code, reason=found.reason, rules=found.rules)
    enquiry.route = found
    return Judgement(rules=found.rules)
