"""Service requests and responses as values: what DUIS carries, without its XML.

A response to a device request holds a GBCS message or a SMETS1 response, never both and never the one in
place of the other: which is allowed is enforced here, where a response is made.
Source: facts gb-domain §1.2 to §1.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from harness.dcc.duis.requests import (
    LogAction,
    Prenotification,
    Prenotify,
    ReadInventory,
    RequestId,
    ServiceRequest,
    UpdateHanDeviceLog,
)
from harness.errors import DecodeError, SystemFault
from harness.eui64 import Eui64
from harness.gbcs import GbcsMessage, parse
from harness.smets.cpl import CplStatus, DeviceType
from harness.smets.smi import DeviceStatus
from harness.smets.version import SmetsVersion

__all__ = [
    "Acknowledgement",
    "Body",
    "CountersignedRequest",
    "GbcsResponse",
    "InventoryRecord",
    "InventoryResponse",
    "LogAction",
    "Prenotification",
    "Prenotify",
    "ReadInventory",
    "RequestId",
    "S1spAlert",
    "ServiceRequest",
    "ServiceResponse",
    "Smets1Response",
    "Stage",
    "UpdateHanDeviceLog",
    "Via",
    "WrongForm",
]


class WrongForm(SystemFault):
    """The DCC was about to answer in a form that the way of the request has no room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountersignedRequest:
    """A service request as the DSP forwards it to the S1SP, which reaches the device through `hub`.

    Source: SEC glossary, "Countersigned Service Request".
    """

    request: ServiceRequest
    device: Eui64
    hub: Eui64


# --- responses -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryRecord:
    """A device as 8.2 shows it. `version` is the SMETSCHTSVersion text, `family` what it names."""

    device: Eui64
    device_type: DeviceType
    status: DeviceStatus
    manufacturer: str
    model: str
    firmware: str
    version: str
    family: SmetsVersion | None
    gbcs_version: str
    cpl_status: CplStatus | None
    csp_region: str | None
    s1sp: str | None
    hub: Eui64 | None
    commissioned: date | None = None
    import_mpxn: str | None = None
    secondary_import_mpan: str | None = None
    export_mpan: str | None = None
    esme_variant: str | None = None

    def plain(self) -> dict[str, str | None]:
        """Return it as json has it, under DUIS's names."""
        return {
            "DeviceID": str(self.device),
            "DeviceType": self.device_type.value,
            "DeviceStatus": self.status.value,
            "DeviceManufacturer": self.manufacturer,
            "DeviceModel": self.model,
            "SMETSCHTSVersion": self.version,
            "SMETSFamily": self.family.value if self.family else None,
            "DeviceFirmwareVersion": self.firmware,
            "DeviceGBCSVersion": self.gbcs_version,
            "CPLStatus": self.cpl_status.value if self.cpl_status else None,
            "CSPRegion": self.csp_region,
            "S1SP": self.s1sp,
            "CHF": str(self.hub) if self.hub else None,
            "DateCommissioned": self.commissioned.isoformat() if self.commissioned else None,
            "ImportMPxN": self.import_mpxn,
            "SecondaryImportMPAN": self.secondary_import_mpan,
            "ExportMPAN": self.export_mpan,
            "ESMEVariant": self.esme_variant,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryResponse:
    """The body of a response to 8.2."""

    records: tuple[InventoryRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareWarning:
    """The body of a response to 11.1 or 11.4 that left devices out.

    `lists` goes by the names of DUIS's elements, such as ``InvalidDeviceIDList``; `taken` are the others.
    """

    srv: str
    lists: Mapping[str, tuple[Eui64, ...]]
    taken: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCommand:
    """The body of a response to a critical request: a GBCS pre-command, for its sender to sign."""

    message: bytes
    use_case: str
    gbcs_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCommand:
    """A GBCS command that is handed back for local delivery."""

    message: bytes
    use_case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GbcsResponse:
    """The body of a response that came as GBCS. `fields` is what the use case says, decoded.

    Raises WrongForm for octets that are no GBCS message.
    """

    message: bytes
    use_case: str
    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        try:
            parse(self.message)
        except DecodeError as error:
            raise WrongForm(f"a GBCS response was made of octets that are none: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Smets1Response:
    """What the S1SP answers: text in named fields, as the MMC documents have it.

    There is no room for a GBCS message: octets, and hex that reads as one, raise WrongForm.
    """

    request_id: RequestId
    srv: str
    success: bool
    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        for name, value in self.fields.items():
            if not isinstance(value, str):
                raise WrongForm(f"a SMETS1 response holds text, not {type(value).__name__}, in {name}")
            if _as_gbcs(value) is not None:
                raise WrongForm(f"a GBCS message in a SMETS1 response, field {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class S1spAlert:
    """That the S1SP could not carry a request out, in its own words. No room for GBCS here either."""

    request_id: RequestId
    device: Eui64
    code: str
    text: str

    def __post_init__(self) -> None:
        if _as_gbcs(self.text) is not None:
            raise WrongForm("a GBCS message in an S1SP alert")


class Via(Enum):
    """The way that a request went."""

    DSP = "dsp"  # no further than the DSP
    GBCS = "gbcs"
    S1SP = "s1sp"


class Stage(Enum):
    """The stages of the DSP, in their order."""

    WELL_FORMED = "well-formed"  # these two are the web service's: a request as a value has them behind it
    SIGNATURE = "signature"
    KNOWN_REQUEST = "known request"
    SENDER = "sender"
    REQUEST_ID = "request id"
    DEVICE_KNOWN = "device known"
    RESPONSIBLE = "responsible"
    VARIANT = "command variant"
    EXECUTION = "execution time"
    STATUS = "status"
    CPL = "CPL"
    VERSIONING = "versioning"
    ROUTE = "route"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """That a request was accepted for sending; the response follows.

    `local` is the command of a request that is handed back for local delivery too.
    """

    request_id: RequestId
    code: str
    local: LocalCommand | None = None


_ALLOWED: Mapping[Via, tuple[type, ...]] = {
    Via.DSP: (InventoryResponse, FirmwareWarning),
    Via.GBCS: (GbcsResponse, PreCommand, LocalCommand),
    Via.S1SP: (Smets1Response, S1spAlert),
}
Body = (
    InventoryResponse
    | FirmwareWarning
    | PreCommand
    | LocalCommand
    | GbcsResponse
    | Smets1Response
    | S1spAlert
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResponse:
    """The end of a request. Raises WrongForm for a body of another route than `via`.

    When it did not succeed, `stage` says where it ended, `reason` why, and `cause` is the error behind it if
    there is one: a hub or a device that does not answer is not the DSP's fault. `local` is the command of a
    request that is sent and handed back at once. `rules` are those that the DSP went by. `later` says that
    the DSP holds the request until its time, or has taken such a one back, and has no more to say than that.
    """

    request_id: RequestId
    code: str
    via: Via = Via.DSP
    body: Body | None = None
    acknowledgement: Acknowledgement | None = None
    local: LocalCommand | None = None
    ok: bool
    stage: Stage | None = None
    reason: str = ""
    cause: BaseException | None = field(default=None, compare=False)
    rules: tuple[str, ...] = ()
    later: bool = False

    def __post_init__(self) -> None:
        if self.body is not None and not isinstance(self.body, _ALLOWED[self.via]):
            raise WrongForm(f"a {type(self.body).__name__} in a response by way of {self.via.value}")

    @property
    def fields(self) -> Mapping[str, str]:
        """What the device answered, empty when it did not."""
        return self.body.fields if isinstance(self.body, GbcsResponse | Smets1Response) else {}


def _as_gbcs(text: str) -> GbcsMessage | None:
    try:
        return parse(bytes.fromhex(text))
    except ValueError:  # DecodeError is one
        return None
