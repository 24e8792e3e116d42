"""Steps of the trust centre: another network key, a hub that restarts, a device that comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.documents import Seconds
from harness.errors import DutFault, RadioUndelivered, StimulusImpossible, SystemFault
from harness.hub.core import CommunicationsHub
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import TRUST_CENTRE_REJOIN, HubEvent, HubEventKind
from harness.plan.context import CaseContext
from harness.plan.steps.han import where
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until
from harness.rig.bench import HubOnBench

_BACK_WITHIN, _ANSWERS_WITHIN_S = Seconds(20), 5.0
_PRICE = 0x0700


@step("update_network_key")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateNetworkKey(Step):
    """The hub gives its HAN another network key; the PPMID must follow.

    With `missed` the PPMID is without supply meanwhile, and must come back by way of the trust centre.
    """

    hub: str
    missed: bool = False
    within: Seconds = _BACK_WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Have it updated, and ask the PPMID something under the new key."""
        entry = case.bench.hub(self.hub)
        hub, power = entry.hub, case.bench.power
        _on_the_han(case, entry, self.hub)
        before, sequence = len(hub.events), hub.network.network_key_sequence
        if self.missed:
            if power is None:
                raise StimulusImpossible("this rig cannot switch the PPMID's supply")
            await power.switch(on=False)
        try:
            await hub.update_network_key()
        finally:
            if self.missed and power is not None:
                await power.switch(on=True)
        case.note_keys()
        if hub.network.network_key_sequence == sequence:
            raise SystemFault(f"hub {self.hub} still has network key {sequence}")
        if self.missed:
            await _came_back(case, hub, before, self.within, by_trust_centre=True)
        await answers(case, entry, "under the new network key", DutFault)
        return {"sequence": hub.network.network_key_sequence, "missed": self.missed}


@step("restart_hub")
@dataclass(frozen=True, slots=True, kw_only=True)
class RestartHub(Step):
    """The hub restarts, its radio too if said so; it must resume its HAN, and the PPMID be on it still."""

    hub: str
    radio: bool = False

    async def run(self, case: CaseContext) -> Seen:
        """Stop it, take its radio's supply away for a moment, start it, and ask the PPMID something."""
        entry = case.bench.hub(self.hub)
        hub, resource = entry.hub, f"hubs.{self.hub}.radio"
        _on_the_han(case, entry, self.hub)
        before = {logged.eui64: logged.trust_centre_link_key for logged in hub.device_log()}
        await hub.stop()
        try:
            if self.radio:
                for fault in ("unplug", "replug"):
                    await asyncio.to_thread(case.bench.inject_fault, resource, fault)
        finally:
            state = await hub.start(entry.settings)
        case.note_keys()
        if not state.resumed:
            raise SystemFault(f"hub {self.hub} formed a new HAN instead of resuming the one that it had")
        after = {logged.eui64: logged.trust_centre_link_key for logged in hub.device_log()}
        if after != before:
            raise SystemFault(f"hub {self.hub} had {len(before)} device(s) in its log, and has {len(after)}")
        await answers(case, entry, "after the hub's restart", SystemFault)
        return {"resumed": state.resumed, "devices": len(after)}


@step("expect_rejoin")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRejoin(Step):
    """The PPMID's supply goes and comes back: it rejoins its HAN with the keys that it has."""

    within: Seconds = _BACK_WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Switch it off and on, wait for the hub to see it back, and ask it something."""
        entry, power = case.hub, case.bench.power
        if entry is None:
            raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
        if power is None:
            raise StimulusImpossible("this rig cannot switch the PPMID's supply; give it a `power` driver")
        before = len(entry.hub.events)
        await power.switch(on=False)
        await power.switch(on=True)
        event = await _came_back(case, entry.hub, before, self.within, by_trust_centre=False)
        await answers(case, entry, "after the rejoin", DutFault)
        return {"event": str(event)}


def _on_the_han(case: CaseContext, entry: HubOnBench, name: str) -> None:
    """Raise StimulusImpossible unless the PPMID has joined: its absence is nobody's fault."""
    joined = (one.eui64 for one in entry.hub.device_log() if one.state is DeviceState.JOINED)
    if case.bench.device not in joined:
        raise StimulusImpossible(f"the PPMID is not on the HAN of hub {name}; `join` comes before this step")


async def _came_back(
    case: CaseContext, hub: CommunicationsHub, before: int, within_s: float, *, by_trust_centre: bool
) -> HubEvent:
    def seen() -> HubEvent | None:
        for event in hub.events[before:]:
            mine = event.eui64 == case.bench.device and event.kind is HubEventKind.REJOINED
            if mine and (event.note == TRUST_CENTRE_REJOIN or not by_trust_centre):
                return event
        return None

    await until(lambda: seen() is not None, within_s)
    event = seen()
    if event is None:
        way = "by way of the trust centre " if by_trust_centre else ""
        status = await case.bench.ppmid.status()
        raise DutFault(
            f"the PPMID has not come back to hub {hub.name} {way}within {within_s:g} s; {where(status)}"
        )
    anew = (HubEventKind.JOINED, HubEventKind.KEY_ESTABLISHED)
    if any(one.eui64 == case.bench.device and one.kind in anew for one in hub.events[before:]):
        raise DutFault(f"the PPMID was to come back to hub {hub.name}, and joined it anew")
    return event


async def answers(
    case: CaseContext, entry: HubOnBench, when: str, fault: type[DutFault] | type[SystemFault]
) -> None:
    """Have the hub read something of the PPMID under the link key; silence is `fault`."""
    try:
        await entry.hub.read_attributes(
            case.bench.device, _PRICE, (0x0000,), client_side=True, timeout_s=_ANSWERS_WITHIN_S
        )
    except RadioUndelivered as error:
        status = await case.bench.ppmid.status()
        raise fault(
            f"{when} hub and PPMID no longer understand each other: {error}; {where(status)}"
        ) from None
