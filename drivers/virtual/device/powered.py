"""A device with a supply: a Zigbee stack that stays, and a firmware that lives while there is power."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.stack.faces import (
    ApsIndication,
    JoinStatus,
    LeaveReason,
    StackListener,
    TrustDecision,
)
from harness.eui64 import Eui64
from harness.zigbee.zdo import SimpleDescriptor


class Running(Protocol):
    """One run of a firmware."""

    def start(self) -> None:
        """Power up."""

    async def stop(self) -> None:
        """Power down: everything under way ends."""

    def aps_received(self, message: ApsIndication) -> None:
        """Take an APS message."""

    def left_network(self, reason: LeaveReason) -> None:
        """Note that the node is off its network."""


F = TypeVar("F", bound=Running)


class PoweredDevice(ABC, Generic[F]):
    """One device, off at first; it listens to its stack, for the firmware that runs.

    `make_stack` is called once with the listener, and returns a stack that is switched off.
    """

    def __init__(
        self,
        make_stack: Callable[[StackListener], DeviceStack],
        descriptor: SimpleDescriptor,
        eui64: Eui64,
    ) -> None:
        self._eui64 = eui64
        self._stack = make_stack(self)
        self._stack.add_endpoint(descriptor)
        self._firmware: F | None = None

    @property
    def eui64(self) -> Eui64:
        """The device's EUI-64."""
        return self._eui64

    async def power(self, *, on: bool) -> None:
        """Switch the supply; without it the device is silent."""
        if on and self._firmware is None:
            self._stack.power(True)
            self._firmware = self._boot()
            self._firmware.start()
        elif not on and self._firmware is not None:
            firmware, self._firmware = self._firmware, None
            self._stack.power(False)
            await firmware.stop()

    @abstractmethod
    def _boot(self) -> F:
        """Return a firmware that is yet to start."""

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
