"""What ZDO messages are made of: status values, node and simple descriptors.

Source: 05-3474-22 §2.3.2 (descriptors), §2.4.5 (status values).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.zigbee.fields import U8, U16, Bits, Codec, Cursor, Many, Number, OpenEnum, Record
from harness.zigbee.mac import Capability


class ZdoStatus(OpenEnum):
    """Outcome of a request, Table 2-129."""

    SUCCESS = 0x00
    INVALID_REQUEST_TYPE = 0x80
    DEVICE_NOT_FOUND = 0x81
    INVALID_ENDPOINT = 0x82
    NOT_ACTIVE = 0x83
    NOT_SUPPORTED = 0x84
    TIMEOUT = 0x85
    NO_MATCH = 0x86
    NO_ENTRY = 0x88
    NO_DESCRIPTOR = 0x89
    INSUFFICIENT_SPACE = 0x8A
    NOT_PERMITTED = 0x8B
    TABLE_FULL = 0x8C
    NOT_AUTHORIZED = 0x8D


STATUS = Annotated[ZdoStatus, Number(1)]
CLUSTERS = Annotated[tuple[int, ...], Many(Number(2), count=Number(1))]


class LogicalType(OpenEnum):
    """Kind of node, Table 2-30."""

    COORDINATOR = 0
    ROUTER = 1
    END_DEVICE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDescriptor(Record):
    """§2.3.2.3. `frequency_bands` bit 3: 2.4 GHz. Sizes in octets."""

    CONTROL_OCTETS: ClassVar[int] = 2

    logical_type: Annotated[LogicalType, Bits(0, 3)]
    complex_descriptor: Annotated[bool, Bits(3)] = False
    user_descriptor: Annotated[bool, Bits(4)] = False
    reserved: Annotated[int, Bits(5, 3)] = 0
    aps_flags: Annotated[int, Bits(8, 3)] = 0
    frequency_bands: Annotated[int, Bits(11, 5)] = 0x08
    capability: Capability
    manufacturer: U16 = 0
    maximum_buffer_size: U8 = 82
    maximum_incoming_transfer: U16 = 1500
    server_mask: U16 = 0
    maximum_outgoing_transfer: U16 = 1500
    descriptor_capability: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleDescriptor(Record):
    """§2.3.2.5: what an endpoint is, and the clusters it serves (input) and uses (output)."""

    endpoint: U8
    profile: U16
    device_id: U16
    device_version: Annotated[int, Bits(0, 4)] = 0
    reserved: Annotated[int, Bits(4, 4)] = 0
    input_clusters: CLUSTERS = ()
    output_clusters: CLUSTERS = ()


@dataclass(frozen=True, slots=True)
class SizedDescriptor(Codec):
    """A simple descriptor after its length; length 0 is None."""

    TAKES_NONE: ClassVar[bool] = True

    def write(self, value: SimpleDescriptor | None) -> bytes:
        """Return length and descriptor."""
        octets = value.to_bytes() if value else b""
        return Number(1).write(len(octets)) + octets

    def read(self, cursor: Cursor, field: str, control: int) -> SimpleDescriptor | None:  # noqa: ARG002
        """Take length and descriptor."""
        octets = cursor.take(cursor.number(1, field), field)
        return SimpleDescriptor.from_bytes(octets) if octets else None
