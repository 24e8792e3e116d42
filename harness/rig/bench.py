"""What a plan's steps act on: everything of one rig, opened and healthy, and how to begin afresh."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

from harness.errors import BenchError, PlanError, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.hub.core import CommunicationsHub
from harness.hub.gpf import gpf_of
from harness.rig.dcc import RigDcc
from harness.rig.faces import Environment, NetworkSettings, Power, PpmidPort, Sniffer
from harness.rig.model import MeterEntry, PpmidDevice
from harness.smets.cpl import DeviceType
from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion
from harness.tap import Tap

_UNDONE_BY = {"unplug": ("replug",)}  # what takes a fault back beside `well`, which ends all that last
_WELL = "well"
_USB_COMES_BACK_S = 2.0  # a dongle that was plugged in again, or resets, is not there at once


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOnBench:
    """A hub of the rig. `family` is what its profile makes it, `given_gpf` is the rig file's `gpf`."""

    hub: CommunicationsHub
    family: SmetsVersion
    settings: NetworkSettings
    given_gpf: Eui64 | None = None

    @property
    def gpf(self) -> Eui64:
        """The EUI-64 that its GPF has in the SMI; RigFault before the hub has started."""
        return self.given_gpf or gpf_of(self.hub.eui64)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterOnBench:
    """A meter of the rig: what its file says of it, and its supply if that can be switched."""

    entry: MeterEntry
    supply: Power | None


@dataclass(slots=True, kw_only=True)
class Bench:
    """A rig in use. `ppmid_device` is what the rig file says of the device under test.

    `nodes` says which node of the environment a resource is reached at (`hubs.smets1.radio`, `ppmid.port`).
    """

    rules: Rulebook
    dcc: RigDcc
    hubs: Mapping[str, HubOnBench]
    ppmid: PpmidPort
    ppmid_device: PpmidDevice
    tap: Tap
    power: Power | None = None
    meters: Mapping[DeviceType, MeterOnBench] = field(default_factory=dict)
    sniffer: Sniffer | None = None
    environment: Environment | None = None
    nodes: Mapping[str, str] = field(default_factory=dict)
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)
    _to_undo: list[tuple[str, str]] = field(default_factory=list)
    _dark: set[str] = field(default_factory=set)  # hubs that were switched off on purpose

    def hub(self, name: str) -> HubOnBench:
        """Return a hub by its name in the rig; PlanError when it has none of that name."""
        try:
            return self.hubs[name]
        except KeyError:
            raise PlanError(f"this rig has no hub `{name}`; it has {', '.join(self.hubs)}") from None

    @property
    def device(self) -> Eui64:
        """The EUI-64 of the PPMID under test."""
        return self.ppmid_device.eui64

    def inject_fault(self, resource: str, fault: str, **arguments: object) -> None:
        """Make a resource misbehave; what lasts is taken back when the next case begins.

        Raises StimulusImpossible on a rig that cannot do it.
        """
        node = self.nodes.get(resource)
        if self.environment is None or node is None:
            raise StimulusImpossible(f"this rig cannot make `{resource}` misbehave")
        self.environment.inject_fault(node, fault, **arguments)
        self._to_undo += [(node, remedy) for remedy in (*_UNDONE_BY.get(fault, ()), _WELL)]

    async def reset_case(self) -> None:
        """Begin afresh: PPMID off every HAN with its own install code, meters off, device logs and SMI empty.

        Raises RigFault when the rig is not healthy, DutFault when the PPMID does not answer as it must,
        StimulusImpossible when it runs another firmware than the rig file says.
        """
        await self.take_faults_back()
        if self.power is not None:
            await self.power.switch(on=True)
        for meter in self.meters.values():
            if meter.supply is not None:
                await meter.supply.switch(on=False)
        await self.ppmid.leave()
        await self._firmware_back()
        await self.ppmid.set_install_code(self.ppmid_device.install_code)
        await self.ppmid.received()
        for entry in self.hubs.values():
            await entry.hub.begin_afresh()
        await self.dcc.begin_case(self.device, [entry.hub.eui64 for entry in self.hubs.values()])

    async def _firmware_back(self) -> None:
        """Have the PPMID run the rig file's firmware: a case may have ended between there and back."""
        node = self.nodes.get("ppmid.port")
        if self.environment is not None and node is not None:
            with suppress(StimulusImpossible):
                await asyncio.to_thread(self.environment.inject_fault, node, _WELL)
        runs, wanted = (await self.ppmid.identify()).firmware.upper(), self.ppmid_device.firmware.upper()
        if runs != wanted:
            raise StimulusImpossible(
                f"the PPMID runs firmware {runs}, the rig file says {wanted}",
                remedy="put that firmware back on it, or change `ppmid.device` in the rig file",
            )

    async def switch_hub_off(self, name: str) -> None:
        """Take a hub off the air until the next case begins; PlanError when there is none of that name."""
        entry = self.hub(name)
        self._dark.add(name)
        await entry.hub.switch_off()

    def is_dark(self, name: str) -> bool:
        """Whether a hub is off the air because a case switched it off."""
        return name in self._dark

    async def take_faults_back(self) -> None:
        """Switch hubs on again, undo injected faults that last, start hubs that lost their radios by them."""
        while self._dark:
            entry = self.hub(self._dark.pop())
            await entry.hub.start(entry.settings)
        undone, self._to_undo = self._to_undo, []
        for node, remedy in undone:
            # An environment that knows a fault and not `well` has faults that end by themselves.
            if self.environment is not None:
                with suppress(StimulusImpossible):
                    await asyncio.to_thread(self.environment.inject_fault, node, remedy)
        if undone:
            await self._restart_unhealthy_hubs()

    async def health(self) -> str | None:
        """Return what is wrong with the rig in one sentence, or None when all of it answers.

        A PPMID that answers wrongly is no fault of the rig's.
        """
        for name, entry in self.hubs.items():
            if name not in self._dark and (wrong := await _wrong(entry.hub.ping)) is not None:
                return f"hub {name}: {wrong}"
        if (wrong := await _wrong(self.ppmid.identify, RigFault)) is not None:
            return f"PPMID: {wrong}"
        return None

    async def recover(self) -> str:
        """Bring the rig back up its ladder: faults taken back, hubs restarted, supplies cycled, time given.

        Returns what was done. Raises RigFault when it stays unhealthy.
        """
        await self.take_faults_back()
        done = await self._restart_unhealthy_hubs()
        if await _wrong(self.ppmid.identify) is not None:
            done += await self._revive_ppmid()
        wrong = await self.health()
        if wrong is not None:
            raise RigFault(f"the rig stays unhealthy: {wrong}", remedy="look at its cables and ports")
        return ", ".join(done) or "nothing to do"

    async def _restart_unhealthy_hubs(self) -> list[str]:
        done = []
        for name, entry in self.hubs.items():
            if await _wrong(entry.hub.ping) is None:
                continue
            for rung, climb in (
                ("", _nothing),
                (" after its dongle's supply was cycled", partial(self._cycle_dongle, name)),
                (f" after {_USB_COMES_BACK_S:g} s", partial(asyncio.sleep, _USB_COMES_BACK_S)),
            ):
                await climb()
                await entry.hub.stop()
                if await _wrong(partial(entry.hub.start, entry.settings)) is None:
                    done.append(f"hub {name} started again{rung}")
                    break
        return done

    async def _cycle_dongle(self, hub: str) -> None:
        node = self.nodes.get(f"hubs.{hub}.radio")
        if self.environment is None or node is None:
            return
        with suppress(BenchError):
            await asyncio.to_thread(self.environment.switch_power, node, on=False)
            await asyncio.to_thread(self.environment.switch_power, node, on=True)

    async def _revive_ppmid(self) -> list[str]:
        done = []
        if self.power is not None:
            await self.power.switch(on=False)
            await self.power.switch(on=True)
            done.append("PPMID power cycled")
        await self.ppmid.close()
        if await _wrong(self.ppmid.open) is None:
            done.append("PPMID port opened again")
        return done


async def _nothing() -> None:
    """Climb no rung."""


async def _wrong(
    attempt: Callable[[], Awaitable[object]], fault: type[BenchError] = BenchError
) -> str | None:
    try:
        await attempt()
    except BenchError as error:
        return str(error) if isinstance(error, fault) else None
    return None
