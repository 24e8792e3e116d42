"""That a link key was established and is used: the hub, the air and the PPMID's port bear witness apart.

Offering a suite proves nothing of its use. The hub's device log has the suite of the key that it shares with
the PPMID; on the air the two certificates and the two confirmations went by; and no Smart Energy message
that needs the link key may go without it. Source: Zigbee SE 1.4 Annex C.3.1; ZSE §5.4.6.
"""

from __future__ import annotations

from harness.errors import DutFault, RigFault, SystemFault
from harness.hub.core import CommunicationsHub
from harness.hub.trust_centre import HubEventKind
from harness.plan import air
from harness.plan.air import OnAir
from harness.plan.context import CaseContext
from harness.plan.waiting import until
from harness.rig.bench import HubOnBench
from harness.rig.faces import PpmidStatus

_HUB_NOTICES_S = 3.0


async def of_key_establishment(case: CaseContext, entry: HubOnBench, status: PpmidStatus) -> int:
    """Return the suite in which PPMID and hub have established a key; raises for a witness that says no."""
    hub, device = entry.hub, case.bench.device

    def suite_at_hub() -> int | None:
        return next((e.suite for e in hub.device_log() if e.eui64 == device and e.established), None)

    await until(lambda: suite_at_hub() is not None, 0 if status.suite_used == 0 else _HUB_NOTICES_S)
    suite = suite_at_hub()
    if suite is None:
        raise DutFault(
            f"the PPMID has established no link key with hub {hub.name}: {_hub_says(case, hub)};"
            f" it says {_port_says(status)}"
        )
    if status.suite_used not in (None, suite):
        raise DutFault(
            f"hub {hub.name} established a link key with the PPMID in suite {suite};"
            f" the PPMID says {_port_says(status)}"
        )
    heard = await on_air(case)
    if heard is not None:
        _was_heard(case, hub, heard, suite)
    return suite


async def link_key_is_used(case: CaseContext) -> None:
    """Raise for a Smart Energy message between PPMID and hub that went under the network key alone."""
    heard = await on_air(case)
    if heard is None or case.hub is None or not case.hub.hub.profile.link_key_secured:
        return
    hub, device = case.hub.hub, case.bench.device
    for source, destination, whose, fault in (
        (device, hub.eui64, "the PPMID", DutFault),
        (hub.eui64, device, f"hub {hub.name}", SystemFault),
    ):
        bare = heard.unsecured(source, destination)
        if bare:
            raise fault(
                f"{whose} sent {len(bare)} Smart Energy message(s) under the network key alone,"
                f" the first: {bare[0].summary}"
            )


async def on_air(case: CaseContext) -> OnAir | None:
    """Return what was heard since the whitelisting, None on a rig without a sniffer."""
    if case.whitelisting is None or not await case.air_is_quiet():
        return None
    case.note_keys()
    return air.heard(case.recorder, case.bench).since(case.whitelisting.frames)


def _was_heard(case: CaseContext, hub: CommunicationsHub, heard: OnAir, suite: int) -> None:
    device = case.bench.device
    showed = heard.suite_of_certificates(device, hub.eui64)
    confirmed = heard.key_confirmations(device, hub.eui64)
    if showed is None or confirmed < {device, hub.eui64}:
        raise RigFault(
            f"hub {hub.name} established a link key with the PPMID, but the sniffer did not hear all of it",
            remedy="move the sniffer nearer, or check its channel",
        )
    if showed != suite:
        raise SystemFault(
            f"hub {hub.name} says that the link key is of suite {suite}; the certificates on the air were of"
            f" suite {showed}"
        )


def _hub_says(case: CaseContext, hub: CommunicationsHub) -> str:
    kinds = (HubEventKind.KEY_NOT_ESTABLISHED, HubEventKind.UNSECURED)
    events = [event for event in hub.events if event.eui64 == case.bench.device and event.kind in kinds]
    return f"the hub says: {events[-1]}" if events else "the hub has not been asked for one"


def _port_says(status: PpmidStatus) -> str:
    return "nothing of it" if status.suite_used is None else f"key-establishment={status.suite_used}"
