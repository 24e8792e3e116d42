from __future__ import annotations

import asyncio

import pytest

from harness.errors import DeviceSilent, RadioUndelivered, StimulusImpossible
from harness.hub.defects import HubDefect
from harness.hub.trust_centre import HubEventKind
from harness.rig.faces import JoinKind
from tests.hub.fake_radio import CODE, PPMID, FakeDevice
from tests.hub.hub_bench import run, settle

KE, OTA, TUNNEL, BASIC, TIME = 0x0800, 0x0019, 0x0704, 0x0000, 0x000A
REQUEST_TUNNEL = bytes.fromhex("01 11 00 06 FFFF 00 DC05")  # protocol 6, no manufacturer, 1500 octets


async def join(bench):
    await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
    assert bench.device.join()


async def ask(bench, cluster, payload, **changes):
    """Let the device send a ZCL frame; return the hub's answers to it."""
    bench.device.received.clear()
    bench.device.say(cluster=cluster, payload=payload, **changes)
    await settle()
    return [message.payload for message in bench.device.received]


# --- the hub as a server ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "defects", "suites"),
    [
        ("smets1", [], "0100"),
        ("smets2", [], "0200"),
        ("smets1", [HubDefect.OFFERS_WRONG_SUITE], "0200"),
        ("smets2", [HubDefect.OFFERS_WRONG_SUITE], "0100"),
    ],
)
def test_a_hub_offers_its_key_establishment_suite(profile, defects, suites):
    async def scenario(bench):
        await join(bench)
        answers = await ask(bench, KE, bytes.fromhex("00 07 00 0000"))
        assert answers == [bytes.fromhex("18 07 01 0000 00 19" + suites)]

    run(scenario, profile=profile, defects=defects)


@pytest.mark.parametrize(
    ("cluster", "request_hex", "answer_hex"),
    [
        (BASIC, "00 01 00 1100", "18 01 01 1100 00 30 01"),
        (TIME, "00 02 00 0000 0100", "18 02 01 0000 00 E2 808EDC32 0100 00 18 09"),
        (BASIC, "00 03 00 9999", "18 03 01 9999 86"),
        (0x0702, "00 04 00 0000", "18 04 01 0000 86"),
        (BASIC, "00 05 02 1100 30 02", "18 05 04 88 1100"),
        (BASIC, "00 06 00 11", "18 06 0B 00 80"),
        (BASIC, "00 07 15", "18 07 0B 15 82"),
        (0x0700, "01 08 00", "18 08 0B 00 81"),
        (0x0700, "05 3412 09 00", "1C 3412 09 0B 00 83"),
        (KE, "00 0A 0C 0000 FF", "18 0A 0D 01 0000 19"),
        (TUNNEL, "01 0B 07", "18 0B 0B 07 81"),
    ],
)
def test_a_hub_answers_what_it_has_and_says_what_it_has_not(cluster, request_hex, answer_hex):
    async def scenario(bench):
        await join(bench)
        assert [answer.hex() for answer in await ask(bench, cluster, bytes.fromhex(request_hex))] == [
            bytes.fromhex(answer_hex).hex()
        ]

    run(scenario)


@pytest.mark.parametrize("payload", ["18 01 0B 00 00", "08 01 0A 0000 20 01", "18 01 01 0000 86", "FF"])
def test_answers_reports_and_junk_are_not_answered(payload):
    async def scenario(bench):
        await join(bench)
        assert await ask(bench, BASIC, bytes.fromhex(payload)) == []

    run(scenario)


def test_an_answer_goes_back_as_the_question_came():
    async def scenario(bench):
        await join(bench)
        await ask(bench, KE, bytes.fromhex("00 07 00 0000"), link_key_secured=True)
        (answer,) = bench.device.received
        assert (answer.source_endpoint, answer.destination_endpoint) == (123, 1)
        assert answer.link_key_secured

    run(scenario)


def test_an_answer_that_cannot_be_sent_does_no_harm():
    async def scenario(bench):
        FakeDevice(bench.radio, short_address=0x7777).say(cluster=KE, payload=bytes.fromhex("00 07 00 0000"))
        await settle()
        assert bench.radio.sent[-1].peer == 0x7777

    run(scenario)


@pytest.mark.parametrize("told_to", [False, True])
def test_a_device_that_has_left_is_not_answered(told_to):
    async def scenario(bench):
        await join(bench)
        bench.device.say(cluster=KE, payload=bytes.fromhex("00 07 00 0000"))
        if told_to:
            bench.device.obeys = False
            await bench.hub.remove_from_device_log(PPMID)
        else:
            del bench.radio.devices[bench.device.short_address]
            bench.radio.notice(JoinKind.LEFT, PPMID, bench.device.short_address)
        await settle()
        bench.device.say(cluster=KE, payload=bytes.fromhex("00 08 00 0000"))
        await settle()
        assert bench.radio.sent == []
        assert not [event for event in bench.hub.events if event.kind is HubEventKind.UNDELIVERED]

    run(scenario)


def test_a_device_that_comes_back_is_answered_again():
    async def scenario(bench):
        await join(bench)
        await bench.hub.unjoin(PPMID)
        await join(bench)
        assert len(await ask(bench, KE, bytes.fromhex("00 08 00 0000"))) == 1

    run(scenario)


@pytest.mark.parametrize("admitted", [True, False])
def test_who_joined_by_an_address_that_somebody_had_is_answered_though_its_announcement_was_lost(admitted):
    async def scenario(bench):
        await join(bench)
        bench.radio.notice(JoinKind.LEFT, PPMID, bench.device.short_address)
        bench.radio.notice(JoinKind.SECURED_REJOIN, PPMID, bench.device.short_address, admitted=admitted)
        bench.device.received.clear()
        bench.device.say(cluster=KE, payload=bytes.fromhex("00 08 00 0000"))
        await settle()
        assert len(bench.device.received) == admitted

    run(scenario)


def test_a_device_that_announces_itself_again_has_the_answer_that_it_waits_for():
    async def scenario(bench):
        await join(bench)
        bench.device.received.clear()
        bench.device.say(cluster=KE, payload=bytes.fromhex("00 08 00 0000"))
        bench.device.announce()
        await settle()
        assert len(bench.device.received) == 1

    run(scenario)


# --- the hub as a client ----------------------------------------------------------------------------------


def match_desc(device, message):
    if message.profile == 0 and message.cluster == 0x0006:
        body = message.payload[:1] + bytes.fromhex("00 3412 01 05")
        return [device.reply(message, body, cluster=0x8006)]
    return []


def read(bench, **changes):
    return bench.hub.read_attributes(PPMID, OTA, (2, 3), client_side=True, timeout_s=0.2, **changes)


def test_attributes_of_a_client_are_read_at_the_endpoint_that_has_it():
    async def scenario(bench):
        await join(bench)

        def answers(message):
            if message.profile == 0:
                return match_desc(bench.device, message)
            assert message.payload[0] == 0x18  # global, to the client, no default response
            body = bytes([0x10, message.payload[1], 0x01]) + bytes.fromhex("0200 00 23 04030201 0300 86")
            return [bench.device.reply(message, body)]

        bench.device.answers = answers
        records = await read(bench)
        assert records[2].value.value == 0x01020304
        assert records[3].value is None
        assert records[3].status == 0x86
        query, request = bench.radio.sent
        assert query.payload[1:] == bytes.fromhex("3412 0901 00 01 1900")  # output clusters: 0x0019
        assert (request.destination_endpoint, request.source_endpoint) == (5, 123)
        assert request.link_key_secured
        await read(bench)
        assert len(bench.radio.sent) == 3  # the endpoint is remembered

    run(scenario, profile="smets1")


def test_an_answer_with_another_sequence_number_is_not_the_answer():
    async def scenario(bench):
        await join(bench)

        def answers(message):
            if message.profile == 0:
                return match_desc(bench.device, message)
            return [bench.device.reply(message, bytes([0x10, message.payload[1] ^ 1, 1]) + b"\x02\x00\x86")]

        bench.device.answers = answers
        with pytest.raises(DeviceSilent, match=r"cluster 0x0019.*no answer within 0\.2 s"):
            await read(bench)

    run(scenario)


def test_a_default_response_stands_for_every_attribute():
    async def scenario(bench):
        await join(bench)
        bench.device.answers = lambda message: (
            match_desc(bench.device, message)
            or [bench.device.reply(message, bytes([0x10, message.payload[1], 0x0B, 0x00, 0x82]))]
        )
        assert {record.status for record in (await read(bench)).values()} == {0x82}

    run(scenario)


def test_a_device_without_the_cluster_is_named():
    async def scenario(bench):
        await join(bench)
        bench.device.answers = lambda message: [
            bench.device.reply(message, message.payload[:1] + bytes.fromhex("86 3412 00"), cluster=0x8006)
        ]
        with pytest.raises(DeviceSilent, match="no endpoint that uses cluster 0x0019"):
            await read(bench)

    run(scenario)


def test_a_device_that_does_not_acknowledge_is_undelivered():
    async def scenario(bench):
        await join(bench)
        bench.radio.devices.clear()
        with pytest.raises(RadioUndelivered, match="did not acknowledge"):
            await read(bench)

    run(scenario)


# --- the tunnel -------------------------------------------------------------------------------------------


async def open_tunnel(bench):
    await join(bench)
    (answer,) = await ask(bench, TUNNEL, REQUEST_TUNNEL, link_key_secured=True)
    assert answer == bytes.fromhex("19 11 00 0000 00 DC05")


def test_a_gbcs_message_is_put_into_the_tunnel_and_the_devices_put_is_the_answer():
    async def scenario(bench):
        await open_tunnel(bench)
        bench.device.answers = lambda message: [
            bench.device.reply(message, bytes.fromhex("11 09 02 0000 03") + b"answer")
        ]
        assert await bench.hub.deliver_gbcs(PPMID, b"command", 1.0) == b"answer"
        sent = bench.radio.sent[-1]
        assert sent.payload[:1] == b"\x19"
        assert sent.payload[2:] == bytes.fromhex("01 0000 03") + b"command"
        assert (sent.cluster, sent.destination_endpoint, sent.link_key_secured) == (TUNNEL, 1, True)

    run(scenario)


def test_a_message_waits_until_the_device_has_opened_its_tunnel():
    async def scenario(bench):
        await join(bench)
        delivery = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"command", 5.0))
        await settle()
        assert bench.radio.sent == []
        bench.device.say(cluster=TUNNEL, payload=REQUEST_TUNNEL)
        await settle()
        bench.device.say(cluster=TUNNEL, payload=bytes.fromhex("11 09 02 0000 03 AA"))
        assert await delivery == b"\xaa"

    run(scenario)


def test_a_tunnel_carries_nothing_before_its_device_knows_of_it():
    async def scenario(bench):
        await join(bench)
        delivery = asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"command", 5.0))
        await settle()
        away = bench.radio.devices.pop(bench.device.short_address)
        bench.device.say(cluster=TUNNEL, payload=REQUEST_TUNNEL)
        await settle()
        assert [message.payload[2] for message in bench.radio.sent] == [0x00]  # the response, which is lost
        bench.radio.devices[bench.device.short_address] = away
        bench.device.say(cluster=TUNNEL, payload=REQUEST_TUNNEL)
        await settle()
        assert [message.payload[2] for message in bench.device.received] == [0x00, 0x01]
        bench.device.say(cluster=TUNNEL, payload=bytes.fromhex("11 12 02 0000 03 AA"))
        assert await delivery == b"\xaa"

    run(scenario)


def test_only_one_message_is_outstanding_at_a_time():
    async def scenario(bench):
        await open_tunnel(bench)
        first, second = (
            asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, name, 5.0)) for name in (b"one", b"two")
        )
        await settle()
        assert [m.payload[6:] for m in bench.radio.sent if m.payload[2:3] == b"\x01"] == [b"one"]
        bench.device.say(cluster=TUNNEL, payload=bytes.fromhex("11 09 02 0000 03 01"))
        await settle()
        bench.device.say(cluster=TUNNEL, payload=bytes.fromhex("11 0A 02 0000 03 02"))
        assert (await first, await second) == (b"\x01", b"\x02")

    run(scenario)


def test_a_device_that_does_not_answer_is_silent_and_the_next_message_may_go():
    async def scenario(bench):
        await open_tunnel(bench)
        with pytest.raises(DeviceSilent, match=r"7 octets.*no answer within"):
            await bench.hub.deliver_gbcs(PPMID, b"command", 0.05)
        bench.device.answers = lambda m: [bench.device.reply(m, bytes.fromhex("11 09 02 0000 03 AA"))]
        assert await bench.hub.deliver_gbcs(PPMID, b"command", 1.0) == b"\xaa"

    run(scenario)


def test_a_device_without_a_tunnel_is_silent():
    async def scenario(bench):
        await join(bench)
        with pytest.raises(DeviceSilent, match="opened no tunnel"):
            await bench.hub.deliver_gbcs(PPMID, b"command", 0.05)

    run(scenario)


def test_a_smets1_hub_cannot_send_a_gbcs_octet():
    async def scenario(bench):
        await join(bench)
        with pytest.raises(StimulusImpossible, match="SMETS1 hub without a tunnel"):
            await bench.hub.deliver_gbcs(PPMID, b"command", 1.0)
        assert await ask(bench, TUNNEL, REQUEST_TUNNEL) == [bytes.fromhex("18 11 0B 00 81")]
        assert not bench.hub.has_tunnel(PPMID)
        assert all(message.cluster != TUNNEL or message.payload[0] == 0x18 for message in bench.radio.sent)

    run(scenario, profile="smets1")


@pytest.mark.parametrize(
    ("request_hex", "status"),
    [
        ("01 11 00 01 FFFF 00 DC05", "03"),
        ("01 11 00 06 3412 00 DC05", "03"),
        ("01 11 00 06 FFFF 01 DC05", "04"),
    ],
)
def test_a_tunnel_of_another_protocol_or_with_flow_control_is_refused(request_hex, status):
    async def scenario(bench):
        await join(bench)
        answers = await ask(bench, TUNNEL, bytes.fromhex(request_hex))
        assert answers == [bytes.fromhex(f"19 11 00 FFFF {status} DC05")]
        assert not bench.hub.has_tunnel(PPMID)

    run(scenario)


def test_a_device_that_is_not_in_the_log_gets_no_tunnel():
    async def scenario(bench):
        stranger = FakeDevice(bench.radio, short_address=0x7777)
        bench.radio.devices[0x7777] = stranger
        stranger.say(cluster=TUNNEL, payload=REQUEST_TUNNEL)
        await settle()
        assert [m.payload for m in stranger.received] == [bytes.fromhex("18 11 0B 00 01")]  # no link key

    run(scenario)


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        ("11 12 02 0700 03 AA", "19 12 02 0700 00"),  # no such tunnel
        ("11 12 02 0000 01", "19 12 01 0000 02 00"),  # GET: nothing waits
        ("11 12 06 00", "19 12 05 01 01 FFFF 06"),  # protocols served
        ("11 12 01 0700", "18 12 0B 01 8B"),  # close what is not open
        ("01 12 01 0000", "18 12 0B 01 00"),  # close
        ("11 12 00 06", "18 12 0B 00 80"),  # cut short
        ("11 12 04 0000 0000", "18 12 0B 04 81"),  # flow control, which was refused
    ],
)
def test_the_tunnel_server_answers_by_the_book(request_hex, answer_hex):
    async def scenario(bench):
        await open_tunnel(bench)
        answers = await ask(bench, TUNNEL, bytes.fromhex(request_hex))
        assert [answer.hex(" ") for answer in answers] == [bytes.fromhex(answer_hex).hex(" ")]

    run(scenario)


def test_data_from_another_endpoint_than_the_tunnels_is_refused():
    async def scenario(bench):
        await open_tunnel(bench)
        answers = await ask(bench, TUNNEL, bytes.fromhex("11 12 02 0000 03 AA"), source=2)
        assert answers == [bytes.fromhex("19 12 02 0000 01")]

    run(scenario)


def test_a_message_that_nobody_waits_for_is_recorded():
    async def scenario(bench):
        await open_tunnel(bench)
        assert await ask(bench, TUNNEL, bytes.fromhex("11 12 02 0000 03 AA")) == []
        assert bench.tap.events[-1][1] == "GBCS message that nobody asked for"

    run(scenario)


def test_a_device_that_refuses_the_data_is_called_so():
    async def scenario(bench):
        await open_tunnel(bench)
        bench.device.answers = lambda m: [bench.device.reply(m, bytes.fromhex("11 09 03 0000 02"))]
        with pytest.raises(DeviceSilent, match="refused the tunnel's data: DATA_OVERFLOW"):
            await bench.hub.deliver_gbcs(PPMID, b"command", 1.0)

    run(scenario)


def test_a_message_longer_than_the_device_takes_is_not_sent():
    async def scenario(bench):
        await open_tunnel(bench)
        with pytest.raises(StimulusImpossible, match="takes 1500 octets"):
            await bench.hub.deliver_gbcs(PPMID, bytes(1500), 1.0)

    run(scenario)


def test_a_tunnel_does_not_outlive_the_devices_stay():
    async def scenario(bench):
        await open_tunnel(bench)
        assert bench.hub.has_tunnel(PPMID)
        await bench.hub.unjoin(PPMID)
        assert not bench.hub.has_tunnel(PPMID)

    run(scenario)


def test_a_hub_that_drops_its_tunnel_delivers_nothing_however_often_the_device_opens_one():
    async def scenario(bench):
        await open_tunnel(bench)

        def opens_again(message):
            closed = message.payload[2:3] == b"\x06"
            return [bench.device.reply(message, REQUEST_TUNNEL)] if closed and len(closures()) < 3 else []

        def closures():
            return [message for message in bench.radio.sent if message.payload[2:3] == b"\x06"]

        bench.device.answers = opens_again
        with pytest.raises(DeviceSilent, match="opened no tunnel"):
            await bench.hub.deliver_gbcs(PPMID, b"command", 0.1)
        assert [message.payload[3:].hex() for message in closures()] == ["0000", "0100", "0200"]
        assert [event.silent_s for event in bench.hub.events if event.kind.value == "tunnel closed"] == [
            0
        ] * 3
        assert not any(b"command" in message.payload for message in bench.radio.sent)

    run(scenario, defects=[HubDefect.DROPS_TUNNEL])
