"""Zigbee NWK commands: the payload of a NWK command frame. Source: 05-3474-22 §3.4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.eui64 import Eui64
from harness.zigbee.fields import REST, U8, U16, Bits, Cursor, Eui, Many, Number, OpenEnum, Present, Record
from harness.zigbee.mac import Capability


class NwkCommandId(OpenEnum):
    """Command frame identifier, Table 3-49."""

    ROUTE_REQUEST = 0x01
    ROUTE_REPLY = 0x02
    NETWORK_STATUS = 0x03
    LEAVE = 0x04
    ROUTE_RECORD = 0x05
    REJOIN_REQUEST = 0x06
    REJOIN_RESPONSE = 0x07
    LINK_STATUS = 0x08
    NETWORK_REPORT = 0x09
    NETWORK_UPDATE = 0x0A
    END_DEVICE_TIMEOUT_REQUEST = 0x0B
    END_DEVICE_TIMEOUT_RESPONSE = 0x0C


class NetworkStatusCode(OpenEnum):
    """What went wrong, Table 3-51."""

    NO_ROUTE_AVAILABLE = 0x00
    TREE_LINK_FAILURE = 0x01
    NON_TREE_LINK_FAILURE = 0x02
    LOW_BATTERY = 0x03
    NO_ROUTING_CAPACITY = 0x04
    NO_INDIRECT_CAPACITY = 0x05
    INDIRECT_TRANSACTION_EXPIRY = 0x06
    TARGET_DEVICE_UNAVAILABLE = 0x07
    TARGET_ADDRESS_UNALLOCATED = 0x08
    PARENT_LINK_FAILURE = 0x09
    VALIDATE_ROUTE = 0x0A
    SOURCE_ROUTE_FAILURE = 0x0B
    MANY_TO_ONE_ROUTE_FAILURE = 0x0C
    ADDRESS_CONFLICT = 0x0D
    VERIFY_ADDRESSES = 0x0E
    PAN_IDENTIFIER_UPDATE = 0x0F
    NETWORK_ADDRESS_UPDATE = 0x10
    BAD_FRAME_COUNTER = 0x11
    BAD_KEY_SEQUENCE_NUMBER = 0x12


class ManyToOne(OpenEnum):
    """Kind of route request, Table 3-50."""

    NO = 0
    WITH_ROUTE_RECORDS = 1
    WITHOUT_ROUTE_RECORDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest(Record):
    """§3.4.1."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.ROUTE_REQUEST
    reserved: Annotated[int, Bits(0, 3)] = 0
    many_to_one: Annotated[ManyToOne, Bits(3, 2)] = ManyToOne.NO
    multicast: Annotated[bool, Bits(6)] = False
    reserved_high: Annotated[int, Bits(7)] = 0
    identifier: U8
    destination: U16
    path_cost: U8 = 0
    destination_ieee: Annotated[Eui64 | None, Eui(), Present(5)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteReply(Record):
    """§3.4.2."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.ROUTE_REPLY
    reserved: Annotated[int, Bits(0, 4)] = 0
    multicast: Annotated[bool, Bits(6)] = False
    reserved_high: Annotated[int, Bits(7)] = 0
    identifier: U8
    originator: U16
    responder: U16
    path_cost: U8 = 0
    originator_ieee: Annotated[Eui64 | None, Eui(), Present(4)] = None
    responder_ieee: Annotated[Eui64 | None, Eui(), Present(5)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus(Record):
    """§3.4.3."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.NETWORK_STATUS
    status: Annotated[NetworkStatusCode, Number(1)]
    destination: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Record):
    """§3.4.4. `request`: the receiver shall leave; otherwise the sender tells that it leaves."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.LEAVE
    reserved: Annotated[int, Bits(0, 5)] = 0
    rejoin: Annotated[bool, Bits(5)] = False
    request: Annotated[bool, Bits(6)] = False
    remove_children: Annotated[bool, Bits(7)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRecord(Record):
    """§3.4.5."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.ROUTE_RECORD
    relays: Annotated[tuple[int, ...], Many(Number(2), count=Number(1))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejoinRequest(Record):
    """§3.4.6."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.REJOIN_REQUEST
    capability: Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class RejoinResponse(Record):
    """§3.4.7. `status` as in a MAC association response."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.REJOIN_RESPONSE
    short_address: U16
    status: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCost(Record):
    """One neighbour in a link status, Figure 3-26."""

    CONTROL_OCTETS: ClassVar[int] = 1

    neighbour: U16
    incoming: Annotated[int, Bits(0, 3)]
    reserved: Annotated[int, Bits(3)] = 0
    outgoing: Annotated[int, Bits(4, 3)]
    reserved_high: Annotated[int, Bits(7)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus(Record):
    """§3.4.8. The number of links travels in the low five bits of the options."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.LINK_STATUS
    first_frame: Annotated[bool, Bits(5)] = True
    last_frame: Annotated[bool, Bits(6)] = True
    reserved: Annotated[int, Bits(7)] = 0
    links: Annotated[tuple[LinkCost, ...], Many(LinkCost, count_bits=0x1F)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceTimeoutRequest(Record):
    """§3.4.11. `timeout` 0 is 10 seconds, 1 to 14 are 2 to the power of that in minutes."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.END_DEVICE_TIMEOUT_REQUEST
    timeout: U8
    configuration: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceTimeoutResponse(Record):
    """§3.4.12. `parent_information` bit 0: data polls keep the child alive, bit 1: timeout requests do."""

    command: Annotated[NwkCommandId, Number(1)] = NwkCommandId.END_DEVICE_TIMEOUT_RESPONSE
    status: U8 = 0
    parent_information: U8 = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownNwkCommand(Record):
    """A command without a table here, as it came."""

    command: Annotated[NwkCommandId, Number(1)]
    octets: REST = b""


NwkCommand = (
    RouteRequest
    | RouteReply
    | NetworkStatus
    | Leave
    | RouteRecord
    | RejoinRequest
    | RejoinResponse
    | LinkStatus
    | EndDeviceTimeoutRequest
    | EndDeviceTimeoutResponse
    | UnknownNwkCommand
)

_COMMANDS: Mapping[int, type[NwkCommand]] = {
    NwkCommandId.ROUTE_REQUEST: RouteRequest,
    NwkCommandId.ROUTE_REPLY: RouteReply,
    NwkCommandId.NETWORK_STATUS: NetworkStatus,
    NwkCommandId.LEAVE: Leave,
    NwkCommandId.ROUTE_RECORD: RouteRecord,
    NwkCommandId.REJOIN_REQUEST: RejoinRequest,
    NwkCommandId.REJOIN_RESPONSE: RejoinResponse,
    NwkCommandId.LINK_STATUS: LinkStatus,
    NwkCommandId.END_DEVICE_TIMEOUT_REQUEST: EndDeviceTimeoutRequest,
    NwkCommandId.END_DEVICE_TIMEOUT_RESPONSE: EndDeviceTimeoutResponse,
}


def parse_command(payload: bytes) -> NwkCommand:
    """Read the payload of a NWK command frame in clear. Raises DecodeError.

    Octets after the command are passed over: later revisions append TLVs, and an older device ignores them.
    """
    cursor = Cursor(payload)
    identifier = Cursor(payload).number(1, "command")
    return _COMMANDS.get(identifier, UnknownNwkCommand).read(cursor)
