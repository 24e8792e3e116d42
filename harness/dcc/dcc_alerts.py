"""The alerts that the DCC sends to its users by itself: which, when, and to whom.

An SMI that changes, an 8.11 whose outcome is known, a device that says another firmware version than the SMI,
an alert of a PPMID or a hub. Which alert code goes with which, and who is told, are rules.
Source: DUIS 5.4 `DCCAlert`; facts gb-domain §1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from harness.dcc.agenda import Entry, Matter
from harness.dcc.alerts import DeviceAlert
from harness.dcc.defects import DccDefect
from harness.dcc.documents import Body, GbcsResponse, Smets1Response
from harness.dcc.duis import alerts as a
from harness.dcc.duis.alert_translation import alert_body
from harness.dcc.duis.requests import LogAction, ReadFirmwareVersion, RequestId, UpdateHanDeviceLog
from harness.dcc.enquiry import Enquiry, Estate
from harness.dcc.inventory import Change
from harness.dcc.use_cases import FIRMWARE_VERSION
from harness.eui64 import Eui64
from harness.gbcs.use_cases.device_log import DeviceLogAlert
from harness.smets.access import RESPONSIBLE, UserRole
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus

ALERTS_RAISED = "ALERTS-RAISED"


class DccAlertKind(Enum):
    """The alerts, by the words that a plan has for them. Each has a rule: `rule`."""

    LOG_UPDATED = "log-updated"
    LOG_UNCONFIRMED = "log-unconfirmed"
    PPMID_REMOVAL = "ppmid-removal"
    PPMID = "ppmid"
    HUB = "hub"
    FIRMWARE_MISMATCH = "firmware-mismatch"
    SUSPENDED = "suspended"
    RESTORED = "restored"
    HUB_DECOMMISSIONED = "hub-decommissioned"
    REMOVED = "removed-from-inventory"
    FIRMWARE_DELIVERY = "firmware-delivery"
    FIRMWARE_FAILURE = "firmware-failure"

    @property
    def rule(self) -> str:
        """The rule with its alert code and whom it is for."""
        return f"ALERT-{self.value.upper()}"


class Addressees(Enum):
    """Whom an alert is for."""

    SENDER = "sender"  # of the request that it is about
    RESPONSIBLE = "responsible"  # suppliers registered for the premises; all of them where nobody is
    OTHERS = "others"  # those, without the sender


@dataclass(frozen=True, slots=True, kw_only=True)
class DccAlert:
    """One alert, for these users."""

    kind: DccAlertKind
    code: str
    body: a.Alert
    to: frozenset[Eui64]


_STATUS_CHANGES: Mapping[DccAlertKind, a.StatusChange] = {
    DccAlertKind.SUSPENDED: a.StatusChange.SUSPENDED,
    DccAlertKind.RESTORED: a.StatusChange.RESTORED,
    DccAlertKind.HUB_DECOMMISSIONED: a.StatusChange.HUB_DECOMMISSIONED,
    DccAlertKind.REMOVED: a.StatusChange.REMOVED,
}
_SUSPENDED = DeviceStatus.SUSPENDED.value
_UP_AGAIN = tuple(
    status.value
    for status in DeviceStatus
    if status not in (DeviceStatus.SUSPENDED, DeviceStatus.DECOMMISSIONED, DeviceStatus.WITHDRAWN)
)


class DccAlerts:
    """Raises alerts; `tell` is handed each of them, once."""

    def __init__(self, estate: Estate, tell: Callable[[DccAlert], None]) -> None:
        self._estate = estate
        self._tell = tell

    def tell(
        self,
        kind: DccAlertKind,
        body: a.Alert,
        *,
        where: DeviceRecord | None = None,
        sender: Eui64 | None = None,
    ) -> None:
        """Raise one: about a device or hub `where`, or a request of `sender`."""
        if DccDefect.WITHHOLD_ALERTS in self._estate.defects:
            return
        rule = self._estate.rules.rule(kind.rule)
        to = self._addressees(rule.choice(Addressees, "to"), where, sender)
        alert = DccAlert(kind=kind, code=rule.text("code"), body=body, to=to)
        if DccDefect.ALERT_EVERYBODY in self._estate.defects:
            alert = replace(alert, to=frozenset(user.eui64 for user in self._estate.users.users))
        for _ in range(2 if DccDefect.REPEAT_ALERTS in self._estate.defects else 1):
            self._tell(alert)

    def _addressees(
        self, whom: Addressees, where: DeviceRecord | None, sender: Eui64 | None
    ) -> frozenset[Eui64]:
        if whom is Addressees.SENDER:
            return frozenset() if sender is None else frozenset({sender})
        estate = self._estate
        roles = set(estate.rules.rule(RESPONSIBLE).choices(UserRole, "roles"))
        suppliers = frozenset(user.eui64 for user in estate.users.users if roles & set(user.roles))
        if where is not None:
            there = estate.users.responsible(estate.mpxns_at(where), estate.clock())
            suppliers = there or suppliers
        return suppliers - {sender} if whom is Addressees.OTHERS else suppliers

    # --- what gives rise to one ----------------------------------------------------------------------------

    def changed(self, changes: Iterable[Change], gone: Mapping[Eui64, DeviceRecord]) -> None:
        """The SMI has changed; `gone` are the records that are no more."""
        for change in changes:
            record = gone.get(change.device) or self._estate.store.get(change.device)
            kind = _kind_of(change, record)
            if kind is not None:
                body = a.DeviceStatusChange(device=change.device, change=_STATUS_CHANGES[kind])
                sender = change.by.originator if change.by is not None else None
                self.tell(kind, body, where=record, sender=sender)

    def answered(self, enquiry: Enquiry, body: Body | None) -> None:
        """A request that left the DSP has succeeded, and what it does is in the SMI."""
        request = enquiry.meant
        if isinstance(request, UpdateHanDeviceLog):
            self._log_updated(enquiry, request)
        if isinstance(request, ReadFirmwareVersion):
            self._firmware_read(enquiry.device, body)

    def heard(self, alert: DeviceAlert) -> None:
        """A device or a hub has raised an alert that counts."""
        if isinstance(alert.content, DeviceLogAlert):
            for logged in alert.content.log.devices:
                if logged.link_key_hash:
                    self.joined(alert.via, logged.device)
        found = alert_body(alert)
        if found is None:
            return
        body = self._with_request(found)
        kind = DccAlertKind.PPMID if isinstance(body, a.PpmidAlert) else DccAlertKind.HUB
        about = body.device if isinstance(body, a.PpmidAlert) else alert.via
        self.tell(kind, body, where=self._estate.store.get(about))

    def _with_request(self, body: a.PpmidAlert | a.CommsHubAlert) -> a.PpmidAlert | a.CommsHubAlert:
        """Name the 11.1 or 11.4 of an image that a hub tells of, if it is the DSP's."""
        if not isinstance(body, a.CommsHubAlert) or body.transfer is None:
            return body
        entry = self._estate.store.agenda.get(Matter.IMAGE, str(body.transfer.device))
        if entry is None:
            return body
        request_id = RequestId.parse(entry.content.decode().split()[0])
        return replace(body, transfer=replace(body.transfer, request_id=request_id))

    def joined(self, hub: Eui64, device: Eui64) -> None:
        """A hub has a device on its HAN: an 8.11 that waits for that has its result."""
        entry = self._estate.store.agenda.get(Matter.LOG_UPDATE, str(device))
        if entry is not None and _request_of(entry).target == hub:
            self._estate.store.agenda.take(Matter.LOG_UPDATE, str(device))
            self._log_result(DccAlertKind.LOG_UPDATED, _request_of(entry))

    def overdue(self) -> None:
        """See to each 8.11 whose join time has passed without a word from the hub."""
        now, agenda = self._estate.clock(), self._estate.store.agenda
        for entry in agenda.entries(Matter.LOG_UPDATE):
            if entry.due <= now:
                agenda.take(Matter.LOG_UPDATE, entry.key)
                self._log_result(DccAlertKind.LOG_UNCONFIRMED, _request_of(entry))

    def _log_updated(self, enquiry: Enquiry, request: UpdateHanDeviceLog) -> None:
        agenda, sender = self._estate.store.agenda, request.request_id.originator
        if request.action is LogAction.ADD:
            due = self._estate.clock() + timedelta(seconds=request.join_time_s)
            content = str(request.request_id).encode()
            agenda.put(Entry(matter=Matter.LOG_UPDATE, key=str(request.device), due=due, content=content))
            return
        agenda.take(Matter.LOG_UPDATE, str(request.device))
        self._log_result(DccAlertKind.LOG_UPDATED, request.request_id)
        if enquiry.known.device_type is DeviceType.PPMID:
            body = a.PpmidRemoval(ppmid=request.device, hub=request.hub)
            self.tell(DccAlertKind.PPMID_REMOVAL, body, where=enquiry.known_hub, sender=sender)

    def _log_result(self, kind: DccAlertKind, request_id: RequestId) -> None:
        self.tell(kind, a.UpdateHanDeviceLogResult(request_id), sender=request_id.originator)

    def _firmware_read(self, device: Eui64, body: Body | None) -> None:
        record = self._estate.store.get(device)
        if record is None or not isinstance(body, GbcsResponse | Smets1Response):
            return
        said = body.fields.get(FIRMWARE_VERSION, "").upper()
        in_smi = record.model.firmware.upper()
        if said and said != in_smi:
            mismatch = a.FirmwareVersionMismatch(
                device=device, device_type=record.device_type, in_smi=in_smi, on_device=said
            )
            self.tell(DccAlertKind.FIRMWARE_MISMATCH, mismatch, where=record)


def _request_of(entry: Entry) -> RequestId:
    return RequestId.parse(entry.content.decode())


def _kind_of(change: Change, record: DeviceRecord | None) -> DccAlertKind | None:
    """Return which alert a change in the SMI gives rise to, if any."""
    if change.what == "record":
        return DccAlertKind.REMOVED if change.after is None and change.by is not None else None
    if change.what != "status":
        return None
    if change.after == _SUSPENDED:
        return DccAlertKind.SUSPENDED
    if change.before == _SUSPENDED and change.after in _UP_AGAIN:
        return DccAlertKind.RESTORED
    decommissioned = change.after == DeviceStatus.DECOMMISSIONED.value
    if decommissioned and record is not None and record.device_type is DeviceType.CHF:
        return DccAlertKind.HUB_DECOMMISSIONED
    return None
