from __future__ import annotations

import asyncio

import pytest

from harness.errors import DeviceSilent, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.hub.defects import HubDefect
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import HubEventKind
from harness.rig.faces import JoinKind, NetworkSettings
from harness.tap import Boundary
from tests.hub.fake_radio import CODE, HUB, KEY, PPMID, CarelessFakeRadio, FakeDevice, FakeRadio
from tests.hub.hub_bench import HubBench, run, settle

STRANGER = Eui64.parse("00-DB-12-34-56-78-90-FF")


def test_a_hub_forms_under_its_own_eui64_and_shows_its_endpoints():
    async def scenario(bench):
        assert bench.hub.eui64 == HUB
        assert bench.radio.settings.extended_pan_id == HUB
        assert [endpoint.number for endpoint in bench.radio.endpoints] == [123]
        await bench.hub.ping()

    run(scenario)


def test_a_hub_that_was_not_started_says_so():
    hub = HubBench("smets1", ()).hub
    for ask in (lambda: hub.eui64, lambda: hub.network, hub.keys):
        with pytest.raises(RigFault, match="has not been started"):
            ask()


def test_a_whitelisted_device_joins_within_its_window():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert bench.radio.windows[PPMID] == (KEY, 1060.0)
        await bench.advance(59.0)
        assert bench.device.join()
        (entry,) = bench.hub.device_log()
        assert (entry.eui64, entry.state, entry.short_address) == (PPMID, DeviceState.JOINED, 0x1234)
        assert bench.hub.keys().link_keys == {PPMID: (KEY,)}
        kinds = [event.kind.value for event in bench.hub.events]
        assert kinds == ["whitelisted", "network key sent", "joined"]
        assert [event[0] for event in bench.tap.events] == [Boundary.HUB] * 3

    run(scenario)


def test_a_device_outside_its_window_stays_out():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        await bench.advance(60.0)
        assert not bench.device.join()
        assert bench.hub.device_log()[0].state is DeviceState.EXPIRED
        assert bench.refusals() == ["window-over"]

    run(scenario)


def test_a_device_with_another_install_code_stays_out():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, bytes(16), 60.0)
        assert not bench.device.join()
        await bench.advance(5.0)
        assert bench.refusals() == ["wrong-install-code"]
        assert bench.hub.device_log()[0].state is DeviceState.WHITELISTED
        refused = bench.tap.events[-1]
        assert refused[2] == {"event": "refused", "refusal": "wrong-install-code"}

    run(scenario)


def test_a_device_that_nobody_whitelisted_stays_out():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert not FakeDevice(bench.radio, eui64=STRANGER).join()
        assert bench.refusals() == ["not-whitelisted"]
        assert bench.hub.device_log()[0].state is DeviceState.WHITELISTED

    run(scenario)


def test_a_device_removed_from_the_log_leaves_and_its_key_goes():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.join()
        await bench.hub.remove_from_device_log(PPMID)
        assert bench.hub.device_log() == ()
        assert [entry.eui64 for entry in bench.hub.historic_device_log()] == [PPMID]
        assert bench.radio.forgotten == [PPMID]
        assert bench.hub.keys().link_keys == {PPMID: (KEY,)}  # still needed to read the record
        await bench.hub.remove_from_device_log(PPMID)

    run(scenario)


def test_a_device_removed_before_it_joined_may_no_longer_join():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        await bench.hub.remove_from_device_log(PPMID)
        assert not bench.device.join()
        assert bench.refusals() == ["not-whitelisted"]

    run(scenario)


def test_unjoining_waits_until_the_device_has_left_and_keeps_it_in_the_log():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.join()
        await bench.hub.unjoin(PPMID)
        assert bench.hub.device_log()[0].state is DeviceState.REMOVED
        await bench.hub.unjoin(PPMID)
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert bench.device.join()

    run(scenario)


def test_a_device_that_does_not_leave_is_called_silent(monkeypatch):
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.join()
        bench.device.obeys = False
        with pytest.raises(DeviceSilent, match="was told to leave"):
            await bench.hub.unjoin(PPMID)

    monkeypatch.setattr("harness.hub.membership._LEAVE_WITHIN_S", 0.05)
    run(scenario)


def test_a_device_that_left_by_itself_may_come_back_in_its_window_only():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.join()
        bench.radio.notice(JoinKind.LEFT, PPMID, 0x1234)
        with pytest.raises(DeviceSilent, match=r"not on the HAN.*removed"):
            await bench.hub.deliver_gbcs(PPMID, b"x", 1.0)
        assert bench.device.join()

    run(scenario)


def test_a_bad_install_code_is_refused_before_anything_is_opened():
    async def scenario(bench):
        with pytest.raises(ValueError, match="install code"):
            await bench.hub.add_to_device_log(PPMID, CODE[:15], 60.0)
        assert bench.radio.windows == {}
        assert bench.hub.device_log() == ()

    run(scenario)


def test_a_lost_radio_fails_what_waits_at_once_and_everything_after():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.join()
        waiting = [
            asyncio.ensure_future(bench.hub.deliver_gbcs(PPMID, b"x", 60.0)),
            asyncio.ensure_future(
                bench.hub.read_attributes(PPMID, 0x0019, (2,), client_side=True, timeout_s=60.0)
            ),
        ]
        await settle()
        bench.radio.lose()
        async with asyncio.timeout(0.5):
            for pending in waiting:
                with pytest.raises(RigFault, match="smets2 lost its radio: unplugged"):
                    await pending
        raised_so_far = []
        for again in (
            bench.hub.ping(),
            bench.hub.add_to_device_log(PPMID, CODE, 1.0),
            bench.hub.unjoin(PPMID),
        ):
            with pytest.raises(RigFault, match="lost its radio") as raised:
                await again
            raised_so_far.append(raised.value)
        assert len({id(fault) for fault in raised_so_far}) == 3, "each waits for a fault of its own"

    run(scenario)


def test_a_radio_that_cannot_permit_leaves_no_entry():
    async def scenario(bench):
        bench.radio.fault = RigFault("gone")
        with pytest.raises(RigFault, match="gone"):
            await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert bench.hub.device_log() == ()

    run(scenario)


def test_a_hub_started_again_after_a_loss_works_and_has_kept_its_log():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.join()
        bench.radio.lose()
        bench.radio.fault = None
        await bench.hub.start(NetworkSettings(channel=20))
        await bench.hub.ping()
        assert bench.hub.device_log()[0].state is DeviceState.JOINED
        assert len(asyncio.all_tasks()) == 2  # this one, and the hub's one timekeeper

    run(scenario)


def test_a_hub_started_again_lets_in_whose_window_is_still_open():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.radio.windows.clear()  # a radio that starts knows of none
        await bench.advance(20.0)
        await bench.hub.start(NetworkSettings(channel=20))
        assert bench.radio.windows == {PPMID: (KEY, 1060.0)}
        await bench.advance(40.0)
        bench.radio.windows.clear()
        await bench.hub.start(NetworkSettings(channel=20))
        assert bench.radio.windows == {}

    run(scenario)


def test_another_network_key_is_the_hubs_from_then_on():
    async def scenario(bench):
        before = bench.hub.network
        await bench.hub.update_network_key()
        assert bench.hub.network.network_key_sequence == before.network_key_sequence + 1
        assert bench.hub.keys().network_key == bench.hub.network.network_key != before.network_key
        assert bench.hub.events[-1].kind is HubEventKind.NETWORK_KEY

    run(scenario)


# --- defects


def test_a_careless_hub_lets_anybody_in_with_any_install_code():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, bytes(16), 60.0)
        assert bench.device.join()
        assert FakeDevice(bench.radio, eui64=STRANGER, short_address=0x9999).join()
        assert "not in the device log" in bench.hub.events[-1].note

    run(scenario, defects=[HubDefect.SKIP_INSTALL_CODE_CHECK])


def test_a_hub_that_is_told_to_send_its_key_in_the_clear_does_so_until_the_device_is_removed():
    async def scenario(bench):
        await bench.hub.add_to_device_log(STRANGER, CODE, 60.0)
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0, in_clear=True)
        assert bench.radio.anybody
        assert PPMID not in bench.radio.windows
        await bench.hub.remove_from_device_log(PPMID)
        assert not bench.radio.anybody
        assert list(bench.radio.windows) == [STRANGER]  # whose window is not over

    run(scenario, radio=CarelessFakeRadio)


def test_a_radio_that_cannot_be_careless_makes_the_defect_impossible():
    async def scenario(bench):
        with pytest.raises(StimulusImpossible, match="cannot skip"):
            await bench.hub.add_to_device_log(PPMID, CODE, 60.0)

    run(scenario, defects=[HubDefect.SKIP_INSTALL_CODE_CHECK], radio=FakeRadio)


def test_a_hub_that_ignores_windows_lets_a_device_in_long_after():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 1.0)
        await bench.advance(3600.0)
        assert bench.device.join()

    run(scenario, defects=[HubDefect.IGNORES_WINDOW])
