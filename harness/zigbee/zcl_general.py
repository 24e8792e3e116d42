"""ZCL global commands: read, write, report, configure, discover attributes, default response.

Source: 07-5123 (ZCL) §2.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.zigbee.fields import (
    REST,
    U8,
    U16,
    Bits,
    Codec,
    Cursor,
    IfAny,
    Many,
    Number,
    OpenEnum,
    Record,
    When,
)
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_types import DataType, TypedValue, Value, decode, encode, is_analog, take_typed


class GlobalCommand(OpenEnum):
    """Command identifier, Table 2-3."""

    READ_ATTRIBUTES = 0x00
    READ_ATTRIBUTES_RESPONSE = 0x01
    WRITE_ATTRIBUTES = 0x02
    WRITE_ATTRIBUTES_UNDIVIDED = 0x03
    WRITE_ATTRIBUTES_RESPONSE = 0x04
    WRITE_ATTRIBUTES_NO_RESPONSE = 0x05
    CONFIGURE_REPORTING = 0x06
    CONFIGURE_REPORTING_RESPONSE = 0x07
    REPORT_ATTRIBUTES = 0x0A
    DEFAULT_RESPONSE = 0x0B
    DISCOVER_ATTRIBUTES = 0x0C
    DISCOVER_ATTRIBUTES_RESPONSE = 0x0D


@dataclass(frozen=True, slots=True)
class _Typed(Codec):
    """A data type and a value of it."""

    def write(self, value: TypedValue) -> bytes:
        return value.to_bytes()

    def read(self, cursor: Cursor, field: str, control: int) -> TypedValue:  # noqa: ARG002
        return take_typed(cursor, field)


TYPED = Annotated[TypedValue, _Typed()]
STATUS = Annotated[ZclStatus, Number(1)]


def _is_zero(control: int) -> bool:
    return control == 0


def _is_one(control: int) -> bool:
    return control == 1


# --- read, write, report ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAttributes(Record):
    """§2.5.1."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.READ_ATTRIBUTES

    attributes: Annotated[tuple[int, ...], Many(Number(2))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRecord(Record):
    """One attribute read: a value when SUCCESS."""

    attribute: U16
    status: Annotated[ZclStatus, Bits(0, 8)] = ZclStatus.SUCCESS
    value: Annotated[TypedValue | None, _Typed(), When(_is_zero)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAttributesResponse(Record):
    """§2.5.2."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.READ_ATTRIBUTES_RESPONSE

    records: Annotated[tuple[ReadRecord, ...], Many(ReadRecord)]

    def value(self, attribute: int) -> TypedValue | None:
        """Return an attribute's value, or None when the response has none."""
        return next((entry.value for entry in self.records if entry.attribute == attribute), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeValue(Record):
    """An attribute and its value, in writes and reports."""

    attribute: U16
    value: TYPED


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAttributes(Record):
    """§2.5.3."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.WRITE_ATTRIBUTES

    records: Annotated[tuple[AttributeValue, ...], Many(AttributeValue)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAttributesUndivided(WriteAttributes):
    """§2.5.4: all or none."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.WRITE_ATTRIBUTES_UNDIVIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAttributesNoResponse(WriteAttributes):
    """§2.5.6."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.WRITE_ATTRIBUTES_NO_RESPONSE


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRecord(Record):
    """The outcome of a write; when all went well, one SUCCESS without an attribute stands for all."""

    status: STATUS
    attribute: Annotated[int | None, Number(2), IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAttributesResponse(Record):
    """§2.5.5."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.WRITE_ATTRIBUTES_RESPONSE

    records: Annotated[tuple[WriteRecord, ...], Many(WriteRecord)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAttributes(Record):
    """§2.5.11."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.REPORT_ATTRIBUTES

    records: Annotated[tuple[AttributeValue, ...], Many(AttributeValue)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultResponse(Record):
    """§2.5.12: the outcome of `command`."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.DEFAULT_RESPONSE

    command: U8
    status: STATUS


# --- configure reporting ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change(Codec):
    """A reportable change, of the type in the control octet; discrete types have none."""

    def write(self, value: TypedValue) -> bytes:
        return encode(value.type, value.value)

    def read(self, cursor: Cursor, field: str, control: int) -> TypedValue:
        data_type = DataType(control)
        change: Value = decode(cursor, data_type, field)
        return TypedValue(data_type, change)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSchedule(Record):
    """When to report; intervals in seconds."""

    data_type: Annotated[DataType, Bits(0, 8)]
    minimum_interval: U16
    maximum_interval: U16
    change: Annotated[TypedValue | None, _Change(), When(is_analog)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingRecord(Record):
    """One attribute: how to report it (direction 0), or how long to wait for its reports (direction 1)."""

    direction: Annotated[int, Bits(0, 8)] = 0
    attribute: U16
    schedule: Annotated[ReportSchedule | None, When(_is_zero)] = None
    timeout: Annotated[int | None, Number(2), When(_is_one)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureReporting(Record):
    """§2.5.7."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.CONFIGURE_REPORTING

    records: Annotated[tuple[ReportingRecord, ...], Many(ReportingRecord)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingStatus(Record):
    """The outcome for one attribute; one SUCCESS alone stands for all."""

    status: STATUS
    direction: Annotated[int | None, Number(1), IfAny()] = None
    attribute: Annotated[int | None, Number(2), IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureReportingResponse(Record):
    """§2.5.8."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.CONFIGURE_REPORTING_RESPONSE

    records: Annotated[tuple[ReportingStatus, ...], Many(ReportingStatus)]


# --- discover ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverAttributes(Record):
    """§2.5.13."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.DISCOVER_ATTRIBUTES

    start: U16 = 0
    maximum: U8 = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeInfo(Record):
    """An attribute that a device has."""

    attribute: U16
    data_type: Annotated[DataType, Number(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverAttributesResponse(Record):
    """§2.5.14."""

    COMMAND: ClassVar[GlobalCommand] = GlobalCommand.DISCOVER_ATTRIBUTES_RESPONSE

    complete: U8
    attributes: Annotated[tuple[AttributeInfo, ...], Many(AttributeInfo)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownGlobal(Record):
    """A global command without a table here, as it came."""

    octets: REST = b""


GlobalBody = (
    ReadAttributes
    | ReadAttributesResponse
    | WriteAttributes
    | WriteAttributesUndivided
    | WriteAttributesNoResponse
    | WriteAttributesResponse
    | ReportAttributes
    | DefaultResponse
    | ConfigureReporting
    | ConfigureReportingResponse
    | DiscoverAttributes
    | DiscoverAttributesResponse
    | UnknownGlobal
)

BODIES: Mapping[int, type[GlobalBody]] = {
    body.COMMAND: body
    for body in (
        ReadAttributes,
        ReadAttributesResponse,
        WriteAttributes,
        WriteAttributesUndivided,
        WriteAttributesNoResponse,
        WriteAttributesResponse,
        ReportAttributes,
        DefaultResponse,
        ConfigureReporting,
        ConfigureReportingResponse,
        DiscoverAttributes,
        DiscoverAttributesResponse,
    )
}
"""Bodies by command."""


def parse(frame: ZclFrame) -> GlobalBody:
    """Read the payload of a global command. Raises DecodeError."""
    return BODIES.get(frame.command, UnknownGlobal).from_bytes(frame.payload)


def frame(
    body: GlobalBody,
    sequence: int,
    *,
    direction: Direction = Direction.TO_SERVER,
    disable_default_response: bool = True,
    manufacturer: int | None = None,
) -> ZclFrame:
    """Return the frame of a global command. Raises ValueError for an UnknownGlobal, which has no number."""
    if isinstance(body, UnknownGlobal):
        raise ValueError("a command without a number cannot be sent")
    return ZclFrame(
        frame_type=ZclFrameType.GLOBAL,
        direction=direction,
        disable_default_response=disable_default_response,
        manufacturer=manufacturer,
        sequence=sequence,
        command=body.COMMAND,
        payload=body.to_bytes(),
    )
