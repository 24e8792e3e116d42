"""A virtual bilingual PPMID: stack, firmware and test port put together, and their supply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.console import Console
from drivers.virtual.ppmid.firmware import Firmware
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.surroundings import ConsolePort, PpmidStack
from drivers.virtual.ppmid.zcl_server import DESCRIPTOR
from drivers.virtual.stack.faces import (
    ApsIndication,
    JoinStatus,
    LeaveReason,
    StackListener,
    TrustDecision,
)
from harness.eui64 import Eui64


class VirtualPpmid:
    """One device. It listens to its stack, and its test port is there with or without supply.

    `make_stack` is called once with the listener, and returns a stack that is switched off.
    """

    def __init__(
        self,
        make_stack: Callable[[StackListener], PpmidStack],
        port: ConsolePort,
        config: PpmidConfig,
    ) -> None:
        self._config = config
        self._port = port
        self._stack = make_stack(self)
        self._stack.add_endpoint(DESCRIPTOR)
        self._memory = Memory(NonVolatile(install_code=config.install_code))
        self._firmware: Firmware | None = None
        self._console: Console | None = None
        self._restarting: asyncio.Task[None] | None = None

    @property
    def eui64(self) -> Eui64:
        """The device's EUI-64."""
        return self._config.eui64

    async def open(self) -> None:
        """Make the port appear, and switch the device on."""
        self._port.received = self._octets
        await self._port.open()
        await self.power(on=True)

    async def close(self) -> None:
        """Switch the device off, and take the port away; nothing runs on. May be called twice."""
        restarting, self._restarting = self._restarting, None
        if restarting is not None:
            restarting.cancel()
            await asyncio.wait({restarting})
        await self.power(on=False)
        await self._port.close()

    async def power(self, *, on: bool) -> None:
        """Switch the supply; without it the device is silent, and remembers its non-volatile memory."""
        if on and self._firmware is None:
            self._boot()
        elif not on and self._firmware is not None:
            firmware, self._firmware, self._console = self._firmware, None, None
            self._stack.power(False)
            await firmware.stop()

    def _boot(self) -> None:
        self._stack.power(True)
        firmware = Firmware(self._stack, self._memory, self._config, event=self._event, restart=self._restart)
        self._firmware = firmware
        self._console = Console(self._port.write, firmware, firmware.spawn)
        firmware.start()

    def _restart(self) -> None:
        self._restarting = asyncio.get_running_loop().create_task(self._power_cycle())

    async def _power_cycle(self) -> None:
        await self.power(on=False)
        await self.power(on=True)

    def _octets(self, octets: bytes) -> None:
        if self._console is not None:
            self._console.receive(octets)

    def _event(self, name: str, fields: Mapping[str, str]) -> None:
        if self._console is not None:
            self._console.event(name, fields)

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
