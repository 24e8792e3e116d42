"""Who may talk to whom on the HAN: CS03 joins a device to another, CS04 unjoins, CS07 reads what is joined.

::

    CS03A1 CS03A2 CS03B CS03C  SEQUENCE { method and role, other device, its type, certificate? }; result
    CS04AC CS04B               other device; result
    CS07                       NULL; SEQUENCE { result, SEQUENCE OF SEQUENCE { device, type } ? }

A PPMID is joined to the ESME by method A (CS03A2 to the PPMID, CS03A1 to the ESME) and to the GSME by
method C (CS03C to both), where each is given the other's key agreement certificate. Methods A and C are
signed and MACed, their responses signed only; method B and CS07 are MAC only both ways.
Source: facts gb-domain §3.3, §3.4; sec-cpl-testing §5.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.builder import Protection
from harness.gbcs.der import DerReader
from harness.gbcs.open_enum import OpenEnum
from harness.gbcs.use_case import UseCase, der_content, nothing


class JoinMethod(OpenEnum):
    """How two devices establish a key, and which part the receiver of the command has in it."""

    METHOD_A_INITIATOR = 0
    METHOD_A_RESPONDER = 1
    METHOD_B = 2
    METHOD_C = 3


class DeviceType(OpenEnum):
    """A device's type as the ASN.1 messages have it; not the numbers of register_device."""

    GSME = 0
    ESME = 1
    CHF = 2
    GPF = 3
    HCALCS = 4
    PPMID = 5
    TYPE_2 = 6


class JoinResult(OpenEnum):
    """What a device says to a join."""

    SUCCESS = 0
    INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE = 1
    INVALID_METHOD_AND_ROLE = 2
    INCOMPATIBLE_WITH_EXISTING_ENTRY = 3
    DEVICE_LOG_FULL = 4
    WRITE_FAILURE = 5
    KEY_AGREEMENT_NO_RESOURCES = 6
    KEY_AGREEMENT_UNKNOWN_ISSUER = 7
    KEY_AGREEMENT_UNSUPPORTED_SUITE = 8
    KEY_AGREEMENT_BAD_MESSAGE = 9
    KEY_AGREEMENT_BAD_KEY_CONFIRM = 10
    INVALID_OR_MISSING_CERTIFICATE = 11
    NO_PARTNER_LINK_KEY_RECEIVED = 12
    NO_CBKE_RESPONSE = 13


class UnjoinResult(OpenEnum):
    """What a device says to an unjoin."""

    SUCCESS = 0
    DEVICE_NOT_IN_DEVICE_LOG = 1
    OTHER_FAILURE = 2


class ReadResult(OpenEnum):
    """Whether a device could read what it was asked for."""

    SUCCESS = 0
    READ_FAILURE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """CS03: the other device, and its key agreement certificate (DER) in a join of GSME and PPMID.

    Whether method, type and certificate agree is the device's to judge: it has an answer for each case.
    """

    method: JoinMethod
    device: Eui64
    device_type: DeviceType
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class JoinedDevice:
    """An entry of a device's own log: whom it may talk to."""

    device: Eui64
    device_type: DeviceType


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinDetails:
    """CS07's response; without entries where the log could not be read."""

    devices: tuple[JoinedDevice, ...] = ()
    result: ReadResult = ReadResult.SUCCESS


def write_eui64(eui: Eui64) -> bytes:
    """Write an EUI-64 as the OCTET STRING that it travels in."""
    return der.octet_string(eui.to_bytes_be())


def read_eui64(reader: DerReader, field: str) -> Eui64:
    """Read an EUI-64 in an OCTET STRING; raises DecodeError."""
    return Eui64.from_bytes_be(reader.octet_string(field, 8))


def read_number(reader: DerReader, field: str) -> int:
    """Read an INTEGER that is not negative; raises DecodeError."""
    value = reader.integer(field)
    if value < 0:
        raise reader.error(field, f"is negative: {value}")
    return value


def _write_join(join: Join) -> bytes:
    return der.sequence(
        der.integer(join.method), write_eui64(join.device), der.integer(join.device_type), join.certificate
    )


def _read_join(reader: DerReader) -> Join:
    fields = reader.sequence("join")
    join = Join(
        method=JoinMethod(read_number(fields, "join method and role")),
        device=read_eui64(fields, "other device"),
        device_type=DeviceType(read_number(fields, "device type")),
        certificate=b"" if fields.done else fields.sequence_octets("certificate"),
    )
    fields.end("join")
    return join


def write_joined(joined: JoinedDevice) -> bytes:
    """Write an entry of a device's own log."""
    return der.sequence(write_eui64(joined.device), der.integer(joined.device_type))


def read_joined(reader: DerReader) -> JoinedDevice:
    """Read an entry of a device's own log; raises DecodeError."""
    fields = reader.sequence("device log entry")
    device = read_eui64(fields, "device")
    device_type = DeviceType(read_number(fields, "device type"))
    fields.end("device log entry")
    return JoinedDevice(device, device_type)


def write_joined_devices(devices: tuple[JoinedDevice, ...]) -> bytes:
    """Write a device's own log."""
    return der.sequence(*(write_joined(joined) for joined in devices))


def read_joined_devices(reader: DerReader) -> tuple[JoinedDevice, ...]:
    """Read a device's own log; raises DecodeError."""
    entries = reader.sequence("device log entries")
    devices = []
    while not entries.done:
        devices.append(read_joined(entries))
    return tuple(devices)


def _write_details(details: JoinDetails) -> bytes:
    if details.result is not ReadResult.SUCCESS:
        return der.sequence(der.integer(details.result))
    return der.sequence(der.integer(details.result), write_joined_devices(details.devices))


def _read_details(reader: DerReader) -> JoinDetails:
    fields = reader.sequence("CS07 response")
    result = ReadResult(read_number(fields, "read result"))
    devices = read_joined_devices(fields) if result is ReadResult.SUCCESS else ()
    fields.end("CS07 response")
    return JoinDetails(devices=devices, result=result)


_JOIN = der_content("join", _write_join, _read_join)
_JOIN_RESULT = der_content(
    "join response", der.integer, lambda reader: JoinResult(read_number(reader, "join response"))
)
_UNJOIN = der_content("unjoin", write_eui64, lambda reader: read_eui64(reader, "other device"))
_UNJOIN_RESULT = der_content(
    "unjoin response", der.integer, lambda reader: UnjoinResult(read_number(reader, "unjoin response"))
)


def _join(name: str, command: Protection, response: Protection) -> UseCase[Join, JoinResult]:
    return UseCase(
        name=name,
        command=command,
        response=response,
        command_content=_JOIN,
        response_content=_JOIN_RESULT,
    )


def _unjoin(name: str, command: Protection, response: Protection) -> UseCase[Eui64, UnjoinResult]:
    return UseCase(
        name=name,
        command=command,
        response=response,
        command_content=_UNJOIN,
        response_content=_UNJOIN_RESULT,
    )


CS03A1 = _join("CS03A1", Protection.SIGNED_AND_MACED, Protection.SIGNED)
CS03A2 = _join("CS03A2", Protection.SIGNED_AND_MACED, Protection.SIGNED)
CS03B = _join("CS03B", Protection.MACED, Protection.MACED)
CS03C = _join("CS03C", Protection.SIGNED_AND_MACED, Protection.SIGNED)
CS04AC = _unjoin("CS04AC", Protection.SIGNED_AND_MACED, Protection.SIGNED)
CS04B = _unjoin("CS04B", Protection.MACED, Protection.MACED)
CS07 = UseCase(
    name="CS07",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=nothing("CS07 command"),
    response_content=der_content("CS07 response", _write_details, _read_details),
)
