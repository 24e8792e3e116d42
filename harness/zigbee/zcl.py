"""ZCL frames: the header, and a frame of header and payload; the global commands are in `zcl_general`.

Source: 07-5123 (ZCL) §2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.zigbee.fields import REST, U8, Bits, Number, OpenEnum, Present, Record


class ZclFrameType(OpenEnum):
    """Whether a command is every cluster's or this cluster's, Table 2-2."""

    GLOBAL = 0
    CLUSTER = 1


class Direction(OpenEnum):
    """Which side of the cluster the command goes to, §2.4.1.1.3."""

    TO_SERVER = 0
    TO_CLIENT = 1


class ZclStatus(OpenEnum):
    """Status, Table 2-12."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUP_CLUSTER_COMMAND = 0x81
    UNSUP_GENERAL_COMMAND = 0x82
    UNSUP_MANUF_CLUSTER_COMMAND = 0x83
    UNSUP_MANUF_GENERAL_COMMAND = 0x84
    INVALID_FIELD = 0x85
    UNSUPPORTED_ATTRIBUTE = 0x86
    INVALID_VALUE = 0x87
    READ_ONLY = 0x88
    INSUFFICIENT_SPACE = 0x89
    DUPLICATE_EXISTS = 0x8A
    NOT_FOUND = 0x8B
    UNREPORTABLE_ATTRIBUTE = 0x8C
    INVALID_DATA_TYPE = 0x8D
    INVALID_SELECTOR = 0x8E
    WRITE_ONLY = 0x8F
    INCONSISTENT = 0x92
    ACTION_DENIED = 0x93
    TIMEOUT = 0x94
    ABORT = 0x95
    WAIT_FOR_DATA = 0x97
    NO_IMAGE_AVAILABLE = 0x98
    HARDWARE_FAILURE = 0xC0
    SOFTWARE_FAILURE = 0xC1
    UNSUPPORTED_CLUSTER = 0xC3


@dataclass(frozen=True, slots=True, kw_only=True)
class ZclFrame(Record):
    """ZCL frame, §2.4.1. A manufacturer's own command has `manufacturer`."""

    CONTROL_OCTETS: ClassVar[int] = 1

    frame_type: Annotated[ZclFrameType, Bits(0, 2)]
    direction: Annotated[Direction, Bits(3)] = Direction.TO_SERVER
    disable_default_response: Annotated[bool, Bits(4)] = False
    reserved: Annotated[int, Bits(5, 3)] = 0
    manufacturer: Annotated[int | None, Number(2), Present(2)] = None
    sequence: U8
    command: U8
    payload: REST = b""
