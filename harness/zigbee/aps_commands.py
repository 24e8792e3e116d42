"""Zigbee APS commands: the payload of an APS command frame, in clear. Source: 05-3474-22 §4.4.10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from harness.eui64 import Eui64
from harness.zigbee.fields import EUI64, KEY, REST, U8, U16, Bits, Cursor, Eui, Number, OpenEnum, Record, When


class ApsCommandId(OpenEnum):
    """Command identifier, Table 4-27."""

    TRANSPORT_KEY = 0x05
    UPDATE_DEVICE = 0x06
    REMOVE_DEVICE = 0x07
    REQUEST_KEY = 0x08
    SWITCH_KEY = 0x09
    TUNNEL = 0x0E
    VERIFY_KEY = 0x0F
    CONFIRM_KEY = 0x10


class KeyType(OpenEnum):
    """Kind of key in a Transport Key, Verify Key or Confirm Key, Table 4-10."""

    STANDARD_NETWORK_KEY = 0x01
    APPLICATION_LINK_KEY = 0x03
    TRUST_CENTRE_LINK_KEY = 0x04


class RequestedKeyType(OpenEnum):
    """Kind of key in a Request Key, Table 4-20."""

    APPLICATION_LINK_KEY = 0x02
    TRUST_CENTRE_LINK_KEY = 0x04


class UpdateStatus(OpenEnum):
    """What became of a device, Table 4-15."""

    SECURED_REJOIN = 0
    UNSECURED_JOIN = 1
    LEFT = 2
    UNSECURED_REJOIN = 3


def _network(kind: int) -> bool:
    return kind == KeyType.STANDARD_NETWORK_KEY


def _application(kind: int) -> bool:
    return kind == KeyType.APPLICATION_LINK_KEY


def _from_trust_centre(kind: int) -> bool:
    return kind in (KeyType.STANDARD_NETWORK_KEY, KeyType.TRUST_CENTRE_LINK_KEY)


def _requests_application(kind: int) -> bool:
    return kind == RequestedKeyType.APPLICATION_LINK_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportKey(Record):
    """§4.4.10.1: a network key has a sequence number, an application link key a partner."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.TRANSPORT_KEY
    key_type: Annotated[KeyType, Bits(0, 8)]
    key: KEY
    key_sequence: Annotated[int | None, Number(1), When(_network)] = None
    destination: Annotated[Eui64 | None, Eui(), When(_from_trust_centre)] = None
    source: Annotated[Eui64 | None, Eui(), When(_from_trust_centre)] = None
    partner: Annotated[Eui64 | None, Eui(), When(_application)] = None
    initiator: Annotated[int | None, Number(1), When(_application)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDevice(Record):
    """§4.4.10.2: a router tells the trust centre of a device."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.UPDATE_DEVICE
    device: EUI64
    short_address: U16
    status: Annotated[UpdateStatus, Number(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDevice(Record):
    """§4.4.10.3: the trust centre has a router put a child out."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.REMOVE_DEVICE
    target: EUI64


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey(Record):
    """§4.4.10.4."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.REQUEST_KEY
    key_type: Annotated[RequestedKeyType, Bits(0, 8)]
    partner: Annotated[Eui64 | None, Eui(), When(_requests_application)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchKey(Record):
    """§4.4.10.5."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.SWITCH_KEY
    key_sequence: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel(Record):
    """§4.4.10.6: a secured APS command for a device that has no network key yet, by way of its parent."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.TUNNEL
    destination: EUI64
    frame: REST


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyKey(Record):
    """§4.4.10.7. `digest` is the keyed hash of octet 03 under the link key."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.VERIFY_KEY
    key_type: Annotated[KeyType, Number(1)] = KeyType.TRUST_CENTRE_LINK_KEY
    source: EUI64
    digest: KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmKey(Record):
    """§4.4.10.8."""

    command: Annotated[ApsCommandId, Number(1)] = ApsCommandId.CONFIRM_KEY
    status: U8 = 0
    key_type: Annotated[KeyType, Number(1)] = KeyType.TRUST_CENTRE_LINK_KEY
    destination: EUI64


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownApsCommand(Record):
    """A command without a table here, as it came."""

    command: Annotated[ApsCommandId, Number(1)]
    octets: REST = b""


ApsCommand = (
    TransportKey
    | UpdateDevice
    | RemoveDevice
    | RequestKey
    | SwitchKey
    | Tunnel
    | VerifyKey
    | ConfirmKey
    | UnknownApsCommand
)

_COMMANDS: Mapping[int, type[ApsCommand]] = {
    ApsCommandId.TRANSPORT_KEY: TransportKey,
    ApsCommandId.UPDATE_DEVICE: UpdateDevice,
    ApsCommandId.REMOVE_DEVICE: RemoveDevice,
    ApsCommandId.REQUEST_KEY: RequestKey,
    ApsCommandId.SWITCH_KEY: SwitchKey,
    ApsCommandId.TUNNEL: Tunnel,
    ApsCommandId.VERIFY_KEY: VerifyKey,
    ApsCommandId.CONFIRM_KEY: ConfirmKey,
}


def parse_command(payload: bytes) -> ApsCommand:
    """Read the payload of an APS command frame in clear. Raises DecodeError.

    Octets after the command are passed over: later revisions append TLVs, and an older device ignores them.
    """
    cursor = Cursor(payload)
    identifier = Cursor(payload).number(1, "command")
    return _COMMANDS.get(identifier, UnknownApsCommand).read(cursor)
