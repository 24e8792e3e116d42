"""What a request that succeeded on a hub or a device changes in the SMI."""

from __future__ import annotations

from dataclasses import replace

from harness.dcc.duis.requests import (
    Commission,
    JoinCritical,
    JoinNonCritical,
    JoinOrUnjoin,
    LogAction,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    UpdateHanDeviceLog,
)
from harness.dcc.enquiry import Enquiry, Estate
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus, SmiEvent, transition

_JOINED_TO = (DeviceType.ESME, DeviceType.GSME, DeviceType.GPF)


def effects_of(enquiry: Enquiry, estate: Estate) -> tuple[DeviceRecord, ...]:
    """Return the records that change, as they will be."""
    request = enquiry.meant
    if isinstance(request, UpdateHanDeviceLog):
        return (_log_update(enquiry, request),)
    if isinstance(request, RestoreHanDeviceLog):
        assert enquiry.exchange is not None
        return enquiry.exchange.records
    if isinstance(request, RestoreGpfDeviceLog):
        return _other_gpf(enquiry, request, estate)
    if isinstance(request, Commission):
        return _changed(enquiry.known, _commissioned(_now(enquiry.known, estate), estate))
    if isinstance(request, JoinOrUnjoin):
        return _joined(enquiry, request, estate)
    return ()


def _log_update(enquiry: Enquiry, request: UpdateHanDeviceLog) -> DeviceRecord:
    assert enquiry.transition is not None
    assert enquiry.transition.status is not None
    record = enquiry.versioning.record if enquiry.versioning else enquiry.known
    if request.action is LogAction.REMOVE:
        return replace(record, status=enquiry.transition.status, hub=None, joined=())
    return replace(
        record,
        status=enquiry.transition.status,
        hub=request.hub,
        import_mpxn=request.import_mpxn or record.import_mpxn,
        secondary_import_mpan=request.secondary_import_mpan or record.secondary_import_mpan,
        export_mpan=request.export_mpan or record.export_mpan,
    )


def _other_gpf(enquiry: Enquiry, request: RestoreGpfDeviceLog, estate: Estate) -> tuple[DeviceRecord, ...]:
    """The new proxy takes the old one's joins; the old one is in nobody's any more, and Decommissioned."""
    assert enquiry.other is not None
    old, new = request.old_gpf, enquiry.device
    before, after = _now(enquiry.other, estate), _now(enquiry.known, estate)
    joins = tuple(dict.fromkeys((*after.joined, *before.joined)))
    ended = transition(before.status, SmiEvent.DECOMMISSIONED, before.device_type, estate.rules)
    gone = replace(before, joined=(), status=ended.status or before.status)
    changed = [*_changed(before, gone), *_changed(after, replace(after, joined=joins))]
    for record in estate.store.records():
        if old in record.joined:
            joined = tuple(new if one == old else one for one in record.joined)
            changed.append(replace(record, joined=joined))
    return tuple(changed)


def _joined(enquiry: Enquiry, request: JoinOrUnjoin, estate: Estate) -> tuple[DeviceRecord, ...]:
    """A join is in both records; one with a commissioned meter commissions a device that is none."""
    assert enquiry.other is not None
    target, other = _now(enquiry.known, estate), _now(enquiry.other, estate)
    if not isinstance(request, JoinCritical | JoinNonCritical):
        return (
            *_changed(target, _without(target, other)),
            *_changed(other, _without(other, target)),
        )
    pair = [_with(target, other), _with(other, target)]
    for one, peer in ((0, other), (1, target)):
        to_meter = peer.device_type in _JOINED_TO and peer.status is DeviceStatus.COMMISSIONED
        if to_meter and pair[one].device_type not in _JOINED_TO:
            pair[one] = _commissioned(pair[one], estate)
    return (*_changed(target, pair[0]), *_changed(other, pair[1]))


def _commissioned(record: DeviceRecord, estate: Estate) -> DeviceRecord:
    moved = transition(record.status, SmiEvent.COMMISSIONED, record.device_type, estate.rules)
    if moved.status is None:
        return record
    return replace(record, status=moved.status, commissioned=record.commissioned or estate.clock().date())


def _with(record: DeviceRecord, other: DeviceRecord) -> DeviceRecord:
    if other.device in record.joined:
        return record
    return replace(record, joined=(*record.joined, other.device))


def _without(record: DeviceRecord, other: DeviceRecord) -> DeviceRecord:
    return replace(record, joined=tuple(one for one in record.joined if one != other.device))


def _now(record: DeviceRecord, estate: Estate) -> DeviceRecord:
    """Read a record again: while the request was under way an alert may have changed it."""
    return estate.store.get(record.device) or record


def _changed(before: DeviceRecord, after: DeviceRecord) -> tuple[DeviceRecord, ...]:
    return () if after == before else (after,)
