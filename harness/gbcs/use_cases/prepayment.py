"""Prepayment: top-ups from afar (CS01a, CS01b) or a PPMID (PCS01), emergency credit (ECS09, GCS06, PCS02).

::

    CS01a  to an ESME, DLMS: action 1 of the token gateway (class 115, 0-0:19.40.0.255), 20 ASCII digits
    CS01b  to a GSME, GBZ: Consumer Top Up, from originating device 00
    PCS01  PPMID to GSME, GBZ: Consumer Top Up, from originating device 02
    ECS09  to an ESME, DLMS: action 3 of the credit account (class 112, 0-0:19.10.1.255), integer 0
    GCS06  to a GSME, GBZ: Select Available Emergency Credit, from originating device 00
    PCS02  PPMID to GSME, GBZ: the same, from originating device 02; both answered by a ZCL default response

Consumer Top Up (cluster 0705, command 04) is { originating device, UTRN }; its response (03) { result, value
of the top-up, source, credit remaining }, little-endian. ECS09 and GCS06 are signed and MACed, their
responses signed; the others are MAC only both ways, and the MAC of PCS01 and PCS02 is made between PPMID and
GSME. To an ESME a PPMID sends the same ZCL commands bare. CS01's responses have a date-time in the header.
Source: facts gb-domain §4; RTDS 2.2_CS01a, 2.2_CS01b, 2.5_ECS09, 2.5_GCS06, NA_PCS01, NA_PCS02; ZCL
Prepayment cluster (names).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DecodeError
from harness.gbcs import dlms
from harness.gbcs.access import Access, Specification
from harness.gbcs.builder import Protection
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.gbz import (
    PREPAYMENT_CLUSTER,
    GbzComponent,
    GbzPayload,
    ZclStatus,
    default_response,
    expect_component,
    read_default_response,
)
from harness.gbcs.octets import Reader
from harness.gbcs.open_enum import OpenEnum
from harness.gbcs.use_case import Content, UseCase
from harness.gbcs.use_cases.device_log import outcome_content, request_content
from harness.gbcs.utrn import DIGITS

_TOKEN_GATEWAY = Specification(Access.ACTION, 0x0073, bytes.fromhex("0000132800FF"), 1)
_EMERGENCY_CREDIT = Specification(Access.ACTION, 0x0070, bytes.fromhex("0000130A01FF"), 3)
_INVOKE = dlms.integer(0)
_SELECT_EMERGENCY_CREDIT, _CONSUMER_TOP_UP, _CONSUMER_TOP_UP_RESPONSE = 0x00, 0x04, 0x03
_TO_SERVER, _TO_CLIENT = 0x01, 0x09


class OriginatingDevice(OpenEnum):
    """Where a top-up comes from."""

    ENERGY_SERVICE_INTERFACE = 0
    METER = 1
    IN_HOME_DISPLAY = 2


class TopUpOutcome(OpenEnum):
    """What a meter says to a top-up."""

    ACCEPTED = 0x00
    REJECTED_INVALID_TOP_UP = 0x01
    REJECTED_DUPLICATE_TOP_UP = 0x02
    REJECTED_ERROR = 0x03
    REJECTED_MAX_CREDIT_REACHED = 0x04
    REJECTED_KEYPAD_LOCK = 0x05
    REJECTED_TOP_UP_VALUE_TOO_LARGE = 0x06
    ACCEPTED_SUPPLY_ENABLED = 0x10
    ACCEPTED_SUPPLY_DISABLED = 0x11
    ACCEPTED_SUPPLY_ARMED = 0x12


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpResponse:
    """A GSME's answer to a top-up. Amounts are millipence, -1 where the meter gives none."""

    outcome: TopUpOutcome
    value: int
    source: OriginatingDevice
    credit_remaining: int


@dataclass(frozen=True, slots=True)
class SelectEmergencyCredit:
    """When the command was issued, in seconds since 2000 (0 in the RTDS), and by what device."""

    issued: int = 0
    device: OriginatingDevice = OriginatingDevice.IN_HOME_DISPLAY


def consumer_top_up(device: OriginatingDevice, utrn: str) -> bytes:
    """Return the payload of ZCL Consumer Top Up; raises ValueError unless the UTRN is 20 digits."""
    return bytes((device,)) + bytes((DIGITS,)) + _digits(utrn)


def _digits(utrn: str) -> bytes:
    if len(utrn) != DIGITS or not (utrn.isascii() and utrn.isdigit()):
        raise ValueError(f"a UTRN has {DIGITS} digits, this is {utrn!r}")
    return utrn.encode("ascii")


def _utrn(octets: bytes) -> str:
    if len(octets) != DIGITS or not octets.isdigit():
        raise DecodeError("UTRN", f"has {DIGITS} digits, this is {octets!r}")
    return octets.decode("ascii")


def _read_token(reader: DlmsReader) -> str:
    return _utrn(reader.octet_string("UTRN", DIGITS))


def _read_invocation(reader: DlmsReader) -> None:
    if reader.element("parameter of the action") != _INVOKE:
        raise reader.octets.error("parameter of the action", "is not the integer 0")


def _top_up_content(device: OriginatingDevice) -> Content[str]:
    def write(utrn: str, _: int) -> bytes:
        return _one(_TO_SERVER, _CONSUMER_TOP_UP, consumer_top_up(device, utrn))

    def read(octets: bytes, _: int) -> str:
        reader = expect_component(octets, PREPAYMENT_CLUSTER, _CONSUMER_TOP_UP, _TO_SERVER)
        found = OriginatingDevice(reader.number(1, "originating device"))
        if found is not device:
            raise reader.error("originating device", f"is {found.text}, expected {device.text}")
        reader.literal(bytes((DIGITS,)), "length of the UTRN")
        utrn = _utrn(reader.take(DIGITS, "UTRN"))
        reader.end("Consumer Top Up")
        return utrn

    return Content(write, read)


def _write_response(response: TopUpResponse, _: int) -> bytes:
    payload = b"".join(
        (
            bytes((response.outcome,)),
            response.value.to_bytes(4, "little", signed=True),
            bytes((response.source,)),
            response.credit_remaining.to_bytes(4, "little", signed=True),
        )
    )
    return _one(_TO_CLIENT, _CONSUMER_TOP_UP_RESPONSE, payload)


def _read_response(octets: bytes, _: int) -> TopUpResponse:
    reader = expect_component(octets, PREPAYMENT_CLUSTER, _CONSUMER_TOP_UP_RESPONSE, _TO_CLIENT)
    response = TopUpResponse(
        outcome=TopUpOutcome(reader.number(1, "result type")),
        value=_amount(reader, "top-up value"),
        source=OriginatingDevice(reader.number(1, "source of the top-up")),
        credit_remaining=_amount(reader, "credit remaining"),
    )
    reader.end("Consumer Top Up Response")
    return response


def _amount(reader: Reader, field: str) -> int:
    return int.from_bytes(reader.take(4, field), "little", signed=True)


def _write_select(fields: SelectEmergencyCredit, _: int) -> bytes:
    payload = fields.issued.to_bytes(4, "little") + bytes((fields.device,))
    return _one(_TO_SERVER, _SELECT_EMERGENCY_CREDIT, payload)


def _read_select(octets: bytes, _: int) -> SelectEmergencyCredit:
    reader = expect_component(octets, PREPAYMENT_CLUSTER, _SELECT_EMERGENCY_CREDIT, _TO_SERVER)
    issued = int.from_bytes(reader.take(4, "issue time"), "little")
    device = OriginatingDevice(reader.number(1, "originating device"))
    reader.end("Select Available Emergency Credit")
    return SelectEmergencyCredit(issued, device)


def _write_status(status: ZclStatus, _: int) -> bytes:
    return default_response(PREPAYMENT_CLUSTER, _SELECT_EMERGENCY_CREDIT, status)


def _read_status(octets: bytes, _: int) -> ZclStatus:
    return read_default_response(octets, PREPAYMENT_CLUSTER, _SELECT_EMERGENCY_CREDIT)


def _one(frame_control: int, command: int, payload: bytes) -> bytes:
    component = GbzComponent(
        cluster=PREPAYMENT_CLUSTER, frame_control=frame_control, command=command, payload=payload
    )
    return GbzPayload((component,)).to_bytes()


def _select_content(device: OriginatingDevice) -> Content[SelectEmergencyCredit]:
    def read(octets: bytes, counter: int) -> SelectEmergencyCredit:
        fields = _read_select(octets, counter)
        if fields.device is not device:
            raise DecodeError("originating device", f"is {fields.device.text}, expected {device.text}")
        return fields

    return Content(_write_select, read)


CS01A = UseCase(
    name="CS01a",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=request_content(
        _TOKEN_GATEWAY, lambda utrn: dlms.octet_string(_digits(utrn)), _read_token
    ),
    response_content=outcome_content(Access.ACTION),
)
CS01B = UseCase(
    name="CS01b",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=_top_up_content(OriginatingDevice.ENERGY_SERVICE_INTERFACE),
    response_content=Content(_write_response, _read_response),
)
PCS01 = UseCase(
    name="PCS01",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=_top_up_content(OriginatingDevice.IN_HOME_DISPLAY),
    response_content=Content(_write_response, _read_response),
)
ECS09 = UseCase(
    name="ECS09",
    command=Protection.SIGNED_AND_MACED,
    response=Protection.SIGNED,
    command_content=request_content(_EMERGENCY_CREDIT, lambda _: _INVOKE, _read_invocation),
    response_content=outcome_content(Access.ACTION),
)
GCS06 = UseCase(
    name="GCS06",
    command=Protection.SIGNED_AND_MACED,
    response=Protection.SIGNED,
    command_content=_select_content(OriginatingDevice.ENERGY_SERVICE_INTERFACE),
    response_content=Content(_write_status, _read_status),
)
PCS02 = UseCase(
    name="PCS02",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=_select_content(OriginatingDevice.IN_HOME_DISPLAY),
    response_content=Content(_write_status, _read_status),
)
