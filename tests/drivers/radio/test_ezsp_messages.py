from __future__ import annotations

import asyncio
from dataclasses import replace

import bellows.types as t
import pytest

from drivers.radio.ezsp_surface import EzspPort
from harness.errors import RadioUndelivered, RigFault
from harness.tap import Boundary
from tests.drivers.radio.bench_of_one import (
    MESSAGE,
    PPMID,
    incoming,
    run,
    settle,
)
from tests.drivers.radio.fake_ezsp import OK, FakeEzsp


@pytest.mark.parametrize(("secured", "options"), [(False, 0x140), (True, 0x160)])
def test_a_unicast_asks_for_an_acknowledgement_and_waits_for_it(secured, options):
    async def scenario(rig):
        await rig.radio.send(replace(MESSAGE, link_key_secured=secured))
        ((_, _, sent),) = rig.port.named("send_unicast")
        assert (sent["nwk"], sent["data"], int(sent["aps_frame"].options)) == (0x1234, b"hello", options)
        assert rig.tap.events == [(Boundary.RADIO, "hubs.smets2.radio", "0x1234", b"hello")]

    run(scenario)


def test_a_report_that_comes_twice_or_for_nobody_does_no_harm():
    async def scenario(rig):
        rig.port.callback("messageSentHandler", 0, 0x1234, None, 99, OK, b"")
        await rig.radio.send(MESSAGE)
        await rig.radio.send(MESSAGE)

    run(scenario, reports_twice=True)


def test_a_message_that_nobody_acknowledges_is_undelivered():
    async def scenario(rig):
        with pytest.raises(RadioUndelivered, match="0x1234 did not acknowledge cluster 0x0704"):
            await rig.radio.send(MESSAGE)

    run(scenario, sent_status=[t.EmberStatus.DELIVERY_FAILED])


def test_a_dongle_that_never_says_how_it_ended_is_not_waited_for_longer_than_asked():
    async def scenario(rig):
        with pytest.raises(RadioUndelivered, match=r"within 0\.1 s"):
            await rig.radio.send(MESSAGE, timeout_s=0.1)

    run(scenario, sent_status=[None])


def test_a_busy_dongle_is_asked_again():
    async def scenario(rig):
        await rig.radio.send(MESSAGE)
        assert len(rig.port.named("send_unicast")) == 2

    run(scenario, hand_over_status=[t.sl_Status.ZIGBEE_MAX_MESSAGE_LIMIT_REACHED])


def test_a_dongle_off_its_network_is_the_rigs_fault():
    async def scenario(rig):
        with pytest.raises(RigFault, match="not on a network"):
            await rig.radio.send(MESSAGE)

    run(scenario, hand_over_status=[t.sl_Status.NETWORK_DOWN])


@pytest.mark.parametrize(
    ("length", "secured", "blocks"), [(82, False, 1), (83, False, 2), (73, True, 1), (74, True, 2)]
)
def test_a_long_message_goes_in_blocks_under_one_aps_counter(length, secured, blocks):
    async def scenario(rig):
        frames = []
        port_send = FakeEzsp.do_send_unicast

        def keep(self, nwk, aps_frame, message_tag, data):
            frames.append((int(aps_frame.options), int(aps_frame.groupId), int(aps_frame.sequence), data))
            return port_send(self, nwk, aps_frame, message_tag, data)

        type(rig.port).do_send_unicast = keep
        try:
            await rig.radio.send(replace(MESSAGE, payload=bytes(range(length)), link_key_secured=secured))
        finally:
            type(rig.port).do_send_unicast = port_send
        assert b"".join(data for *_, data in frames) == bytes(range(length))
        assert len(frames) == blocks
        if blocks == 2:
            assert all(options & 0x8000 for options, *_ in frames)
            assert [group for _, group, *_ in frames] == [0x0200, 0x0201]
            assert [counter for _, _, counter, _ in frames] == [0, 41]
            assert len(frames[0][3]) == (71 if secured else 80)

    run(scenario)


def test_a_block_that_is_not_acknowledged_is_sent_again_before_the_next():
    async def scenario(rig):
        await rig.radio.send(replace(MESSAGE, payload=bytes(100)))
        assert [int(c[2]["aps_frame"].groupId) & 0xFF for c in rig.port.named("send_unicast")][-1] == 1
        assert len(rig.port.named("send_unicast")) == 3

    run(scenario, sent_status=[t.EmberStatus.DELIVERY_FAILED])


def test_a_block_that_is_never_acknowledged_ends_the_message():
    async def scenario(rig):
        with pytest.raises(RadioUndelivered, match="block 2 of 2, tried 3 times"):
            await rig.radio.send(replace(MESSAGE, payload=bytes(100)))

    run(scenario, sent_status=[OK, *[t.EmberStatus.DELIVERY_FAILED] * 3])


@pytest.mark.parametrize("version", [8, 13, 14, 19])
def test_a_message_is_read_whatever_the_order_of_its_fields(version):
    async def scenario(rig):
        rig.port.callback("incomingMessageHandler", *incoming(version, options=0x20))
        await settle()
        (message,) = rig.listener.messages
        assert (message.peer, message.payload, message.lqi, message.rssi_dbm) == (0x1234, b"data", 200, -50)
        assert (message.source_endpoint, message.destination_endpoint) == (1, 123)
        assert message.link_key_secured
        assert message.peer_eui64 == (PPMID if version >= 14 else None)
        assert rig.tap.events == [
            (Boundary.RADIO, str(message.peer_eui64 or "0x1234"), "hubs.smets2.radio", b"data")
        ]

    run(scenario, ezsp_version=version)


def test_an_own_broadcast_looped_back_is_not_a_message():
    async def scenario(rig):
        rig.port.callback("incomingMessageHandler", *incoming(13, kind=5))
        await settle()
        assert rig.listener.messages == []

    run(scenario)


@pytest.mark.parametrize("version", [8, 13, 14, 19])
def test_fragments_are_acknowledged_one_by_one_and_delivered_whole(version):
    async def scenario(rig):
        rig.port.fragment(version, incoming(version, options=0x8020, group=0x0200, payload=b"first "))
        await settle()
        assert rig.listener.messages == []
        rig.port.fragment(version, incoming(version, options=0x8020, group=0x0001, payload=b"second"))
        rig.port.fragment(version, incoming(version, options=0x8020, group=0x0001, payload=b"second"))
        await settle()
        assert [message.payload for message in rig.listener.messages] == [b"first second"]
        replies = [args for _, args, _ in rig.port.named("sendReply")]
        assert [int(aps.groupId) for _, aps, _ in replies] == [0xFF00, 0xFF01, 0xFF01]
        assert {
            (int(aps.sequence), int(aps.sourceEndpoint), int(aps.destinationEndpoint))
            for _, aps, _ in replies
        } == {(9, 123, 1)}

    run(scenario, ezsp_version=version)


def test_what_is_received_is_told_in_its_order_and_a_listeners_error_stays_the_listeners():
    async def scenario(rig):
        told, errors = [], []

        def listen(message):
            told.append(message.payload)
            raise LookupError("a bug above")

        rig.listener.radio_message = listen
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: errors.append(context["exception"])
        )
        rig.port.fragment(13, incoming(13, options=0x8000, group=0x0100, payload=b"first"))
        rig.port.callback("incomingMessageHandler", *incoming(13, payload=b"second"))
        await settle()
        assert told == [b"first", b"second"]
        assert [type(error) for error in errors] == [LookupError, LookupError]

    run(scenario)


class RecordingOwner:
    def connection_lost(self, exc):
        raise AssertionError(exc)


@pytest.mark.parametrize("version", [8, 13, 14, 19])
def test_bellows_never_sees_a_fragment_and_sees_everything_else(version):
    async def main():
        fragments, callbacks = [], []
        port = EzspPort({"path": "x"}, RecordingOwner(), lambda *args: fragments.append(args))
        port.add_callback(lambda name, values: callbacks.append((name, values)))
        port._gw = None
        port._switch_protocol_version(version)
        schema = port._protocol.COMMANDS["incomingMessageHandler"][2]
        for options in (0x8000, 0x0000):
            values = incoming(version, options=options, payload=t.LVBytes(b"data"))
            body = t.serialize_dict(values, {}, schema)
            port.frame_received(b"\xff\x90\x01\x45\x00" + body)
        port.frame_received(b"\xff\x90\x01\x45\x00\x00")  # cut short: dropped, not raised
        assert [values[-1] for _, values in fragments] == [b"data"]
        assert [name for name, _ in callbacks] == ["incomingMessageHandler"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
