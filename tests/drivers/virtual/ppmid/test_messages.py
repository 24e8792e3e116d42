"""What a joined PPMID answers: plain ZCL, GBCS in its tunnel, and what it keeps silent about."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.stack.faces import DeliveryMode
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, OwnKeys, parse
from harness.gbcs.use_cases import cs08
from harness.zigbee import tunnel, zcl_general
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_types import DataType, TypedValue
from tests.drivers.virtual.ppmid.bench_of_one import run, until
from tests.drivers.virtual.ppmid.fake_air import PPMID, SEED, FakeHub, command, with_mac_of_nobody, within

OTHER = Eui64.parse("00-DB-12-34-56-78-90-FF")
KEYS = OwnKeys(ACB, BenchPki(SEED))
OTA = 0x0019


async def tunnelled(bench):
    await bench.join()
    await within(bench.hub.tunnel_opened.wait())
    await until(lambda: bench.hub.tunnels)


async def log(bench):
    return [(each.kind, dict(each.fields)) for each in await bench.port.received()]


# --- GBCS ---------------------------------------------------------------------------------------------------


def test_cs08_is_answered_with_the_firmware_version_under_a_mac():
    async def scenario(bench):
        await tunnelled(bench)
        request = command(7)
        response = await bench.hub.exchange(request)
        answer = cs08.read_response(response, KEYS, command=request)
        assert answer == cs08.Cs08Result(bytes.fromhex("01020304"), True)
        assert await log(bench) == [
            (
                "gbcs",
                {
                    "code": "0129",
                    "use-case": "CS08",
                    "counter": "7",
                    "originator": "90-B3-D5-1F-30-00-00-02",
                    "mac": "valid",
                    "result": "answered",
                },
            )
        ]
        assert await log(bench) == [], "the log is cleared by reading it"

    run(scenario)


SIGNED_BY_NOBODY = with_mac_of_nobody(command(7))
UNPROTECTED = parse(command(7)).with_signature(b"").to_bytes()


@pytest.mark.parametrize(
    ("message", "mac", "result"),
    [
        pytest.param(SIGNED_BY_NOBODY, "invalid", "bad-mac", id="wrong MAC"),
        pytest.param(command(7, seed="another"), "invalid", "bad-mac", id="keys of another PKI"),
        pytest.param(UNPROTECTED, "none", "bad-mac", id="no MAC"),
        pytest.param(command(7, device=OTHER), "invalid", "wrong-target", id="another target"),
        pytest.param(command(7, originator=SUPPLIER), "valid", "not-from-acb", id="not from the ACB"),
        pytest.param(b"", "none", "malformed", id="nothing"),
        pytest.param(command(7)[:40], "none", "malformed", id="cut"),
        pytest.param(
            cs08.response(command(7), bytes(4), OwnKeys(PPMID, BenchPki(SEED))),
            "valid",
            "not-a-command",
            id="a response",
        ),
    ],
)
def test_a_message_that_it_must_not_obey_gets_no_answer_and_is_noted(message, mac, result):
    async def scenario(bench):
        await tunnelled(bench)
        bench.hub.put(message)
        right = command(8)
        cs08.read_response(await bench.hub.exchange(right), KEYS, command=right)
        assert len(bench.hub.puts) == 1, "only the right one is answered"
        first, second = await log(bench)
        assert (first[1]["mac"], first[1]["result"]) == (mac, result)
        assert second[1]["result"] == "answered"

    run(scenario)


@pytest.mark.parametrize("again", [7, 6, 0])
def test_a_counter_that_is_not_new_gets_no_answer_even_after_a_power_cut(again):
    async def scenario(bench):
        await tunnelled(bench)
        await bench.hub.exchange(command(7))
        await bench.device.power(on=False)
        bench.hub.tunnel_opened.clear()
        await bench.device.power(on=True)
        await within(bench.hub.tunnel_opened.wait())
        bench.hub.put(command(again))
        await bench.hub.exchange(command(8))
        assert [fields["result"] for _, fields in await log(bench)] == ["replayed", "answered"]
        assert len(bench.hub.puts) == 2

    run(scenario)


def test_a_forged_message_does_not_use_up_counters():
    async def scenario(bench):
        await tunnelled(bench)
        bench.hub.put(with_mac_of_nobody(command(1_000_000)))
        await bench.hub.exchange(command(7))

    run(scenario)


# --- the tunnel ---------------------------------------------------------------------------------------------


class PutAt:
    """Stands where the fake hub's event is: PUTs as soon as it has sent the response."""

    def __init__(self, hub):
        self.hub = hub

    def set(self):
        self.hub.put(command(7))


def test_a_hub_may_put_the_moment_it_has_opened_the_tunnel():
    async def scenario(bench):
        bench.hub.tunnel_opened = PutAt(bench.hub)
        await bench.join()
        await within(bench.hub.put_arrived.wait())
        assert isinstance(bench.hub.puts[0], tunnel.TransferData)

    run(scenario)


def test_data_that_overtake_the_response_are_kept_for_it():
    async def scenario(bench):
        say = bench.hub.say

        def put_first(cluster, frame, **rest):
            if frame.command == 0:  # RequestTunnelResponse
                bench.hub.say = say
                bench.hub.put(command(7))
            say(cluster, frame, **rest)

        take_tunnel = bench.hub.take_tunnel

        def watched(request, opened, frame):
            bench.hub.say = put_first
            take_tunnel(request, opened, frame)

        bench.hub.take_tunnel = watched
        await bench.join()
        await within(bench.hub.put_arrived.wait())
        bench.hub.take_tunnel = take_tunnel
        assert isinstance(bench.hub.puts[0], tunnel.TransferData)
        assert [fields["result"] for _, fields in await log(bench)] == ["answered"]

    run(scenario)


def test_a_tunnel_of_before_a_power_cut_is_refused():
    async def scenario(bench):
        await tunnelled(bench)
        await bench.device.power(on=False)
        bench.stack.lost = 1_000_000
        await bench.device.power(on=True)
        bench.stack.hub = bench.hub  # a radio that hears, before the rejoin is through
        bench.hub.put(command(7))
        await within(bench.hub.put_arrived.wait())
        assert isinstance(bench.hub.puts[0], tunnel.TransferDataError)

    run(scenario)


def test_data_for_no_tunnel_of_its_own_is_refused():
    async def scenario(bench):
        await tunnelled(bench)
        bench.hub.put(command(7), number=99)
        await within(bench.hub.put_arrived.wait())
        assert bench.hub.puts == [
            tunnel.TransferDataError(tunnel=99, status=tunnel.TransferDataStatus.NO_SUCH_TUNNEL)
        ]
        assert await log(bench) == []

    run(scenario)


@pytest.mark.parametrize(
    "ending",
    [
        tunnel.TunnelClosureNotification(tunnel=1),
        tunnel.TransferDataError(tunnel=1, status=tunnel.TransferDataStatus.NO_SUCH_TUNNEL),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_tunnel_that_is_gone_is_opened_again(ending):
    async def scenario(bench):
        await tunnelled(bench)
        bench.hub.tell(ending)
        await until(lambda: bench.hub.tunnels == 2)
        await bench.hub.exchange(command(7))

    run(scenario)


def test_a_tunnel_refused_is_asked_for_again():
    async def scenario(bench):
        bench.hub.tunnel_status = tunnel.TunnelStatus.BUSY
        await bench.join()
        await until(lambda: bench.hub.tunnels == 2)
        bench.hub.tunnel_status = tunnel.TunnelStatus.SUCCESS
        await until(lambda: bench.hub.tunnels >= 3)
        await bench.hub.exchange(command(7))

    run(scenario)


def test_gbcs_that_does_not_come_from_the_hub_under_the_link_key_is_not_taken():
    async def scenario(bench):
        await tunnelled(bench)
        inside = tunnel.HrgpMessage(message=command(7)).to_bytes()
        frame = tunnel.frame(tunnel.TransferData(tunnel=1, data=inside), 5, direction=Direction.TO_CLIENT)
        refused = await bench.hub.ask(0x0704, frame, secured=False)
        assert refused == zcl_general.DefaultResponse(command=1, status=ZclStatus.FAILURE)
        refused = await bench.hub.ask(0x0704, frame, source=0x1234)
        assert refused.status is ZclStatus.NOT_AUTHORIZED
        assert await log(bench) == []

    run(scenario)


# --- plain ZCL ----------------------------------------------------------------------------------------------


def test_the_firmware_version_is_read_from_its_ota_client():
    async def scenario(bench):
        await bench.join()
        answer = await bench.hub.read(OTA, 0x0002, 0xF000)
        assert answer.value(0x0002) == TypedValue(DataType.UINT32, 0x01020304)
        assert answer.records[1].status is ZclStatus.UNSUPPORTED_ATTRIBUTE
        assert await log(bench) == [
            ("zcl", {"cluster": "0019", "command": "00", "attribute": "0002,F000", "side": "client"})
        ]

    run(scenario, hubs=[FakeHub(1)])


def test_basic_and_key_establishment_are_read_under_the_network_key():
    async def scenario(bench):
        await bench.join()
        basic = await bench.hub.read(0x0000, 0x0004, 0x0005, side=Direction.TO_SERVER, secured=False)
        assert [basic.value(0x0004).value, basic.value(0x0005).value] == ["1234", "00090100"]
        suites = await bench.hub.read(0x0800, 0x0000, side=Direction.TO_SERVER, secured=False)
        assert suites.value(0) == TypedValue(DataType.BITMAP16, 3), "bilingual: both suites"

    run(scenario)


@pytest.mark.parametrize(
    ("cluster", "frame", "how", "status"),
    [
        pytest.param(OTA, "read", {"secured": False}, ZclStatus.FAILURE, id="no link key"),
        pytest.param(0x0B01, "read", {}, ZclStatus.UNSUPPORTED_CLUSTER, id="no such cluster"),
        pytest.param(OTA, "read server", {}, ZclStatus.UNSUPPORTED_CLUSTER, id="wrong side"),
        pytest.param(OTA, "cut", {}, ZclStatus.MALFORMED_COMMAND, id="malformed"),
        pytest.param(OTA, "command", {}, ZclStatus.UNSUP_CLUSTER_COMMAND, id="cluster command"),
        pytest.param(OTA, "general", {}, ZclStatus.UNSUP_GENERAL_COMMAND, id="general command"),
        pytest.param(OTA, "maker", {}, ZclStatus.UNSUP_MANUF_GENERAL_COMMAND, id="maker's general"),
        pytest.param(OTA, "maker command", {}, ZclStatus.UNSUP_MANUF_CLUSTER_COMMAND, id="maker's own"),
        pytest.param(0x0702, "report", {}, ZclStatus.SUCCESS, id="a report"),
    ],
)
def test_a_status_says_why_there_is_no_answer(cluster, frame, how, status):
    general, specific = ZclFrameType.GLOBAL, ZclFrameType.CLUSTER
    report = zcl_general.AttributeValue(attribute=0, value=TypedValue(DataType.UINT8, 1))
    frames = {
        "read": (general, 0x00, bytes(2), None, Direction.TO_CLIENT),
        "read server": (general, 0x00, bytes(2), None, Direction.TO_SERVER),
        "cut": (general, 0x00, bytes(3), None, Direction.TO_CLIENT),
        "command": (specific, 0x7F, b"", None, Direction.TO_CLIENT),
        "general": (general, 0x06, b"", None, Direction.TO_CLIENT),
        "maker": (general, 0x00, bytes(2), 0x1234, Direction.TO_CLIENT),
        "maker command": (specific, 0x00, b"", 0x1234, Direction.TO_CLIENT),
        "report": (general, 0x0A, report.to_bytes(), None, Direction.TO_CLIENT),
    }
    kind, number, payload, manufacturer, direction = frames[frame]
    request = ZclFrame(
        frame_type=kind,
        direction=direction,
        manufacturer=manufacturer,
        sequence=9,
        command=number,
        payload=payload,
    )

    async def scenario(bench):
        await bench.join()
        answer = await bench.hub.ask(cluster, request, **how)
        assert answer == zcl_general.DefaultResponse(command=number, status=status)

    run(scenario)


def test_no_default_response_is_given_to_a_broadcast_a_default_response_or_unasked_success():
    async def scenario(bench):
        await bench.join()
        await within(bench.hub.tunnel_opened.wait())
        before = len(bench.hub.asked)
        told = zcl_general.frame(
            zcl_general.DefaultResponse(command=0, status=ZclStatus.FAILURE), 3, direction=Direction.TO_CLIENT
        )
        bench.hub.say(OTA, told)
        report = zcl_general.AttributeValue(attribute=0, value=TypedValue(DataType.UINT8, 1))
        quiet = zcl_general.frame(
            zcl_general.ReportAttributes(records=(report,)), 4, direction=Direction.TO_CLIENT
        )
        bench.hub.say(0x0702, quiet)
        unknown = ZclFrame(
            frame_type=ZclFrameType.CLUSTER, direction=Direction.TO_CLIENT, sequence=5, command=0x7F
        )
        bench.hub.say(OTA, unknown, mode=DeliveryMode.BROADCAST)
        bench.hub.hand(profile=0x0109, cluster=OTA, endpoint=1, payload=b"\x00", secured=True)
        bench.hub.hand(profile=0x0109, cluster=OTA, endpoint=9, payload=unknown.to_bytes(), secured=True)
        await bench.hub.read(OTA, 0x0002)
        assert len(bench.hub.asked) == before + 1

    run(scenario)


def test_attributes_are_discovered_and_not_written():
    async def scenario(bench):
        await bench.join()
        write = zcl_general.AttributeValue(attribute=0x0002, value=TypedValue(DataType.UINT32, 0))
        unknown = zcl_general.AttributeValue(attribute=0x0FFF, value=TypedValue(DataType.UINT32, 0))
        frame = zcl_general.frame(
            zcl_general.WriteAttributes(records=(write, unknown)), 6, direction=Direction.TO_CLIENT
        )
        refused = await bench.hub.ask(OTA, frame)
        assert [record.status for record in refused.records] == [
            ZclStatus.READ_ONLY,
            ZclStatus.UNSUPPORTED_ATTRIBUTE,
        ]
        frame = zcl_general.frame(
            zcl_general.DiscoverAttributes(start=0, maximum=2), 7, direction=Direction.TO_CLIENT
        )
        found = await bench.hub.ask(OTA, frame)
        assert ([each.attribute for each in found.attributes], found.complete) == ([0x0002, 0x0006], 0)

    run(scenario)


def test_a_smets1_ppmid_has_no_tunnel_for_gbcs():
    async def scenario(bench):
        await bench.join()
        inside = tunnel.HrgpMessage(message=command(7)).to_bytes()
        frame = tunnel.frame(tunnel.TransferData(tunnel=1, data=inside), 5, direction=Direction.TO_CLIENT)
        assert (await bench.hub.ask(0x0704, frame)).status is ZclStatus.UNSUP_CLUSTER_COMMAND
        assert await log(bench) == []

    run(scenario, hubs=[FakeHub(1)])


def test_a_cut_vector_never_raises():
    async def scenario(bench):
        await tunnelled(bench)
        whole = command(7)
        for length in range(len(whole)):
            bench.hub.put(whole[:length])
            with pytest.raises(DecodeError):
                parse(whole[:length])
        await asyncio.sleep(0)
        assert bench.hub.puts == []

    run(scenario)
