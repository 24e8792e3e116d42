"""tshark reads the OTA Upgrade commands of a run: the image that goes by is the file that was sent."""

from __future__ import annotations

import pytest

from tests.conformance.test_certify_tshark import ask, keys_of
from tests.system.one_run import FIRMWARE_PLAN

pytestmark = pytest.mark.tshark
OTA = "zbee_zcl_general.ota"
THERE, BACK = 0x01020400, 0x01020304


@pytest.fixture
def folder(firmware_certified):
    return firmware_certified.pack / "cases" / "FIRMWARE-THERE-AND-BACK"


def commands(folder, display_filter, *fields):
    keys = tuple(keys_of(folder))
    return ask(folder, keys, display_filter, *(f"{OTA}.{field}" for field in fields))


@pytest.mark.parametrize("version", [THERE, BACK])
def test_the_image_on_the_air_is_the_file(folder, version):
    blocks = commands(
        folder,
        f"{OTA}.cmd.srv_tx.id == 0x05 && {OTA}.file.version == {version}",
        *("file.offset", "data_size", "image.data"),
    )
    image = b""
    for offset, size, data in blocks:
        octets = bytes.fromhex(data.replace(":", ""))
        assert (int(offset, 0), int(size, 0)) == (len(image), len(octets))
        image += octets
    file = FIRMWARE_PLAN.parent / "images" / f"virtual-{version:08x}.ota"
    assert image == file.read_bytes()


def test_how_it_is_offered_and_ended_is_read_too(folder):
    asked = commands(
        folder, f"{OTA}.cmd.srv_rx.id == 0x01", "manufacturer_code", "image.type", "file.version"
    )
    wanted = [[0x1234, 0x0084, BACK], [0x1234, 0x0084, THERE]]
    assert [[int(value, 0) for value in row] for row in asked] == wanted
    sizes = commands(folder, f"{OTA}.cmd.srv_tx.id == 0x02", "status", "image.size")
    assert [int(status, 0) for status, _ in sizes] == [0, 0]
    ends = commands(folder, f"{OTA}.cmd.srv_rx.id == 0x06", "status", "file.version")
    assert [[int(value, 0) for value in row] for row in ends] == [[0, THERE], [0, BACK]]
