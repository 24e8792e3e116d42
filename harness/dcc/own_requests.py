"""The requests that the DSP carries out itself: the inventory, hubs installed, firmware to distribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.dcc.defects import DccDefect
from harness.dcc.documents import Body, FirmwareWarning, InventoryResponse
from harness.dcc.duis.requests import (
    Decommission,
    DeleteDevice,
    DeviceDetails,
    FirmwareDistribution,
    HubInstall,
    MpxnKind,
    Prenotify,
    ReadInventory,
    SearchInventory,
    ServiceRequest,
    SetMpxn,
    UpdateInventory,
)
from harness.dcc.enquiry import Enquiry, Estate
from harness.dcc.firmware_distribution import Distribution
from harness.dcc.firmware_lists import sort_out
from harness.dcc.inventory import inventory_record
from harness.dcc.inventory_stages import with_details
from harness.eui64 import Eui64
from harness.smets.requests import Answer
from harness.smets.routing import WARNING
from harness.smets.smi import DeviceRecord
from harness.smets.version import read_version

_MOST_SHOWN = 17  # DUIS 5.4 `DSPInventory`
_FIELD = {
    MpxnKind.IMPORT: "import_mpxn",
    MpxnKind.SECONDARY_IMPORT: "secondary_import_mpan",
    MpxnKind.EXPORT: "export_mpan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a request: records to put and devices to delete, and what to answer."""

    answer: Answer = Answer.ACCEPTED
    code: str | None = None
    body: Body | None = None
    put: tuple[DeviceRecord, ...] = ()
    delete: tuple[Eui64, ...] = ()


@dataclass(slots=True)
class OwnRequests:
    """Carries requests out. Firmware that is taken goes on to `distribution`."""

    estate: Estate
    distribution: Distribution

    def carry_out(self, enquiry: Enquiry) -> Done | None:
        """Carry one out that has passed its stages; None for a request that is not the DSP's own."""
        for kind in type(enquiry.request).__mro__:
            if kind in _DO:
                return _DO[kind](self, enquiry, enquiry.request)
        return None

    def _prenotify(self, enquiry: Enquiry, request: Prenotify) -> Done:
        notice = request.prenotification
        assert enquiry.transition is not None
        assert enquiry.transition.status is not None
        family = read_version(notice.version, self.estate.rules).family
        row = self.estate.cpl.find(notice.device_model, family) if family else None
        record = DeviceRecord(
            device=notice.device,
            model=notice.device_model,
            status=enquiry.transition.status,
            version=notice.version or "",
            family=family,
            notified_as=family,
            gbcs_version=row.gbcs_version if row else "",
            esme_variant=notice.esme_variant,
            gpf=notice.gpf,
        )
        return Done(put=(record,))

    def _read(self, enquiry: Enquiry, _: ReadInventory) -> Done:
        return self._shown(enquiry.known)

    def _search(self, enquiry: Enquiry, _: SearchInventory) -> Done:
        return self._shown(*enquiry.found[:_MOST_SHOWN])

    def _shown(self, *records: DeviceRecord) -> Done:
        estate = self.estate
        if DccDefect.STALE_INVENTORY in estate.defects:
            records = tuple(estate.store.first(record.device) or record for record in records)
        shown = tuple(inventory_record(record, estate.cpl, estate.rules) for record in records)
        return Done(answer=Answer.SUCCESS, body=InventoryResponse(records=shown))

    def _update(self, enquiry: Enquiry, request: UpdateInventory) -> Done:
        record, change = enquiry.known, request.change
        if isinstance(change, DeleteDevice):
            return Done(delete=(record.device,))
        if isinstance(change, DeviceDetails):
            return Done(put=(with_details(record, change, self.estate),))
        if isinstance(change, SetMpxn):
            mpxn: Any = {_FIELD[change.kind]: change.number}
            return Done(put=(replace(record, **mpxn),))
        return Done(put=(self._moved(enquiry),))

    def _decommission(self, enquiry: Enquiry, _: Decommission) -> Done:
        return Done(put=(replace(self._moved(enquiry), hub=None, joined=()),))

    def _installed(self, enquiry: Enquiry, request: HubInstall) -> Done:
        return Done(put=(replace(self._moved(enquiry), import_mpxn=request.mpxn),))

    def _moved(self, enquiry: Enquiry) -> DeviceRecord:
        assert enquiry.transition is not None
        assert enquiry.transition.status is not None
        return replace(enquiry.known, status=enquiry.transition.status)

    def _distribute(self, enquiry: Enquiry, request: FirmwareDistribution) -> Done:
        found = sort_out(request, self.distribution.under_way, self.estate, enquiry.used)
        if DccDefect.OTA_TO_SMETS1 in self.estate.defects:
            found = replace(found, taken=request.devices, left_out={})
        self.distribution.take(request, found.taken)
        if not found.left_out:
            return Done()
        warning = FirmwareWarning(
            srv=request.srv,
            lists={one.value: devices for one, devices in found.left_out.items()},
            taken=found.taken,
        )
        return Done(code=enquiry.used.rule(WARNING).text(request.srv), body=warning)


_DO: Mapping[type[ServiceRequest], Callable[[OwnRequests, Enquiry, Any], Done]] = {
    Prenotify: OwnRequests._prenotify,
    ReadInventory: OwnRequests._read,
    SearchInventory: OwnRequests._search,
    UpdateInventory: OwnRequests._update,
    Decommission: OwnRequests._decommission,
    HubInstall: OwnRequests._installed,
    FirmwareDistribution: OwnRequests._distribute,
}
