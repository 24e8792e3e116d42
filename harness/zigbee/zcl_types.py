"""ZCL data types and typed values. Source: 07-5123 (ZCL) §2.6.2."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.fields import Codec, Cursor, Eui, Number, Octets, OpenEnum

MAXIMUM_NESTING = 15
"""Depth to which arrays and structures may nest, §2.6.2.16."""


class DataType(OpenEnum):
    """Attribute data type, Table 2-10."""

    NO_DATA = 0x00
    DATA8 = 0x08
    DATA16 = 0x09
    DATA24 = 0x0A
    DATA32 = 0x0B
    DATA40 = 0x0C
    DATA48 = 0x0D
    DATA56 = 0x0E
    DATA64 = 0x0F
    BOOLEAN = 0x10
    BITMAP8 = 0x18
    BITMAP16 = 0x19
    BITMAP24 = 0x1A
    BITMAP32 = 0x1B
    BITMAP40 = 0x1C
    BITMAP48 = 0x1D
    BITMAP56 = 0x1E
    BITMAP64 = 0x1F
    UINT8 = 0x20
    UINT16 = 0x21
    UINT24 = 0x22
    UINT32 = 0x23
    UINT40 = 0x24
    UINT48 = 0x25
    UINT56 = 0x26
    UINT64 = 0x27
    INT8 = 0x28
    INT16 = 0x29
    INT24 = 0x2A
    INT32 = 0x2B
    INT40 = 0x2C
    INT48 = 0x2D
    INT56 = 0x2E
    INT64 = 0x2F
    ENUM8 = 0x30
    ENUM16 = 0x31
    SEMI = 0x38
    SINGLE = 0x39
    DOUBLE = 0x3A
    OCTET_STRING = 0x41
    CHARACTER_STRING = 0x42
    LONG_OCTET_STRING = 0x43
    LONG_CHARACTER_STRING = 0x44
    ARRAY = 0x48
    STRUCTURE = 0x4C
    SET = 0x50
    BAG = 0x51
    TIME_OF_DAY = 0xE0
    DATE = 0xE1
    UTC_TIME = 0xE2
    CLUSTER_ID = 0xE8
    ATTRIBUTE_ID = 0xE9
    BACNET_OID = 0xEA
    EUI64 = 0xF0
    KEY128 = 0xF1
    UNKNOWN = 0xFF


Value: TypeAlias = "int | float | bytes | str | Eui64 | Array | tuple[TypedValue, ...] | None"
"""A value in Python: numbers, octets, text, an Eui64, an Array, a structure's tuple; None for no data."""


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value with its ZCL type."""

    type: DataType
    value: Value

    def to_bytes(self) -> bytes:
        """Return the type's octet and the value. Raises ValueError when the value is not of the type."""
        return bytes([self.type]) + encode(self.type, self.value)

    def __str__(self) -> str:
        shown = self.value.hex() if isinstance(self.value, bytes) else self.value
        return f"{self.type.name}:{shown}"


@dataclass(frozen=True, slots=True)
class Array:
    """An array, set or bag: values of one type."""

    type: DataType
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _Float(Codec):
    """A number in IEEE 754."""

    layout: str

    def write(self, value: float) -> bytes:
        try:
            return struct.pack(self.layout, value)
        except OverflowError:
            raise ValueError(f"{value} does not fit") from None

    def read(self, cursor: Cursor, field: str, control: int) -> float:  # noqa: ARG002
        (value,) = struct.unpack(self.layout, cursor.take(struct.calcsize(self.layout), field))
        return float(value)


@dataclass(frozen=True, slots=True)
class _String(Codec):
    """Octets or text after their length; None is the invalid string, whose length is all ones."""

    length: Number
    text: bool

    def write(self, value: bytes | str | None) -> bytes:
        invalid = (1 << 8 * self.length.octets) - 1
        if value is None:
            return self.length.write(invalid)
        octets = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
        if len(octets) >= invalid:
            raise ValueError(f"{len(octets)} octets are too many for this kind of string")
        return self.length.write(len(octets)) + octets

    def read(self, cursor: Cursor, field: str, control: int) -> bytes | str | None:
        length = self.length.read(cursor, field, control)
        if length == (1 << 8 * self.length.octets) - 1:
            return None
        octets = cursor.take(length, field)
        # Text that is not UTF-8 is kept octet by octet, so that nothing is lost.
        return octets.decode("utf-8", "surrogateescape") if self.text else octets


def _numbers(first: DataType, last: DataType, *, signed: bool = False) -> dict[DataType, Codec]:
    """A run of types of 1, 2, 3, … octets."""
    return {DataType(first + n): Number(n + 1, signed) for n in range(last - first + 1)}


CODECS: Mapping[DataType, Codec] = {
    **_numbers(DataType.DATA8, DataType.DATA64),
    DataType.BOOLEAN: Number(1),
    **_numbers(DataType.BITMAP8, DataType.BITMAP64),
    **_numbers(DataType.UINT8, DataType.UINT64),
    **_numbers(DataType.INT8, DataType.INT64, signed=True),
    **_numbers(DataType.ENUM8, DataType.ENUM16),
    DataType.SEMI: _Float("<e"),
    DataType.SINGLE: _Float("<f"),
    DataType.DOUBLE: _Float("<d"),
    DataType.OCTET_STRING: _String(Number(1), text=False),
    DataType.CHARACTER_STRING: _String(Number(1), text=True),
    DataType.LONG_OCTET_STRING: _String(Number(2), text=False),
    DataType.LONG_CHARACTER_STRING: _String(Number(2), text=True),
    DataType.TIME_OF_DAY: Number(4),
    DataType.DATE: Number(4),
    DataType.UTC_TIME: Number(4),
    DataType.CLUSTER_ID: Number(2),
    DataType.ATTRIBUTE_ID: Number(2),
    DataType.BACNET_OID: Number(4),
    DataType.EUI64: Eui(),
    DataType.KEY128: Octets(16),
}
"""How the types without parts of their own travel."""

_ANALOG = (
    *range(DataType.UINT8, DataType.INT64 + 1),
    *(DataType.SEMI, DataType.SINGLE, DataType.DOUBLE),
    *(DataType.TIME_OF_DAY, DataType.DATE, DataType.UTC_TIME),
)
_COLLECTIONS = (DataType.ARRAY, DataType.SET, DataType.BAG)
_EMPTY = (DataType.NO_DATA, DataType.UNKNOWN)


def is_analog(data_type: int) -> bool:
    """Say whether a type is analog: reporting it takes a reportable change."""
    return data_type in _ANALOG


def encode(data_type: DataType, value: Value) -> bytes:
    """Return a value's octets, without its type. Raises ValueError when the value is not of the type."""
    if data_type in _EMPTY:
        return b""
    if isinstance(value, Array):
        octets = b"".join(encode(value.type, entry) for entry in value.values)
        return bytes([value.type]) + len(value.values).to_bytes(2, "little") + octets
    if isinstance(value, tuple):
        return len(value).to_bytes(2, "little") + b"".join(entry.to_bytes() for entry in value)
    codec = CODECS.get(data_type)
    if codec is None:
        raise ValueError(f"no value of ZCL type {data_type:#04x} can be {value!r}")
    try:
        return codec.write(value)
    except (TypeError, AttributeError, struct.error):
        raise ValueError(f"{value!r} is no {data_type.name}") from None


def decode(cursor: Cursor, data_type: DataType, field: str = "value", *, depth: int = 0) -> Value:
    """Take a value of a type. Raises DecodeError, also for a type that ZCL does not have."""
    if data_type in _EMPTY:
        return None
    if data_type in CODECS:
        value: Value = CODECS[data_type].read(cursor, field, 0)
        return value
    if depth >= MAXIMUM_NESTING:
        raise DecodeError(field, f"nests deeper than {MAXIMUM_NESTING}", offset=cursor.offset)
    if data_type in _COLLECTIONS:
        element = DataType(cursor.number(1, field))
        return Array(element, _several(cursor, element, field, depth))
    if data_type is DataType.STRUCTURE:
        count = _count(cursor, field)
        return tuple(take_typed(cursor, field, depth=depth + 1) for _ in range(count))
    raise DecodeError(field, f"has unknown type {data_type:#04x}", offset=cursor.offset)


def _several(cursor: Cursor, element: DataType, field: str, depth: int) -> tuple[Value, ...]:
    count = _count(cursor, field)
    return tuple(decode(cursor, element, field, depth=depth + 1) for _ in range(count))


def _count(cursor: Cursor, field: str) -> int:
    """Take a number of elements; FFFF, an invalid collection, has none to take."""
    count = cursor.number(2, field)
    # An element takes an octet at least, so a larger count cannot be true: refuse it before counting to it.
    if count > cursor.remaining:
        raise DecodeError(
            field, f"counts {count} elements, {cursor.remaining} octets are left", offset=cursor.offset
        )
    return count


def take_typed(cursor: Cursor, field: str = "value", *, depth: int = 0) -> TypedValue:
    """Take a type and a value of it. Raises DecodeError."""
    data_type = DataType(cursor.number(1, field))
    return TypedValue(data_type, decode(cursor, data_type, field, depth=depth))
