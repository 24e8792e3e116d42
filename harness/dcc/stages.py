"""The DSP's stages before anything is sent: one function each, in the order of the tables at the end.

A stage looks at the enquiry, adds what later stages need, and returns a judgement; one with a code ends the
request. Nothing here changes the inventory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from harness.dcc.defects import DccDefect
from harness.dcc.documents import (
    LogAction,
    Prenotify,
    ReadInventory,
    ServiceRequest,
    Stage,
    UpdateHanDeviceLog,
)
from harness.dcc.inventory import SmiStore, row_states
from harness.dcc.versioning import Versioning, version_on
from harness.eui64 import Eui64
from harness.smets.cpl import CPL_REGIME, Cpl, CplRegime, DeviceType
from harness.smets.requests import (
    CPL_PRENOTIFY,
    CPL_REQUEST,
    Answer,
    Judgement,
    Target,
    code_for,
    judge_cpl,
    judge_status,
    judge_type,
    target_of,
)
from harness.smets.routing import GbcsRoute, NoRoute, S1spRoute, route
from harness.smets.rulebook import Consultation, Rulebook
from harness.smets.smi import DeviceRecord, SmiEvent, Transition, transition
from harness.smets.table import APPLIES_TO, FIRMWARE, HUB_FAMILY, TRIGGER, applies_to, misplaced
from harness.smets.version import read_version

_PASS = Judgement(rules=())


@dataclass(slots=True, kw_only=True)
class Estate:
    """What the DSP knows and goes by. `cpl` may be replaced between requests."""

    store: SmiStore
    cpl: Cpl
    rules: Rulebook
    defects: Collection[DccDefect] = ()


@dataclass(slots=True, kw_only=True)
class Enquiry:
    """A request on its way through the stages. `record` and `hub` are the SMI's when the request arrived."""

    request: ServiceRequest
    device: Eui64
    used: Consultation
    record: DeviceRecord | None = None
    hub: DeviceRecord | None = None
    transition: Transition | None = None
    versioning: Versioning | None = None
    route: GbcsRoute | S1spRoute | None = None
    passed: list[Stage] = field(default_factory=list)

    @property
    def known(self) -> DeviceRecord:
        """The record, after the stage that made sure of it."""
        assert self.record is not None
        return self.record

    @property
    def known_hub(self) -> DeviceRecord:
        """The hub's record, after the stage that made sure of it."""
        assert self.hub is not None
        return self.hub


Check = Callable[[Enquiry, Estate], Judgement]


def known_request(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the rulebook knows the service reference, and it aims where this request does."""
    srv = enquiry.request.srv
    target = target_of(srv, estate.rules)
    if target is None:
        return _because(Answer.UNKNOWN_REQUEST, f"the DSP does not know {srv}", estate.rules)
    if type(enquiry.request) is ServiceRequest and target is not Target.DEVICE:
        return _because(Answer.NOT_APPLICABLE, f"{srv} is no request to a device", estate.rules)
    return Judgement(rules=(f"SRV-{srv}",))


def device_new(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether a device can be pre-notified: unknown, or known in a status that allows it again."""
    assert isinstance(enquiry.request, Prenotify)
    device_type = enquiry.request.prenotification.device_type
    enquiry.record = estate.store.get(enquiry.device)
    status = enquiry.record.status if enquiry.record else None
    enquiry.transition = transition(status, SmiEvent.PRENOTIFIED, device_type, estate.rules)
    if enquiry.transition.status is None:
        reason = f"{enquiry.device} is in the SMI, {status.value if status else 'in no status'}"
        return _because(Answer.ALREADY_NOTIFIED, reason, estate.rules)
    judged = judge_type(enquiry.request.srv, device_type, estate.rules)
    return Judgement(code=judged.code, reason=judged.reason, rules=(*enquiry.transition.rules, *judged.rules))


def device_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the device."""
    enquiry.record = estate.store.get(enquiry.device)
    if enquiry.record is None:
        return _because(Answer.UNKNOWN_DEVICE, f"{enquiry.device} is not in the SMI", estate.rules)
    return _PASS


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
        return _because(Answer.UNKNOWN_DEVICE, f"hub {enquiry.request.hub} is not in the SMI", estate.rules)
    if enquiry.hub.device_type is not DeviceType.CHF:
        reason = f"{enquiry.hub.device} is a {enquiry.hub.device_type.value}, not a hub"
        return _because(Answer.NOT_APPLICABLE, reason, estate.rules)
    return judged


def status_of_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether a device in its status can be the target of the request."""
    return judge_status(enquiry.request.srv, enquiry.known.status, estate.rules)


def status_of_log_update(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the device's status lets it be whitelisted, or be taken off the hub that it is on."""
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    adds = enquiry.request.action is LogAction.ADD
    if not adds and enquiry.known.hub != enquiry.request.hub:
        reason = f"{enquiry.device} is not in the device log of hub {enquiry.request.hub}"
        return _because(Answer.STATUS, reason, estate.rules)
    event = SmiEvent.WHITELISTED if adds else SmiEvent.UNLISTED
    status = enquiry.known.status
    enquiry.transition = transition(status, event, enquiry.known.device_type, estate.rules)
    reason = f"a device that is {status.value} cannot be {event.value}"
    return Judgement(code=enquiry.transition.code, reason=reason, rules=enquiry.transition.rules)


def cpl_of_prenotification(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the CPL has the model as what it is pre-notified."""
    assert isinstance(enquiry.request, Prenotify)
    notice = enquiry.request.prenotification
    reading = read_version(notice.version, estate.rules)
    enquiry.used.note(*reading.rules)
    rows = row_states(estate.cpl, notice.device_model)
    return judge_cpl(CPL_PRENOTIFY, reading.family, rows, estate.rules)


def cpl_of_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the CPL row of the device's version is Active."""
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
        return _PASS
    return cpl_of_device(enquiry, estate)


def versioning(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Apply MP202's table to a device that is being whitelisted."""
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    if enquiry.request.action is LogAction.REMOVE:
        return _PASS
    enquiry.versioning = version_on(
        enquiry.known_hub, enquiry.known, estate.cpl, estate.rules, estate.defects
    )
    resolution = enquiry.versioning.resolution
    enquiry.used.note(APPLIES_TO)
    if resolution is None:
        return _PASS
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
    assert isinstance(enquiry.request, UpdateHanDeviceLog)
    operation = enquiry.request.action.name
    found = route(
        enquiry.known_hub.family, enquiry.request.srv, DeviceType.CHF, estate.rules, operation=operation
    )
    return _taken(enquiry, found)


def route_to_device(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Find the way to the device, by its version in the SMI."""
    record = enquiry.known
    by_notice = DccDefect.ROUTE_BY_PRENOTIFIED in estate.defects
    family = record.notified_as if by_notice else record.family
    return _taken(enquiry, route(family, enquiry.request.srv, record.device_type, estate.rules))


def _taken(enquiry: Enquiry, found: GbcsRoute | S1spRoute | NoRoute) -> Judgement:
    if isinstance(found, NoRoute):
        return Judgement(code=found.code, reason=found.reason, rules=found.rules)
    enquiry.route = found
    return Judgement(rules=found.rules)


def _because(answer: Answer, reason: str, rules: Rulebook) -> Judgement:
    judgement = code_for(answer, rules)
    return Judgement(code=judgement.code, reason=reason, rules=judgement.rules)


PIPELINES: Mapping[type[ServiceRequest], tuple[tuple[Stage, Check], ...]] = {
    Prenotify: (
        (Stage.KNOWN_REQUEST, known_request),
        (Stage.DEVICE_KNOWN, device_new),
        (Stage.CPL, cpl_of_prenotification),
    ),
    ReadInventory: (
        (Stage.KNOWN_REQUEST, known_request),
        (Stage.DEVICE_KNOWN, device_known),
    ),
    UpdateHanDeviceLog: (
        (Stage.KNOWN_REQUEST, known_request),
        (Stage.DEVICE_KNOWN, device_and_hub_known),
        (Stage.STATUS, status_of_log_update),
        (Stage.CPL, cpl_of_log_update),
        (Stage.VERSIONING, versioning),
        (Stage.ROUTE, route_to_hub),
    ),
    ServiceRequest: (
        (Stage.KNOWN_REQUEST, known_request),
        (Stage.DEVICE_KNOWN, device_of_request),
        (Stage.STATUS, status_of_device),
        (Stage.CPL, cpl_of_device),
        (Stage.VERSIONING, version_of_device),
        (Stage.ROUTE, route_to_device),
    ),
}
"""The stages of each kind of request, in their order."""
