"""What a hub does with firmware images: held for whom, until when, how many, and told how it ended."""

import pytest

from harness.errors import StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs.use_cases.firmware import CCS08, TransferResult
from harness.hub.firmware_images import MOST_IMAGES, FirmwareImages
from harness.zigbee.ota import ota_file
from tests.hub.fake_radio import HUB, PPMID
from tests.hub.gbcs_bench import ACB_KEYS, run

A, B = Eui64(0xA), Eui64(0xB)


def image(version):
    return ota_file(b"x" * 100, manufacturer=0x1234, image_type=0x84, file_version=version)


class Shelf:
    def __init__(self):
        self.now = 1000.0
        self.ended = []
        self.images = FirmwareImages(
            lambda: self.now,
            lambda device, header, how: self.ended.append((device, header.file_version, how)),
        )


def test_an_image_is_held_for_its_devices_and_for_nobody_else():
    shelf = Shelf()
    shelf.images.take(image(1), [A], 60)
    assert shelf.images.image_for(A).octets == image(1)
    assert shelf.images.image_for(B) is None


def test_a_device_is_given_the_last_that_came_for_it():
    shelf = Shelf()
    shelf.images.take(image(1), [A, B], 60)
    shelf.images.take(image(2), [A], 60)
    assert [shelf.images.image_for(one).header.file_version for one in (A, B)] == [2, 1]
    shelf.images.take(image(2), [B], 60)
    assert len(shelf.images.held) == 2
    assert shelf.ended == []


def test_it_is_dropped_when_its_time_is_over_and_each_device_is_told_of():
    shelf = Shelf()
    shelf.images.take(image(1), [B, A], 60)
    shelf.images.take(image(2), [Eui64(0xC)], 90)
    assert shelf.images.next_deadline() == 1060
    shelf.images.tick(1059.9)
    assert shelf.ended == []
    shelf.images.tick(1060)
    discarded = TransferResult.IMAGE_DISCARDED
    assert shelf.ended == [(A, 1, discarded), (B, 1, discarded)]
    assert shelf.images.next_deadline() == 1090


def test_a_device_that_has_it_is_given_no_more():
    shelf = Shelf()
    shelf.images.take(image(1), [A, B], 60)
    shelf.images.end(A, TransferResult.SUCCESS)
    shelf.images.end(A, TransferResult.SUCCESS)
    assert shelf.ended == [(A, 1, TransferResult.SUCCESS)]
    assert shelf.images.image_for(A) is None
    shelf.images.end(B, TransferResult.SUCCESS)
    assert shelf.images.held == ()


def test_the_oldest_gives_way_when_there_are_too_many():
    shelf = Shelf()
    for number in range(MOST_IMAGES + 1):
        shelf.images.take(image(number), [Eui64(number)], 60)
    assert len(shelf.images.held) == MOST_IMAGES
    assert shelf.ended == [(Eui64(0), 0, TransferResult.IMAGE_DISCARDED)]


def test_what_is_no_ota_file_is_not_held():
    shelf = Shelf()
    with pytest.raises(StimulusImpossible):
        shelf.images.take(b"no firmware", [A], 60)
    assert shelf.images.held == ()


def test_a_new_case_tells_of_nothing():
    shelf = Shelf()
    shelf.images.take(image(1), [A], 60)
    shelf.images.forget()
    assert (shelf.images.held, shelf.ended, shelf.images.next_deadline()) == ((), [], None)


# --- a hub on a radio ---------------------------------------------------------------------------------------


def test_a_smets2_hub_tells_the_acb_when_it_gives_an_image_up():
    async def scenario(bench):
        await bench.hub.take_image(image(0x01020305), [PPMID], 3600)
        await bench.advance(3599)
        assert bench.alerts == []
        await bench.advance(1)
        ((_, message),) = bench.alerts
        fields = CCS08.read_alert(message, ACB_KEYS, originator=HUB)
        assert (fields.device, fields.firmware.hex(), fields.result) == (
            PPMID,
            "01020305",
            TransferResult.IMAGE_DISCARDED,
        )
        assert bench.hub.images.held == ()

    run(scenario)


def test_a_hub_cannot_hold_what_is_no_ota_file():
    async def scenario(bench):
        with pytest.raises(StimulusImpossible, match="cannot hand out this image"):
            await bench.hub.take_image(b"no firmware", [PPMID], 60)
        await bench.hub.take_image(image(1), [PPMID], 60)
        await bench.hub.begin_afresh()
        assert bench.hub.images.held == ()
        assert bench.alerts == []

    run(scenario)
