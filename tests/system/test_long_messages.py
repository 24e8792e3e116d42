"""GBCS messages as long as a tunnel takes, both ways over the air of the virtual bench, in APS fragments."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.plan.waiting import eventually
from harness.rig.load import load_rig
from harness.rig.open import close_bench, open_bench
from harness.tap import NullTap
from tests.smets.rules import own
from tests.system.runs import VIRTUAL, changed_rig

LONGEST = 1499  # with the octet PUT: what both ends take at once
DEVICE = '      firmware: "01020304"\n'


@pytest.mark.parametrize(
    "sleepy",
    [pytest.param(False, id="always on"), pytest.param(True, id="sleepy", marks=pytest.mark.slow)],
)
def test_a_message_as_long_as_may_be_arrives_whole_in_both_directions(tmp_path, sleepy):
    rig = VIRTUAL
    if sleepy:
        rig = changed_rig(tmp_path, (f"{DEVICE}  meters:", f"{DEVICE}      sleepy: true\n  meters:"))
    asyncio.run(scenario(rig, bytes(place % 251 for place in range(LONGEST))))


async def scenario(rig: Path, message: bytes) -> None:
    bench = await open_bench(load_rig(rig), own(), NullTap())
    try:
        hub, up = bench.hub("smets2").hub, []
        await hub.add_to_device_log(bench.device, bytes(bench.ppmid_device.install_code), 60.0)
        assert (await bench.ppmid.join(20.0)).joined
        hub.listen_gbcs(lambda eui64, octets: up.append(octets))
        sending = asyncio.ensure_future(hub.deliver_gbcs(bench.device, message, 20.0))
        down = []

        async def arrived():
            down.extend(await bench.ppmid.received())
            return bool(down)

        assert await eventually(arrived, 15.0)
        sending.cancel()
        assert "tag" in down[0].fields["reason"], "it arrived, and is no GBCS message"
        firmware = bench.environment._nodes.ppmids["ppmid"]._firmware
        sent = await asyncio.to_thread(bench.environment._call, firmware._tunnels.client.put(message))
        assert sent
        assert up == [message]
    finally:
        await close_bench(bench)
