"""A device joins with its install code, or stays out, and says why."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.stack.faces import CoordinatorStack, Delivery, JoinFailure, JoinStatus, LeaveReason
from drivers.virtual.stack.node import Node
from drivers.virtual.stack.security_material import COUNTER_MARGIN
from harness.eui64 import Eui64
from harness.zigbee import zdo
from harness.zigbee.aps_commands import TransportKey
from harness.zigbee.swap_out import swap_out_key
from tests.drivers.virtual.stack.network import HUB, KEY, NETWORK, PPMID, Keeper, Listener, run, until

OTHER_HUB = Eui64.parse("00-DB-12-34-56-78-91-03")


def test_it_fulfils_both_faces():
    async def scenario(air):
        coordinator: CoordinatorStack = air.hub
        device: DeviceStack = air.ppmid
        for face, node in ((CoordinatorStack, coordinator), (DeviceStack, device)):
            missing = [name for name in vars(face) if not name.startswith("_") and not hasattr(node, name)]
            assert missing == []

    run(scenario)


def test_with_the_right_install_code_it_joins_and_announces_itself():
    async def scenario(air):
        result = await air.join()
        assert result.failure is None
        assert (result.network, result.parent_eui64) == (NETWORK, HUB)
        announced = await air.hub_hears.message(zdo.DeviceAnnce.CLUSTER)
        _, body = zdo.decode(announced.cluster, announced.payload)
        assert (body.ieee_address, body.nwk_address) == (PPMID, result.short_address)
        assert announced.source_eui64 == PPMID
        assert air.hub_hears.updates == [(PPMID, JoinStatus.UNSECURED_JOIN, True)]
        assert air.hub_hears.children == [(PPMID, True)]
        assert air.hub.children() == ((PPMID, result.short_address),)
        assert (air.hub.short_address_of(PPMID), air.hub.eui64_of(result.short_address)) == (
            result.short_address,
            PPMID,
        )

    run(scenario)


def test_the_whole_join_decodes_with_the_link_key_alone():
    async def scenario(air):
        await air.join()
        await air.hub_hears.message(zdo.DeviceAnnce.CLUSTER)
        decoded = air.decoded()
        assert [record.error for record in decoded if record.error] == []
        assert sum(isinstance(record.aps_command, TransportKey) for record in decoded) == 1
        assert any(isinstance(record.zdo, zdo.DeviceAnnce) for record in decoded)

    run(scenario)


@pytest.mark.parametrize("device", [{}, {"always_on": False}], ids=["always on", "sleepy"])
def test_a_wrong_install_code_keeps_it_out(device):
    async def scenario(air):
        result = await air.join(key=bytes(16))
        assert result.failure is JoinFailure.WRONG_KEY
        assert air.ppmid.network is None
        await until(lambda: air.hub.short_address_of(PPMID) is None)
        assert air.hub.children() == ()

    run(scenario, **device)


def test_a_device_that_the_trust_centre_denies_gets_no_key():
    async def scenario(air):
        result = await air.join()
        assert result.failure is JoinFailure.NO_KEY
        assert air.hub_hears.updates == [(PPMID, JoinStatus.UNSECURED_JOIN, False)]
        assert not any(isinstance(record.aps_command, TransportKey) for record in air.decoded())

    run(scenario, keys={})


def test_a_closed_network_is_not_tried():
    async def scenario(air):
        air.hub.permit_joining(0)
        assert (await air.join()).failure is JoinFailure.NO_NETWORK

    run(scenario)


def test_another_network_than_the_one_asked_for_is_not_tried():
    async def scenario(air):
        result = await air.join(extended_pan_id=Eui64(1))
        assert result.failure is JoinFailure.NO_NETWORK

    run(scenario)


@pytest.mark.parametrize(("accepts", "failure"), [(False, JoinFailure.NO_KEY), (True, None)])
def test_a_key_in_the_clear_is_taken_by_a_careless_device_only(accepts, failure):
    async def scenario(air):
        air.ppmid.accepts_clear_key = accepts
        assert (await air.join()).failure is failure

    run(scenario, keys={PPMID: None})


def test_the_louder_of_two_networks_is_tried_first_and_the_other_next():
    async def scenario(air):
        other = air.coordinator(Eui64(7), Listener())
        air.nodes.append(other)
        other.power(True)

        other.form(replace(NETWORK, channel=15, pan_id=1, extended_pan_id=Eui64(7)))
        other.permit_joining(60)
        air.medium.set_link(Eui64(7), PPMID, rssi_dbm=-36.0)
        air.medium.set_link(HUB, PPMID, rssi_dbm=-80.0)
        joined = await air.ppmid.join((15, 20), KEY, 2.0)
        assert joined.network.extended_pan_id == Eui64(7)
        await air.ppmid.leave()
        other.permit_joining(0)
        assert (await air.ppmid.join((15, 20), KEY, 2.0)).network.extended_pan_id == HUB

    run(scenario)


def test_it_leaves_and_says_so():
    async def scenario(air):
        await air.join()
        await air.ppmid.leave()
        assert air.ppmid.network is None
        await until(lambda: air.hub_hears.updates[-1] == (PPMID, JoinStatus.LEFT, False))
        assert air.hub_hears.children[-1] == (PPMID, False)
        assert air.ppmid_hears.left.get_nowait() is LeaveReason.OWN_WISH
        assert air.hub.children() == ()

    run(scenario)


def test_it_leaves_when_told():
    async def scenario(air):
        await air.join()
        assert await air.hub.remove_device(PPMID) is Delivery.DELIVERED
        assert await air.ppmid_hears.left.get() is LeaveReason.TOLD
        await until(lambda: air.hub_hears.updates[-1][1] is JoinStatus.LEFT)
        assert await air.hub.remove_device(PPMID) is Delivery.NO_ROUTE

    run(scenario)


def test_after_leaving_it_joins_again():
    async def scenario(air):
        for _ in range(3):
            assert (await air.join()).failure is None
            await air.ppmid.leave()
        assert all(record.error is None for record in air.decoded())

    run(scenario)


def test_a_power_cycle_keeps_the_place_and_moves_the_counters_on():
    async def scenario(air):
        joined = await air.join()
        before = air.ppmid.frame_counters()[0]
        air.ppmid.power(False)
        assert await air.hub.send(air.to_ppmid()) is Delivery.NO_ACK
        air.ppmid.power(True)
        assert air.ppmid.network == NETWORK
        assert air.ppmid.frame_counters()[0] == before + COUNTER_MARGIN
        assert (await air.ppmid.rejoin()).short_address == joined.short_address
        assert air.hub_hears.updates[-1] == (PPMID, JoinStatus.SECURED_REJOIN, True)
        assert await air.ppmid.send(air.to_hub()) is Delivery.DELIVERED

    run(scenario)


def test_a_saved_place_is_restored_in_another_node():
    async def scenario(air):

        await air.join()
        saved = air.ppmid.save()
        await air.ppmid.close()
        again = Node(
            air.medium,
            PPMID,
            Listener(),
            rng=air.rng,
            timings=air.timings,
            saved=json.loads(json.dumps(saved)),
        )
        air.nodes.append(again)
        again.power(True)
        assert again.network == NETWORK
        assert await again.send(air.to_hub()) is Delivery.DELIVERED

    run(scenario)


def test_a_coordinator_that_restarts_knows_its_children():
    async def scenario(air):
        await air.join()
        air.hub.power(False)
        air.hub.power(True)
        assert air.hub.network == NETWORK
        assert [eui64 for eui64, _ in air.hub.children()] == [PPMID]
        assert await air.hub.send(air.to_ppmid(link_key_secured=True)) is Delivery.DELIVERED

    run(scenario)


def test_a_device_without_the_present_network_key_comes_back_by_the_trust_centre():
    async def scenario(air):

        await air.join()
        air.hub.abandon()
        air.hub.form(replace(NETWORK, network_key=bytes(range(16)), key_sequence=1))
        result = await air.ppmid.rejoin()
        assert result.failure is None
        assert result.network.network_key == bytes(range(16))
        assert air.hub_hears.updates[-1] == (PPMID, JoinStatus.UNSECURED_REJOIN, True)
        assert await air.ppmid.send(air.to_hub()) is Delivery.DELIVERED

    run(scenario)


async def other_hub(air, keys):
    """Put another hub, of the same extended PAN id, in the first one's place, on channel 25."""
    air.hub.power(False)
    hub = Node(
        air.medium,
        OTHER_HUB,
        Listener(),
        coordinator=True,
        trust_centre=Keeper(keys),
        rng=air.rng,
        timings=air.timings,
    )
    air.nodes.append(hub)
    hub.power(True)
    hub.form(replace(NETWORK, channel=25, pan_id=0x2525, network_key=bytes(range(16))))
    assert (await air.ppmid.rejoin()).failure is JoinFailure.NO_NETWORK
    return hub


def test_a_hub_that_has_the_hash_of_the_link_key_is_taken_for_the_trust_centre():
    async def scenario(air):
        await air.join()
        hub = await other_hub(air, {PPMID: swap_out_key(KEY)})
        result = await air.ppmid.rejoin((20, 25))
        assert (result.failure, result.swapped, result.parent_eui64) == (None, True, OTHER_HUB)
        assert (result.network.channel, result.network.network_key) == (25, bytes(range(16)))
        assert await hub.send(air.to_ppmid(link_key_secured=True)) is Delivery.DELIVERED
        assert not (await air.ppmid.rejoin()).swapped

    run(scenario)


@pytest.mark.parametrize("key", [KEY, bytes(16)], ids=["the link key itself", "another key"])
def test_a_hub_that_has_any_other_key_is_not_taken_and_the_place_is_kept(key):
    async def scenario(air):
        joined = await air.join()
        await other_hub(air, {PPMID: key})
        assert (await air.ppmid.rejoin((25,))).failure is JoinFailure.REFUSED
        assert air.ppmid.network == NETWORK
        air.hub.power(True)
        again = await air.ppmid.rejoin()
        assert (again.failure, again.swapped, again.short_address) == (None, False, joined.short_address)

    run(scenario)


@pytest.mark.parametrize(
    ("misjudges", "key", "goes"),
    [
        ({"keeps": True, "takes_any": False}, swap_out_key(KEY), False),
        ({"keeps": False, "takes_any": True}, KEY, True),
    ],
)
def test_a_node_can_be_made_to_misjudge_trust_centres(misjudges, key, goes):
    async def scenario(air):
        await air.join()
        air.ppmid.misjudge_trust_centres(**misjudges)
        await other_hub(air, {PPMID: key})
        assert (await air.ppmid.rejoin((25,))).swapped is goes

    run(scenario)


def test_a_parent_that_is_gone_is_noticed():
    async def scenario(air):
        await air.join()
        air.hub.power(False)
        assert await air.ppmid.send(air.to_hub()) is Delivery.NO_ACK
        assert await air.ppmid_hears.left.get() is LeaveReason.LOST_PARENT
        assert air.ppmid.network == NETWORK
        assert (await air.ppmid.rejoin()).failure is JoinFailure.NO_NETWORK
        air.hub.power(True)
        assert (await air.ppmid.rejoin()).failure is None

    run(scenario)


def test_a_join_finds_its_way_through_a_lossy_medium():
    async def scenario(air):
        tries = 0
        while (await air.join()).failure is not None:
            tries += 1
            assert tries < 5
        assert await air.ppmid.send(air.to_hub()) is Delivery.DELIVERED

    run(scenario, loss=0.15, seed=5)
