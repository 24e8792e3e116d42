"""A virtual bilingual PPMID: stack, firmware and test port put together, and their supply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from drivers.virtual.device.powered import PoweredDevice
from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.console import Console
from drivers.virtual.ppmid.firmware import Firmware
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.surroundings import ConsolePort
from drivers.virtual.ppmid.zcl_server import DESCRIPTOR
from drivers.virtual.stack.faces import StackListener


class VirtualPpmid(PoweredDevice[Firmware]):
    """One device; its test port is there with or without supply."""

    def __init__(
        self,
        make_stack: Callable[[StackListener], DeviceStack],
        port: ConsolePort,
        config: PpmidConfig,
    ) -> None:
        super().__init__(make_stack, DESCRIPTOR, config.eui64)
        self._config = config
        self._port = port
        self._memory = Memory(NonVolatile(install_code=config.install_code))
        self._console: Console | None = None
        self._restarting: asyncio.Task[None] | None = None

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
        if not on:
            self._console = None
        await super().power(on=on)

    async def be_well(self) -> None:
        """Run the factory's firmware again, and owe nobody an alert of another."""
        if self._restarting is not None:
            await asyncio.wait({self._restarting})
        kept = self._memory.load()
        if not (kept.firmware or kept.alert_due):
            return
        was_on = self._firmware is not None
        await self.power(on=False)
        kept = self._memory.load()
        kept.firmware, kept.alert_due = "", False
        self._memory.store(kept)
        await self.power(on=was_on)

    def _boot(self) -> Firmware:
        firmware = Firmware(self._stack, self._memory, self._config, event=self._event, restart=self._restart)
        self._console = Console(self._port.write, firmware, firmware.tasks.spawn)
        return firmware

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
