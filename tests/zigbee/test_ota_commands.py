"""OTA Upgrade commands against octets written down by the tables of 07-5123 §11.13."""

from __future__ import annotations

import pytest

from harness.errors import DecodeError
from harness.zigbee import ota_commands as ota
from harness.zigbee import zcl_clusters
from harness.zigbee.ota_commands import OtaStatus
from harness.zigbee.zcl import Direction

FILE = {"manufacturer": 0x1234, "image_type": 0x0084, "file_version": 0x01020305}
COMMANDS = [
    (ota.ImageNotify(), "0064"),
    (ota.ImageNotify(payload_type=3, jitter=50, **FILE), "0332 3412 8400 05030201"),
    (ota.QueryNextImageRequest(**FILE), "00 3412 8400 05030201"),
    (ota.QueryNextImageRequest(hardware=0x0100, **FILE), "01 3412 8400 05030201 0001"),
    (ota.QueryNextImageResponse(status=OtaStatus.NO_IMAGE_AVAILABLE), "98"),
    (
        ota.QueryNextImageResponse(status=OtaStatus.SUCCESS, size=300, **FILE),
        "00 3412 8400 05030201 2C010000",
    ),
    (ota.ImageBlockRequest(offset=48, maximum=48, **FILE), "00 3412 8400 05030201 30000000 30"),
    (
        ota.ImageBlockResponse(status=OtaStatus.SUCCESS, offset=48, length=2, data=b"ab", **FILE),
        "00 3412 8400 05030201 30000000 02 6162",
    ),
    (ota.ImageBlockResponse(status=OtaStatus.ABORT), "95"),
    (
        ota.ImageBlockResponse(status=OtaStatus.WAIT_FOR_DATA, current_time=0, request_time=10),
        "97 00000000 0A000000",
    ),
    (ota.UpgradeEndRequest(**FILE), "00 3412 8400 05030201"),
    (ota.UpgradeEndResponse(**FILE), "3412 8400 05030201 00000000 00000000"),
]


@pytest.mark.parametrize(("command", "octets"), COMMANDS, ids=lambda value: type(value).__name__)
def test_commands_are_written_and_read_as_the_tables_have_them(command, octets):
    frame = ota.frame(command, 7)
    assert frame.payload == bytes.fromhex(octets)
    assert zcl_clusters.parse(ota.CLUSTER, frame) == command
    answers = type(command) in ota.RESPONSES or isinstance(command, ota.ImageNotify)
    assert frame.direction is (Direction.TO_CLIENT if answers else Direction.TO_SERVER)


@pytest.mark.parametrize("octets", ["", "00", "00 3412 8400 050302"])
def test_what_is_cut_short_is_refused(octets):
    with pytest.raises(DecodeError):
        ota.QueryNextImageResponse.from_bytes(bytes.fromhex(octets))
