"""The Tunneling server beyond one message: several tunnels, silence, flow control, sleepers, alerts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from harness.errors import DeviceSilent, RadioUndelivered
from harness.gbcs import ACB, Cra, GbcsMessage
from harness.hub.profile import load_profile
from harness.hub.tunnel_table import TunnelTable
from tests.hub.fake_radio import CODE, PPMID, FakeDevice
from tests.hub.hub_bench import run, settle

TUNNEL = 0x0704
SMETS2 = load_profile("smets2")


def with_tunnel(**changes):
    return replace(SMETS2, tunnel=replace(SMETS2.tunnel, **changes))


async def join(bench, **device):
    for name, value in device.items():
        setattr(bench.device, name, value)
    await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
    assert bench.device.join()


async def ask(bench, payload, **changes):
    """Let the device send a ZCL frame; return the hub's answers to it."""
    bench.device.received.clear()
    bench.device.say(cluster=TUNNEL, payload=bytes.fromhex(payload), **changes)
    await settle()
    return [message.payload.hex(" ", 1) for message in bench.device.received]


def hexed(text):
    return bytes.fromhex(text).hex(" ")


def alert():
    return GbcsMessage(
        cra=Cra.ALERT, counter=5, originator=PPMID, recipient=ACB, message_code=0x012B, content=b"\x05\x00"
    ).to_bytes()


# --- several --------------------------------------------------------------------------------------------


def test_a_device_has_several_tunnels_and_is_reached_by_the_last():
    async def scenario(bench):
        await join(bench)
        assert await ask(bench, "01 11 00 06 FFFF 00 DC05") == [hexed("19 11 00 0000 00 DC05")]
        assert await ask(bench, "01 12 00 06 FFFF 00 DC05", source=2) == [hexed("19 12 00 0100 00 DC05")]
        bench.device.answers = lambda m: [bench.device.reply(m, bytes.fromhex("11 09 02 0100 03 AA"))]
        assert await bench.hub.deliver_gbcs(PPMID, b"x", 1.0) == b"\xaa"
        assert bench.radio.sent[-1].destination_endpoint == 2
        bench.device.answers = lambda m: []
        assert await ask(bench, "11 13 02 0000 01") == [hexed("19 13 01 0000 02 00")], "the first is open"
        assert await ask(bench, "01 14 01 0100", source=2) == [hexed("18 14 0B 01 00")]
        bench.device.answers = lambda m: [bench.device.reply(m, bytes.fromhex("11 09 02 0000 03 BB"))]
        assert await bench.hub.deliver_gbcs(PPMID, b"x", 1.0) == b"\xbb"

    run(scenario)


def test_a_request_repeated_because_its_answer_was_lost_opens_no_second_tunnel():
    async def scenario(bench):
        await join(bench)
        for _ in range(2):
            assert await ask(bench, "01 11 00 06 FFFF 00 DC05") == [hexed("19 11 00 0000 00 DC05")]

    run(scenario)


def test_a_hub_has_so_many_tunnels_and_no_more():
    async def scenario(bench):
        await join(bench)
        for number in range(2):
            await ask(bench, f"01 {number:02X} 00 06 FFFF 00 DC05")
        assert await ask(bench, "01 20 00 06 FFFF 00 DC05") == [hexed("19 20 00 FFFF 02 DC05")]
        await ask(bench, "11 21 01 0000")
        assert await ask(bench, "01 22 00 06 FFFF 00 DC05") == [hexed("19 22 00 0200 00 DC05")]

    run(scenario, profile=with_tunnel(most_tunnels=2))


def test_another_device_cannot_close_or_use_a_tunnel():
    async def scenario(bench):
        await join(bench)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        stranger = FakeDevice(bench.radio, short_address=0x7777, eui64=type(PPMID)(0x99))
        bench.radio.devices[0x7777] = stranger
        await bench.hub.add_to_device_log(stranger.eui64, CODE, 60.0)
        assert stranger.join()
        for payload, answer in (
            ("11 14 02 0000 03 AA", "19 14 02 0000 01"),
            ("11 15 01 0000", "18 15 0B 01 8B"),
        ):
            stranger.received.clear()
            stranger.say(cluster=TUNNEL, payload=bytes.fromhex(payload))
            await settle()
            assert [m.payload for m in stranger.received] == [bytes.fromhex(answer)]
        assert bench.hub.has_tunnel(PPMID)

    run(scenario)


def test_numbers_come_round_and_pass_over_the_open_ones():
    table = TunnelTable(most=3, close_after_s=10)
    table._last = 0xFFFD
    assert [table.free_number(), table.free_number()] == [0xFFFE, 0]


# --- silence ----------------------------------------------------------------------------------------------


def test_a_tunnel_that_was_silent_for_too_long_is_closed_and_its_device_told():
    async def scenario(bench):
        await join(bench)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        await bench.advance(20)
        await ask(bench, "11 12 02 0000 01")  # a GET: not silent
        await bench.advance(20)
        assert bench.hub.has_tunnel(PPMID)
        bench.device.received.clear()
        await bench.advance(11)
        assert not bench.hub.has_tunnel(PPMID)
        assert [m.payload[2:] for m in bench.device.received] == [bytes.fromhex("06 0000")]

    run(scenario, profile=with_tunnel(close_after_s=30))


def test_the_hub_says_how_long_a_tunnel_may_be_silent():
    async def scenario(bench):
        await join(bench)
        assert await ask(bench, "00 03 00 0000") == [hexed("18 03 01 0000 00 21 1E00")]

    run(scenario, profile=with_tunnel(close_after_s=30))


def test_a_device_that_has_lost_the_tunnel_is_waited_for_to_open_another():
    async def scenario(bench):
        await join(bench)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        bench.device.answers = lambda m: [bench.device.reply(m, bytes.fromhex("11 09 03 0000 00"))]
        sending = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"x", 1.0))
        await settle()
        assert not bench.hub.has_tunnel(PPMID)
        bench.device.answers = lambda m: (
            [bench.device.reply(m, bytes.fromhex("11 09 02 0100 03 AA"))] if m.payload[2:3] == b"\x01" else []
        )
        await ask(bench, "01 12 00 06 FFFF 00 DC05")
        assert await sending == b"\xaa"

    run(scenario)


# --- flow control -----------------------------------------------------------------------------------------


def test_with_flow_control_what_is_taken_is_acknowledged_and_a_full_device_is_waited_for():
    async def scenario(bench):
        await join(bench)
        assert await ask(bench, "01 11 00 06 FFFF 01 0600") == [hexed("19 11 00 0000 00 DC05")]
        assert await ask(bench, "11 12 02 0000 03 AA") == [hexed("19 12 03 0000 DC05")]
        sending = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"12345", 5.0))  # with PUT: all six
        await settle()
        assert bench.device.received[-1].payload[2:] == bytes.fromhex("01 0000 03") + b"12345"
        assert await ask(bench, "11 13 04 0000 0000") == []  # taken, no room left
        assert await ask(bench, "11 14 02 0000 03 01") == [hexed("19 14 03 0000 DC05")]
        assert await sending == b"\x01"
        waiting = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"again", 5.0))
        await settle()
        assert not any(b"again" in m.payload for m in bench.device.received)
        assert await ask(bench, "11 15 05 0000 0300") == []  # three octets: not enough
        received = await ask(bench, "11 16 05 0000 0600")
        assert [text[6:] for text in received] == [hexed("01 0000 03 616761696E")]
        await ask(bench, "11 17 02 0000 03 02")
        assert await waiting == b"\x02"

    run(scenario, profile=with_tunnel(flow_control=True))


def test_a_device_that_never_has_room_is_silent():
    async def scenario(bench):
        await join(bench)
        await ask(bench, "01 11 00 06 FFFF 01 0600")
        await ask(bench, "11 13 04 0000 0000")
        with pytest.raises(DeviceSilent, match="no answer within"):
            await bench.hub.deliver_gbcs(PPMID, b"12345", 0.05)

    run(scenario, profile=with_tunnel(flow_control=True))


# --- sleepers ---------------------------------------------------------------------------------------------


def test_what_a_sleeper_did_not_take_waits_for_its_get():
    async def scenario(bench):
        await join(bench, sleeps=True)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        asleep = bench.radio.devices.pop(bench.device.short_address)
        sending = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"command", 5.0))
        await settle()
        bench.radio.devices[bench.device.short_address] = asleep
        assert await ask(bench, "11 13 02 0000 01") == [
            hexed("19 13 01 0000 02 00") + " " + b"command".hex(" ")
        ]
        await ask(bench, "11 14 02 0000 03 AA")
        assert await sending == b"\xaa"
        assert await ask(bench, "11 15 02 0000 01") == [hexed("19 15 01 0000 02 00")], (
            "nothing waits any more"
        )

    run(scenario)


def test_what_waits_is_there_still_when_the_answer_to_a_get_is_lost():
    async def scenario(bench):
        await join(bench, sleeps=True)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        asleep = bench.radio.devices.pop(bench.device.short_address)
        sending = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"command", 5.0))
        await settle()
        assert await ask(bench, "11 13 02 0000 01") == [], "asleep again"
        bench.radio.devices[bench.device.short_address] = asleep
        there = " " + b"command".hex(" ")
        assert await ask(bench, "11 14 02 0000 01") == [hexed("19 14 01 0000 02 00") + there]
        assert await ask(bench, "11 15 02 0000 01") == [hexed("19 15 01 0000 02 00")]
        await ask(bench, "11 16 02 0000 03 AA")
        assert await sending == b"\xaa"

    run(scenario)


def test_a_device_that_is_always_on_and_takes_nothing_is_undelivered_at_once():
    async def scenario(bench):
        await join(bench)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        bench.radio.devices.clear()
        with pytest.raises(RadioUndelivered, match="did not acknowledge"):
            await bench.hub.deliver_gbcs(PPMID, b"command", 5.0)

    run(scenario)


# --- alerts -----------------------------------------------------------------------------------------------


def test_an_alert_goes_on_its_way_and_is_no_answer():
    async def scenario(bench):
        heard = []
        bench.hub.listen_gbcs(lambda eui64, message: heard.append((eui64, message)))
        await join(bench)
        await ask(bench, "01 11 00 06 FFFF 00 DC05")
        sending = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"command", 5.0))
        await settle()
        await ask(bench, "11 12 02 0000 03" + alert().hex())
        await ask(bench, "11 13 02 0000 03 AA")
        assert await sending == b"\xaa"
        assert heard == [(PPMID, alert())]

    run(scenario)
