"""The virtual PPMID and the emulated hubs, written apart, understand each other above the APS layer."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.ppmid.device import VirtualPpmid
from harness.eui64 import Eui64
from harness.gbcs import ACB, BenchPki, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.hub.core import CommunicationsHub
from harness.hub.device_log import DeviceState
from harness.hub.profile import load_profile
from harness.rig.faces import NetworkSettings
from harness.tap import NullTap
from harness.zigbee.cbke.authority import BenchAuthority
from tests.drivers.ppmid.scripted import Scripted
from tests.drivers.virtual.ppmid.airless import AirlessRadio, AirlessStack
from tests.drivers.virtual.ppmid.bench_of_one import config, until
from tests.drivers.virtual.ppmid.fake_air import CODE, PPMID, SEED, command, within

KEYS = OwnKeys(ACB, BenchPki(SEED))
HUBS = {
    "smets1": (Eui64.parse("00-DB-12-34-56-78-91-01"), 15),
    "smets2": (Eui64.parse("00-DB-12-34-56-78-91-02"), 20),
}


def run(scenario):
    async def main():
        radios = {name: AirlessRadio(eui64) for name, (eui64, _) in HUBS.items()}
        hubs = {
            name: CommunicationsHub(
                name, load_profile(name), radio, NullTap(), credentials=BenchAuthority(SEED)
            )
            for name, radio in radios.items()
        }
        host = Scripted(None)
        device = VirtualPpmid(
            lambda listener: AirlessStack(tuple(radios.values()), listener), host.pty, config()
        )
        await device.open()
        port = host.driver()
        try:
            await port.open()
            for name, hub in hubs.items():
                await hub.start(NetworkSettings(channel=HUBS[name][1]))
            await scenario(hubs, port, device)
        finally:
            for hub in hubs.values():
                await hub.stop()
            await port.close()
            await device.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def joined(hub, port):
    await hub.add_to_device_log(PPMID, CODE, 60.0)
    outcome = await port.join(5.0)
    assert outcome.joined, outcome
    (entry,) = hub.device_log()
    assert entry.state is DeviceState.JOINED
    return outcome.status


@pytest.mark.parametrize(("name", "mode", "suites"), [("smets1", "SMETS1", 1), ("smets2", "SMETS2+", 2)])
def test_the_hub_makes_the_mode(name, mode, suites):
    async def scenario(hubs, port, device):
        status = await joined(hubs[name], port)
        assert (status.mode, status.suites_offered, status.channel) == (mode, suites, HUBS[name][1])

    run(scenario)


def test_a_command_through_the_tunnel_is_answered():
    async def scenario(hubs, port, device):
        await joined(hubs["smets2"], port)
        request = command(7)
        response = await hubs["smets2"].deliver_gbcs(PPMID, request, 2.0)
        assert cs08.read_response(response, KEYS, command=request).firmware.hex() == "01020304"
        (received,) = await port.received()
        assert (received.kind, received.fields["mac"]) == ("gbcs", "valid")

    run(scenario)


def test_a_command_is_answered_after_a_power_cut_too():
    async def scenario(hubs, port, device):
        await joined(hubs["smets2"], port)
        await device.power(on=False)
        await device.power(on=True)
        events = hubs["smets2"].events
        await until(lambda: len(hubs["smets2"].events) == len(events) + 2)  # seen coming back, and announced
        request = command(7)
        response = await hubs["smets2"].deliver_gbcs(PPMID, request, 2.0)
        assert cs08.read_response(response, KEYS, command=request).ok

    run(scenario)


def test_the_firmware_version_is_read_by_plain_zcl():
    async def scenario(hubs, port, device):
        await joined(hubs["smets1"], port)
        read = await hubs["smets1"].read_attributes(PPMID, 0x0019, (0x0002,), client_side=True, timeout_s=2.0)
        assert read[0x0002].value.value == 0x01020304
        (received,) = await port.received()
        assert (received.kind, received.fields["cluster"], received.fields["attribute"]) == (
            "zcl",
            "0019",
            "0002",
        )

    run(scenario)


def test_unjoined_from_one_hub_it_takes_the_other_ones_mode():
    async def scenario(hubs, port, device):
        assert (await joined(hubs["smets2"], port)).mode == "SMETS2+"
        await within(hubs["smets2"].unjoin(PPMID))
        after = await port.status()
        assert (after.state, after.mode) == ("out", "none")
        assert (await joined(hubs["smets1"], port)).mode == "SMETS1"

    run(scenario)


def test_a_wrong_install_code_keeps_it_out():
    async def scenario(hubs, port, device):
        await hubs["smets2"].add_to_device_log(PPMID, bytes(16), 60.0)
        outcome = await port.join(1.0)
        assert (outcome.joined, outcome.reason) == (False, "wrong-key")

    run(scenario)
