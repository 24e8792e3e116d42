"""Requests about the inventory itself: 12.2, 8.2, 8.4. Their target is the DSP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.dcc.duis.requests.request import CommandVariant, ServiceRequest
from harness.eui64 import Eui64
from harness.smets.cpl import DeviceModel, DeviceType
from harness.smets.smi import DeviceStatus

_LONGEST_TEXT, _LONGEST_FIRMWARE, _LONGEST_VERSION = 30, 8, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Prenotification:
    """What 12.2 says of a device; `version` is the SMETS/CHTS version. ValueError for too long a text.

    `gpf` is the gas proxy function that goes with a hub (DUIS `AssociatedGPFDeviceID`).
    """

    device: Eui64
    device_type: DeviceType
    manufacturer: str
    model: str
    version: str | None = None
    firmware: str | None = None
    esme_variant: str | None = None
    gpf: Eui64 | None = None

    def __post_init__(self) -> None:
        for name, text, longest in (
            ("manufacturer", self.manufacturer, _LONGEST_TEXT),
            ("model", self.model, _LONGEST_TEXT),
            ("SMETS/CHTS version", self.version or "", _LONGEST_VERSION),
            ("firmware version", self.firmware or "", _LONGEST_FIRMWARE),
        ):
            if len(text) > longest:
                raise ValueError(f"{name} has at most {longest} characters: {text!r}")

    @property
    def device_model(self) -> DeviceModel:
        """The model as the CPL has it."""
        return DeviceModel(
            manufacturer=self.manufacturer,
            model=self.model,
            device_type=self.device_type,
            firmware=self.firmware or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prenotify(ServiceRequest):
    """12.2."""

    srv: str = "12.2"
    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    prenotification: Prenotification


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInventory(ServiceRequest):
    """8.2, by device id."""

    srv: str = "8.2"
    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    device: Eui64


@dataclass(frozen=True, slots=True)
class Uprn:
    """A Unique Property Reference Number, up to 12 digits."""

    number: int


@dataclass(frozen=True, slots=True)
class Mpxn:
    """An MPAN or MPRN, 1 to 13 characters."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyFilter:
    """An address: post code (6 to 8 characters), and what tells one address in it from another (30)."""

    post_code: str
    address_identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchInventory(ServiceRequest):
    """8.2, by what a device is at."""

    srv: str = "8.2"
    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    by: Uprn | Mpxn | PropertyFilter


@dataclass(frozen=True, slots=True)
class SetStatus:
    """A new status of a device that is no hub: Pending or InstalledNotCommissioned. Raises ValueError."""

    status: DeviceStatus

    def __post_init__(self) -> None:
        _among(self.status, DeviceStatus.PENDING, DeviceStatus.INSTALLED_NOT_COMMISSIONED)


@dataclass(frozen=True, slots=True)
class SetHubStatus:
    """A new status of a hub: Commissioned, Withdrawn or InstalledNotCommissioned. Raises ValueError."""

    status: DeviceStatus

    def __post_init__(self) -> None:
        _among(
            self.status,
            DeviceStatus.COMMISSIONED,
            DeviceStatus.WITHDRAWN,
            DeviceStatus.INSTALLED_NOT_COMMISSIONED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDetails:
    """New details of a device; None leaves one as it is."""

    manufacturer: str | None = None
    model: str | None = None
    version: str | None = None
    firmware: str | None = None
    esme_variant: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteDevice:
    """That a device leaves the inventory."""


class MpxnKind(Enum):
    """Which MPxN of a meter."""

    IMPORT = "ImportMPxN"
    SECONDARY_IMPORT = "SecondaryImportMPAN"
    EXPORT = "ExportMPAN"


@dataclass(frozen=True, slots=True)
class SetMpxn:
    """A new MPxN of a meter."""

    kind: MpxnKind
    number: str


InventoryChange = SetStatus | SetHubStatus | DeviceDetails | DeleteDevice | SetMpxn


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInventory(ServiceRequest):
    """8.4."""

    srv: str = "8.4"
    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    device: Eui64
    change: InventoryChange


def _among(status: DeviceStatus, *allowed: DeviceStatus) -> None:
    if status not in allowed:
        names = ", ".join(entry.value for entry in allowed)
        raise ValueError(f"8.4 sets {names} here, not {status.value}")
