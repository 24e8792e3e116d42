"""IEEE 802.15.4 MAC frames as Zigbee uses them, with the Zigbee beacon payload.

Without MAC security, which Zigbee does not use. Source: IEEE 802.15.4-2006 §7.2 (frames) and §7.3
(commands); 05-3474 §3.6.7 (beacon payload).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import crcmod

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.fields import (
    EUI64,
    REST,
    U8,
    U16,
    U24,
    Bits,
    Codec,
    Cursor,
    Eui,
    Number,
    OpenEnum,
    Record,
    When,
)

BROADCAST = 0xFFFF
"""Broadcast short address, and the PAN id that means every PAN."""

NO_SHORT_ADDRESS = 0xFFFE
"""A device that is associated but goes by its EUI-64; also the sixteen bits of a rejected association."""

_crc_itu: Callable[[bytes], int] = crcmod.mkCrcFun(0x11021, initCrc=0, rev=True, xorOut=0)


def with_fcs(frame: bytes) -> bytes:
    """Return the PSDU: the frame and its 2-octet FCS, least significant octet first (§7.2.1.9)."""
    return frame + _crc_itu(frame).to_bytes(2, "little")


def strip_fcs(psdu: bytes) -> bytes:
    """Return the frame without its FCS. Raises DecodeError when the FCS is wrong or missing."""
    if len(psdu) < 2:
        raise DecodeError("FCS", f"{len(psdu)} octets are too few", offset=0)
    frame, fcs = psdu[:-2], int.from_bytes(psdu[-2:], "little")
    expected = _crc_itu(frame)
    if fcs != expected:
        raise DecodeError("FCS", f"is {fcs:04X}, must be {expected:04X}", offset=len(frame))
    return frame


class MacFrameType(OpenEnum):
    """Frame type, Table 79."""

    BEACON = 0
    DATA = 1
    ACK = 2
    COMMAND = 3


@dataclass(frozen=True, slots=True)
class _Address(Codec):
    """A short address (a number) or an Eui64, told apart by two bits of the frame control (Table 80)."""

    shift: int

    def write(self, value: int | Eui64) -> bytes:
        return value.to_bytes_le() if isinstance(value, Eui64) else Number(2).write(value)

    def read(self, cursor: Cursor, field: str, control: int) -> int | Eui64:
        mode = control >> self.shift & 3
        if mode == 1:
            raise DecodeError(field, "addressing mode 1 is reserved", offset=cursor.offset)
        return cursor.number(2, field) if mode == 2 else Eui().read(cursor, field, control)

    def control_of(self, value: int | Eui64) -> int:
        return (3 if isinstance(value, Eui64) else 2) << self.shift


_DESTINATION, _SOURCE, _COMPRESSED = 10, 14, 1 << 6


@dataclass(frozen=True, slots=True)
class _Addressed:
    """Presence of an address or PAN id: the addressing mode is not 0."""

    shift: int

    def __call__(self, control: int) -> bool:
        return bool(control >> self.shift & 3)


def _has_source_pan(control: int) -> bool:
    return bool(control >> _SOURCE & 3) and not control & _COMPRESSED


def _addressed(shift: int) -> When:
    return When(_Addressed(shift))


@dataclass(frozen=True, slots=True, kw_only=True)
class MacFrame(Record):
    """General MAC frame, §7.2.1, without FCS.

    An address is a 16-bit number or an Eui64; its mode follows from that. With `pan_id_compression`
    the source PAN id is left out, since it is the destination's.
    """

    CONTROL_OCTETS: ClassVar[int] = 2

    frame_type: Annotated[MacFrameType, Bits(0, 3)]
    security: Annotated[bool, Bits(3)] = False
    frame_pending: Annotated[bool, Bits(4)] = False
    ack_request: Annotated[bool, Bits(5)] = False
    pan_id_compression: Annotated[bool, Bits(6)] = False
    reserved: Annotated[int, Bits(7, 3)] = 0
    version: Annotated[int, Bits(12, 2)] = 0
    sequence: U8
    destination_pan: Annotated[int | None, Number(2), _addressed(_DESTINATION)] = None
    destination: Annotated[int | Eui64 | None, _Address(_DESTINATION), _addressed(_DESTINATION)] = None
    source_pan: Annotated[int | None, Number(2), When(_has_source_pan)] = None
    source: Annotated[int | Eui64 | None, _Address(_SOURCE), _addressed(_SOURCE)] = None
    payload: REST = b""

    def __post_init__(self) -> None:
        if self.version > 1:
            raise ValueError(f"frame version {self.version} is not of IEEE 802.15.4-2006")
        if self.pan_id_compression and (self.destination is None or self.source is None):
            raise ValueError("PAN id compression needs both addresses")

    @property
    def source_pan_id(self) -> int | None:
        """The source's PAN id, whether or not it was compressed."""
        return self.destination_pan if self.pan_id_compression else self.source_pan


def ack(sequence: int, *, frame_pending: bool = False) -> MacFrame:
    """Return the acknowledgement of frame `sequence`, §7.2.2.3."""
    return MacFrame(frame_type=MacFrameType.ACK, sequence=sequence, frame_pending=frame_pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability(Record):
    """Capability information, §7.3.1.2; also in NWK rejoin requests and Device_annce."""

    alternate_pan_coordinator: Annotated[bool, Bits(0)] = False
    full_function_device: Annotated[bool, Bits(1)] = False
    mains_powered: Annotated[bool, Bits(2)] = False
    receiver_on_when_idle: Annotated[bool, Bits(3)] = False
    reserved: Annotated[int, Bits(4, 2)] = 0
    security: Annotated[bool, Bits(6)] = False
    allocate_address: Annotated[bool, Bits(7)] = True


# --- beacon -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gts(Codec):
    """GTS fields, §7.2.2.1.3: kept as octets, since Zigbee has none."""

    def write(self, value: bytes) -> bytes:
        return value

    def read(self, cursor: Cursor, field: str, control: int) -> bytes:  # noqa: ARG002
        specification = cursor.take(1, field)
        count = specification[0] & 7
        return specification + cursor.take(1 + 3 * count if count else 0, field)


@dataclass(frozen=True, slots=True)
class _Pending(Codec):
    """Pending address fields, §7.2.2.1.6: short addresses first, then extended ones."""

    def write(self, value: tuple[int | Eui64, ...]) -> bytes:
        short = [entry for entry in value if not isinstance(entry, Eui64)]
        extended = [entry for entry in value if isinstance(entry, Eui64)]
        if len(value) > 7 or tuple(value) != (*short, *extended):
            raise ValueError("at most 7 addresses, the short ones first")
        head = bytes([len(short) | len(extended) << 4])
        octets = b"".join(entry.to_bytes(2, "little") for entry in short)
        return head + octets + b"".join(entry.to_bytes_le() for entry in extended)

    def read(self, cursor: Cursor, field: str, control: int) -> tuple[int | Eui64, ...]:
        counts = cursor.number(1, field)
        if counts & 0x88 or (counts & 7) + (counts >> 4) > 7:
            raise DecodeError(
                field, f"{counts:#04x} is no pending address specification", offset=cursor.offset
            )
        short = [cursor.number(2, field) for _ in range(counts & 7)]
        return (*short, *(Eui().read(cursor, field, control) for _ in range(counts >> 4 & 7)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon(Record):
    """MAC payload of a beacon frame, §7.2.2.1. `beacon_order` 15: a network without regular beacons."""

    CONTROL_OCTETS: ClassVar[int] = 2

    beacon_order: Annotated[int, Bits(0, 4)] = 15
    superframe_order: Annotated[int, Bits(4, 4)] = 15
    final_cap_slot: Annotated[int, Bits(8, 4)] = 15
    battery_life_extension: Annotated[bool, Bits(12)] = False
    reserved: Annotated[int, Bits(13)] = 0
    pan_coordinator: Annotated[bool, Bits(14)] = False
    association_permit: Annotated[bool, Bits(15)] = False
    gts: Annotated[bytes, _Gts()] = b"\x00"
    pending: Annotated[tuple[int | Eui64, ...], _Pending()] = ()
    payload: REST = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZigbeeBeacon(Record):
    """Beacon payload of a Zigbee PRO network, 05-3474 Table 3-71. `tx_offset` FFFFFF: beaconless."""

    CONTROL_OCTETS: ClassVar[int] = 2

    protocol_id: U8 = 0
    stack_profile: Annotated[int, Bits(0, 4)] = 2
    protocol_version: Annotated[int, Bits(4, 4)] = 2
    reserved: Annotated[int, Bits(8, 2)] = 0
    router_capacity: Annotated[bool, Bits(10)] = False
    depth: Annotated[int, Bits(11, 4)] = 0
    end_device_capacity: Annotated[bool, Bits(15)] = False
    extended_pan_id: EUI64
    tx_offset: U24 = 0xFFFFFF
    update_id: U8 = 0


# --- commands ---------------------------------------------------------------------------------------


class MacCommandId(OpenEnum):
    """Command frame identifier, Table 82."""

    ASSOCIATION_REQUEST = 1
    ASSOCIATION_RESPONSE = 2
    DISASSOCIATION = 3
    DATA_REQUEST = 4
    PAN_ID_CONFLICT = 5
    ORPHAN = 6
    BEACON_REQUEST = 7
    COORDINATOR_REALIGNMENT = 8


class AssociationStatus(OpenEnum):
    """How an association ended, Table 83."""

    SUCCESS = 0
    PAN_AT_CAPACITY = 1
    PAN_ACCESS_DENIED = 2


class DisassociationReason(OpenEnum):
    """Why, Table 84."""

    COORDINATOR_WISHES = 1
    DEVICE_WISHES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationRequest(Record):
    """§7.3.1."""

    command: Annotated[MacCommandId, Number(1)] = MacCommandId.ASSOCIATION_REQUEST
    capability: Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationResponse(Record):
    """§7.3.2. `short_address` is FFFF when refused."""

    command: Annotated[MacCommandId, Number(1)] = MacCommandId.ASSOCIATION_RESPONSE
    short_address: U16
    status: Annotated[AssociationStatus, Number(1)] = AssociationStatus.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Disassociation(Record):
    """§7.3.3."""

    command: Annotated[MacCommandId, Number(1)] = MacCommandId.DISASSOCIATION
    reason: Annotated[DisassociationReason, Number(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest(Record):
    """§7.3.4: an end device polls its parent."""

    command: Annotated[MacCommandId, Number(1)] = MacCommandId.DATA_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan(Record):
    """§7.3.6."""

    command: Annotated[MacCommandId, Number(1)] = MacCommandId.ORPHAN


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconRequest(Record):
    """§7.3.7."""

    command: Annotated[MacCommandId, Number(1)] = MacCommandId.BEACON_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMacCommand(Record):
    """A command that Zigbee does not use, as it came."""

    command: Annotated[MacCommandId, Number(1)]
    octets: REST = b""


MacCommand = (
    AssociationRequest
    | AssociationResponse
    | Disassociation
    | DataRequest
    | Orphan
    | BeaconRequest
    | UnknownMacCommand
)

_COMMANDS: Mapping[int, type[MacCommand]] = {
    MacCommandId.ASSOCIATION_REQUEST: AssociationRequest,
    MacCommandId.ASSOCIATION_RESPONSE: AssociationResponse,
    MacCommandId.DISASSOCIATION: Disassociation,
    MacCommandId.DATA_REQUEST: DataRequest,
    MacCommandId.ORPHAN: Orphan,
    MacCommandId.BEACON_REQUEST: BeaconRequest,
}


def parse_command(payload: bytes) -> MacCommand:
    """Read the MAC payload of a command frame. Raises DecodeError."""
    identifier = Cursor(payload).number(1, "command")
    return _COMMANDS.get(identifier, UnknownMacCommand).from_bytes(payload)
