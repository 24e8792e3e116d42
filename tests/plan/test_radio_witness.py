"""Who is believed when a radio says that it did not deliver: the sniffer, and what the hub says of it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from harness.eui64 import Eui64
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import HubEvent, HubEventKind, Refusal
from harness.plan import air, radio_witness
from harness.plan.air import OnAir
from harness.zigbee.aps import ApsFrameType
from harness.zigbee.mac import Beacon

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-FF")
LOST = HubEvent(at=1.0, kind=HubEventKind.UNDELIVERED, eui64=PPMID, note="no acknowledgement", cluster=0x0800)
DENIED = HubEvent(at=1.0, kind=HubEventKind.REFUSED, eui64=PPMID, refusal=Refusal.DENIED_BY_RADIO)


def frame(kind=ApsFrameType.DATA, cluster=0x0800, to=PPMID):
    aps = SimpleNamespace(frame_type=kind, cluster=cluster)
    return SimpleNamespace(source_eui64=HUB, destination_eui64=to, aps=aps, mac_body=None)


def beacon(*, open_door, network=HUB):
    return SimpleNamespace(
        source_eui64=None,
        destination_eui64=None,
        aps=None,
        mac_body=Beacon(association_permit=open_door),
        zigbee_beacon=SimpleNamespace(extended_pan_id=network),
    )


@pytest.fixture
def case(monkeypatch):
    """A case whose sniffer has heard `case.frames`; None: there is no sniffer."""
    found = SimpleNamespace(bench=SimpleNamespace(device=PPMID), recorder=None, frames=())

    async def air_is_quiet():
        return found.frames is not None

    found.air_is_quiet = air_is_quiet
    monkeypatch.setattr(air, "heard", lambda *_: OnAir(frames=tuple(found.frames)))
    return found


def hub(state=DeviceState.WHITELISTED):
    return SimpleNamespace(
        name="smets2",
        eui64=HUB,
        network=SimpleNamespace(extended_pan_id=HUB),
        device_log=lambda: (SimpleNamespace(eui64=PPMID, state=state),),
    )


def unsent(case, *events):
    return asyncio.run(radio_witness.unsent(case, [(hub(), event) for event in events]))


def why(case, *events, reason="no-network", state=DeviceState.WHITELISTED):
    outcome = SimpleNamespace(reason=reason)
    return asyncio.run(radio_witness.why_not_by_radio(case, hub(state), events, 0, outcome))


def test_what_the_radio_gave_up_and_nobody_heard_was_never_sent(case):
    assert unsent(case, LOST) == "the radio of hub smets2 did not send what it was given: no acknowledgement"


def test_what_was_on_the_air_was_for_the_ppmid_to_take(case):
    case.frames = [frame()]
    assert unsent(case, LOST) is None
    assert why(case, LOST, reason="no-key-establishment") is None


@pytest.mark.parametrize(
    "heard", [frame(kind=ApsFrameType.ACK), frame(cluster=0x0704), frame(to=OTHER)], ids=str
)
def test_something_else_on_the_air_is_no_witness(case, heard):
    case.frames = [heard]
    assert unsent(case, LOST)


def test_a_message_to_somebody_else_is_nothing_to_this_device(case):
    assert unsent(case, HubEvent(at=1.0, kind=HubEventKind.UNDELIVERED, eui64=OTHER, cluster=0x0800)) is None


def test_without_a_sniffer_only_a_join_leans_on_the_radios_word(case):
    case.frames = None
    assert unsent(case, LOST) is None
    assert "did not send what it was given" in why(case, LOST, reason="no-key-establishment")


def test_a_device_that_the_radio_denied_is_not_at_fault(case):
    assert "denied it, though the hub had let it in" in why(case, DENIED, reason="no-key")


def test_a_link_key_that_the_radio_did_not_take_is_not_the_devices_fault(case):
    event = HubEvent(at=1.0, kind=HubEventKind.KEY_NOT_TAKEN, eui64=PPMID, note="its key table is full")
    assert "did not take the link key that was established: its key table is full" in why(case, event)
    other = HubEvent(at=1.0, kind=HubEventKind.KEY_NOT_TAKEN, eui64=OTHER)
    assert why(case, other, reason="key-establishment-failed") is None


def test_a_door_that_the_beacons_call_shut_is_the_radios(case):
    case.frames = [beacon(open_door=False)]
    assert "told in its beacons that nobody may join" in why(case)


@pytest.mark.parametrize(
    ("frames", "state", "reason"),
    [
        ([beacon(open_door=False), beacon(open_door=True)], DeviceState.WHITELISTED, "no-network"),
        ([beacon(open_door=False)], DeviceState.EXPIRED, "no-network"),  # the hub itself has shut it
        ([beacon(open_door=False)], DeviceState.WHITELISTED, "wrong-key"),
        ([beacon(open_door=False, network=OTHER)], DeviceState.WHITELISTED, "no-network"),
        ([], DeviceState.WHITELISTED, "no-network"),
    ],
)
def test_else_the_ppmid_has_nobody_to_point_at(case, frames, state, reason):
    case.frames = frames
    assert why(case, state=state, reason=reason) is None
