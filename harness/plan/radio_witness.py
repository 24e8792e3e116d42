"""What speaks for a PPMID that stayed out: a hub's radio that did not do what the hub had told it.

The hub's own decisions are the system's, the dongle that carries them out is the rig's. A message that the
dongle reports as lost counts against it, unless the sniffer heard it go out: taking it is the PPMID's part.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.hub.core import CommunicationsHub
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import HubEvent, HubEventKind, Refusal
from harness.plan import air
from harness.plan.context import CaseContext
from harness.rig.faces import JoinOutcome

_NO_NETWORK = "no-network"  # the test port's word: none was found that lets devices join


Undelivered = tuple[CommunicationsHub, HubEvent]


async def unsent(case: CaseContext, undelivered: Sequence[Undelivered]) -> str | None:
    """Say which message to the PPMID a hub's radio gave up without having sent it; None without a sniffer."""
    mine = [(hub, event) for hub, event in undelivered if event.eui64 == case.bench.device]
    if not mine or not await case.air_is_quiet():
        return None
    heard = air.heard(case.recorder, case.bench)
    for hub, event in mine:
        if not heard.sent(hub.eui64, case.bench.device, event.cluster):
            return f"the radio of hub {hub.name} did not send what it was given: {event.note}"
    return None


async def why_not_by_radio(
    case: CaseContext,
    hub: CommunicationsHub,
    events: Sequence[HubEvent],
    frames_before: int,
    outcome: JoinOutcome,
) -> str | None:
    """Say what the hub's radio did wrong in a join that failed; None when nothing speaks against it."""
    mine = [event for event in events if event.eui64 == case.bench.device]
    for event in mine:
        if event.refusal is Refusal.DENIED_BY_RADIO:
            return f"the radio of hub {hub.name} denied it, though the hub had let it in: {event}"
        if event.kind is HubEventKind.KEY_NOT_TAKEN:
            return f"the radio of hub {hub.name} did not take the link key that was established: {event.note}"
    listening = await case.air_is_quiet()
    heard = air.heard(case.recorder, case.bench).since(frames_before) if listening else None
    for event in mine:
        if event.kind is not HubEventKind.UNDELIVERED:
            continue
        if heard is None or not heard.sent(hub.eui64, case.bench.device, event.cluster):
            return f"the radio of hub {hub.name} did not send what it was given: {event.note}"
    if heard is not None and outcome.reason == _NO_NETWORK and _window_is_open(case, hub):
        doors = heard.doors(hub.network.extended_pan_id)
        if doors and not any(doors):
            return f"the radio of hub {hub.name} told in its beacons that nobody may join, though one may"
    return None


def _window_is_open(case: CaseContext, hub: CommunicationsHub) -> bool:
    return any(
        entry.eui64 == case.bench.device and entry.state is DeviceState.WHITELISTED
        for entry in hub.device_log()
    )
