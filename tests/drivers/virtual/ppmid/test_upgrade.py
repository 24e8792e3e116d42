"""The virtual PPMID gets another firmware over the air: takes it, runs it, tells of it, or has none of it."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.upgrade import FOR_ME, IMAGE_TYPE
from harness.gbcs import ACB, BenchPki, Cra, OwnKeys, parse
from harness.gbcs.use_cases import cs08
from harness.gbcs.use_cases.firmware import CS09
from harness.zigbee import tunnel
from harness.zigbee.ota import ota_file
from harness.zigbee.ota_commands import OtaStatus
from tests.drivers.virtual.ppmid.bench_of_one import run, until
from tests.drivers.virtual.ppmid.fake_air import PPMID, SEED, FakeHub, command, within

NEW, VERSION = "01020305", 0x01020305
KEYS = OwnKeys(ACB, BenchPki(SEED))


def image(version=VERSION, *, content=FOR_ME + bytes(range(200)), **changes):
    values = {"manufacturer": 0x1234, "image_type": IMAGE_TYPE, "file_version": version}
    return ota_file(content, **{**values, **changes})


async def notified(bench, octets, *, offered=VERSION):
    """Join, and be told that there is an image."""
    await bench.join()
    await within(bench.hub.tunnel_opened.wait())
    bench.hub.image, bench.hub.offers = octets, {"file_version": offered}
    bench.hub.tunnel_opened.clear()
    bench.hub.notify()


async def firmware(bench):
    return (await bench.port.identify()).firmware


def alerts(hub):
    puts = [entry for entry in hub.puts if isinstance(entry, tunnel.TransferData)]
    messages = [tunnel.HrgpMessage.from_bytes(entry.data).message for entry in puts]
    of_itself = [message for message in messages if parse(message).cra is Cra.ALERT]
    return [CS09.read_alert(message, KEYS, originator=PPMID) for message in of_itself]


def test_it_takes_the_image_restarts_with_it_and_tells_of_it_once():
    async def scenario(bench):
        await notified(bench, image())
        await within(bench.hub.tunnel_opened.wait())
        await until(lambda: bench.hub.puts)
        assert bench.hub.ends == [OtaStatus.SUCCESS]
        assert await firmware(bench) == NEW
        (alert,) = alerts(bench.hub)
        assert alert.firmware.hex() == NEW
        request = command(7)
        response = await bench.hub.exchange(request)
        assert cs08.read_response(response, KEYS, command=request).firmware.hex() == NEW
        bench.hub.tunnel_opened.clear()
        await bench.device.power(on=False)
        await bench.device.power(on=True)
        await within(bench.hub.tunnel_opened.wait())
        await asyncio.sleep(0.05)
        assert len(alerts(bench.hub)) == 1
        assert await firmware(bench) == NEW

    run(scenario)


@pytest.mark.parametrize(
    "octets",
    [
        image(VERSION + 1),
        image(manufacturer=0x1235),
        image(image_type=1),
        image(content=b"for somebody else"),
        bytes(100),
    ],
    ids=["another version", "another manufacturer", "another type", "not made for it", "no OTA file"],
)
def test_an_image_that_is_not_the_one_offered_is_discarded(octets):
    async def scenario(bench):
        await notified(bench, octets)
        await until(lambda: bench.hub.ends)
        assert bench.hub.ends == [OtaStatus.INVALID_IMAGE]
        assert (await firmware(bench), bench.hub.puts) == ("01020304", [])

    run(scenario)


def test_a_transfer_that_the_hub_breaks_off_changes_nothing_and_may_be_tried_again():
    async def scenario(bench):
        bench.hub.blocks = 3
        await notified(bench, image())
        await until(lambda: bench.hub.ends)
        assert bench.hub.ends == [OtaStatus.ABORT]
        assert await firmware(bench) == "01020304"
        bench.hub.blocks = None
        bench.hub.notify()
        await within(bench.hub.tunnel_opened.wait())
        assert await firmware(bench) == NEW

    run(scenario)


def test_on_a_smets1_hub_it_takes_the_image_and_tells_nobody():
    hub = FakeHub(0x0001)

    async def scenario(bench):
        await bench.join()
        bench.hub.image, bench.hub.offers = image(), {"file_version": VERSION}
        bench.hub.notify()
        await until(lambda: bench.hub.ends)
        await until(lambda: any("started" in line for line in bench.said()[2:]))
        assert (await firmware(bench), bench.hub.puts) == (NEW, [])

    run(scenario, hubs=[hub])


@pytest.mark.parametrize(
    ("defect", "runs", "told"),
    [
        (Defect.KEEPS_OLD_FIRMWARE, "01020304", ["01020304"]),
        (Defect.TELLS_NO_ACTIVATION, NEW, []),
    ],
)
def test_it_can_be_made_to_do_wrong(defect, runs, told):
    async def scenario(bench):
        await notified(bench, image())
        await within(bench.hub.tunnel_opened.wait())
        if told:
            await until(lambda: bench.hub.puts)
        assert await firmware(bench) == runs
        assert [alert.firmware.hex() for alert in alerts(bench.hub)] == told

    run(scenario, defect)


def test_it_can_be_made_to_run_what_was_not_made_for_it():
    async def scenario(bench):
        await notified(bench, image(content=b"for somebody else"))
        await within(bench.hub.tunnel_opened.wait())
        assert bench.hub.ends == [OtaStatus.SUCCESS]

    run(scenario, Defect.TAKES_ANY_IMAGE)
