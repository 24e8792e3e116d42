"""The DCC's alerts as values. Which alert code goes with which is not public: that is the rulebook's.

Source: DUIS 5.4 `DCCAlert`; facts gb-domain §1.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from harness.dcc.duis.requests.request import RequestId
from harness.eui64 import Eui64
from harness.smets.cpl import DeviceType


@dataclass(frozen=True, slots=True, kw_only=True)
class S1spAlert:
    """What the S1SP raises by itself."""

    request_id: RequestId | None = None
    device: Eui64 | None = None
    code: str
    additional_information: str | None = None
    utrn: str | None = None
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class S1spAlertDsp:
    """The S1SP's own signed document (`signed`) as the DSP forwards it, and what it says."""

    signed: bytes
    schedule: int | None = None
    alert: S1spAlert | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class UpdateHanDeviceLogResult:
    """That an 8.11 is settled: its request id."""

    request_id: RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidUpgrade:
    """How a PPMID's new firmware fared."""

    firmware: str
    activated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidAlert:
    """A PPMID's alert; `alert_code` is its two octets."""

    device: Eui64
    alert_code: bytes
    when: datetime | None = None
    upgrade: PpmidUpgrade | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidRemoval:
    """That a PPMID was taken off a hub's device log."""

    ppmid: Eui64
    hub: Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareVersionMismatch:
    """That a device says another firmware version than the SMI has."""

    device: Eui64
    device_type: DeviceType
    in_smi: str
    on_device: str


class StatusChange(Enum):
    """The changes of status of which an alert says no more than that they happened."""

    REMOVED = "DeviceRemovedFromInventory"
    HUB_DECOMMISSIONED = "CHFDecommissioning"
    SUSPENDED = "DeviceSuspended"
    RESTORED = "DeviceRestored"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatusChange:
    """That the status of a device changed."""

    device: Eui64
    change: StatusChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Smets1HubFirmware:
    """How a SMETS1 hub's new firmware fares."""

    device: Eui64
    firmware: str
    activated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareDistributionFailure:
    """Devices that an 11.1 or 11.4 did not reach."""

    request_id: RequestId
    devices: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareDelivery:
    """Whether an image got as far as a hub, for a device of it."""

    request_id: RequestId
    hub: Eui64
    device: Eui64
    firmware: str
    when: datetime
    delivered: bool


class TransferResult(Enum):
    """How the transfer of an image from a hub to a device ended."""

    SUCCESS = "FileTransferSuccess"
    DISCARDED = "FirmwareImageDiscarded"
    HARDWARE_MISMATCH = "HardwareVersionMismatch"
    FAILURE = "FileTransferFailure"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareTransfer:
    """The end of an image's transfer from a hub to a device."""

    request_id: RequestId | None = None
    device: Eui64
    firmware: str
    result: TransferResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CommsHubAlert:
    """A hub's alert."""

    hub: Eui64
    alert_code: bytes
    when: datetime | None = None
    transfer: FirmwareTransfer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacedHub:
    """A hub and its gas proxy function, before and after a replacement."""

    old_hub: Eui64
    new_hub: Eui64
    old_gpf: Eui64
    new_gpf: Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogRestored:
    """That a hub's device log, or with `gpf` a gas proxy function's, was restored on another."""

    day: date
    hubs: ReplacedHub
    gpf: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailure:
    """That a command came to nothing."""

    request_id: RequestId
    schedule: int | None = None
    device: Eui64


Alert = (
    S1spAlertDsp
    | UpdateHanDeviceLogResult
    | PpmidAlert
    | PpmidRemoval
    | FirmwareVersionMismatch
    | DeviceStatusChange
    | Smets1HubFirmware
    | FirmwareDistributionFailure
    | FirmwareDelivery
    | CommsHubAlert
    | DeviceLogRestored
    | CommandFailure
)
