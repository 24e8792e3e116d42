"""Unmodified bellows, and the bench's own radio on it, take the virtual dongle for a real one."""

from __future__ import annotations

import asyncio

import bellows.types as t
import pytest
from bellows.exception import InvalidCommandError

from harness.errors import RigFault
from harness.rig.faces import ApsMessage, JoinKind
from tests.drivers.virtual.ncp.hosted import bellows_host, run
from tests.drivers.virtual.stack.network import HUB, KEY, MESSAGE, NETWORK_KEY, PPMID, ApsRequest, until

VERSIONS = (8, 13, 14, 19)
LONG = bytes(range(256))


def message(peer, payload, **changes):
    values = {
        "peer": peer,
        "profile": 0x0109,
        "cluster": 0x0704,
        "source_endpoint": 123,
        "destination_endpoint": 1,
        "payload": payload,
        "link_key_secured": True,
    }
    return ApsMessage(**{**values, **changes})


@pytest.mark.parametrize("tcp", [False, True], ids=["pty", "tcp"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_hub_forms_lets_a_device_in_and_talks_with_it(tmp_path, version, tcp):
    async def scenario(hosted):
        state = await hosted.start(network_key=NETWORK_KEY, pan_id=0x1A62)
        assert (state.channel, state.pan_id, state.network_key, state.resumed) == (
            20,
            0x1A62,
            NETWORK_KEY,
            False,
        )
        joined = await hosted.join()
        notice = hosted.hears.joins.get_nowait()
        assert (notice.kind, notice.eui64, notice.admitted) == (JoinKind.UNSECURED_JOIN, PPMID, True)
        for payload in (b"short", LONG):
            await hosted.radio.send(message(joined.short_address, payload))
            heard = await hosted.device_hears.message(0x0704)
            assert (heard.payload, heard.link_key_secured) == (payload, True)
            await hosted.device.send(ApsRequest(**{**MESSAGE, "payload": payload, "link_key_secured": True}))
            back = await hosted.hears.message(0x0704)
            assert (back.payload, back.link_key_secured, back.peer_eui64) == (payload, True, PPMID)
        await hosted.radio.ping()
        await hosted.radio.remove(PPMID, joined.short_address)
        assert (await hosted.hears.joins.get()).kind is JoinKind.LEFT

    run(scenario, tmp_path, version=version, tcp=tcp)


def test_a_device_that_nobody_permits_is_denied(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        await hosted.radio.permit(HUB, bytes(16), 60.0)  # for somebody else
        assert (await hosted.device.join((20,), KEY, 2.0)).failure.value == "no-key"
        notice = await hosted.hears.joins.get()
        assert (notice.eui64, notice.admitted) == (PPMID, False)

    run(scenario, tmp_path)


def test_after_the_window_nobody_finds_an_open_network(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        await hosted.radio.permit(PPMID, KEY, 60.0)
        await hosted.radio.close_window()
        assert (await hosted.device.join((20,), KEY, 2.0)).failure.value == "no-network"

    run(scenario, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_start_resumes_the_network_and_knows_the_child(tmp_path, version):
    async def scenario(hosted):
        first = await hosted.start()
        joined = await hosted.join()
        await until(lambda: hosted.dongle.knows(PPMID))
        second = await hosted.start()
        assert (second.resumed, second.network_key, second.pan_id) == (True, first.network_key, first.pan_id)
        await hosted.radio.send(message(joined.short_address, b"still there?"))
        assert (await hosted.device_hears.message(0x0704)).payload == b"still there?"

    run(scenario, tmp_path, version=version)


def test_a_state_file_outlives_the_dongle(tmp_path):
    state_file = tmp_path / "state.json"
    keys = []

    async def first(hosted):
        keys.append((await hosted.start()).network_key)
        await hosted.join()

    async def second(hosted):
        state = await hosted.start()
        assert (state.resumed, state.network_key) == (True, keys[0])

    run(first, tmp_path, state_file=state_file)
    run(second, tmp_path, state_file=state_file)


def test_a_second_host_on_the_same_port_is_turned_away(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        with pytest.raises(RigFault, match="in use by another program"):
            await hosted.new_radio().open((), hosted.hears)
        await hosted.radio.ping()

    run(scenario, tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_commands_are_told_so(tmp_path, version):
    async def scenario(hosted):
        async with bellows_host(hosted.port.path) as host:
            with pytest.raises(InvalidCommandError):
                await host.getCertificate()
            assert await host.nop() == []

    run(scenario, tmp_path, version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_zigpy_asks_on_its_way_is_answered(tmp_path, version):
    async def scenario(hosted):
        async with bellows_host(hosted.port.path) as host:
            assert host.ezsp_version == version
            await host.write_config({})
            assert (await host.getEui64())[0].serialize() == HUB.to_bytes_le()
            assert (await host.networkState())[0] == t.EmberNetworkStatus.NO_NETWORK
            assert len((await host.readCounters())[0]) == 41
            manufacturer, board, firmware = await host.get_board_info()
            assert (manufacturer, board) == ("PPMID bench", "virtual dongle")
            assert firmware.startswith(("6.10.3", "7.4.4", "8.0.2", "8.2.1"))
            assert (await host.getMulticastTableEntry(0))[1].endpoint == 0
            status, *_ = await host.getNetworkParameters()
            assert t.sl_Status.from_ember_status(status) == t.sl_Status.NOT_JOINED

    run(scenario, tmp_path, version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_energy_scan_covers_the_channels_asked_for(tmp_path, version):
    async def scenario(hosted):
        async with bellows_host(hosted.port.path) as host:
            found = await host.startScan(
                t.EzspNetworkScanType.ENERGY_SCAN, t.Channels.from_channel_list([11, 15, 26]), 3
            )
            assert [channel for channel, _ in found] == [11, 15, 26]

    run(scenario, tmp_path, version=version)


def test_zigpys_own_application_forms_and_starts(tmp_path):
    """The whole of bellows, network formation, backup and all, as a foreign host would run it."""

    async def scenario(hosted):
        from bellows.zigbee.application import ControllerApplication

        application = ControllerApplication(
            {
                "device": {"path": hosted.port.path, "baudrate": 115200},
                "database_path": None,
                "use_thread": False,
                "ota": {"enabled": False},
                "watchdog_enabled": False,
                "backup_enabled": False,
                "topology_scan_enabled": False,
                "network": {"channel": 15},
            }
        )
        await application.startup(auto_form=True)
        try:
            assert application.state.network_info.channel == 15
            assert application.state.node_info.ieee.serialize() == HUB.to_bytes_le()
        finally:
            await application.shutdown()
        for _ in range(5):
            await asyncio.sleep(0.01)

    run(scenario, tmp_path)


def test_switched_off_and_on_it_is_a_dongle_that_has_just_started(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        hosted.dongle.power(False)
        hosted.dongle.power(True)
        with pytest.raises(RigFault):
            await hosted.radio.ping()
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)
