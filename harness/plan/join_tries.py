"""Whether the PPMID tried to join at all: what the hubs and the air say of that, never its own port.

A device that stays out because it never asked has been refused by nobody. A hub whose network is open to
any device is asked by whoever tries, and must have refused it; where all are shut, looking for one is all
that a device can do: that is heard by a sniffer alone, as a beacon request, which names no sender.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from harness.errors import BenchError, RigFault, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.evidence.air import HeardFrame
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.plan import air
from harness.plan.context import CaseContext
from harness.plan.waiting import until
from harness.rig.faces import JoinOutcome
from harness.zigbee.mac import AssociationRequest, BeaconRequest, Orphan
from harness.zigbee.nwk_commands import RejoinRequest

_HUB_TELLS_WITHIN_S = 7.0  # more than a hub waits for an announcement
_ASKED = (HubEventKind.KEY_SENT, HubEventKind.REFUSED, HubEventKind.JOINED, HubEventKind.REJOINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What hubs and air had before a try; `open_hubs` are those that let some device try."""

    events: dict[str, int]
    frames: int
    open_hubs: tuple[str, ...]


async def before(case: CaseContext) -> Before:
    """Return how things are now, before the PPMID is told to join."""
    await case.air_is_quiet()
    hubs = case.bench.hubs
    return Before(
        events={name: len(entry.hub.events) for name, entry in hubs.items()},
        frames=len(case.recorder.air_record.frames),
        open_hubs=tuple(
            name
            for name, entry in hubs.items()
            if not case.bench.is_dark(name)
            and any(logged.state is DeviceState.WHITELISTED for logged in entry.hub.device_log())
        ),
    )


def events_since(case: CaseContext, earlier: Before) -> list[HubEvent]:
    """Return what the hubs did and saw of the PPMID since."""
    return [
        event
        for name, entry in case.bench.hubs.items()
        for event in entry.hub.events[earlier.events[name] :]
        if event.eui64 == case.bench.device
    ]


async def witnessed(case: CaseContext, earlier: Before, outcome: JoinOutcome) -> str:
    """Return who bears witness that it tried; raises StimulusImpossible when nobody does.

    Raises SystemFault for a hub that says nothing of a device that asked it, RigFault for a radio that told
    nobody of an open network.
    """

    def by_hub() -> str | None:
        return next((str(one) for one in events_since(case, earlier) if one.kind in _ASKED), None)

    if earlier.open_hubs:
        await until(lambda: by_hub() is not None, _HUB_TELLS_WITHIN_S)
    told = by_hub()
    if told is not None:
        return told
    listening = await case.air_is_quiet()
    frames = case.recorder.air_record.frames[earlier.frames :] if listening else ()
    asked = asked_on_air(frames, case.bench.device)
    if earlier.open_hubs:
        raise _refused_by_nobody(case, earlier, outcome, asked)
    looked = asked or _somebody_looked(frames, _channels(case))
    if looked is None:
        silent = "the sniffer heard nobody look for a network" if listening else "the rig has no sniffer"
        raise StimulusImpossible(
            f"not shown that the PPMID tried to join: it says {outcome.reason!r}, it asked no hub,"
            f" and {silent}",
            remedy="open a hub's network before, with `open_for_another`, or have a sniffer on its channel",
        )
    return looked


def asked_on_air(frames: Iterable[HeardFrame], device: Eui64) -> str | None:
    """Return how a device was heard asking for a place on a network, by its EUI-64; None when it was not."""
    for heard in frames:
        record = heard.record
        by = record.mac.source if record.mac is not None else None
        if isinstance(record.mac_body, AssociationRequest | Orphan) and by == device:
            return f"on the air: {heard.summary}"
        if isinstance(record.nwk_command, RejoinRequest) and record.source_eui64 == device:
            return f"on the air: {heard.summary}"
    return None


def _channels(case: CaseContext) -> set[int]:
    """Return where it has to look: for the hubs that have it in their logs, else for any."""
    hubs = case.bench.hubs.values()
    of_its_own = {
        entry.settings.channel
        for entry in hubs
        if any(logged.eui64 == case.bench.device for logged in entry.hub.device_log())
    }
    return of_its_own or {entry.settings.channel for entry in hubs}


def _somebody_looked(frames: Iterable[HeardFrame], channels: Container[int]) -> str | None:
    for heard in frames:
        if isinstance(heard.record.mac_body, BeaconRequest) and heard.channel in channels:
            return f"on the air: a beacon request on channel {heard.channel}; it names no sender"
    return None


def _refused_by_nobody(
    case: CaseContext, earlier: Before, outcome: JoinOutcome, asked: str | None
) -> BenchError:
    """Say what it means that no hub has refused it, though the network of one was open."""
    names = ", ".join(earlier.open_hubs)
    if asked is not None:
        return SystemFault(f"no hub says that it refused the PPMID, which asked to be let in, {asked}")
    heard = air.heard(case.recorder, case.bench).since(earlier.frames)
    for name in earlier.open_hubs:
        doors = heard.doors(case.bench.hub(name).hub.network.extended_pan_id)
        if doors and not any(doors):
            return RigFault(
                f"the radio of hub {name} told in its beacons that nobody may join, though one may",
                remedy="look at the hub's dongle and its firmware, and try it again",
            )
    return StimulusImpossible(
        f"not shown that the PPMID tried to join: the network of hub {names} was open, and nobody refused"
        f" it there; it says {outcome.reason!r}"
    )
