"""Messages go both ways: acknowledged, secured, in blocks, once each; what is forged is not heard."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from drivers.virtual.stack.faces import Delivery, DeliveryMode, Fragment
from harness.zigbee import mac, zdo
from harness.zigbee.aps import ApsFrameType
from harness.zigbee.mac import MacFrame, MacFrameType
from tests.drivers.virtual.stack.network import HUB, PPMID, run, until

TUNNEL = 0x0704
LONG = bytes(range(256)) * 2


@pytest.mark.parametrize("secured", [False, True], ids=["network key", "link key"])
@pytest.mark.parametrize("payload", [b"", b"short", LONG], ids=len)
def test_a_message_arrives_whole_in_both_directions(payload, secured):
    async def scenario(air):
        await air.join()
        assert await air.ppmid.send(air.to_hub(payload, link_key_secured=secured)) is Delivery.DELIVERED
        up = await air.hub_hears.message(TUNNEL)
        assert (up.payload, up.link_key_secured, up.source_eui64) == (payload, secured, PPMID)
        assert await air.hub.send(air.to_ppmid(payload, link_key_secured=secured)) is Delivery.DELIVERED
        down = await air.ppmid_hears.message(TUNNEL)
        assert (down.payload, down.link_key_secured, down.source_eui64) == (payload, secured, HUB)
        errors = [record.error for record in air.decoded() if record.error]
        assert [error for error in errors if not error.startswith("ZCL")] == []  # the payload is none

    run(scenario)


@pytest.mark.parametrize("device", [{}, {"always_on": False}], ids=["always on", "sleepy"])
@pytest.mark.parametrize("seed", range(4))
def test_blocks_get_through_a_lossy_medium_once_each(seed, device):
    async def scenario(air):
        await air.join()
        air.medium.loss = 0.2
        delivered = [await air.hub.send(air.to_ppmid(LONG)) for _ in range(2)]
        air.medium.loss = 0.0
        await asyncio.sleep(0.02)
        heard = [message.payload for message in _waiting(air.ppmid_hears) if message.cluster == TUNNEL]
        assert set(heard) <= {LONG}
        assert delivered.count(Delivery.DELIVERED) <= len(heard) <= 2

    run(scenario, seed=seed, **device)


def test_a_lost_acknowledgement_is_made_up_for_and_the_message_heard_once():
    async def scenario(air):
        await air.join()
        air.medium.set_link(HUB, PPMID, loss=1.0)
        sending = asyncio.ensure_future(air.ppmid.send(air.to_hub(b"once")))
        await air.hub_hears.message(TUNNEL)
        air.medium.set_link(HUB, PPMID, loss=0.0)
        assert await sending is Delivery.DELIVERED
        await asyncio.sleep(0.02)
        assert [message for message in _waiting(air.hub_hears) if message.cluster == TUNNEL] == []

    run(scenario)


def test_a_sleepy_child_gets_what_was_kept_for_it():
    async def scenario(air):
        await air.join()
        assert await air.hub.send(air.to_ppmid(b"wake up")) is Delivery.DELIVERED
        assert (await air.ppmid_hears.message(TUNNEL)).payload == b"wake up"

    run(scenario, always_on=False)


def test_nobody_there_is_no_acknowledgement():
    async def scenario(air):
        await air.join()
        assert await air.hub.send(air.to_ppmid(destination=0x1234)) is Delivery.NO_ACK

    run(scenario)


def test_without_a_link_key_nothing_is_sent():
    async def scenario(air):
        await air.join()
        del air.keeper.keys[PPMID]
        before = len(air.sent)
        assert await air.hub.send(air.to_ppmid(link_key_secured=True)) is Delivery.NO_KEY
        assert len(air.sent) == before

    run(scenario)


def test_another_link_key_is_not_understood():
    async def scenario(air):
        await air.join()
        air.keeper.keys[PPMID] = bytes(16)
        assert await air.hub.send(air.to_ppmid(link_key_secured=True)) is Delivery.NO_ACK
        air.ppmid.set_link_key(bytes(16))
        assert await air.hub.send(air.to_ppmid(link_key_secured=True)) is Delivery.DELIVERED

    run(scenario)


def test_a_node_off_the_network_sends_nothing():
    async def scenario(air):
        assert await air.ppmid.send(air.to_hub()) is Delivery.NOT_JOINED
        await air.join()
        air.ppmid.power(False)
        assert await air.ppmid.send(air.to_hub()) is Delivery.NOT_JOINED

    run(scenario)


def test_a_replayed_frame_is_not_heard_again():
    async def scenario(air):
        await air.join()
        await air.ppmid.send(air.to_hub(b"pay"))
        await air.hub_hears.message(TUNNEL)
        recorded = [psdu for psdu in air.psdus if _from(psdu) == air.ppmid.short_address]
        for number, psdu in enumerate(recorded):  # with other MAC numbers, or the MAC would drop them
            frame = MacFrame.from_bytes(mac.strip_fcs(psdu))
            again = replace(frame, sequence=(frame.sequence + 100 + number) & 0xFF)
            air.medium.transmit(Ghost(), 20, mac.with_fcs(again.to_bytes()))
        await asyncio.sleep(0.01)
        assert _waiting(air.hub_hears) == []

    run(scenario)


def test_a_frame_changed_on_the_way_is_not_heard():
    async def scenario(air):
        await air.join()
        await air.ppmid.send(air.to_hub(b"pay"))
        await air.hub_hears.message(TUNNEL)
        data = next(
            record
            for record in reversed(air.decoded())
            if record.aps is not None
            and record.aps.frame_type is ApsFrameType.DATA
            and record.aps.cluster == TUNNEL
        )
        frame = mac.strip_fcs(data.psdu)
        changed = frame[:2] + bytes([frame[2] ^ 0x55]) + frame[3:-1] + bytes([frame[-1] ^ 1])
        air.medium.transmit(Ghost(), 20, mac.with_fcs(changed))
        await asyncio.sleep(0.01)
        assert _waiting(air.hub_hears) == []

    run(scenario)


def test_a_host_that_reassembles_gets_and_acknowledges_block_by_block():
    async def scenario(air):
        blocks = []

        def acknowledge(message):
            if message.fragment is not None:
                blocks.append(message)
                received = 0xFF if len(blocks) != 2 else 0xFE  # the second one only when it comes again
                air.spawned.append(asyncio.ensure_future(air.hub.acknowledge_block(message, received)))

        air.spawned = []
        air.hub_hears.aps_received = acknowledge
        await air.join()
        assert await air.ppmid.send(air.to_hub(LONG, link_key_secured=True)) is Delivery.DELIVERED
        indices = [block.fragment.index for block in blocks]
        assert indices == [0, 1, 1, *range(2, 8)]
        assert (blocks[0].fragment.total, blocks[1].fragment.total) == (8, None)
        assert b"".join(block.payload for block in blocks if block is not blocks[2]) == LONG

    run(scenario, hub={"reassemble": False})


def test_a_host_that_cuts_sends_block_by_block():
    async def scenario(air):
        await air.join()
        counter = air.hub.next_counter()
        for index in range(3):
            block = air.to_ppmid(
                bytes([index]) * 40,
                fragment=Fragment(index=index, total=None if index else 3),
                counter=counter,
            )
            assert await air.hub.send(block) is Delivery.DELIVERED
        assert (await air.ppmid_hears.message(TUNNEL)).payload == b"".join(bytes([n]) * 40 for n in range(3))

    run(scenario)


def test_a_broadcast_reaches_the_child_once():
    async def scenario(air):
        await air.join()
        request = air.to_ppmid(b"all", destination=0xFFFD, mode=DeliveryMode.BROADCAST)
        assert await air.hub.send(request) is Delivery.DELIVERED
        heard = await air.ppmid_hears.message(TUNNEL)
        assert (heard.mode, heard.payload) == (DeliveryMode.BROADCAST, b"all")
        assert await air.hub.send(air.to_ppmid(LONG, destination=0xFFFD, mode=DeliveryMode.BROADCAST)) is (
            Delivery.TOO_LONG
        )

    run(scenario)


def test_what_a_coordinator_sends_to_itself_comes_back_and_is_answered():
    async def scenario(air):
        request = air.to_hub(
            zdo.encode(9, zdo.NodeDescReq(nwk_address=0)),
            profile=0,
            cluster=zdo.NodeDescReq.CLUSTER,
            source_endpoint=0,
            destination_endpoint=0,
        )
        assert await air.hub.send(request) is Delivery.DELIVERED
        answer = await air.hub_hears.message(zdo.NodeDescRsp.CLUSTER)
        sequence, body = zdo.decode(answer.cluster, answer.payload)
        assert (sequence, body.descriptor.logical_type) == (9, zdo.LogicalType.COORDINATOR)

    run(scenario)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (zdo.ActiveEpReq(nwk_address=0), {"endpoints": (123,)}),
        (zdo.MatchDescReq(nwk_address=0, profile=0x0109, input_clusters=(0x0800,)), {"endpoints": (123,)}),
        (
            zdo.MatchDescReq(nwk_address=0, profile=0x0109, input_clusters=(0x0001,)),
            {"status": zdo.ZdoStatus.NO_MATCH, "endpoints": ()},
        ),
        (zdo.SimpleDescReq(nwk_address=0, endpoint=1), {"status": zdo.ZdoStatus.NOT_ACTIVE}),
        (zdo.IeeeAddrReq(nwk_address=0), {"ieee_address": HUB}),
        (zdo.NwkAddrReq(ieee_address=HUB), {"nwk_address": 0}),
        (zdo.MgmtLqiReq(), {"status": zdo.ZdoStatus.SUCCESS}),
        (
            zdo.BindReq(source=HUB, source_endpoint=1, cluster=6, destination=PPMID, destination_endpoint=1),
            {"status": zdo.ZdoStatus.NOT_SUPPORTED},
        ),
        (zdo.MgmtLeaveReq(device=HUB), {"status": zdo.ZdoStatus.NOT_SUPPORTED}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_zdo_requests_are_answered(request_, expected):
    async def scenario(air):
        await air.join()
        body = await _ask(air, request_)
        assert {name: getattr(body, name) for name in expected} == expected

    run(scenario)


def test_a_request_that_is_not_supported_is_answered_by_its_status_alone():
    async def scenario(air):
        await air.join()
        request = zdo.PowerDescReq(nwk_address=0)
        await air.ppmid.send(
            air.to_hub(
                zdo.encode(5, request),
                profile=0,
                cluster=request.CLUSTER,
                source_endpoint=0,
                destination_endpoint=0,
            )
        )
        answer = await air.ppmid_hears.message(zdo.PowerDescRsp.CLUSTER)
        assert answer.payload == zdo.not_supported(5)

    run(scenario)


def test_mgmt_leave_sends_a_device_away():
    async def scenario(air):
        await air.join()
        request = air.to_ppmid(
            zdo.encode(1, zdo.MgmtLeaveReq(device=PPMID)),
            profile=0,
            cluster=zdo.MgmtLeaveReq.CLUSTER,
            source_endpoint=0,
            destination_endpoint=0,
        )
        assert await air.hub.send(request) is Delivery.DELIVERED
        await until(lambda: air.ppmid.network is None)

    run(scenario)


async def _ask(air, request):
    message = air.to_hub(
        zdo.encode(5, request), profile=0, cluster=request.CLUSTER, source_endpoint=0, destination_endpoint=0
    )
    assert await air.ppmid.send(message) is Delivery.DELIVERED
    answer = await air.ppmid_hears.message(request.CLUSTER | 0x8000)
    sequence, body = zdo.decode(answer.cluster, answer.payload)
    assert sequence == 5
    return body


class Ghost:
    """A transmitter that listens to nothing."""

    eui64 = PPMID
    listens_on = None


def _waiting(listener):
    found = []
    while not listener.messages.empty():
        found.append(listener.messages.get_nowait())
    return [message for message in found if message.profile]


def _from(psdu):
    frame = MacFrame.from_bytes(mac.strip_fcs(psdu))
    return frame.source if frame.frame_type is MacFrameType.DATA else None
