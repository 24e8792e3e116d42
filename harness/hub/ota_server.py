"""The hub as OTA server: hands a device on its HAN the image that it holds for it, block by block.

The device asks; the hub says by Image Notify that asking is worth while. How the transfer to a device ends is
told to `images`, once: a device that did not get the answer says again how it ended, and is answered again.
Source: 07-5123 (ZCL) §11.13, §11.13.9 (which statuses a Default Response answers), §11.15 (upgrade at once).
"""

from __future__ import annotations

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.use_cases.firmware import TransferResult
from harness.hub.firmware_images import FirmwareImages, HeldImage
from harness.hub.zcl_server import default_response
from harness.rig.faces import ApsMessage
from harness.zigbee import ota_commands as ota
from harness.zigbee.ota import OtaHeader
from harness.zigbee.ota_commands import OtaStatus
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus

_ENDED = {
    OtaStatus.SUCCESS: TransferResult.SUCCESS,
    OtaStatus.INVALID_IMAGE: TransferResult.IMAGE_DISCARDED,
}
_NO_IMAGE = ota.QueryNextImageResponse(status=OtaStatus.NO_IMAGE_AVAILABLE)
_ABORT = ota.ImageBlockResponse(status=OtaStatus.ABORT)


class OtaServer:
    """Answers the cluster's commands from devices, each for itself."""

    def __init__(self, images: FirmwareImages) -> None:
        self._images = images

    def receive(self, frame: ZclFrame, device: Eui64) -> ZclFrame:
        """Take a command of a device's and return the answer."""
        kind = ota.COMMANDS.get((frame.direction, frame.command))
        if kind is None:
            return default_response(frame, ZclStatus.UNSUP_CLUSTER_COMMAND)
        try:
            command = kind.from_bytes(frame.payload)
        except DecodeError:
            return default_response(frame, ZclStatus.MALFORMED_COMMAND)
        answer = self._answer(command, device)
        if isinstance(answer, ZclStatus):
            return default_response(frame, answer)
        return ota.frame(answer, frame.sequence)

    def _answer(self, command: ota.OtaCommand, device: Eui64) -> ota.OtaCommand | ZclStatus:
        held = self._images.image_for(device)
        if isinstance(command, ota.QueryNextImageRequest):
            return self._offer(held, command, device)
        if isinstance(command, ota.ImageBlockRequest):
            return _block(held, command)
        if isinstance(command, ota.UpgradeEndRequest):
            return self._end(held, command, device)
        return ZclStatus.UNSUP_CLUSTER_COMMAND

    def _offer(
        self, held: HeldImage | None, query: ota.QueryNextImageRequest, device: Eui64
    ) -> ota.OtaCommand:
        if held is None or _is_other(held.header, query.manufacturer, query.image_type):
            return _NO_IMAGE
        if not _fits(held, query.hardware):
            self._images.end(device, TransferResult.HARDWARE_VERSION_MISMATCH)
            return _NO_IMAGE
        header = held.header
        return ota.QueryNextImageResponse(
            status=OtaStatus.SUCCESS,
            manufacturer=header.manufacturer,
            image_type=header.image_type,
            file_version=header.file_version,
            size=len(held.octets),
        )

    def _end(
        self, held: HeldImage | None, end: ota.UpgradeEndRequest, device: Eui64
    ) -> ota.OtaCommand | ZclStatus:
        which = (end.manufacturer, end.image_type, end.file_version)
        if held is not None and not _is_other(held.header, *which):
            if end.status is not OtaStatus.REQUIRE_MORE_IMAGE:  # it has this one, and runs none yet
                self._images.ended_by(device, _ENDED.get(end.status, TransferResult.FILE_TRANSFER_FAILURE))
        elif (ended := self._images.last_ended_by(device)) is None or _is_other(ended, *which):
            return ZclStatus.NOT_FOUND
        if end.status is not OtaStatus.SUCCESS:
            return ZclStatus.SUCCESS
        return ota.UpgradeEndResponse(
            manufacturer=end.manufacturer, image_type=end.image_type, file_version=end.file_version
        )


def is_ota_command(message: ApsMessage, frame: ZclFrame) -> bool:
    """Whether a frame is a command of the cluster's own, to the server."""
    return (
        message.cluster == ota.CLUSTER
        and frame.frame_type is ZclFrameType.CLUSTER
        and frame.direction is Direction.TO_SERVER
        and frame.manufacturer is None
    )


def _block(held: HeldImage | None, asked: ota.ImageBlockRequest) -> ota.OtaCommand:
    if held is None or _is_other(held.header, asked.manufacturer, asked.image_type, asked.file_version):
        return _ABORT
    data = held.octets[asked.offset : asked.offset + asked.maximum]
    if not data:
        return _ABORT
    return ota.ImageBlockResponse(
        status=OtaStatus.SUCCESS,
        manufacturer=asked.manufacturer,
        image_type=asked.image_type,
        file_version=asked.file_version,
        offset=asked.offset,
        length=len(data),
        data=data,
    )


def _fits(held: HeldImage, hardware: int | None) -> bool:
    """Whether an image is for this hardware version, as far as both say."""
    allowed = held.header.hardware
    return allowed is None or hardware is None or allowed[0] <= hardware <= allowed[1]


def _is_other(header: OtaHeader, manufacturer: int, image_type: int, version: int | None = None) -> bool:
    same = (header.manufacturer, header.image_type) == (manufacturer, image_type)
    return not same or version not in (None, header.file_version)
