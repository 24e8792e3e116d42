"""DLMS data in A-XDR: a tag, then octets of a fixed number, counted octets, or counted elements.

Written by one function a type, read in turn by a reader that names the field; `element` reads any type whole.
Source: IEC 62056-5-3 (COSEM data); the types are those that the RTDS vectors use, and their fixed-size kin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.eui64 import Eui64
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.octets import Reader, length_octets, with_length

_NULL, _ARRAY, _STRUCTURE, _BOOLEAN, _BIT_STRING, _OCTET_STRING = 0x00, 0x01, 0x02, 0x03, 0x04, 0x09
_INTEGER, _UNSIGNED, _LONG_UNSIGNED, _COMPACT_ARRAY, _ENUM = 0x0F, 0x11, 0x12, 0x13, 0x16
_NAMES = {
    _NULL: "null-data",
    _ARRAY: "array",
    _STRUCTURE: "structure",
    _BOOLEAN: "boolean",
    _BIT_STRING: "bit-string",
    _OCTET_STRING: "octet-string",
    _INTEGER: "integer",
    _UNSIGNED: "unsigned",
    _LONG_UNSIGNED: "long-unsigned",
    _ENUM: "enum",
}
_FIXED_SIZES = {
    _NULL: 0,
    _BOOLEAN: 1,
    0x05: 4,  # double-long
    0x06: 4,  # double-long-unsigned
    0x0D: 1,  # bcd
    _INTEGER: 1,
    0x10: 2,  # long
    _UNSIGNED: 1,
    _LONG_UNSIGNED: 2,
    0x14: 8,  # long64
    0x15: 8,  # long64-unsigned
    _ENUM: 1,
    0x17: 4,  # float32
    0x18: 8,  # float64
    0x19: 12,  # date-time
    0x1A: 5,  # date
    0x1B: 4,  # time
}
_COUNTED = (_OCTET_STRING, 0x0A, 0x0C)  # octets, visible and UTF-8 strings
_DEEPEST = 16

NULL = bytes([_NULL])

T = TypeVar("T")


def octet_string(octets: bytes) -> bytes:
    """Write an octet-string."""
    return bytes([_OCTET_STRING]) + with_length(octets)


def eui64(eui: Eui64) -> bytes:
    """Write an EUI-64 as the octet-string that it travels in."""
    return octet_string(eui.to_bytes_be())


def date_time(moment: CosemTime) -> bytes:
    """Write a date-time as the octet-string that it travels in."""
    return octet_string(moment.to_bytes())


def bit_string(bits: str) -> bytes:
    """Write a bit-string of 0s and 1s; the octets are filled up with zeros."""
    padded = bits + "0" * (-len(bits) % 8)
    octets = int(padded, 2).to_bytes(len(padded) // 8, "big") if padded else b""
    return bytes([_BIT_STRING]) + length_octets(len(bits)) + octets


def boolean(*, value: bool) -> bytes:
    """Write a boolean; GBCS writes true as FF."""
    return bytes([_BOOLEAN, 0xFF if value else 0])


def integer(value: int) -> bytes:
    """Write an integer of one octet."""
    return bytes([_INTEGER]) + value.to_bytes(1, "big", signed=True)


def unsigned(value: int) -> bytes:
    """Write an unsigned of one octet."""
    return bytes([_UNSIGNED, value])


def long_unsigned(value: int) -> bytes:
    """Write an unsigned of two octets."""
    return bytes([_LONG_UNSIGNED]) + value.to_bytes(2, "big")


def enum(value: int) -> bytes:
    """Write an enum."""
    return bytes([_ENUM, value])


def structure(*elements: bytes) -> bytes:
    """Write a structure of elements already written."""
    return bytes([_STRUCTURE]) + length_octets(len(elements)) + b"".join(elements)


def array(*elements: bytes) -> bytes:
    """Write an array of elements already written."""
    return bytes([_ARRAY]) + length_octets(len(elements)) + b"".join(elements)


class DlmsReader:
    """Reads elements in turn; each method raises DecodeError naming the field.

    What is in an array or structure stands in the same octets and is read by the same reader.
    """

    __slots__ = ("_reader",)

    def __init__(self, octets: bytes, *, base: int = 0) -> None:
        self._reader = Reader(octets, base=base)

    @property
    def octets(self) -> Reader:
        """The cursor beneath, for what is no DLMS data."""
        return self._reader

    def null(self, field: str) -> None:
        """Read null-data."""
        self._tag(_NULL, field)

    def octet_string(self, field: str, size: int | None = None) -> bytes:
        """Read an octet-string, of `size` octets if given."""
        self._tag(_OCTET_STRING, field)
        octets = self._reader.counted(field)
        if size is not None and len(octets) != size:
            raise self._reader.error(field, f"has {len(octets)} octets, expected {size}")
        return octets

    def eui64(self, field: str) -> Eui64:
        """Read an EUI-64 in an octet-string."""
        return Eui64.from_bytes_be(self.octet_string(field, 8))

    def date_time(self, field: str) -> CosemTime:
        """Read a date-time in an octet-string."""
        octets = self.octet_string(field, 12)
        return CosemTime.from_bytes(octets, field, base=self._reader.offset - len(octets))

    def bit_string(self, field: str) -> str:
        """Read a bit-string as 0s and 1s."""
        self._tag(_BIT_STRING, field)
        return self._bits(field)

    def boolean(self, field: str) -> bool:
        """Read a boolean; anything but 00 is true."""
        self._tag(_BOOLEAN, field)
        return self._reader.number(1, field) != 0

    def integer(self, field: str) -> int:
        """Read an integer of one octet."""
        self._tag(_INTEGER, field)
        return int.from_bytes(self._reader.take(1, field), "big", signed=True)

    def unsigned(self, field: str) -> int:
        """Read an unsigned of one octet."""
        self._tag(_UNSIGNED, field)
        return self._reader.number(1, field)

    def long_unsigned(self, field: str) -> int:
        """Read an unsigned of two octets."""
        self._tag(_LONG_UNSIGNED, field)
        return self._reader.number(2, field)

    def enum(self, field: str) -> int:
        """Read an enum."""
        self._tag(_ENUM, field)
        return self._reader.number(1, field)

    def structure(self, field: str, count: int) -> None:
        """Read the head of a structure that must have so many elements."""
        self._tag(_STRUCTURE, field)
        found = self._reader.length(field)
        if found != count:
            raise self._reader.error(field, f"has {found} elements, expected {count}")

    def array(self, field: str, read: Callable[[DlmsReader], T]) -> tuple[T, ...]:
        """Read an array, each of its elements by `read`."""
        self._tag(_ARRAY, field)
        return tuple(read(self) for _ in range(self._count(field)))

    def element(self, field: str) -> bytes:
        """Read one element whole, whatever it is."""
        return self._reader.since(lambda: self._skip(field, 0))

    def end(self, field: str) -> None:
        """Raise unless everything is read."""
        self._reader.end(field)

    def _tag(self, expected: int, field: str) -> None:
        found = self._reader.number(1, field)
        if found != expected:
            self._reader.position -= 1
            raise self._reader.error(field, f"expected {_NAMES[expected]}, found tag {found:02X}")

    def _count(self, field: str) -> int:
        count = self._reader.length(field)
        if count > self._reader.remaining:
            raise self._reader.error(field, f"{count} elements in {self._reader.remaining} octets")
        return count

    def _bits(self, field: str) -> str:
        count = self._reader.length(field)
        octets = self._reader.take((count + 7) // 8, field)
        bits = "".join(f"{octet:08b}" for octet in octets)
        if "1" in bits[count:]:
            raise self._reader.error(field, "a bit-string is filled up with zeros")
        return bits[:count]

    def _skip(self, field: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise self._reader.error(field, f"more than {_DEEPEST} elements inside each other")
        tag = self._reader.number(1, field)
        if tag in _FIXED_SIZES:
            self._reader.take(_FIXED_SIZES[tag], field)
        elif tag in _COUNTED:
            self._reader.counted(field)
        elif tag in (_ARRAY, _STRUCTURE):
            for _ in range(self._count(field)):
                self._skip(field, depth + 1)
        elif tag == _BIT_STRING:
            self._bits(field)
        elif tag == _COMPACT_ARRAY:
            self._skip_type(field, depth)
            self._reader.counted(field)
        else:
            self._reader.position -= 1
            raise self._reader.error(field, f"no DLMS data has the tag {tag:02X}")

    def _skip_type(self, field: str, depth: int) -> None:
        """Skip the type description of a compact array."""
        if depth > _DEEPEST:
            raise self._reader.error(field, f"more than {_DEEPEST} types inside each other")
        tag = self._reader.number(1, field)
        if tag == _ARRAY:
            self._reader.take(2, field)
            self._skip_type(field, depth + 1)
        elif tag == _STRUCTURE:
            for _ in range(self._count(field)):
                self._skip_type(field, depth + 1)
        elif tag not in _FIXED_SIZES and tag not in (*_COUNTED, _BIT_STRING):
            raise self._reader.error(field, f"no DLMS type has the tag {tag:02X}")


def read_whole(octets: bytes, field: str, read: Callable[[DlmsReader], T]) -> T:
    """Read one value that must be all of `octets`."""
    reader = DlmsReader(octets)
    value = read(reader)
    reader.end(field)
    return value
