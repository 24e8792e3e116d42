"""Tunneling cluster: commands both ways, and what GB messages travel in inside the tunnel.

Source: Zigbee SE 1.4 Annex D.6 (cluster 0x0704); GBCS §10.2.2 (GET, GET-RESPONSE, PUT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from harness.zigbee.fields import REST, U8, U16, Bits, Many, Number, OpenEnum, Record, When
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType

CLUSTER = 0x0704

CLOSE_TUNNEL_TIMEOUT = 0x0000
"""Attribute CloseTunnelTimeout: seconds of silence after which a server may close a tunnel, uint16."""

NO_MANUFACTURER = 0xFFFF
"""Manufacturer code of a tunnel whose protocol is not a manufacturer's own."""

NO_TUNNEL = 0xFFFF
"""Tunnel id in a response that opens none."""


class TunnelProtocol(OpenEnum):
    """What travels in a tunnel, Table D-65."""

    DLMS_COSEM = 0
    IEC_61107 = 1
    ANSI_C12 = 2
    M_BUS = 3
    SML = 4
    CLIMATE_TALK = 5
    GB_HRGP = 6
    MANUFACTURER_DEFINED = 200


class TunnelStatus(OpenEnum):
    """Outcome of RequestTunnel, Table D-66."""

    SUCCESS = 0
    BUSY = 1
    NO_MORE_TUNNEL_IDS = 2
    PROTOCOL_NOT_SUPPORTED = 3
    FLOW_CONTROL_NOT_SUPPORTED = 4


class TransferDataStatus(OpenEnum):
    """Why data were not taken, Table D-67."""

    NO_SUCH_TUNNEL = 0
    WRONG_DEVICE = 1
    DATA_OVERFLOW = 2


# --- client to server -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTunnel(Record):
    """Open a tunnel, D.6.2.4.1. `maximum_incoming_transfer` in octets."""

    protocol: Annotated[TunnelProtocol, Number(1)] = TunnelProtocol.GB_HRGP
    manufacturer: U16 = NO_MANUFACTURER
    flow_control: U8 = 0
    maximum_incoming_transfer: U16 = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTunnel(Record):
    """D.6.2.4.2."""

    tunnel: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSupportedTunnelProtocols(Record):
    """D.6.2.4.7."""

    offset: U8 = 0


# --- server to client -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTunnelResponse(Record):
    """D.6.2.5.1."""

    tunnel: U16
    status: Annotated[TunnelStatus, Number(1)] = TunnelStatus.SUCCESS
    maximum_incoming_transfer: U16 = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedProtocol(Record):
    """A protocol, and whose it is."""

    manufacturer: U16 = NO_MANUFACTURER
    protocol: Annotated[TunnelProtocol, Number(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedTunnelProtocolsResponse(Record):
    """D.6.2.5.6."""

    complete: U8 = 1
    protocols: Annotated[tuple[SupportedProtocol, ...], Many(SupportedProtocol, count=Number(1))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelClosureNotification(Record):
    """D.6.2.5.7."""

    tunnel: U16


# --- both ways --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferData(Record):
    """D.6.2.4.3 and D.6.2.5.2."""

    tunnel: U16
    data: REST = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferDataError(Record):
    """D.6.2.4.4 and D.6.2.5.3."""

    tunnel: U16
    status: Annotated[TransferDataStatus, Number(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AckTransferData(Record):
    """D.6.2.4.5 and D.6.2.5.4: flow control."""

    tunnel: U16
    octets_left: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyData(Record):
    """D.6.2.4.6 and D.6.2.5.5: flow control."""

    tunnel: U16
    octets_left: U16


TunnelCommand = (
    RequestTunnel
    | CloseTunnel
    | TransferData
    | TransferDataError
    | AckTransferData
    | ReadyData
    | GetSupportedTunnelProtocols
    | RequestTunnelResponse
    | SupportedTunnelProtocolsResponse
    | TunnelClosureNotification
)

COMMANDS: Mapping[tuple[Direction, int], type[TunnelCommand]] = {
    (Direction.TO_SERVER, 0x00): RequestTunnel,
    (Direction.TO_SERVER, 0x01): CloseTunnel,
    (Direction.TO_SERVER, 0x02): TransferData,
    (Direction.TO_SERVER, 0x03): TransferDataError,
    (Direction.TO_SERVER, 0x04): AckTransferData,
    (Direction.TO_SERVER, 0x05): ReadyData,
    (Direction.TO_SERVER, 0x06): GetSupportedTunnelProtocols,
    (Direction.TO_CLIENT, 0x00): RequestTunnelResponse,
    (Direction.TO_CLIENT, 0x01): TransferData,
    (Direction.TO_CLIENT, 0x02): TransferDataError,
    (Direction.TO_CLIENT, 0x03): AckTransferData,
    (Direction.TO_CLIENT, 0x04): ReadyData,
    (Direction.TO_CLIENT, 0x05): SupportedTunnelProtocolsResponse,
    (Direction.TO_CLIENT, 0x06): TunnelClosureNotification,
}
"""Commands by direction and identifier, Tables D-64 and D-68. TransferData has another number each way."""


def frame(
    command: TunnelCommand, sequence: int, *, direction: Direction, disable_default_response: bool = True
) -> ZclFrame:
    """Return the ZCL frame of a tunnel command. Raises ValueError when it does not go this way."""
    for (way, identifier), kind in COMMANDS.items():
        if way is direction and type(command) is kind:
            return ZclFrame(
                frame_type=ZclFrameType.CLUSTER,
                direction=direction,
                disable_default_response=disable_default_response,
                sequence=sequence,
                command=identifier,
                payload=command.to_bytes(),
            )
    raise ValueError(f"{type(command).__name__} does not go {direction.name.lower().replace('_', ' ')}")


# --- inside a GB-HRGP tunnel ------------------------------------------------------------------------


class Verb(OpenEnum):
    """First octet of TransferData's data in a GB-HRGP tunnel, GBCS §10.2.2."""

    GET = 1  # the hub is asked for a message that waits
    GET_RESPONSE = 2  # the message, and how many more wait
    PUT = 3  # a message


def _is_response(verb: int) -> bool:
    return verb == Verb.GET_RESPONSE


@dataclass(frozen=True, slots=True, kw_only=True)
class HrgpMessage(Record):
    """What TransferData carries in a GB-HRGP tunnel; `message` is a GBCS message, empty in a GET."""

    verb: Annotated[Verb, Bits(0, 8)] = Verb.PUT
    remaining: Annotated[int | None, Number(1), When(_is_response)] = None
    message: REST = b""
