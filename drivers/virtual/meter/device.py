"""A virtual meter: stack and firmware put together, and their supply."""

from __future__ import annotations

from collections.abc import Callable

from drivers.virtual.device.powered import PoweredDevice
from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.meter.config import MeterConfig
from drivers.virtual.meter.firmware import DESCRIPTOR, MeterFirmware
from drivers.virtual.meter.gbcs import MeterGbcs
from drivers.virtual.stack.faces import StackListener


class VirtualMeter(PoweredDevice[MeterFirmware]):
    """One meter, off at first. Each time that its supply comes it is as it left the factory."""

    def __init__(self, make_stack: Callable[[StackListener], DeviceStack], config: MeterConfig) -> None:
        super().__init__(make_stack, DESCRIPTOR, config.eui64)
        self._config = config

    @property
    def gbcs(self) -> MeterGbcs | None:
        """What it knows and has done, None while its supply is off."""
        return self._firmware.gbcs if self._firmware is not None else None

    def _boot(self) -> MeterFirmware:
        return MeterFirmware(self._stack, self._config)
