"""The driver with real bellows over a real pty: how fast it starts, and what happens when it goes."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import pytest

from drivers.radio.ezsp import EzspOptions, EzspRadio
from harness.errors import RigFault
from harness.rig.faces import DriverContext
from harness.tap import NullTap
from tests.drivers.radio.bench_of_one import ENDPOINT, KEY, MESSAGE, PPMID, SETTINGS, Listener
from tests.drivers.radio.zero_ncp import AshPort


def run(scenario):
    async def main():
        ncp = AshPort()
        ncp.start()
        listener = Listener()
        radio = EzspRadio(EzspOptions(path=ncp.path), DriverContext(name="hub", tap=NullTap()))
        try:
            await radio.open((ENDPOINT,), listener)
            await scenario(ncp, radio, listener)
        finally:
            await radio.close()
            ncp.unplug()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(main())
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_hub_radio_starts_well_within_three_seconds():
    async def scenario(ncp, radio, listener):
        await radio.close()
        started = time.perf_counter()
        info = await radio.open((ENDPOINT,), listener)
        state = await radio.form(SETTINGS)
        assert time.perf_counter() - started < 3.0
        assert info.firmware.startswith("7.4.4.0")
        assert state.channel == SETTINGS.channel
        await radio.permit(PPMID, KEY, 60.0)
        await radio.send(MESSAGE)
        assert listener.losses == []

    run(scenario)


def test_a_dongle_unplugged_in_use_is_noticed_at_once():
    async def scenario(ncp, radio, listener):
        await radio.form(SETTINGS)
        ncp.gateway.on_sendUnicast = lambda **_: {"sequence": 1}  # never says how it ended
        sending = asyncio.ensure_future(radio.send(MESSAGE, timeout_s=30.0))
        await asyncio.wait({sending}, timeout=0.05)
        ncp.unplug()
        async with asyncio.timeout(1.0):
            with pytest.raises(RigFault, match=f"radio on {ncp.path} was lost"):
                await sending
        assert len(listener.losses) == 1
        with pytest.raises(RigFault, match="was lost"):
            await radio.ping()

    run(scenario)


def test_a_command_under_way_when_the_dongle_goes_leaves_nothing_behind():
    async def scenario(ncp, radio, listener):
        ncp.mute = True
        ping = asyncio.ensure_future(radio.ping())
        await asyncio.wait({ping}, timeout=0.05)
        ncp.unplug()
        async with asyncio.timeout(1.0):
            with pytest.raises(RigFault, match="was lost"):
                await ping

    run(scenario)


def test_a_dongle_that_resets_itself_in_use_is_lost():
    async def scenario(ncp, radio, listener):
        ncp._write(b"\xc1\x02\x03")  # RSTACK: watchdog
        async with asyncio.timeout(1.0):
            while not listener.losses:  # noqa: ASYNC110 - a listener is called, there is nothing to await
                await asyncio.sleep(0)
        assert "reset" in listener.losses[0]
        with pytest.raises(RigFault, match="WATCHDOG"):
            await radio.ping()

    run(scenario)


def test_a_second_host_finds_the_port_in_use():
    async def scenario(ncp, radio, listener):
        other = EzspRadio(EzspOptions(path=ncp.path), DriverContext(name="other", tap=NullTap()))
        with pytest.raises(RigFault, match=f"{ncp.path} is in use by another program"):
            await other.open((), Listener())
        await radio.ping()

    run(scenario)


def test_a_port_is_found_through_a_stable_name(tmp_path):
    async def scenario(ncp, radio, listener):
        await radio.close()
        link = tmp_path / "usb-EZSP_dongle-if00"
        link.symlink_to(ncp.path)
        again = EzspRadio(EzspOptions(path=str(link)), DriverContext(name="hub", tap=NullTap()))
        await again.open((), listener)
        await again.close()

    run(scenario)
