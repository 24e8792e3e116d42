"""Every fault of the dongle does what it says, and the radio on it tells it for what it is."""

from __future__ import annotations

import asyncio

import pytest

from harness.errors import RadioUndelivered, RigFault, StimulusImpossible
from tests.drivers.virtual.ncp.hosted import run
from tests.drivers.virtual.ncp.test_dongle import message
from tests.drivers.virtual.stack.network import until


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


def test_junk_before_the_first_frame_is_passed_over(tmp_path):
    async def scenario(hosted):
        await hosted.dongle.inject("junk")
        await hosted.start()

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
        await until(lambda: hosted.hears.lost.empty())

    run(scenario, tmp_path)


def test_an_unknown_fault_is_named_with_its_nearest(tmp_path):
    async def scenario(hosted):
        with pytest.raises(StimulusImpossible, match="did you mean `unplug`"):
            await hosted.dongle.inject("unplugg")

    run(scenario, tmp_path)
