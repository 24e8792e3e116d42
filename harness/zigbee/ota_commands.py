"""OTA Upgrade cluster: the commands by which a device gets a firmware image from a hub, block by block.

Source: 07-5123 (ZCL) §11.13 (cluster 0x0019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.eui64 import Eui64
from harness.zigbee.fields import (
    U8,
    U16,
    U32,
    Bits,
    Eui,
    IfAny,
    Number,
    Octets,
    OpenEnum,
    Present,
    Record,
    When,
)
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType

CLUSTER = 0x0019


class OtaStatus(OpenEnum):
    """Statuses of this cluster, Table 11-2."""

    SUCCESS = 0x00
    NOT_AUTHORIZED = 0x7E
    ABORT = 0x95
    INVALID_IMAGE = 0x96
    WAIT_FOR_DATA = 0x97
    NO_IMAGE_AVAILABLE = 0x98
    REQUIRE_MORE_IMAGE = 0x99


def _ok(status: int) -> bool:
    return status == OtaStatus.SUCCESS


def _wait(status: int) -> bool:
    return status == OtaStatus.WAIT_FOR_DATA


# --- server to client -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNotify(Record):
    """There may be an image, §11.13.3. `payload_type` says how many of the last three fields there are."""

    CONTROL_OCTETS: ClassVar[int] = 1

    payload_type: Annotated[int, Bits(0, 8)] = 0
    jitter: U8 = 100
    manufacturer: Annotated[int | None, Number(2), When(lambda kind: kind >= 1)] = None
    image_type: Annotated[int | None, Number(2), When(lambda kind: kind >= 2)] = None
    file_version: Annotated[int | None, Number(4), When(lambda kind: kind >= 3)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryNextImageResponse(Record):
    """§11.13.5. `size` in octets, of the whole file."""

    CONTROL_OCTETS: ClassVar[int] = 1

    status: Annotated[OtaStatus, Bits(0, 8)]
    manufacturer: Annotated[int | None, Number(2), When(_ok)] = None
    image_type: Annotated[int | None, Number(2), When(_ok)] = None
    file_version: Annotated[int | None, Number(4), When(_ok)] = None
    size: Annotated[int | None, Number(4), When(_ok)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBlockResponse(Record):
    """§11.13.8. Times of WAIT_FOR_DATA in seconds: come again at the second, when it is the first now."""

    CONTROL_OCTETS: ClassVar[int] = 1

    status: Annotated[OtaStatus, Bits(0, 8)]
    manufacturer: Annotated[int | None, Number(2), When(_ok)] = None
    image_type: Annotated[int | None, Number(2), When(_ok)] = None
    file_version: Annotated[int | None, Number(4), When(_ok)] = None
    offset: Annotated[int | None, Number(4), When(_ok)] = None
    length: Annotated[int | None, Number(1), When(_ok)] = None
    data: Annotated[bytes | None, Octets(), When(_ok)] = None
    current_time: Annotated[int | None, Number(4), When(_wait)] = None
    request_time: Annotated[int | None, Number(4), When(_wait)] = None
    block_period_ms: Annotated[int | None, Number(2), IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeEndResponse(Record):
    """§11.13.9.6. When to run the image: at `upgrade_time`, when it is `current_time` now."""

    manufacturer: U16
    image_type: U16
    file_version: U32
    current_time: U32 = 0
    upgrade_time: U32 = 0


# --- client to server -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryNextImageRequest(Record):
    """§11.13.4. `file_version` is the one that runs."""

    CONTROL_OCTETS: ClassVar[int] = 1

    reserved: Annotated[int, Bits(1, 7)] = 0
    manufacturer: U16
    image_type: U16
    file_version: U32
    hardware: Annotated[int | None, Number(2), Present(0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBlockRequest(Record):
    """§11.13.6. `maximum` octets at most from `offset` of the file."""

    CONTROL_OCTETS: ClassVar[int] = 1

    reserved: Annotated[int, Bits(2, 6)] = 0
    manufacturer: U16
    image_type: U16
    file_version: U32
    offset: U32
    maximum: U8
    node: Annotated[Eui64 | None, Eui(), Present(0)] = None
    block_period_ms: Annotated[int | None, Number(2), Present(1)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeEndRequest(Record):
    """§11.13.9. What became of the image."""

    status: Annotated[OtaStatus, Number(1)] = OtaStatus.SUCCESS
    manufacturer: U16
    image_type: U16
    file_version: U32


OtaCommand = (
    ImageNotify
    | QueryNextImageRequest
    | QueryNextImageResponse
    | ImageBlockRequest
    | ImageBlockResponse
    | UpgradeEndRequest
    | UpgradeEndResponse
)

COMMANDS: Mapping[tuple[Direction, int], type[OtaCommand]] = {
    (Direction.TO_CLIENT, 0x00): ImageNotify,
    (Direction.TO_SERVER, 0x01): QueryNextImageRequest,
    (Direction.TO_CLIENT, 0x02): QueryNextImageResponse,
    (Direction.TO_SERVER, 0x03): ImageBlockRequest,
    (Direction.TO_CLIENT, 0x05): ImageBlockResponse,
    (Direction.TO_SERVER, 0x06): UpgradeEndRequest,
    (Direction.TO_CLIENT, 0x07): UpgradeEndResponse,
}
"""Commands by direction and identifier, Table 11-8; pages are not read and are left out."""

_NUMBERS = {kind: (direction, number) for (direction, number), kind in COMMANDS.items()}
RESPONSES = frozenset((QueryNextImageResponse, ImageBlockResponse, UpgradeEndResponse))
"""What answers a client's command."""


def frame(command: OtaCommand, sequence: int) -> ZclFrame:
    """Return the ZCL frame of a command."""
    direction, number = _NUMBERS[type(command)]
    return ZclFrame(
        frame_type=ZclFrameType.CLUSTER,
        direction=direction,
        disable_default_response=True,
        sequence=sequence,
        command=number,
        payload=command.to_bytes(),
    )
