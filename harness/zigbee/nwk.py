"""Zigbee NWK frames and their security; the NWK commands are in `nwk_commands`.

Source: 05-3474-22 §3.3 (frame formats), §4.3.1 (security).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import security
from harness.zigbee.fields import REST, U8, U16, Bits, Codec, Cursor, Eui, Number, OpenEnum, Present, Record
from harness.zigbee.security import AuxHeader, KeyId

COORDINATOR = 0x0000
BROADCAST_ALL = 0xFFFF
BROADCAST_RX_ON = 0xFFFD
BROADCAST_ROUTERS = 0xFFFC
UNKNOWN_ADDRESS = 0xFFFE


def is_broadcast(address: int) -> bool:
    """Say whether a NWK address is one of the broadcast addresses, §3.6.5."""
    return address >= 0xFFF8


class NwkFrameType(OpenEnum):
    """Frame type, Table 3-46."""

    DATA = 0
    COMMAND = 1
    INTER_PAN = 3


class DiscoverRoute(OpenEnum):
    """Whether routers may look for a route, Table 3-47."""

    SUPPRESS = 0
    ENABLE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRoute:
    """Source route subframe, §3.3.1.9: `relays` from the one next to the destination on."""

    relay_index: int
    relays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _SourceRoute(Codec):
    """Relay count, relay index, relay list."""

    def write(self, value: SourceRoute) -> bytes:
        head = Number(1).write(len(value.relays)) + Number(1).write(value.relay_index)
        return head + b"".join(Number(2).write(relay) for relay in value.relays)

    def read(self, cursor: Cursor, field: str, control: int) -> SourceRoute:  # noqa: ARG002
        count, index = cursor.take(2, field)
        return SourceRoute(relay_index=index, relays=tuple(cursor.number(2, field) for _ in range(count)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NwkFrame(Record):
    """General NWK frame, §3.3.1.

    Of a secured frame `payload` is the auxiliary header, the ciphertext and the MIC, as on the air;
    `unprotect` gives the frame in clear. The IEEE addresses, the multicast control and the source route
    are there when they are not None; their presence bits follow.
    """

    CONTROL_OCTETS: ClassVar[int] = 2

    frame_type: Annotated[NwkFrameType, Bits(0, 2)]
    version: Annotated[int, Bits(2, 4)] = 2
    discover_route: Annotated[DiscoverRoute, Bits(6, 2)] = DiscoverRoute.SUPPRESS
    security: Annotated[bool, Bits(9)] = False
    end_device_initiator: Annotated[bool, Bits(13)] = False
    reserved: Annotated[int, Bits(14, 2)] = 0
    destination: U16
    source: U16
    radius: U8 = 30
    sequence: U8
    destination_ieee: Annotated[Eui64 | None, Eui(), Present(11)] = None
    source_ieee: Annotated[Eui64 | None, Eui(), Present(12)] = None
    multicast_control: Annotated[int | None, Number(1), Present(8)] = None
    source_route: Annotated[SourceRoute | None, _SourceRoute(), Present(10)] = None
    payload: REST = b""

    def header(self) -> bytes:
        """Return the octets before the payload."""
        return self.to_bytes().removesuffix(self.payload)


def protect(
    frame: NwkFrame, key: bytes, *, frame_counter: int, source: Eui64, key_sequence: int = 0
) -> NwkFrame:
    """Return `frame` secured with the network key; `source` is the EUI-64 of this hop's sender, §4.3.1.1."""
    secured = dataclasses.replace(frame, security=True)
    aux = AuxHeader(
        key_id=KeyId.NETWORK, frame_counter=frame_counter, source=source, key_sequence=key_sequence
    )
    sealed = security.seal(key, secured.header(), aux, frame.payload)
    return dataclasses.replace(secured, payload=sealed)


def unprotect(frame: NwkFrame, key: bytes) -> tuple[NwkFrame, AuxHeader]:
    """Return a secured frame in clear (its security bit off), and its auxiliary header, §4.3.1.2.

    Raises AuthenticationFailed when the MIC is wrong, DecodeError when the frame is cut.
    """
    if not frame.security:
        raise DecodeError("security", "the NWK frame is not secured")
    aux, payload = security.unseal(key, frame.header(), frame.payload)
    return dataclasses.replace(frame, security=False, payload=payload), aux


def auxiliary_header(frame: NwkFrame) -> AuxHeader:
    """Return the auxiliary header of a secured frame, which travels in clear. Raises DecodeError."""
    return security.split(frame.payload)[0]
