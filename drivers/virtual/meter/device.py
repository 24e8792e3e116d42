"""A virtual meter: stack and firmware put together, and their supply."""

from __future__ import annotations

from collections.abc import Callable

from drivers.virtual.meter.config import MeterConfig
from drivers.virtual.meter.firmware import DESCRIPTOR, MeterFirmware
from drivers.virtual.meter.gbcs import MeterGbcs
from drivers.virtual.ppmid.surroundings import PpmidStack
from drivers.virtual.stack.faces import (
    ApsIndication,
    JoinStatus,
    LeaveReason,
    StackListener,
    TrustDecision,
)
from harness.eui64 import Eui64


class VirtualMeter:
    """One meter, off at first. Each time that its supply comes it is as it left the factory.

    `make_stack` is called once with the listener, and returns a stack that is switched off.
    """

    def __init__(self, make_stack: Callable[[StackListener], PpmidStack], config: MeterConfig) -> None:
        self._config = config
        self._stack = make_stack(self)
        self._stack.add_endpoint(DESCRIPTOR)
        self._firmware: MeterFirmware | None = None

    @property
    def eui64(self) -> Eui64:
        """The meter's EUI-64."""
        return self._config.eui64

    @property
    def gbcs(self) -> MeterGbcs | None:
        """What it knows and has done, None while its supply is off."""
        return self._firmware.gbcs if self._firmware is not None else None

    async def power(self, *, on: bool) -> None:
        """Switch the supply."""
        if on and self._firmware is None:
            self._stack.power(True)
            self._firmware = MeterFirmware(self._stack, self._config)
            self._firmware.start()
        elif not on and self._firmware is not None:
            firmware, self._firmware = self._firmware, None
            self._stack.power(False)
            await firmware.stop()

    # --- what the stack says --------------------------------------------------------------------------------

    def aps_received(self, message: ApsIndication) -> None:
        """Hand an APS message to the firmware."""
        if self._firmware is not None:
            self._firmware.aps_received(message)

    def left_network(self, reason: LeaveReason) -> None:
        """Tell the firmware that the node is off its network."""
        if self._firmware is not None:
            self._firmware.left_network(reason)

    def device_update(
        self, eui64: Eui64, short_address: int, status: JoinStatus, decision: TrustDecision, parent: int
    ) -> None:
        """Take no notice: a trust centre's affair."""

    def child_update(self, short_address: int, eui64: Eui64, *, joining: bool) -> None:
        """Take no notice: a parent's affair."""
