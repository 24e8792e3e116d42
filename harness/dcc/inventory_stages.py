"""The stages of requests about the inventory itself, and of hubs: 12.2, 8.2, 8.3, 8.4, 8.12, 8.14."""

from __future__ import annotations

from dataclasses import replace

from harness.dcc.duis.requests import (
    DeleteDevice,
    DeviceDetails,
    HubInstalledWithoutWan,
    Mpxn,
    Prenotify,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    SearchInventory,
    SetHubStatus,
    SetMpxn,
    SetStatus,
    UpdateInventory,
)
from harness.dcc.enquiry import PASS, Enquiry, Estate, because
from harness.dcc.hub_exchange import exchange
from harness.dcc.inventory import Lookup, row_states
from harness.dcc.stages import device_known, device_of_request, moved
from harness.smets.cpl import DeviceType
from harness.smets.requests import (
    CPL_PRENOTIFY,
    CPL_UPDATE,
    DELETE,
    Answer,
    Judgement,
    judge_cpl,
    judge_status,
    judge_type,
)
from harness.smets.smi import DeviceRecord, DeviceStatus, SmiEvent, transition
from harness.smets.table import EXCHANGE
from harness.smets.version import read_version

_METERS = (DeviceType.ESME, DeviceType.GSME)
_SET = {
    DeviceStatus.PENDING: SmiEvent.SET_PENDING,
    DeviceStatus.INSTALLED_NOT_COMMISSIONED: SmiEvent.SET_INSTALLED,
    DeviceStatus.COMMISSIONED: SmiEvent.SET_COMMISSIONED,
    DeviceStatus.WITHDRAWN: SmiEvent.SET_WITHDRAWN,
}


def device_new(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether a device can be pre-notified: unknown, or known in a status that allows it again."""
    assert isinstance(enquiry.request, Prenotify)
    device_type = enquiry.request.prenotification.device_type
    enquiry.record = estate.store.get(enquiry.device)
    status = enquiry.record.status if enquiry.record else None
    enquiry.transition = transition(status, SmiEvent.PRENOTIFIED, device_type, estate.rules)
    if enquiry.transition.status is None:
        reason = f"{enquiry.device} is in the SMI, {status.value if status else 'in no status'}"
        return because(Answer.ALREADY_NOTIFIED, reason, estate.rules)
    judged = judge_type(enquiry.request.srv, device_type, estate.rules)
    return Judgement(code=judged.code, reason=judged.reason, rules=(*enquiry.transition.rules, *judged.rules))


def cpl_of_prenotification(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the CPL has the model as what it is pre-notified."""
    assert isinstance(enquiry.request, Prenotify)
    notice = enquiry.request.prenotification
    reading = read_version(notice.version, estate.rules)
    enquiry.used.note(*reading.rules)
    rows = row_states(estate.cpl, notice.device_model)
    return judge_cpl(CPL_PRENOTIFY, reading.family, rows, estate.rules)


def devices_found(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether there is a device where 8.2 looks: at a meter point, or at premises that have one."""
    assert isinstance(enquiry.request, SearchInventory)
    by = enquiry.request.by
    mpxns = (by.number,) if isinstance(by, Mpxn) else estate.users.mpxns_of(by)
    enquiry.found = at_premises(mpxns, estate)
    if not enquiry.found:
        return because(Answer.NOTHING_FOUND, f"no device is known at {by}", estate.rules)
    return PASS


def at_premises(mpxns: tuple[str, ...], estate: Estate) -> tuple[DeviceRecord, ...]:
    """Return the devices at these meter points: those that name one, their hubs, and all on these hubs."""
    kinds = (Lookup.IMPORT_MPXN, Lookup.SECONDARY_MPAN, Lookup.EXPORT_MPAN)
    named = {
        record.device: record
        for mpxn in mpxns
        for kind in kinds
        for record in estate.store.having(kind, mpxn)
    }
    hubs = {record.hub or record.device for record in named.values()}
    there = dict(named)
    for hub in hubs:
        record = estate.store.get(hub)
        there |= {hub: record} if record is not None else {}
        there |= {one.device: one for one in estate.store.having(Lookup.HUB, str(hub))}
    return tuple(sorted(there.values(), key=lambda record: (record.hub is not None, record.device)))


def status_of_update(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether 8.4 may do what it says to a device of this type in this status."""
    assert isinstance(enquiry.request, UpdateInventory)
    change, record = enquiry.request.change, enquiry.known
    if isinstance(change, SetStatus | SetHubStatus):
        if isinstance(change, SetHubStatus) is not (record.device_type is DeviceType.CHF):
            reason = f"that status is not for a {record.device_type.value}"
            return because(Answer.NOT_APPLICABLE, reason, estate.rules)
        return moved(enquiry, estate, _SET[change.status])
    if isinstance(change, DeleteDevice):
        return judge_status(DELETE, record.status, estate.rules)
    if isinstance(change, SetMpxn) and record.device_type not in _METERS:
        return because(Answer.NOT_APPLICABLE, "only a meter has an MPxN", estate.rules)
    return PASS


def cpl_of_update(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the CPL has the model that 8.4 makes of the device, as the version that it makes of it."""
    assert isinstance(enquiry.request, UpdateInventory)
    if not isinstance(enquiry.request.change, DeviceDetails):
        return PASS
    record = with_details(enquiry.known, enquiry.request.change, estate)
    enquiry.used.note(*read_version(record.version, estate.rules).rules)
    return judge_cpl(CPL_UPDATE, record.family, row_states(estate.cpl, record.model), estate.rules)


def with_details(record: DeviceRecord, details: DeviceDetails, estate: Estate) -> DeviceRecord:
    """Return a record with these details in the place of its own."""
    model = replace(
        record.model,
        manufacturer=details.manufacturer or record.model.manufacturer,
        model=details.model or record.model.model,
        firmware=details.firmware or record.model.firmware,
    )
    version = details.version or record.version
    family = read_version(version, estate.rules).family
    row = estate.cpl.find(model, family) if family else None
    return replace(
        record,
        model=model,
        version=version,
        family=family,
        gbcs_version=row.gbcs_version if row else "",
        esme_variant=details.esme_variant or record.esme_variant,
    )


def decommissioned(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the device's status lets it be decommissioned."""
    return moved(enquiry, estate, SmiEvent.DECOMMISSIONED)


def hub_installed(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the hub's status lets it have been installed."""
    without_wan = isinstance(enquiry.request, HubInstalledWithoutWan)
    return moved(enquiry, estate, SmiEvent.INSTALLED if without_wan else SmiEvent.COMMISSIONED)


def both_hubs_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the hub that takes another's place, and that other."""
    assert isinstance(enquiry.request, RestoreHanDeviceLog)
    judged = device_of_request(enquiry, estate)
    if judged.code is not None:
        return judged
    enquiry.hub = enquiry.record
    enquiry.other = estate.store.get(enquiry.request.old_hub)
    if enquiry.other is None or enquiry.other.device_type is not DeviceType.CHF:
        return because(Answer.UNKNOWN_DEVICE, f"{enquiry.request.old_hub} is no hub in the SMI", estate.rules)
    if enquiry.other.device == enquiry.known_hub.device:
        return because(Answer.NOT_APPLICABLE, "a hub cannot take its own place", estate.rules)
    return judged


def versions_on_new_hub(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether every device of the old hub, but its GPF, has a version to be on the new one."""
    assert enquiry.other is not None
    there = estate.store.having(Lookup.HUB, str(enquiry.other.device))
    devices = tuple(one for one in there if one.device_type is not DeviceType.GPF)  # it goes with its hub
    enquiry.exchange = exchange(
        enquiry.other, enquiry.known_hub, devices, estate.cpl, estate.rules, estate.defects
    )
    if not enquiry.exchange.refused:
        return Judgement(rules=enquiry.exchange.rules)
    device, resolution = enquiry.exchange.refused[0]
    return Judgement(
        code=estate.rules.rule(EXCHANGE).text("code"),
        reason=f"{device} cannot be on {enquiry.known_hub.device}: {resolution.reason}",
        rules=enquiry.exchange.rules,
    )


def both_gpfs_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has both gas proxies."""
    assert isinstance(enquiry.request, RestoreGpfDeviceLog)
    judged = device_of_request(enquiry, estate)
    if judged.code is not None:
        return judged
    enquiry.other = estate.store.get(enquiry.request.old_gpf)
    if enquiry.other is None or enquiry.other.device_type is not DeviceType.GPF:
        return because(Answer.UNKNOWN_DEVICE, f"{enquiry.request.old_gpf} is no GPF in the SMI", estate.rules)
    return judged


def hub_known(enquiry: Enquiry, estate: Estate) -> Judgement:
    """Whether the SMI has the hub that was installed."""
    missing = device_known(enquiry, estate)
    if missing.code is not None:
        return missing
    return judge_type(enquiry.request.srv, enquiry.known.device_type, estate.rules)
