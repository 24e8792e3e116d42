"""Responses as values, in the forms that DUIS has for them: what is in a `Response` document.

A SMETS1 answer has no room for GBCS, and a GBCS answer none for SMETS1 data: they are different values.
Source: DUIS 5.4 `Response`, MMC 5.4; facts gb-domain §1.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from harness.dcc.duis.alerts import Alert
from harness.dcc.duis.requests.inventory import PropertyFilter
from harness.dcc.duis.requests.request import SCHEMA_VERSION, RequestId
from harness.eui64 import Eui64
from harness.smets.cpl import CplStatus, DeviceType
from harness.smets.smi import DeviceStatus

# --- what a response message may carry --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryDevice:
    """A device as 8.2 shows it."""

    device: Eui64
    device_type: DeviceType
    status: DeviceStatus | None = None
    manufacturer: str
    model: str
    version: str | None = None
    firmware: str | None = None
    firmware_status: CplStatus | None = None
    cpl_status: CplStatus | None = None
    commissioned: date | None = None
    import_mpxn: str | None = None
    secondary_import_mpan: str | None = None
    export_mpan: str | None = None
    esme_variant: str | None = None
    uprn: int | None = None
    property_filter: PropertyFilter | None = None
    csp_region: str | None = None
    gbcs_version: str | None = None
    han_variant: str | None = None
    s1sp: str | None = None
    connectivity: str | None = None


@dataclass(frozen=True, slots=True)
class DspInventory:
    """1 to 17 devices."""

    devices: tuple[InventoryDevice, ...]


@dataclass(frozen=True, slots=True)
class GbcsPayload:
    """A GBCS message from a device."""

    message: bytes


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """A GBCS command for local delivery."""

    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCommand:
    """A GBCS pre-command, for its sender to sign."""

    gbcs_version: str
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareWarning:
    """Devices of an 11.1 that are left out, and why."""

    invalid: tuple[Eui64, ...] | None = None
    not_commissioned: tuple[Eui64, ...] | None = None
    not_applicable: tuple[Eui64, ...] | None = None
    other_in_progress: tuple[Eui64, ...] | None = None
    invalid_gbcs_version: tuple[Eui64, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidFirmwareWarning(FirmwareWarning):
    """Devices of an 11.4 that are left out, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureDatedAlert:
    """A device's alert that a command for later was taken (0x8F66) or not (0x8F67)."""

    code: bytes
    message: bytes
    instruction: int
    instructions: int


@dataclass(frozen=True, slots=True)
class ScheduleId:
    """The number of a schedule that was made."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherContent:
    """Something of the schema that has no class here: its element, and the whole of it as `content` (XML)."""

    element: str
    content: bytes


Payload = (
    DspInventory
    | GbcsPayload
    | LocalCommand
    | PreCommand
    | FirmwareWarning
    | PpmidFirmwareWarning
    | FutureDatedAlert
    | ScheduleId
    | OtherContent
)

# --- the bodies -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMessage:
    """What the DSP answers; an acknowledgement has no payload."""

    srv: str
    payload: Payload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAlertMessage:
    """An alert of a device, as GBCS."""

    alert_code: bytes
    throttled_sequence: int | None = None
    throttled_count: int | None = None
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DccAlertMessage:
    """An alert of the DCC's own; `code` is such as N24."""

    code: str
    throttled_sequence: int | None = None
    throttled_count: int | None = None
    alert: Alert | OtherContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Smets1Error:
    """An error that the S1SP tells of: its own code, and text of at most 250 characters."""

    code: int
    position: int = 1
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Smets1Answer:
    """What the S1SP says of a request, in the form of the MMC: who to whom, and named fields of text.

    `element` is the element of the request's body; `fields` go by their path under it, such as
    ``joinResponseCode/ASN1Status`` or ``joinResponseCode/@ResponseCode``, in the order of the MMC.
    """

    device: Eui64
    user: Eui64
    counter: int
    srv: str | None = None
    when: datetime | None = None
    element: str | None = None
    success: bool | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[Smets1Error, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Smets1DeviceAlert:
    """An alert of a SMETS1 device, as the S1SP puts it."""

    device: Eui64
    user: Eui64
    counter: int
    description: str
    when: datetime
    alert_code: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Smets1ResponseMessage:
    """The S1SP's own signed document (`signed`), and what it says.

    A DSP forwards the octets as they are; what they say is read from them, never written beside them.
    """

    srv: str | None = None
    schedule: int | None = None
    throttled_sequence: int | None = None
    throttled_count: int | None = None
    signed: bytes
    answer: Smets1Answer | Smets1DeviceAlert | None = field(default=None, compare=False)


ResponseBody = ResponseMessage | DeviceAlertMessage | DccAlertMessage | Smets1ResponseMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A `Response` document. An alert that no request caused has no request id."""

    request_id: RequestId | None = None
    response_id: RequestId | None = None
    code: str
    when: datetime
    body: ResponseBody
    schema_version: str = SCHEMA_VERSION
