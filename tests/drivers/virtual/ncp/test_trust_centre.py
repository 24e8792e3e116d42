"""The hub's radio makes a Smart Energy trust centre of the dongle: who gets in, by which keys, when."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.stack.faces import ApsRequest, Delivery, JoinFailure
from harness.eui64 import Eui64
from harness.rig.faces import ApsMessage, NetworkSettings
from harness.zigbee.decoder import Decoder
from harness.zigbee.swap_out import swap_out_key
from tests.drivers.virtual.ncp.hosted import run
from tests.drivers.virtual.stack.network import HUB, KEY, PPMID

DERIVED = bytes(range(100, 116))
NEXT_NETWORK_KEY = bytes(range(200, 216))
WELL_KNOWN = b"ZigBeeAlliance09"
ANYBODY, STRANGER = Eui64((1 << 64) - 1), Eui64.parse("00-DB-FF-FF-FF-FF-FF-01")
TRUST_CENTRE_POLICY, LINK_KEY_REQUESTS, GLOBAL_LINK_KEY = 0, 5, 0x0004
REJOINS_ONLY, INSTALL_CODES = 0x02, 0x13


def tables(hosted):
    """The dongle's own tables, which the host has only asked it to fill."""
    return hosted.dongle._application._trust_centre


@pytest.mark.parametrize("version", [8, 13, 14])
def test_nobody_can_join_a_network_just_formed_by_any_key(tmp_path, version):
    async def scenario(hosted):
        await hosted.start()
        centre = tables(hosted)
        assert centre.volatile.transient_keys == {}
        assert centre.kept.keys == {}
        assert not centre.kept.security_bitmask & GLOBAL_LINK_KEY
        assert centre.kept.preconfigured_key not in (WELL_KNOWN, bytes(16))
        assert centre.volatile.policies[TRUST_CENTRE_POLICY] == REJOINS_ONLY
        assert centre.volatile.policies[LINK_KEY_REQUESTS] == 0x50  # denied
        assert [centre.link_key(eui64) for eui64 in (PPMID, STRANGER, ANYBODY)] == [None] * 3

    run(scenario, tmp_path, version=version)


def test_a_window_is_one_devices_and_the_policy_is_restored_after_it(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        centre = tables(hosted)
        await hosted.radio.permit(PPMID, KEY, 0.2)
        assert centre.volatile.transient_keys == {PPMID: KEY}
        assert centre.volatile.policies[TRUST_CENTRE_POLICY] == INSTALL_CODES
        assert centre.link_key(STRANGER) is None
        async with asyncio.timeout(2):
            while centre.volatile.transient_keys:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while centre.volatile.policies[TRUST_CENTRE_POLICY] != REJOINS_ONLY:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await hosted.device.join((20,), KEY, 1.0)).failure in (
            JoinFailure.NO_NETWORK,
            JoinFailure.REFUSED,
        )

    run(scenario, tmp_path)


def message(short, *, secured=True):
    return ApsMessage(
        peer=short,
        profile=0x0109,
        cluster=0x0704,
        source_endpoint=123,
        destination_endpoint=1,
        payload=b"from the hub",
        link_key_secured=secured,
    )


async def speak(hosted, short):
    """A message each way, under the link key."""
    await hosted.radio.send(message(short), timeout_s=2.0)
    said = ApsRequest(
        destination=0,
        profile=0x0109,
        cluster=0x0704,
        source_endpoint=1,
        destination_endpoint=123,
        payload=b"from the device",
        link_key_secured=True,
    )
    assert await hosted.device.send(said) is Delivery.DELIVERED
    heard = await hosted.hears.message(0x0704)
    assert (heard.payload, heard.link_key_secured) == (b"from the device", True)


async def joined_with_derived_key(hosted):
    await hosted.start()
    short = (await hosted.join()).short_address
    async with asyncio.timeout(2):
        while tables(hosted).kept.key_of(PPMID) != KEY:  # noqa: ASYNC110 - kept once it has announced itself
            await asyncio.sleep(0.01)
    await hosted.radio.set_link_key(PPMID, DERIVED)
    hosted.device.set_link_key(DERIVED)
    return short


@pytest.mark.parametrize("version", [8, 13, 14])
def test_an_established_key_takes_the_install_codes_place(tmp_path, version):
    async def scenario(hosted):
        short = await joined_with_derived_key(hosted)
        assert list(tables(hosted).kept.keys.values()) == [(PPMID, DERIVED)]
        await speak(hosted, short)
        hosted.device.set_link_key(KEY)  # the old one opens nothing any more
        with pytest.raises(Exception, match="did not acknowledge"):
            await hosted.radio.send(message(short), timeout_s=3.0)

    run(scenario, tmp_path, version=version)


def counters(hosted, network_key):
    """Outgoing NWK frame counters of the hub, in order of the air."""
    decoder = Decoder(network_keys=[(0, network_key)])
    records = [decoder.feed(sent.psdu) for sent in hosted.sent]
    return [one.nwk_aux.frame_counter for one in records if one.nwk_aux and one.nwk_aux.source == HUB]


@pytest.mark.parametrize("power", [False, True], ids=["host restarts", "dongle restarts too"])
def test_a_restart_resumes_network_devices_keys_and_counters(tmp_path, power):
    async def scenario(hosted):
        short = await joined_with_derived_key(hosted)
        await speak(hosted, short)
        await hosted.radio.close()
        if power:
            hosted.dongle.power(False)
            hosted.dongle.power(True)
        state = await hosted.start()
        assert state.resumed
        assert tables(hosted).kept.key_of(PPMID) == DERIVED
        await speak(hosted, short)
        used = counters(hosted, state.network_key)
        assert used == sorted(used), "a counter was used again"

    run(scenario, tmp_path)


def test_a_restart_of_everything_resumes_from_the_file(tmp_path):
    async def first(hosted):
        await joined_with_derived_key(hosted)

    async def second(hosted):
        state = await hosted.start()
        assert state.resumed
        assert tables(hosted).kept.key_of(PPMID) == DERIVED

    for scenario in (first, second):
        run(scenario, tmp_path, state_file=tmp_path / "state.json")


def test_another_network_key_reaches_who_is_there_and_is_used_by_all(tmp_path):
    async def scenario(hosted):
        short = await joined_with_derived_key(hosted)
        state = await hosted.radio.update_network_key(NEXT_NETWORK_KEY)
        assert (state.network_key, state.network_key_sequence) == (NEXT_NETWORK_KEY, 1)
        assert hosted.device.network.network_key == NEXT_NETWORK_KEY
        await speak(hosted, short)
        again = await hosted.radio.update_network_key(bytes(range(16)))
        assert again.network_key_sequence == 2
        await speak(hosted, short)

    run(scenario, tmp_path)


def test_who_missed_it_gets_it_under_its_link_key_and_who_has_none_does_not(tmp_path):
    async def scenario(hosted):
        await joined_with_derived_key(hosted)
        hosted.device.power(False)
        await hosted.radio.update_network_key(NEXT_NETWORK_KEY)
        hosted.device.power(True)
        back = await hosted.device.rejoin()
        assert back.failure is None
        assert hosted.device.network.network_key == NEXT_NETWORK_KEY
        await speak(hosted, back.short_address)
        hosted.device.power(False)
        await hosted.radio.update_network_key(bytes(range(16)))
        await hosted.radio.forget_key(PPMID)  # taken off the device log
        hosted.device.power(True)
        assert (await hosted.device.rejoin()).failure is JoinFailure.REFUSED

    run(scenario, tmp_path)


@pytest.mark.parametrize("version", [8, 13, 14, 19])
def test_a_dongle_that_is_opened_and_let_go_of_is_off_the_air_and_resumes_when_told_to(tmp_path, version):
    async def scenario(hosted):
        await joined_with_derived_key(hosted)
        await hosted.radio.open((), hosted.hears)
        await hosted.radio.close()
        assert (await hosted.device.rejoin()).failure is JoinFailure.NO_NETWORK
        assert (await hosted.start()).resumed
        assert (await hosted.device.rejoin()).failure is None

    run(scenario, tmp_path, version=version)


@pytest.mark.parametrize("version", [8, 13, 14, 19])
def test_a_network_formed_anew_under_another_extended_pan_id_has_the_keys_it_is_given_and_no_others(
    tmp_path, version
):
    other = Eui64.parse("00-DB-12-34-56-78-92-02")

    async def scenario(hosted):
        before = await hosted.start()
        await hosted.radio.set_link_key(PPMID, DERIVED)
        after = await hosted.radio.form(NetworkSettings(channel=20, extended_pan_id=other))
        assert (after.extended_pan_id, after.resumed) == (other, False)
        assert after.network_key != before.network_key
        assert tables(hosted).kept.keys == {}
        await hosted.radio.set_link_key(PPMID, swap_out_key(DERIVED))
        assert tables(hosted).kept.key_of(PPMID) == swap_out_key(DERIVED)
        await hosted.radio.ping()

    run(scenario, tmp_path, version=version)
