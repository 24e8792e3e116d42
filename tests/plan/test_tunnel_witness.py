"""When a hub is to blame for a PPMID's silence: it closed a tunnel that was in use, as the air or it says."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from harness.eui64 import Eui64
from harness.hub.profile import load_profile
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.plan import air
from harness.plan.air import OnAir
from harness.plan.tunnel_witness import closed_by_hub
from harness.zigbee import tunnel

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-FF")
OPENED = tunnel.RequestTunnelResponse(tunnel=3, maximum_incoming_transfer=1500)
DATA = tunnel.TransferData(tunnel=3, data=b"\x03")
CLOSED = tunnel.TunnelClosureNotification(tunnel=3)
HUB_2 = SimpleNamespace(name="smets2", eui64=HUB, profile=load_profile("smets2"))
HUB_1 = SimpleNamespace(name="smets1", eui64=OTHER, profile=load_profile("smets1"))


def blamed(monkeypatch, *heard, told=(), sniffer=True, device=PPMID):
    """Return what is said after these frames, each with its time; `told` is what the hub said, in seconds."""
    frames = [SimpleNamespace(zcl_body=body, source_eui64=HUB, destination_eui64=device) for _, body in heard]

    async def air_is_quiet():
        return sniffer

    case = SimpleNamespace(
        bench=SimpleNamespace(
            device=PPMID, hubs={hub.name: SimpleNamespace(hub=hub) for hub in (HUB_1, HUB_2)}
        ),
        recorder=SimpleNamespace(
            air_record=SimpleNamespace(frames=[SimpleNamespace(time_s=at) for at, _ in heard])
        ),
        air_is_quiet=air_is_quiet,
    )
    monkeypatch.setattr(air, "heard", lambda *_: OnAir(frames=tuple(frames)))
    events = [
        (HUB_2, HubEvent(at=1.0, kind=HubEventKind.TUNNEL_CLOSED, eui64=device, silent_s=seconds))
        for seconds in told
    ]
    return asyncio.run(closed_by_hub(case, events))


@pytest.mark.parametrize(
    ("heard", "silent", "times"),
    [
        ([(0, OPENED), (2, CLOSED)], "2.0", ""),
        ([(0, OPENED), (7, DATA), (8, CLOSED)], "1.0", ""),
        ([(0, OPENED), (1, CLOSED), (1.1, CLOSED)], "1.0", ""),
        ([(0, OPENED), (1, CLOSED), (2, OPENED), (4, CLOSED)], "1.0", " 2 times, first"),
        ([(0, OPENED), (65524, CLOSED)], "65524.0", ""),
    ],
)
def test_a_tunnel_that_was_in_use_is_for_no_hub_to_close(monkeypatch, heard, silent, times):
    assert blamed(monkeypatch, *heard) == (
        f"hub smets2 closed the PPMID's tunnel{times} {silent} s after it was last used,"
        " which it may do after 65535 s"
    )


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [(0, OPENED), (1, DATA)],
        [(0, CLOSED)],  # when it was last used, nobody here has heard
        [(0, OPENED), (65535, CLOSED)],
        [(0, OPENED), (65530, CLOSED)],  # what was last said in it may have come late to the air
        [(0, tunnel.RequestTunnelResponse(tunnel=4, maximum_incoming_transfer=1500)), (1, CLOSED)],
    ],
)
def test_what_was_silent_for_long_enough_or_may_have_been_blames_nobody(monkeypatch, heard):
    assert blamed(monkeypatch, *heard) is None


def test_another_devices_tunnel_is_nothing_to_the_ppmid(monkeypatch):
    assert blamed(monkeypatch, (0, OPENED), (1, CLOSED), device=OTHER) is None
    assert blamed(monkeypatch, told=[1.0], sniffer=False, device=OTHER) is None


def test_with_a_sniffer_the_hubs_own_word_is_not_asked_for(monkeypatch):
    assert blamed(monkeypatch, told=[1.0]) is None
    assert "1.0 s after it was last used" in blamed(monkeypatch, told=[1.0], sniffer=False)
    assert blamed(monkeypatch, told=[65535.0], sniffer=False) is None
