"""Each known defect is seen from outside; a PPMID without defects passes each of the same checks."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.ppmid.defects import Defect
from harness.errors import DecodeError
from harness.gbcs import ACB, BenchPki, OwnKeys
from harness.gbcs.use_cases import cs08
from tests.drivers.virtual.ppmid.bench_of_one import run
from tests.drivers.virtual.ppmid.fake_air import SEED, FakeHub, command, with_mac_of_nobody, within

KEYS = OwnKeys(ACB, BenchPki(SEED))


async def tunnelled(bench):
    await bench.join()
    await within(bench.hub.tunnel_opened.wait())


async def takes_the_mode_of_the_hub(bench):
    for hub in bench.hubs:
        for other in bench.hubs:
            other.permits = other is hub
        status = await bench.join()
        assert status.mode == ("SMETS2+" if hub.suites & 2 else "SMETS1")
        await bench.port.leave()


async def keeps_its_mode_over_a_power_cut(bench):
    mode = (await bench.join()).mode
    await bench.device.power(on=False)
    await bench.device.power(on=True)
    assert (await bench.port.status()).mode == mode


async def gives_up_its_mode_on_leaving(bench):
    await bench.join()
    await bench.port.leave()
    assert (await bench.port.status()).mode == "none"


async def obeys_only_a_right_mac(bench):
    await tunnelled(bench)
    bench.hub.put(with_mac_of_nobody(command(7)))
    await bench.hub.exchange(command(8))
    assert len(bench.hub.puts) == 1


async def answers_under_a_right_mac(bench):
    await tunnelled(bench)
    request = command(7)
    cs08.read_response(await bench.hub.exchange(request), KEYS, command=request)


async def reports_its_own_version_in_gbcs(bench):
    await tunnelled(bench)
    request = command(7)
    answer = cs08.read_response(await bench.hub.exchange(request), KEYS, command=request)
    assert answer.firmware.hex() == (await bench.port.identify()).firmware


async def reports_its_own_version_in_zcl(bench):
    await bench.join()
    value = (await bench.hub.read(0x0019, 0x0002)).value(0x0002).value
    assert f"{value:08X}" == (await bench.port.identify()).firmware


async def answers_at_all(bench):
    await tunnelled(bench)
    bench.hub.put(command(7))
    async with asyncio.timeout(0.2):
        await bench.hub.put_arrived.wait()


CATCHES = [
    (Defect.WRONG_MODE, takes_the_mode_of_the_hub, AssertionError),
    (Defect.MODE_FROM_FACTORY, takes_the_mode_of_the_hub, AssertionError),
    (Defect.KEEPS_MODE_ON_LEAVE, takes_the_mode_of_the_hub, AssertionError),
    (Defect.KEEPS_MODE_ON_LEAVE, gives_up_its_mode_on_leaving, AssertionError),
    (Defect.FORGETS_MODE_ON_POWER_CYCLE, keeps_its_mode_over_a_power_cut, AssertionError),
    (Defect.IGNORES_MAC, obeys_only_a_right_mac, AssertionError),
    (Defect.BAD_RESPONSE_MAC, answers_under_a_right_mac, DecodeError),
    (Defect.STALE_FIRMWARE_VERSION, reports_its_own_version_in_gbcs, AssertionError),
    (Defect.STALE_FIRMWARE_VERSION, reports_its_own_version_in_zcl, AssertionError),
    (Defect.SILENT_TUNNEL, answers_at_all, TimeoutError),
]


def hubs():
    first = FakeHub(2)
    second = FakeHub(1, eui64="00-DB-12-34-56-78-91-01", channel=15)
    return [first, second]


@pytest.mark.parametrize(("defect", "check", "_"), CATCHES)
def test_a_ppmid_without_defects_passes(defect, check, _):
    run(check, hubs=hubs())


@pytest.mark.parametrize(("defect", "check", "caught"), CATCHES)
def test_a_defect_is_caught(defect, check, caught):
    with pytest.raises(caught):
        run(check, defect, hubs=hubs())
