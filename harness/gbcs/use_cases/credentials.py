"""Security credentials: CS02a reads trust anchors, CS02c, CS02d and CS02e renew and read a device's own.

::

    CS02a  SEQUENCE { cell of the authorising party, SEQUENCE OF role }
           SEQUENCE OF SEQUENCE { role, status, (its counter, SEQUENCE OF { cell contents })? }
    CS02c  SEQUENCE { key usage }; a certification request, or why there is none
    CS02d  certificate; result
    CS02e  SEQUENCE { key usage }; the certificate, or why there is none

CS02c to CS02e are signed and MACed, their responses signed only. CS02a is MAC only both ways for parties that
a device shares a key with, signed only both ways for others (TransCoS and the like): CS02A and CS02A_SIGNED.
No vector and no template has a PPMID as the target of one of these; they are here for the meters and hubs
around it, and for a PPMID that has them.
Source: RTDS 6.24.1_CS02aMAC, NA_CS02aSignature, 6.17_CS02c, 6.15.2_CS02d, 6.24.2_CS02e; facts gb-domain §5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.builder import Protection
from harness.gbcs.der import DerReader
from harness.gbcs.open_enum import OpenEnum
from harness.gbcs.roles import RemotePartyRole
from harness.gbcs.use_case import Content, UseCase, der_content
from harness.gbcs.use_cases.joining import read_eui64, read_number, write_eui64


class CellKeyUsage(OpenEnum):
    """What the key in a cell is for, by its bit in X.509's KeyUsage."""

    DIGITAL_SIGNATURE = 0x80
    KEY_AGREEMENT = 0x08
    KEY_CERT_SIGN = 0x04
    CRL_SIGN = 0x02


class CellUsage(IntEnum):
    """What a cell is for: messages, or prepayment tokens."""

    MANAGEMENT = 0
    PREPAYMENT_TOP_UP = 1


class CredentialStatus(OpenEnum):
    """Whether a role's trust anchors could be read."""

    SUCCESS = 0
    BAD_CERTIFICATE = 5
    NO_TRUST_ANCHOR = 10
    INSUFFICIENT_MEMORY = 17
    TRUST_ANCHOR_NOT_FOUND = 25
    RESOURCES_BUSY = 30
    OTHER = 127


class IssueFailure(OpenEnum):
    """Why CS02c gives no certification request."""

    INVALID_KEY_USAGE = 1
    KEY_PAIR_GENERATION_FAILED = 2
    CR_PRODUCTION_FAILED = 3


class UpdateResult(OpenEnum):
    """What CS02d came to."""

    SUCCESS = 0
    INVALID_CERTIFICATE = 1
    WRONG_DEVICE_IDENTITY = 2
    INVALID_KEY_USAGE = 3
    NO_CORRESPONDING_KEY_PAIR_GENERATED = 4
    WRONG_PUBLIC_KEY = 5
    CERTIFICATE_STORAGE_FAILED = 6
    PRIVATE_KEY_CHANGE_FAILED = 7


class ProvideFailure(OpenEnum):
    """Why CS02e gives no certificate."""

    INVALID_KEY_USAGE = 1
    NO_CERTIFICATE_HELD = 2
    CERTIFICATE_RETRIEVAL_FAILURE = 3


C = TypeVar("C")
R = TypeVar("R")
F = TypeVar("F", IssueFailure, ProvideFailure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A trust anchor cell: whose, for which use of the key, for messages or for prepayment."""

    role: RemotePartyRole
    key_usage: CellKeyUsage
    usage: CellUsage = CellUsage.MANAGEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCredentials:
    """CS02a: the cell that authorises the command, and whose credentials are wanted."""

    authority: Cell
    roles: tuple[RemotePartyRole, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellContents:
    """What is in a cell: its owner, and the key identifier (8 octets) of its certificate."""

    key_usage: CellKeyUsage
    owner: Eui64
    key_identifier: bytes
    usage: CellUsage = CellUsage.MANAGEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials of one role: its counter and cells, or the status that says why there are none."""

    role: RemotePartyRole
    status: CredentialStatus = CredentialStatus.SUCCESS
    counter: int = 0
    cells: tuple[CellContents, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided(Generic[F]):
    """A certificate or certification request (DER), or why there is none."""

    octets: bytes = b""
    failure: F | None = None


def _usage(usage: CellUsage) -> bytes:
    """Write a cell's usage; management is the default, which DER leaves out."""
    return b"" if usage is CellUsage.MANAGEMENT else der.integer(usage)


def _read_usage(reader: DerReader) -> CellUsage:
    if not reader.next_is_integer():
        return CellUsage.MANAGEMENT
    value = reader.integer("cell usage")
    if value != CellUsage.PREPAYMENT_TOP_UP:
        raise reader.error("cell usage", f"expected 1, found {value}")
    return CellUsage.PREPAYMENT_TOP_UP


def _read_key_usage(reader: DerReader) -> CellKeyUsage:
    return CellKeyUsage(reader.named_bits("key usage"))


def _read_role(reader: DerReader) -> RemotePartyRole:
    return RemotePartyRole(read_number(reader, "remote party role"))


def _write_read(fields: ReadCredentials) -> bytes:
    cell = der.sequence(
        der.integer(fields.authority.role),
        der.named_bits(fields.authority.key_usage),
        _usage(fields.authority.usage),
    )
    return der.sequence(cell, der.sequence(*(der.integer(role) for role in fields.roles)))


def _read_read(reader: DerReader) -> ReadCredentials:
    fields = reader.sequence("CS02a command")
    cell = fields.sequence("authorising cell")
    authority = Cell(role=_read_role(cell), key_usage=_read_key_usage(cell), usage=_read_usage(cell))
    cell.end("authorising cell")
    wanted = fields.sequence("roles")
    roles = []
    while not wanted.done:
        roles.append(_read_role(wanted))
    fields.end("CS02a command")
    return ReadCredentials(authority=authority, roles=tuple(roles))


def _write_credentials(credentials: tuple[Credentials, ...]) -> bytes:
    return der.sequence(*(_write_role(one) for one in credentials))


def _write_role(one: Credentials) -> bytes:
    head = (der.integer(one.role), der.enumerated(one.status))
    if one.status is not CredentialStatus.SUCCESS:
        return der.sequence(*head)
    cells = der.sequence(*(_write_cell(cell) for cell in one.cells))
    return der.sequence(*head, der.integer(one.counter), cells)


def _write_cell(cell: CellContents) -> bytes:
    return der.sequence(
        der.named_bits(cell.key_usage),
        _usage(cell.usage),
        write_eui64(cell.owner),
        der.octet_string(cell.key_identifier),
    )


def _read_credentials(reader: DerReader) -> tuple[Credentials, ...]:
    fields = reader.sequence("CS02a response")
    roles = []
    while not fields.done:
        roles.append(_read_role_details(fields.sequence("remote party details")))
    return tuple(roles)


def _read_role_details(fields: DerReader) -> Credentials:
    role = _read_role(fields)
    number = fields.enumerated("status")
    if number < 0:
        raise fields.error("status", f"is negative: {number}")
    status = CredentialStatus(number)
    if status is not CredentialStatus.SUCCESS:
        fields.end("remote party details")
        return Credentials(role=role, status=status)
    counter = read_number(fields, "counter")
    inner = fields.sequence("cells")
    cells = []
    while not inner.done:
        cells.append(_read_cell(inner.sequence("cell")))
    fields.end("remote party details")
    return Credentials(role=role, status=status, counter=counter, cells=tuple(cells))


def _read_cell(fields: DerReader) -> CellContents:
    cell = CellContents(
        key_usage=_read_key_usage(fields),
        usage=_read_usage(fields),
        owner=read_eui64(fields, "owner of the cell"),
        key_identifier=fields.octet_string("key identifier", 8),
    )
    fields.end("cell")
    return cell


def _write_key_usage(usage: CellKeyUsage) -> bytes:
    return der.sequence(der.named_bits(usage))


def _read_wanted_usage(reader: DerReader) -> CellKeyUsage:
    fields = reader.sequence("command")
    usage = _read_key_usage(fields)
    fields.end("command")
    return usage


def _write_provided(provided: Provided[F]) -> bytes:
    return provided.octets if provided.failure is None else der.integer(provided.failure)


def _provided_by(failures: type[F]) -> Callable[[DerReader], Provided[F]]:
    def read(reader: DerReader) -> Provided[F]:
        if reader.next_is_integer():
            return Provided(failure=failures(read_number(reader, "response code")))
        return Provided(octets=reader.sequence_octets("certificate or request"))

    return read


def _credentials(protection: Protection) -> UseCase[ReadCredentials, tuple[Credentials, ...]]:
    return UseCase(
        name="CS02a",
        command=protection,
        response=protection,
        command_content=der_content("CS02a command", _write_read, _read_read),
        response_content=der_content("CS02a response", _write_credentials, _read_credentials),
    )


def _own(name: str, command: Content[C], response: Content[R]) -> UseCase[C, R]:
    return UseCase(
        name=name,
        command=Protection.SIGNED_AND_MACED,
        response=Protection.SIGNED,
        command_content=command,
        response_content=response,
    )


_KEY_USAGE = der_content("command", _write_key_usage, _read_wanted_usage)

CS02A = _credentials(Protection.MACED)
CS02A_SIGNED = _credentials(Protection.SIGNED)
CS02C: UseCase[CellKeyUsage, Provided[IssueFailure]] = _own(
    "CS02c", _KEY_USAGE, der_content("CS02c response", _write_provided, _provided_by(IssueFailure))
)
CS02D: UseCase[bytes, UpdateResult] = _own(
    "CS02d",
    der_content("CS02d command", lambda octets: octets, lambda reader: reader.sequence_octets("certificate")),
    der_content(
        "CS02d response", der.integer, lambda reader: UpdateResult(read_number(reader, "response code"))
    ),
)
CS02E: UseCase[CellKeyUsage, Provided[ProvideFailure]] = _own(
    "CS02e", _KEY_USAGE, der_content("CS02e response", _write_provided, _provided_by(ProvideFailure))
)
