"""Requests about firmware: 11.1 to 11.4."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.duis.requests.request import CommandVariant, FutureDatable, ServiceRequest
from harness.eui64 import Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareDistribution(ServiceRequest):
    """Send a firmware `image` (a Zigbee OTA file) to `devices`; the target is the DSP."""

    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    image: bytes
    firmware: str
    devices: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFirmware(FirmwareDistribution):
    """11.1, to meters and HCALCS; 11.3 activates it."""

    srv: str = "11.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePpmidFirmware(FirmwareDistribution):
    """11.4, to PPMIDs, which activate it by themselves."""

    srv: str = "11.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFirmwareVersion(FutureDatable):
    """11.2."""

    srv: str = "11.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateFirmware(FutureDatable):
    """11.3, critical; `firmware_hash` has 32 octets."""

    srv: str = "11.3"
    command_variant: CommandVariant = CommandVariant.TRANSFORM
    firmware_hash: bytes
