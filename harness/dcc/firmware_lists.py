"""Which devices of an 11.1 or 11.4 are sent firmware, and on which list of the warning the others stand.

A supplier names devices of others among its own: those stand on a list, and do not keep the others from it.
MP202 keeps business requirement 7: over the air only to a PPMID on a SMETS2+ system. On which list one that
is SMETS1 stands is not public.
Source: MP202 Modification Report §7; DUIS 5.4 `DSPUpdatePPMIDFirmwareWarning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from harness.dcc.duis.requests import FirmwareDistribution
from harness.dcc.enquiry import Estate
from harness.dcc.responsibility import asks_for_registration, may_act_at
from harness.eui64 import Eui64
from harness.smets.access import RESPONSIBLE
from harness.smets.cpl import CplStatus
from harness.smets.requests import judge_status, judge_type
from harness.smets.routing import NOT_APPLICABLE_FIRMWARE, NOT_REGISTERED_FIRMWARE, OTA, OTA_LISTS
from harness.smets.rulebook import Consultation
from harness.smets.smi import DeviceRecord
from harness.smets.version import SmetsVersion


class FirmwareList(Enum):
    """The lists of the warning, by the names of their DUIS elements."""

    INVALID_DEVICE = "InvalidDeviceIDList"
    NOT_COMMISSIONED = "NotCommissionedDeviceIDList"
    NOT_APPLICABLE = "NotApplicableFirmwareDeviceIDList"
    IN_PROGRESS = "OtherRequestInProgressList"
    INVALID_GBCS = "InvalidGBCSVersionList"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The devices to be sent the firmware, and the others by list, in the order of the request."""

    taken: tuple[Eui64, ...]
    left_out: Mapping[FirmwareList, tuple[Eui64, ...]]


def sort_out(
    request: FirmwareDistribution,
    in_progress: Callable[[Eui64], bool],
    estate: Estate,
    used: Consultation,
) -> Sorted:
    """Sort a request's devices out; `used` notes the rules that did it."""
    taken: list[Eui64] = []
    left_out: dict[FirmwareList, list[Eui64]] = {}
    asks = asks_for_registration(request.request_id.originator, estate)
    for device in dict.fromkeys(request.devices):
        found = _list_of(request, device, in_progress, estate, used, asks=asks)
        (taken if found is None else left_out.setdefault(found, [])).append(device)
    return Sorted(
        taken=tuple(taken),
        left_out={one: tuple(left_out[one]) for one in FirmwareList if one in left_out},
    )


def _list_of(
    request: FirmwareDistribution,
    device: Eui64,
    in_progress: Callable[[Eui64], bool],
    estate: Estate,
    used: Consultation,
    *,
    asks: bool,
) -> FirmwareList | None:
    srv, record = request.srv, estate.store.get(device)
    lists = used.rule(OTA_LISTS)
    if record is None or judge_type(srv, record.device_type, estate.rules).code is not None:
        return lists.choice(FirmwareList, "unknown")
    if asks and not may_act_at(estate.mpxns_at(record), request.request_id.originator, estate):
        used.note(RESPONSIBLE)
        return used.rule(NOT_REGISTERED_FIRMWARE).choice(FirmwareList)
    if _barred(srv, record, used):
        return lists.choice(FirmwareList, "smets1")
    status = judge_status(srv, record.status, estate.rules)
    used.note(*status.rules)
    if status.code is not None:
        return FirmwareList.NOT_COMMISSIONED
    if in_progress(device):
        return FirmwareList.IN_PROGRESS
    if not _has_row(request.firmware, record, estate):
        used.note(NOT_APPLICABLE_FIRMWARE)
        return FirmwareList.NOT_APPLICABLE
    return None


def _barred(srv: str, record: DeviceRecord, used: Consultation) -> bool:
    rule = used.rule(OTA)
    return srv == rule.text("srv") and record.family not in rule.choices(SmetsVersion, "only")


def _has_row(firmware: str, record: DeviceRecord, estate: Estate) -> bool:
    """Whether the CPL has the firmware for the device's model, as the version that the device is."""
    model = record.model.with_firmware(firmware)
    row = estate.cpl.find(model, record.family) if record.family else None
    return row is not None and row.status is CplStatus.ACTIVE
