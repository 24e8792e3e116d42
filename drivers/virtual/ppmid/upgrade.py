"""How the PPMID gets another firmware over the air, runs it, and tells of it.

It asks its hub when the hub says that there may be an image, takes it block by block, checks that it is the
one that was offered and was made for it, and restarts with it. On a SMETS2+ hub it then tells the ACB (CS09)
when its tunnel is there again. Source: 07-5123 (ZCL) §11.13; facts gb-domain §3.4 (CS09).
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.virtual.device.questions import Questions, Unanswered
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.stack.faces import ApsIndication
from harness.errors import DecodeError
from harness.zigbee import ota, zcl_clusters
from harness.zigbee import ota_commands as commands
from harness.zigbee.ota_commands import OtaStatus
from harness.zigbee.zcl import ZclFrame, ZclFrameType

IMAGE_TYPE = 0x0084  # as the published 11.4 request has it for a PPMID
FOR_ME = b"for the virtual PPMID alone; "
"""What the content of an image for this device begins with: it stands for a maker's signature."""

_LENGTH, _TAG_OCTETS = slice(6, 8), 6  # where a file says how long its header is; what is before the content
_BLOCK_OCTETS = 48
_LARGEST = 1 << 20  # of an image, in octets


class Upgrade:
    """One device's upgrades. `restart` asks for power-down and power-up."""

    def __init__(
        self,
        questions: Questions,
        config: PpmidConfig,
        kept: NonVolatile,
        memory: Memory,
        restart: Callable[[], None],
    ) -> None:
        self._questions = questions
        self._config = config
        self._kept = kept
        self._memory = memory
        self._restart = restart
        self._busy = False

    async def look(self) -> None:
        """Ask the hub for an image; take it and run it when there is one."""
        if self._busy:
            return
        self._busy = True
        try:
            await self._look(await self._questions.match(commands.CLUSTER))
        except Unanswered:
            return  # the hub will say again that there is one
        finally:
            self._busy = False

    async def _look(self, endpoint: int) -> None:
        query = commands.QueryNextImageRequest(
            manufacturer=int(self._config.manufacturer, 16),
            image_type=IMAGE_TYPE,
            file_version=int(self._config.firmware, 16),
        )
        offer = await self._ask(endpoint, query)
        if not isinstance(offer, commands.QueryNextImageResponse) or offer.file_version is None:
            return
        status = await self._take(endpoint, offer)
        end = commands.UpgradeEndRequest(
            status=status,
            manufacturer=query.manufacturer,
            image_type=query.image_type,
            file_version=offer.file_version,
        )
        answer = await self._ask(endpoint, end)
        if status is OtaStatus.SUCCESS and isinstance(answer, commands.UpgradeEndResponse):
            self._run(offer.file_version)

    async def _take(self, endpoint: int, offer: commands.QueryNextImageResponse) -> OtaStatus:
        """Fetch the image; return what it is worth."""
        size = offer.size or 0
        image = b""
        while len(image) < min(size, _LARGEST):
            block = await self._ask(
                endpoint,
                commands.ImageBlockRequest(
                    manufacturer=offer.manufacturer or 0,
                    image_type=offer.image_type or 0,
                    file_version=offer.file_version or 0,
                    offset=len(image),
                    maximum=min(_BLOCK_OCTETS, size - len(image)),
                ),
            )
            if not isinstance(block, commands.ImageBlockResponse) or not block.data:
                return OtaStatus.ABORT
            image += block.data
        return OtaStatus.SUCCESS if self._is_good(image, offer) else OtaStatus.INVALID_IMAGE

    def _is_good(self, image: bytes, offer: commands.QueryNextImageResponse) -> bool:
        if Defect.TAKES_ANY_IMAGE in self._config.defects:
            return True
        try:
            header = ota.read_header(image)
        except DecodeError:
            return False
        wanted = int(self._config.manufacturer, 16), IMAGE_TYPE, offer.file_version
        is_offered = (header.manufacturer, header.image_type, header.file_version) == wanted
        content = int.from_bytes(image[_LENGTH], "little") + _TAG_OCTETS
        return is_offered and image.startswith(FOR_ME, content)

    def _run(self, version: int) -> None:
        """Restart with another firmware, of which somebody is to be told."""
        if Defect.KEEPS_OLD_FIRMWARE not in self._config.defects:
            self._kept.firmware = f"{version:08X}"
        self._kept.alert_due = Defect.TELLS_NO_ACTIVATION not in self._config.defects
        self._memory.store(self._kept)
        self._restart()

    async def _ask(self, endpoint: int, command: commands.OtaCommand) -> object:
        frame = commands.frame(command, self._questions.next_sequence())
        answer = await self._questions.ask_zcl(endpoint, commands.CLUSTER, frame, secured=True)
        if answer.frame_type is ZclFrameType.GLOBAL:
            return None
        try:
            return zcl_clusters.parse(commands.CLUSTER, answer)
        except DecodeError:
            return None


def is_image_notify(message: ApsIndication, frame: ZclFrame) -> bool:
    """Whether a frame says that there may be an image."""
    return (
        message.cluster == commands.CLUSTER
        and frame.frame_type is ZclFrameType.CLUSTER
        and frame.manufacturer is None
        and commands.COMMANDS.get((frame.direction, frame.command)) is commands.ImageNotify
    )
