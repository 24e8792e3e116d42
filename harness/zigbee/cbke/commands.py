"""Commands of the Key Establishment cluster (0x0800), both ways. Source: Zigbee SE 1.4 Annex C.3.1.2.3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.zigbee.fields import KEY, REST, U8, U16, Number, OpenEnum, Record
from harness.zigbee.zcl import Direction


class TerminateStatus(OpenEnum):
    """Why a key establishment ends without a key, Table C-7."""

    UNKNOWN_ISSUER = 1
    BAD_KEY_CONFIRM = 2
    BAD_MESSAGE = 3
    NO_RESOURCES = 4
    UNSUPPORTED_SUITE = 5
    INVALID_CERTIFICATE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiate(Record):
    """Initiate Key Establishment request and response: who I am, and how long I need, in seconds."""

    COMMAND: ClassVar[int] = 0x00

    suite: U16
    ephemeral_data_time: U8
    confirm_key_time: U8
    certificate: REST


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralData(Record):
    """Ephemeral Data request and response: a public key for this once."""

    COMMAND: ClassVar[int] = 0x01

    ephemeral_key: REST


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmKey(Record):
    """Confirm Key Data request (MACU) and response (MACV)."""

    COMMAND: ClassVar[int] = 0x02

    mac: KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate(Record):
    """Terminate Key Establishment; `wait_time` is how many seconds to wait before another attempt."""

    COMMAND: ClassVar[int] = 0x03

    status: Annotated[TerminateStatus, Number(1)]
    wait_time: U8 = 0
    suite: U16 = 0


Command = Initiate | EphemeralData | ConfirmKey | Terminate

COMMANDS: Mapping[tuple[Direction, int], type[Command]] = {
    (direction, command.COMMAND): command
    for direction in (Direction.TO_SERVER, Direction.TO_CLIENT)
    for command in (Initiate, EphemeralData, ConfirmKey, Terminate)
}
