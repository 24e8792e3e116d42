"""Requests to a Communications Hub, or about one: 8.9, 8.11, 8.12, 8.14."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from harness.dcc.duis.requests.request import CommandVariant, FutureDatable, ServiceRequest
from harness.eui64 import Eui64

_LONGEST_WINDOW_S = 3600
_INSTALL_CODE_LENGTHS = (6, 8, 12, 16)  # DUIS has 6 to 16, Zigbee these


class LogAction(Enum):
    """What 8.11 does to a hub's device log."""

    ADD = "Add"
    REMOVE = "Remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateHanDeviceLog(FutureDatable):
    """8.11; the request's target is the hub. `install_code` has no CRC. Raises ValueError.

    The join window is a whole number of seconds, 1 to 3600 (DUIS 5.4 `JoinTimePeriod`).
    """

    srv: str = "8.11"
    device: Eui64
    action: LogAction
    install_code: bytes = b""
    join_time_s: float = 0
    import_mpxn: str | None = None
    secondary_import_mpan: str | None = None
    export_mpan: str | None = None

    def __post_init__(self) -> None:
        if self.action is LogAction.REMOVE:
            return
        if not (1 <= self.join_time_s <= _LONGEST_WINDOW_S and float(self.join_time_s).is_integer()):
            raise ValueError(
                f"a join window is 1 to {_LONGEST_WINDOW_S} s, in whole seconds, not {self.join_time_s}"
            )
        if len(self.install_code) not in _INSTALL_CODE_LENGTHS:
            raise ValueError(f"an install code has 6, 8, 12 or 16 octets, not {len(self.install_code)}")

    @property
    def hub(self) -> Eui64:
        """The hub whose log it is."""
        return self.request_id.target


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDeviceLog(FutureDatable):
    """8.9, to a hub or a device. With `security_details` a hub shows key hashes (CCS07 for CCS06)."""

    srv: str = "8.9"
    security_details: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreHanDeviceLog(ServiceRequest):
    """8.12.1; the target is the hub that takes the place of `old_hub`."""

    srv: str = "8.12.1"
    old_hub: Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreGpfDeviceLog(ServiceRequest):
    """8.12.2; the target is the gas proxy function that takes the place of `old_gpf`."""

    srv: str = "8.12.2"
    old_gpf: Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class HubInstall(ServiceRequest):
    """How a hub was installed. `install_type` and `location` are DUIS's own words."""

    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    hub: Eui64
    install_type: str
    installed: datetime | None = None
    user_reference: str | None = None
    mpxn: str
    gis_data: str | None = None
    aerial: bool
    location: str
    additional_information: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HubInstalled(HubInstall):
    """8.14.1: installed, and on the SM WAN."""

    srv: str = "8.14.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubInstalledWithoutWan(HubInstall):
    """8.14.2: installed, without SM WAN, and what may be in its way."""

    srv: str = "8.14.2"
    premise_type: str
    metal_obstruction: bool
    connectivity_obstruction: bool
    shared_obstruction: bool
