"""Every fault of the dongle does what it says, and the radio on it tells it for what it is."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import bellows.types as t
import pytest

from drivers.virtual.ncp.injection import FAULTS
from harness.errors import RadioUndelivered, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.rig.faces import NetworkSettings
from tests.drivers.virtual.ncp.hosted import bellows_host, run
from tests.drivers.virtual.ncp.test_dongle import message
from tests.drivers.virtual.stack.network import KEY, PPMID

OTHER = Eui64.parse("00-DB-12-34-56-78-90-FF")


def test_an_unplugged_dongle_is_lost_and_found_again_when_it_is_back(tmp_path):
    async def scenario(hosted):
        first = await hosted.start()
        await hosted.dongle.inject("unplug")
        async with asyncio.timeout(2):
            await hosted.hears.lost.get()
        with pytest.raises(RigFault):
            await hosted.radio.ping()
        with pytest.raises(RigFault, match="does not exist"):
            await hosted.new_radio().open((), hosted.hears)
        await hosted.dongle.inject("replug")
        assert (await hosted.start()).pan_id == first.pan_id

    run(scenario, tmp_path)


@pytest.mark.parametrize("fault", ["reset", "error"])
def test_a_dongle_that_falls_over_is_lost_at_once_and_helped_by_a_new_start(tmp_path, fault):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject(fault)
        async with asyncio.timeout(2):
            reason = await hosted.hears.lost.get()
        assert reason
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)


@pytest.mark.parametrize("to", ["host", "dongle"])
@pytest.mark.parametrize("fault", ["corrupt", "drop", "duplicate", "cut", "delay"])
def test_a_bad_line_is_made_up_for(tmp_path, fault, to):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject(fault, to=to, frames=2, **({"seconds": 0.05} if fault == "delay" else {}))
        for _ in range(3):
            await hosted.radio.ping()

    run(scenario, tmp_path)


@pytest.mark.parametrize("fault", ["silent", "deaf"])
def test_a_dongle_that_says_nothing_is_no_ezsp_dongle(tmp_path, fault):
    async def scenario(hosted):
        await hosted.dongle.inject(fault)
        impatient = type(hosted.radio)(
            type(hosted.radio._options)(path=hosted.port.path, connect_timeout=0.3), hosted.radio._context
        )
        with pytest.raises(RigFault, match=r"no EZSP answer within 0\.3 s"):
            await impatient.open((), hosted.hears)
        await hosted.dongle.inject("well")
        await hosted.start()

    run(scenario, tmp_path)


def test_a_delivery_that_fails_is_undelivered_and_the_next_is_not(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        joined = await hosted.join()
        await hosted.dongle.inject("delivery-failed")
        with pytest.raises(RadioUndelivered):
            await hosted.radio.send(message(joined.short_address, b"1"))
        await hosted.radio.send(message(joined.short_address, b"2"))
        assert (await hosted.device_hears.message(0x0704)).payload == b"2"

    run(scenario, tmp_path)


def test_a_busy_dongle_is_asked_again(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        joined = await hosted.join()
        await hosted.dongle.inject("busy", frames=2)
        await hosted.radio.send(message(joined.short_address, b"1"))
        assert (await hosted.device_hears.message(0x0704)).payload == b"1"

    run(scenario, tmp_path)


def test_a_doubled_sent_callback_confuses_nobody(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        joined = await hosted.join()
        await hosted.dongle.inject("sent-twice", frames=2)
        for payload in (b"1", b"2", b"3"):
            await hosted.radio.send(message(joined.short_address, payload))

    run(scenario, tmp_path)


def test_a_false_alarm_of_the_network_leaves_the_hub_at_work(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject("network-down")
        await hosted.radio.ping()
        await asyncio.sleep(0.05)
        assert hosted.hears.lost.empty()

    run(scenario, tmp_path)


@pytest.mark.parametrize("told", [True, False])
def test_a_dongle_that_falls_off_its_network_is_found_out_and_helped_by_a_new_start(tmp_path, told):
    async def scenario(hosted):
        first = await hosted.start()
        await hosted.dongle.inject("network-lost", told=told)
        if told:
            async with asyncio.timeout(2):
                assert "fallen off its network" in await hosted.hears.lost.get()
        with pytest.raises(RigFault, match="fallen off its network"):
            await hosted.radio.ping()
        again = await hosted.start()
        assert (again.resumed, again.pan_id) == (True, first.pan_id)

    run(scenario, tmp_path)


@pytest.mark.parametrize(
    ("fault", "arguments"), [("status-twice", {}), ("status-late", {"seconds": 0.2})], ids=str
)
def test_a_network_that_comes_up_late_or_twice_is_waited_for(tmp_path, fault, arguments):
    async def scenario(hosted):
        await hosted.dongle.inject(fault, frames=3, **arguments)
        assert not (await hosted.start()).resumed
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)


def test_a_network_that_never_says_that_it_is_up_is_the_rigs_fault(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject("status-missing", frames=9)
        impatient = hosted.new_radio(network_timeout=0.2)
        await hosted.radio.close()
        await impatient.open((), hosted.hears)
        with pytest.raises(RigFault, match=r"gave no answer within 0\.2 s .networkInit."):
            await impatient.form(NetworkSettings(channel=20))
        await impatient.close()
        await hosted.dongle.inject("well")
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)


def test_a_dongle_that_stays_busy_is_the_rigs_fault_and_no_silence_of_the_device(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        joined = await hosted.join()
        hosted.radio._link.command_s = 0.3
        await hosted.dongle.inject("busy", frames=1000)
        with pytest.raises(RigFault, match=r"too busy to send for 0\.3 s"):
            await hosted.radio.send(message(joined.short_address, b"1"))

    run(scenario, tmp_path)


def test_acknowledgements_that_do_not_arrive_end_in_error_0x51(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        hosted.dongle._ash._ack_timeout_s = 0.02
        await hosted.dongle.inject("ack-starved")
        await hosted.radio.ping()
        async with asyncio.timeout(2):
            assert "ERROR_EXCEEDED_MAXIMUM_ACK_TIMEOUT_COUNT" in await hosted.hears.lost.get()
        await hosted.dongle.inject("well")
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)


def test_a_second_host_on_the_line_is_the_loss_of_the_first(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject("second-host")
        async with asyncio.timeout(2):
            assert "reset" in await hosted.hears.lost.get()
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)


def test_a_line_that_eats_nuls_is_the_rigs_fault_with_the_first_frame_that_has_one(tmp_path):
    async def scenario(hosted):
        await hosted.start()
        hosted.radio._link.command_s = 0.3
        await hosted.dongle.inject("eats-nuls")

        async def every_number():
            for _ in range(256):  # of commands: one of them is a NUL on the line
                await hosted.radio.ping()

        with pytest.raises(RigFault, match=r"gave no answer within 0\.3 s|was lost"):
            await every_number()
        await hosted.dongle.inject("well")
        assert (await hosted.start()).resumed

    run(scenario, tmp_path)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 6, 9, 11, 0x51, 0x85, 255])
def test_a_reset_with_any_code_is_noticed(tmp_path, code):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject("reset", code=code)
        async with asyncio.timeout(2):
            assert await hosted.hears.lost.get()

    run(scenario, tmp_path)


@pytest.mark.parametrize("octets", [None, "00", "001A", "1111", "7E7E", "C1020B0A52"])
def test_octets_before_the_first_frame_are_passed_over(tmp_path, octets):
    async def scenario(hosted):
        await hosted.dongle.inject("junk", **({"octets": octets} if octets else {}))
        await hosted.start()

    run(scenario, tmp_path)


def test_a_tcp_port_that_is_up_and_dead_is_given_up_in_time(tmp_path):
    async def scenario(hosted):
        await hosted.dongle.inject("silent")
        with pytest.raises(RigFault, match=r"gave no EZSP answer within 0\.3 s"):
            await hosted.new_radio(connect_timeout=0.3).open((), hosted.hears)

    run(scenario, tmp_path, tcp=True)


@pytest.mark.parametrize(("fault", "found"), [("scan-partial", [11, 26]), ("scan-twice", [11, 15, 26] * 2)])
def test_scans_can_be_partial_or_doubled(tmp_path, fault, found):
    async def scenario(hosted):
        await hosted.dongle.inject(fault)
        async with bellows_host(hosted.port.path) as host:
            channels = t.Channels.from_channel_list([11, 15, 26])
            scanned = await host.startScan(t.EzspNetworkScanType.ENERGY_SCAN, channels, 3)
            assert [channel for channel, _ in scanned] == found

    run(scenario, tmp_path)


@pytest.mark.parametrize("fault", ["stays-shut", "key-forgotten"])
def test_a_dongle_that_does_not_let_in_whom_it_was_told_to(tmp_path, fault):
    async def scenario(hosted):
        await hosted.start()
        await hosted.dongle.inject(fault)
        await hosted.radio.permit(PPMID, KEY, 60.0)
        failure = (await hosted.device.join((20,), KEY, 2.0)).failure
        assert failure.value == {"stays-shut": "no-network", "key-forgotten": "no-key"}[fault]

    run(scenario, tmp_path)


@pytest.mark.parametrize(
    ("fault", "says"), [("key-table-full", "its key table is full"), ("keys-refused", "importLinkKey")]
)
def test_a_dongle_that_takes_no_link_key_says_so(tmp_path, fault, says):
    async def scenario(hosted):
        await hosted.start()
        await hosted.radio.set_link_key(PPMID, KEY)
        await hosted.dongle.inject(fault)
        with pytest.raises(RigFault, match=says):
            await hosted.radio.set_link_key(OTHER, KEY)
        await hosted.dongle.inject("well")
        await hosted.radio.set_link_key(OTHER, KEY)

    run(scenario, tmp_path)


@pytest.mark.parametrize(
    ("fault", "arguments", "says"),
    [
        ("drop", {"frame": 3}, "takes no `frame`; it takes frames, to"),
        ("drop", {"frames": "many"}, "`frames` of a fault is a number"),
        ("drop", {"to": "air"}, "`to` of a fault is `host` or `dongle`"),
        ("reset", {"code": 300}, "`code` of a fault is one octet"),
        ("junk", {"octets": "xyz"}, "`octets` of a fault are hex digits"),
        ("silent", {"frames": 1}, "takes no `frames`; it takes nothing"),
    ],
)
def test_an_argument_that_is_wrong_is_named(tmp_path, fault, arguments, says):
    async def scenario(hosted):
        with pytest.raises(StimulusImpossible, match=says):
            await hosted.dongle.inject(fault, **arguments)

    run(scenario, tmp_path)


def test_an_unknown_fault_is_named_with_its_nearest(tmp_path):
    async def scenario(hosted):
        with pytest.raises(StimulusImpossible, match="did you mean `unplug`"):
            await hosted.dongle.inject("unplugg")

    run(scenario, tmp_path)


def test_the_documentation_has_every_fault_and_its_arguments():
    page = (Path(__file__).parents[4] / "docs" / "faults-of-a-dongle.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    told = {name: row[2] for row in rows for name in re.findall(r"`([a-z-]+)`", row[1])}
    assert set(told) == set(FAULTS) - {"well", "replug"}
    for name, arguments in told.items():
        known = {argument for argument in FAULTS[name][0] if argument in arguments}
        assert known == set(FAULTS[name][0]), name
