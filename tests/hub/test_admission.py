"""A device whitelisted again is let in by its link key of then, after half the time by its install code."""

from __future__ import annotations

from harness.eui64 import Eui64
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import BY_HISTORIC_KEY
from harness.rig.faces import NetworkSettings
from tests.hub.fake_radio import CODE, DERIVED, KEY, PPMID, FakeDevice
from tests.hub.hub_bench import run


async def removed(bench):
    """The device was here, with a derived key."""
    await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
    assert bench.device.join()
    await bench.hub.remove_from_device_log(PPMID)


def test_first_the_historic_key_then_the_install_codes():
    async def scenario(bench):
        await removed(bench)
        entry = await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert entry.historic_key == DERIVED
        assert bench.radio.windows[PPMID] == (DERIVED, bench.clock() + 60.0)
        assert "the first half of it by its historic link key" in bench.hub.events[-1].note
        await bench.advance(29.0)
        assert bench.radio.windows[PPMID][0] == DERIVED
        await bench.advance(1.0)
        assert bench.radio.windows[PPMID] == (KEY, bench.clock() + 30.0)
        assert bench.device.join()

    run(scenario)


def test_by_its_historic_key_it_joins_and_has_to_establish_another():
    async def scenario(bench):
        await removed(bench)
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert not FakeDevice(bench.radio, key=KEY).join()
        back = FakeDevice(bench.radio, key=DERIVED)
        back.establishes = False
        assert back.join()
        (entry,) = bench.hub.device_log()
        assert (entry.state, entry.established) == (DeviceState.JOINED, False)
        assert bench.hub.events[-1].note == BY_HISTORIC_KEY
        await bench.advance(45.0)  # a device on the network is left alone
        assert bench.radio.windows[PPMID][0] == DERIVED

    run(scenario)


def test_a_restart_keeps_to_the_key_whose_time_it_is():
    async def scenario(bench):
        await removed(bench)
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.radio.windows.clear()
        await bench.hub.start(NetworkSettings(channel=20))
        assert bench.radio.windows[PPMID][0] == DERIVED
        await bench.advance(30.0)
        assert bench.radio.windows[PPMID][0] == KEY

    run(scenario)


def test_a_log_without_devices_leaves_no_key_on_the_radio():
    async def scenario(bench):
        assert bench.radio.cleared == 1
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        await bench.hub.start(NetworkSettings(channel=20))
        assert bench.radio.cleared == 1  # a hub that has devices keeps theirs

    run(scenario)


def test_who_never_joined_has_no_key_of_then_nor_has_anybody_on_a_smets1_hub():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        await bench.hub.remove_from_device_log(PPMID)
        assert (await bench.hub.add_to_device_log(PPMID, CODE, 60.0)).historic_key is None

    async def on_smets1(bench):
        await removed(bench)
        assert (await bench.hub.add_to_device_log(PPMID, CODE, 60.0)).historic_key is None
        assert bench.radio.windows[PPMID][0] == KEY

    run(scenario)
    run(on_smets1, profile="smets1")


async def another_was_here(bench, number):
    other = FakeDevice(bench.radio, eui64=Eui64(0x00DB_0000_0000_0000 + number), short_address=number + 1)
    await bench.hub.add_to_device_log(other.eui64, CODE, 60.0)
    assert other.join()
    await bench.hub.remove_from_device_log(other.eui64)


def test_the_key_of_then_is_still_known_when_a_whitelisting_came_to_nothing():
    async def scenario(bench):
        await removed(bench)
        for _ in range(3):
            entry = await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
            assert entry.historic_key == DERIVED
            assert [one.eui64 for one in bench.hub.historic_device_log()] == [PPMID]
            await bench.hub.remove_from_device_log(PPMID)

    run(scenario)


def test_who_joined_and_established_no_link_key_has_no_place_in_the_history():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.establishes = False
        assert bench.device.join()
        await bench.hub.remove_from_device_log(PPMID)
        assert bench.hub.historic_device_log() == ()

    run(scenario)


def test_history_is_of_fifteen_devices_and_can_be_forgotten():
    async def scenario(bench):
        await removed(bench)
        for number in range(14):
            await another_was_here(bench, number)
        assert len(bench.hub.historic_device_log()) == 15
        assert (await bench.hub.add_to_device_log(PPMID, CODE, 60.0)).historic_key == DERIVED
        await bench.hub.remove_from_device_log(PPMID)
        await another_was_here(bench, 14)
        assert PPMID not in [entry.eui64 for entry in bench.hub.historic_device_log()], "it was the oldest"
        await bench.hub.begin_afresh()
        assert bench.hub.historic_device_log() == ()
        assert (await bench.hub.add_to_device_log(PPMID, CODE, 60.0)).historic_key is None

    run(scenario)
