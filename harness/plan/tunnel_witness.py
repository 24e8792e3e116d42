"""What speaks for a PPMID that was silent: a hub that closed its tunnel, in which it would have answered.

A hub may close a tunnel that was silent for as long as its profile says, and for no other reason. On a rig
with a sniffer the air says what was closed and when it was last used, without one the hub.
Source: ZSE 1.4 Annex D.6.2.1 (CloseTunnelTimeout), D.6.3.4.2.6 (TunnelClosureNotification); rule HUB-007.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.eui64 import Eui64
from harness.hub.core import CommunicationsHub
from harness.hub.trust_centre import HubEvent
from harness.plan import air
from harness.plan.context import CaseContext
from harness.zigbee import tunnel

_LATE_ON_AIR_S = 10.0  # how long after the hub has given it to its radio a message may still be on the air

TunnelClosing = tuple[CommunicationsHub, HubEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closed:
    hub: CommunicationsHub
    silent_s: float  # no longer than this


async def closed_by_hub(case: CaseContext, told: Sequence[TunnelClosing]) -> str | None:
    """Say which hub closed the PPMID's tunnel though it was in use; None when none did, or may have.

    `told` is what the hubs say that they closed; it is believed where there is no sniffer.
    """
    if await case.air_is_quiet():
        closed, late_s = tuple(_on_air(case)), _LATE_ON_AIR_S
    else:
        closed = tuple(
            _Closed(hub=hub, silent_s=event.silent_s)
            for hub, event in told
            if event.eui64 == case.bench.device and event.silent_s is not None
        )
        late_s = 0.0
    for one in closed:
        profile = one.hub.profile.tunnel
        if profile is not None and one.silent_s + late_s < profile.close_after_s:
            times = f" {len(closed)} times, first" if len(closed) > 1 else ""
            return (
                f"hub {one.hub.name} closed the PPMID's tunnel{times} {one.silent_s:.1f} s after it was last"
                f" used, which it may do after {profile.close_after_s} s"
            )
    return None


def _on_air(case: CaseContext) -> Iterator[_Closed]:
    """Give the closings that were heard of tunnels that had been heard in use."""
    hubs = {entry.hub.eui64: entry.hub for entry in case.bench.hubs.values() if entry.hub.profile.tunnel}
    used: dict[tuple[Eui64, int], float] = {}
    frames = air.heard(case.recorder, case.bench).frames
    for entry, frame in zip(case.recorder.air_record.frames, frames, strict=False):
        body, parties = frame.zcl_body, {frame.source_eui64, frame.destination_eui64}
        hub = next((hub for eui64, hub in hubs.items() if parties == {eui64, case.bench.device}), None)
        if hub is None:
            continue
        if isinstance(body, tunnel.RequestTunnelResponse | tunnel.TransferData | tunnel.AckTransferData):
            used[hub.eui64, body.tunnel] = entry.time_s
        elif isinstance(body, tunnel.TunnelClosureNotification):
            since = used.pop((hub.eui64, body.tunnel), None)  # a repetition of it on the air is none more
            if since is not None:
                yield _Closed(hub=hub, silent_s=entry.time_s - since)
