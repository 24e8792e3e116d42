"""Steps on the bench itself: wait, supply, faults, the PPMID's install code and what its port says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.documents import HexBytes, Seconds
from harness.errors import BenchError, DutFault, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.plan.context import CaseContext
from harness.plan.steps.han import where
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import eventually
from harness.rig.bench import Bench
from harness.rig.faces import PpmidStatus

_OFF_FOR, _BACK_WITHIN, _SAYS_SO_WITHIN = Seconds(1), Seconds(20), Seconds(2)
_INSTALL_CODE_OCTETS = 16
_SOMEBODY_ELSE = Eui64(0x00DB_FFFF_FFFF_FF01)
_OTHERS_WINDOW = Seconds(60)


@step("wait")
@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Let time pass."""

    for_: Seconds

    async def run(self, case: CaseContext) -> Seen:  # noqa: ARG002 - a wait needs nothing of the bench
        """Sleep."""
        await asyncio.sleep(self.for_)
        return {}


@step("set_install_code")
@dataclass(frozen=True, slots=True, kw_only=True)
class SetInstallCode(Step):
    """Give the PPMID another install code, until the case ends."""

    value: HexBytes

    def __post_init__(self) -> None:
        if len(self.value) != _INSTALL_CODE_OCTETS:
            raise ValueError(f"`value` has {_INSTALL_CODE_OCTETS} octets and no CRC, not {len(self.value)}")

    async def run(self, case: CaseContext) -> Seen:
        """Tell it by its test port."""
        case.recorder.secrets.add_install_code(bytes(self.value))
        await case.bench.ppmid.set_install_code(bytes(self.value))
        return {}


@step("open_for_another")
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenForAnother(Step):
    """Whitelist a device that is not on the bench, at the hub itself: its network then lets devices try."""

    hub: str
    eui64: Eui64 = _SOMEBODY_ELSE
    window: Seconds = _OTHERS_WINDOW

    async def run(self, case: CaseContext) -> Seen:
        """Add it to the hub's device log; the next case begins without it."""
        if self.eui64 == case.bench.device:
            raise StimulusImpossible(f"{self.eui64} is the PPMID under test; name another device")
        hub = case.bench.hub(self.hub).hub
        await hub.add_to_device_log(
            self.eui64, bytes(reversed(case.bench.ppmid_device.install_code)), self.window
        )
        case.note_keys()
        return {"eui64": str(self.eui64)}


@step("power_cycle")
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCycle(Step):
    """Take the PPMID's supply away for a while; it must answer its test port again within a time."""

    off_for: Seconds = _OFF_FOR
    within: Seconds = _BACK_WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Switch off and on, and wait for the port."""
        power = case.bench.power
        if power is None:
            raise StimulusImpossible("this rig cannot switch the PPMID's supply; give it a `power` driver")
        await power.switch(on=False)
        await asyncio.sleep(self.off_for)
        await power.switch(on=True)
        fault = await _came_back(case.bench, self.within)
        if isinstance(fault, RigFault):
            raise fault
        if fault is not None:
            raise DutFault(f"{self.within:g} s after its supply came back the PPMID does not answer: {fault}")
        return {}


@step("inject_fault")
@dataclass(frozen=True, slots=True, kw_only=True)
class InjectFault(Step):
    """Make a resource of the rig misbehave, e.g. ``unplug`` the radio of a hub; for benches that can."""

    resource: str
    fault: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    async def run(self, case: CaseContext) -> Seen:
        """Ask the bench for it, which takes it back when the next case begins."""
        await asyncio.to_thread(case.bench.inject_fault, self.resource, self.fault, **self.arguments)
        return {}


@step("expect_status")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectStatus(Step):
    """The PPMID says of itself, within a time, that it is in this state and mode."""

    state: Literal["out", "joining", "joined"] | None = None
    mode: Literal["none", "SMETS1", "SMETS2+"] | None = None
    within: Seconds = _SAYS_SO_WITHIN

    def __post_init__(self) -> None:
        if self.state is None and self.mode is None:
            raise ValueError("`state` or `mode` is missing")

    async def run(self, case: CaseContext) -> Seen:
        """Ask its port until it says so."""
        status = await case.bench.ppmid.status()

        async def says_so() -> bool:
            nonlocal status
            status = await case.bench.ppmid.status()
            return self._met(status)

        if not self._met(status) and not await eventually(says_so, self.within):
            wanted = " ".join(
                f"{name}={value}" for name, value in (("state", self.state), ("mode", self.mode)) if value
            )
            raise DutFault(f"expected {wanted} of the PPMID within {self.within:g} s; {where(status)}")
        return {"state": status.state, "mode": status.mode}

    def _met(self, status: PpmidStatus) -> bool:
        return self.state in (None, status.state) and self.mode in (None, status.mode)


async def _came_back(bench: Bench, within_s: float) -> BenchError | None:
    """Wait for the PPMID's port to answer, opening it again when it went; return what it said last."""
    fault: BenchError | None = None

    async def answers() -> bool:
        nonlocal fault
        try:
            if isinstance(fault, RigFault):
                await bench.ppmid.open()
            await bench.ppmid.identify()
        except (RigFault, DutFault) as error:
            fault = error
            return False
        fault = None
        return True

    await eventually(answers, within_s)
    return fault
