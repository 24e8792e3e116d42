"""A hub hands a device the image that it holds for it, over the air; how that ends is told to the ACB."""

from __future__ import annotations

import pytest

from harness.eui64 import Eui64
from harness.gbcs.use_cases.firmware import CCS08, TransferResult
from harness.hub.trust_centre import HubEventKind
from harness.zigbee import ota_commands as ota
from harness.zigbee import zcl_clusters, zdo
from harness.zigbee.ota import ota_file
from harness.zigbee.ota_commands import OtaStatus
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_general import DefaultResponse, parse
from tests.hub.fake_radio import CODE, HUB, PPMID, FakeDevice
from tests.hub.gbcs_bench import ACB_KEYS, run
from tests.hub.hub_bench import run as run_plain
from tests.hub.hub_bench import settle

FILE = {"manufacturer": 0x1234, "image_type": 0x0084, "file_version": 0x01020305}
NOT_FOUND = DefaultResponse(command=0x06, status=ZclStatus.NOT_FOUND)
IMAGE = ota_file(bytes(range(150)), **FILE)


async def holding(bench, image=IMAGE):
    """Have the PPMID on the HAN, and an image for it at the hub; return what the hub sent for that."""
    await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
    bench.device.answers = endpoint_of(bench)
    assert bench.device.join()
    await bench.hub.take_image(image, [PPMID], 3600.0)
    await settle()
    return [message for message in bench.device.received if message.cluster == ota.CLUSTER]


def endpoint_of(bench):
    def answers(message):
        if message.cluster != zdo.MatchDescReq.CLUSTER:
            return ()
        sequence, _ = zdo.decode(message.cluster, message.payload)
        found = zdo.MatchDescRsp(status=0, nwk_address=bench.device.short_address, endpoints=(1,))
        return (FakeDevice.reply(message, zdo.encode(sequence, found), cluster=0x8006),)

    return answers


async def asked(bench, command, *, sequence=9):
    """Send the hub a command of the cluster and return what it answers."""
    before = len(bench.device.received)
    bench.device.say(cluster=ota.CLUSTER, payload=ota.frame(command, sequence).to_bytes())
    await settle()
    (message,) = bench.device.received[before:]
    frame = ZclFrame.from_bytes(message.payload)
    assert (frame.sequence, message.link_key_secured) == (sequence, True)
    return parse(frame) if frame.frame_type is ZclFrameType.GLOBAL else zcl_clusters.parse(ota.CLUSTER, frame)


def ended(bench):
    return [event.note for event in bench.hub.events if event.kind is HubEventKind.IMAGE_ENDED]


def test_a_device_is_told_that_there_is_an_image_and_gets_it_block_by_block():
    async def scenario(bench):
        (notice,) = await holding(bench)
        frame = ZclFrame.from_bytes(notice.payload)
        assert zcl_clusters.parse(ota.CLUSTER, frame) == ota.ImageNotify()
        assert notice.link_key_secured
        offer = await asked(bench, ota.QueryNextImageRequest(**FILE))
        assert (offer.status, offer.size) == (OtaStatus.SUCCESS, len(IMAGE))
        octets = b""
        while len(octets) < offer.size:
            block = await asked(bench, ota.ImageBlockRequest(offset=len(octets), maximum=48, **FILE))
            assert (block.offset, block.length) == (len(octets), len(block.data))
            octets += block.data
        assert octets == IMAGE
        assert ended(bench) == [], "nothing has ended before the device says so"
        end = await asked(bench, ota.UpgradeEndRequest(**FILE))
        assert end == ota.UpgradeEndResponse(**FILE)
        assert ended(bench) == ["firmware 01020305: success"]
        again = await asked(bench, ota.QueryNextImageRequest(**FILE))
        assert again.status is OtaStatus.NO_IMAGE_AVAILABLE

    run_plain(scenario)


@pytest.mark.parametrize(
    ("status", "result", "code"),
    [
        (OtaStatus.SUCCESS, TransferResult.SUCCESS, 0x8F8A),
        (OtaStatus.INVALID_IMAGE, TransferResult.IMAGE_DISCARDED, 0x8F89),
        (OtaStatus.ABORT, TransferResult.FILE_TRANSFER_FAILURE, 0x8F89),
    ],
)
def test_how_it_ended_by_the_devices_account_is_told_by_ccs08(status, result, code):
    async def scenario(bench):
        await holding(bench)
        bench.alerts.clear()
        answer = await asked(bench, ota.UpgradeEndRequest(status=status, **FILE))
        if status is not OtaStatus.SUCCESS:
            assert answer == DefaultResponse(command=0x06, status=ZclStatus.SUCCESS)
        ((_, alert),) = bench.alerts
        told = CCS08.read_alert(alert, ACB_KEYS, originator=HUB)
        assert (told.device, told.firmware.hex()) == (PPMID, "01020305")
        assert (told.result, told.alert_code) == (result, code)

    run(scenario)


@pytest.mark.parametrize("status", [OtaStatus.SUCCESS, OtaStatus.ABORT])
def test_who_says_again_how_it_ended_is_answered_again_and_the_acb_is_not_told_twice(status):
    async def scenario(bench):
        await holding(bench)
        bench.alerts.clear()
        end = ota.UpgradeEndRequest(status=status, **FILE)
        first, second, later = [await asked(bench, end, sequence=number) for number in (9, 9, 10)]
        assert first == second == later
        assert first != DefaultResponse(command=0x06, status=ZclStatus.NOT_FOUND)
        assert len(bench.alerts) == 1
        assert await asked(bench, ota.UpgradeEndRequest(**FILE | {"file_version": 1})) == NOT_FOUND

    run(scenario)


async def new_image(bench):
    await bench.hub.take_image(ota_file(b"x", **FILE | {"file_version": 0x01020306}), [PPMID], 3600.0)
    await settle()


async def leave(bench):
    await bench.hub.unjoin(PPMID)
    await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
    assert bench.device.join()
    await settle()


async def begin_afresh(bench):
    bench.hub.images.forget()


@pytest.mark.parametrize("happens", [new_image, leave, begin_afresh])
def test_what_has_ended_is_over_with_a_new_image_or_another_stay(happens):
    async def scenario(bench):
        await holding(bench)
        await asked(bench, ota.UpgradeEndRequest(**FILE))
        await happens(bench)
        assert await asked(bench, ota.UpgradeEndRequest(**FILE)) == NOT_FOUND

    run_plain(scenario)


def test_an_image_that_the_hub_gave_up_was_not_ended_by_its_device():
    async def scenario(bench):
        await holding(bench)
        await bench.advance(3601)
        assert await asked(bench, ota.UpgradeEndRequest(**FILE)) == NOT_FOUND

    run_plain(scenario)


def test_a_device_that_needs_more_images_has_not_ended_with_this_one():
    async def scenario(bench):
        await holding(bench)
        bench.alerts.clear()
        answer = await asked(bench, ota.UpgradeEndRequest(status=OtaStatus.REQUIRE_MORE_IMAGE, **FILE))
        assert answer == DefaultResponse(command=0x06, status=ZclStatus.SUCCESS)
        assert bench.alerts == []
        assert await asked(bench, ota.UpgradeEndRequest(**FILE)) == ota.UpgradeEndResponse(**FILE)
        assert ended(bench) == ["firmware 01020305: success"]

    run(scenario)


def test_an_image_for_other_hardware_is_not_offered_and_ccs08_says_so():
    fits = IMAGE[:56] + (0x0200).to_bytes(2, "little") + (0x02FF).to_bytes(2, "little") + IMAGE[56:]
    size, control = (len(fits)).to_bytes(4, "little"), (0x0004).to_bytes(2, "little")
    image = fits[:6] + (60).to_bytes(2, "little") + control + fits[10:52] + size + fits[56:]

    async def scenario(bench):
        await holding(bench, image)
        bench.alerts.clear()
        answer = await asked(bench, ota.QueryNextImageRequest(hardware=0x0100, **FILE))
        assert answer.status is OtaStatus.NO_IMAGE_AVAILABLE
        ((_, alert),) = bench.alerts
        told = CCS08.read_alert(alert, ACB_KEYS, originator=HUB)
        assert told.result is TransferResult.HARDWARE_VERSION_MISMATCH

    run(scenario)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (ota.QueryNextImageRequest(**FILE | {"manufacturer": 1}), OtaStatus.NO_IMAGE_AVAILABLE),
        (ota.QueryNextImageRequest(**FILE | {"image_type": 1}), OtaStatus.NO_IMAGE_AVAILABLE),
        (ota.ImageBlockRequest(offset=0, maximum=48, **FILE | {"file_version": 1}), OtaStatus.ABORT),
        (ota.ImageBlockRequest(offset=1 << 20, maximum=48, **FILE), OtaStatus.ABORT),
        (ota.UpgradeEndRequest(**FILE | {"file_version": 1}), ZclStatus.NOT_FOUND),
    ],
)
def test_what_was_not_offered_is_not_given(command, answer):
    async def scenario(bench):
        await holding(bench)
        assert (await asked(bench, command)).status == answer
        assert ended(bench) == []

    run_plain(scenario)


def test_a_device_that_comes_later_is_told_when_it_has_a_link_key():
    async def scenario(bench):
        await bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        bench.device.answers = endpoint_of(bench)
        bench.device.establishes = False
        await bench.hub.take_image(IMAGE, [PPMID, Eui64(1)], 3600.0)
        assert bench.device.join()
        await settle()
        assert not [message for message in bench.device.received if message.cluster == ota.CLUSTER]
        bench.device.establishes = True
        bench.hub._log.established(PPMID, bytes(16), 2)
        bench.device.announce()  # it comes back
        await settle()
        assert [message for message in bench.device.received if message.cluster == ota.CLUSTER]

    run_plain(scenario)


def test_a_device_asks_for_itself_alone():
    async def scenario(bench):
        await holding(bench)
        await bench.hub.add_to_device_log(Eui64(7), CODE, 60.0)
        other = FakeDevice(bench.radio, eui64=Eui64(7), short_address=0x4321)
        assert other.join()
        other.say(cluster=ota.CLUSTER, payload=ota.frame(ota.QueryNextImageRequest(**FILE), 3).to_bytes())
        await settle()
        frame = ZclFrame.from_bytes(other.received[-1].payload)
        assert zcl_clusters.parse(ota.CLUSTER, frame).status is OtaStatus.NO_IMAGE_AVAILABLE

    run_plain(scenario)


def test_what_is_no_command_of_the_cluster_is_refused():
    async def scenario(bench):
        await holding(bench)
        for number, payload, status in (
            (0x01, b"", ZclStatus.MALFORMED_COMMAND),
            (0x08, b"", ZclStatus.UNSUP_CLUSTER_COMMAND),
        ):
            frame = ZclFrame(
                frame_type=ZclFrameType.CLUSTER,
                direction=Direction.TO_SERVER,
                sequence=5,
                command=number,
                payload=payload,
            )
            bench.device.say(cluster=ota.CLUSTER, payload=frame.to_bytes())
            await settle()
            answer = parse(ZclFrame.from_bytes(bench.device.received[-1].payload))
            assert answer == DefaultResponse(command=number, status=status)

    run_plain(scenario)
