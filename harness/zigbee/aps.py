"""Zigbee APS frames and their security; the APS commands are in `aps_commands`.

Source: 05-3474-22 §2.2.5 (frame formats), §2.2.8.4.5 (fragmentation), §4.4.1 (security).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import security
from harness.zigbee.fields import REST, U8, Bits, Codec, Cursor, Number, OpenEnum, Present, Record, When
from harness.zigbee.security import AuxHeader, KeyId

SMART_ENERGY_PROFILE = 0x0109
ZDO_PROFILE = 0x0000
BROADCAST_ENDPOINT = 0xFF


class ApsFrameType(OpenEnum):
    """Frame type, Table 2-20."""

    DATA = 0
    COMMAND = 1
    ACK = 2
    INTER_PAN = 3


class DeliveryMode(OpenEnum):
    """How the frame is addressed, Table 2-21."""

    UNICAST = 0
    BROADCAST = 2
    GROUP = 3


class Fragmentation(OpenEnum):
    """Where a block stands in its message, Table 2-22."""

    NONE = 0
    FIRST = 1
    SUBSEQUENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedHeader:
    """Extended header sub-frame, §2.2.5.1.8.

    `block` is the number of blocks on the first one, the block's index on later ones; in an
    acknowledgement the first block of the window. `ack_bitfield` is there in acknowledgements only:
    bit n set says that block (window start + n) came.
    """

    fragmentation: Fragmentation
    block: int | None = None
    ack_bitfield: int | None = None
    reserved: int = 0


def _kind(control: int) -> int:
    return control & 3


@dataclass(frozen=True, slots=True)
class _ExtendedHeader(Codec):
    """Extended frame control, block number, ACK bitfield."""

    def write(self, value: ExtendedHeader) -> bytes:
        fragmented = value.fragmentation != Fragmentation.NONE
        if fragmented != (value.block is not None):
            raise ValueError("a block number goes with fragmentation, and with nothing else")
        octets = (value.fragmentation | value.reserved << 2, value.block, value.ack_bitfield)
        return b"".join(Number(1).write(octet) for octet in octets if octet is not None)

    def read(self, cursor: Cursor, field: str, control: int) -> ExtendedHeader:
        extended = cursor.number(1, field)
        fragmentation = Fragmentation(extended & 3)
        fragmented = fragmentation != Fragmentation.NONE
        block = cursor.number(1, "block number") if fragmented else None
        acknowledges = fragmented and _kind(control) == ApsFrameType.ACK
        return ExtendedHeader(
            fragmentation=fragmentation,
            block=block,
            ack_bitfield=cursor.number(1, "ACK bitfield") if acknowledges else None,
            reserved=extended >> 2,
        )


def _for_application(control: int) -> bool:
    """Data frames, and acknowledgements of data: those with endpoints, cluster and profile."""
    return _kind(control) == ApsFrameType.DATA or (_kind(control) == ApsFrameType.ACK and not control & 0x10)


def _to_group(control: int) -> bool:
    return _kind(control) == ApsFrameType.DATA and control >> 2 & 3 == DeliveryMode.GROUP


def _to_endpoint(control: int) -> bool:
    return _for_application(control) and not _to_group(control)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApsFrame(Record):
    """General APS frame, §2.2.5.1: data, command or acknowledgement.

    Commands, and acknowledgements with `ack_format` set (of commands), have no endpoints, cluster or
    profile. Of a secured frame `payload` is the auxiliary header, the ciphertext and the MIC.
    """

    CONTROL_OCTETS: ClassVar[int] = 1

    frame_type: Annotated[ApsFrameType, Bits(0, 2)]
    delivery_mode: Annotated[DeliveryMode, Bits(2, 2)] = DeliveryMode.UNICAST
    ack_format: Annotated[bool, Bits(4)] = False
    security: Annotated[bool, Bits(5)] = False
    ack_request: Annotated[bool, Bits(6)] = False
    destination_endpoint: Annotated[int | None, Number(1), When(_to_endpoint)] = None
    group: Annotated[int | None, Number(2), When(_to_group)] = None
    cluster: Annotated[int | None, Number(2), When(_for_application)] = None
    profile: Annotated[int | None, Number(2), When(_for_application)] = None
    source_endpoint: Annotated[int | None, Number(1), When(_for_application)] = None
    counter: U8
    extended: Annotated[ExtendedHeader | None, _ExtendedHeader(), Present(7)] = None
    payload: REST = b""

    def header(self) -> bytes:
        """Return the octets before the payload."""
        return self.to_bytes().removesuffix(self.payload)


def acknowledgement(frame: ApsFrame, *, extended: ExtendedHeader | None = None) -> ApsFrame:
    """Return the acknowledgement of a data or command frame, §2.2.8.4.4; `extended` for a block."""
    of_command = frame.frame_type is ApsFrameType.COMMAND
    return ApsFrame(
        frame_type=ApsFrameType.ACK,
        ack_format=of_command,
        destination_endpoint=None if of_command else frame.source_endpoint,
        cluster=frame.cluster,
        profile=frame.profile,
        source_endpoint=None if of_command else frame.destination_endpoint,
        counter=frame.counter,
        extended=extended,
    )


def protect(
    frame: ApsFrame,
    link_key: bytes,
    *,
    frame_counter: int,
    source: Eui64,
    key_id: KeyId = KeyId.DATA,
    extended_nonce: bool = True,
) -> ApsFrame:
    """Return `frame` secured with a link key, or the key-transport or key-load key derived from it, §4.4.1.1.

    `source` is the sender's EUI-64; with `extended_nonce` it travels in the auxiliary header.
    """
    secured = dataclasses.replace(frame, security=True)
    aux = AuxHeader(key_id=key_id, frame_counter=frame_counter, source=source if extended_nonce else None)
    key = security.derived_key(link_key, key_id)
    sealed = security.seal(key, secured.header(), aux, frame.payload, source=source)
    return dataclasses.replace(secured, payload=sealed)


def unprotect(frame: ApsFrame, key: bytes, *, source: Eui64 | None = None) -> tuple[ApsFrame, AuxHeader]:
    """Return a secured frame in clear (its security bit off), and its auxiliary header, §4.4.1.2.

    `key` is the link key, whichever key derived from it was used (or the network key, when the auxiliary
    header says so); `source` is the sender, for frames that do not name it.
    Raises AuthenticationFailed when the MIC is wrong, DecodeError when octets or the source are missing.
    """
    aux = auxiliary_header(frame)
    derived = security.derived_key(key, aux.key_id)
    _, payload = security.unseal(derived, frame.header(), frame.payload, source=source)
    return dataclasses.replace(frame, security=False, payload=payload), aux


def auxiliary_header(frame: ApsFrame) -> AuxHeader:
    """Return the auxiliary header of a secured frame, which travels in clear. Raises DecodeError."""
    if not frame.security:
        raise DecodeError("security", "the APS frame is not secured")
    return security.split(frame.payload)[0]
