"""The header of an OTA file: the published one, our own, and what is none."""

import base64
import re

import pytest

from harness.errors import DecodeError
from harness.zigbee.ota import OtaHeader, ota_file, read_header
from tests.dcc_data import dcc_data

MINE = ota_file(b"firmware", manufacturer=0x1234, image_type=0x0084, file_version=0x01020305, text="mine")


def published(name):
    text = dcc_data("duis", "templates", name).read_text()
    found = re.search(r"FirmwareImage>(.*?)<", text, re.DOTALL)
    assert found is not None
    return base64.b64decode(found.group(1))


def test_the_published_image_of_a_ppmid_is_read():
    image = published("11.4_UPDATE_PPMID_FIRMWARE_REQUEST_DUIS.XML")
    assert read_header(image) == OtaHeader(
        manufacturer=0x121D,
        image_type=0x0084,
        file_version=0xACDCACDC,
        size=295,
        text="I am a GFI PPMID firmware image ",
        hardware=(0x1111, 0x1211),
    )


def test_one_of_our_own_is_read():
    header = read_header(MINE)
    assert header == OtaHeader(
        manufacturer=0x1234, image_type=0x0084, file_version=0x01020305, size=len(MINE), text="mine"
    )
    assert read_header(MINE + b"trailer").size == len(MINE)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "0 octets"),
        (MINE[:50], "50 octets"),
        (b"\0" + MINE[1:], "begins with 00F1EE0B"),
        (MINE[:-1], f"says {len(MINE)} octets"),
        (MINE[:8] + b"\4\0" + MINE[10:56] + b"", "says"),
    ],
)
def test_what_is_none_is_told(octets, says):
    with pytest.raises(DecodeError, match=says):
        read_header(octets)


def test_a_header_without_room_for_the_hardware_versions_that_it_has_is_told():
    with pytest.raises(DecodeError, match="hardware versions"):
        read_header(MINE[:8] + b"\4\0" + MINE[10:])
