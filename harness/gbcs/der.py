"""The few ASN.1 types that GBCS payloads are made of, in DER, strict in both directions.

INTEGER, ENUMERATED, BIT STRING, OCTET STRING, NULL, SEQUENCE and GeneralizedTime are all that a PPMID's use
cases need; a general ASN.1 library would read lazily and leniently, and name no field. Certificates are left
as octets. A length in two octets is read where one or none would do: the published CS02a response has one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from harness.errors import DecodeError

_INTEGER, _BIT_STRING, _OCTET_STRING, _NULL, _ENUMERATED = 0x02, 0x03, 0x04, 0x05, 0x0A
_TIME, _SEQUENCE = 0x18, 0x30
_NAMES = {
    _INTEGER: "INTEGER",
    _BIT_STRING: "BIT STRING",
    _ENUMERATED: "ENUMERATED",
    _OCTET_STRING: "OCTET STRING",
    _NULL: "NULL",
    _TIME: "GeneralizedTime",
    _SEQUENCE: "SEQUENCE",
}
_TWO_OCTET_LENGTH = 0x82
_TIME_FORMAT = "%Y%m%d%H%M%SZ"
NULL = bytes([_NULL, 0])

T = TypeVar("T")


@lru_cache(maxsize=256)
def integer(value: int) -> bytes:
    """Write an INTEGER."""
    return _element(_INTEGER, _number(value))


@lru_cache(maxsize=256)
def enumerated(value: int) -> bytes:
    """Write an ENUMERATED."""
    return _element(_ENUMERATED, _number(value))


def named_bits(bits: int) -> bytes:
    """Write a BIT STRING of eight named bits, the first of them 80; the zeros at its end are left out."""
    unused = (bits & -bits).bit_length() - 1
    return _element(_BIT_STRING, bytes((unused, bits)) if bits else b"\x00")


def octet_string(octets: bytes) -> bytes:
    """Write an OCTET STRING."""
    return _element(_OCTET_STRING, octets)


def generalized_time(moment: datetime) -> bytes:
    """Write a GeneralizedTime of whole seconds in UTC; a moment without a zone is UTC."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return _element(_TIME, f"{utc.year:04d}{utc:%m%d%H%M%S}Z".encode())


def sequence(*elements: bytes) -> bytes:
    """Write a SEQUENCE of elements already written."""
    return _element(_SEQUENCE, b"".join(elements))


class DerReader:
    """Reads elements in turn; each method raises DecodeError naming the field."""

    __slots__ = ("_octets", "_offset")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._offset = 0

    @property
    def done(self) -> bool:
        """Whether everything is read."""
        return self._offset == len(self._octets)

    def next_is_integer(self) -> bool:
        """Whether an INTEGER comes next, for OPTIONAL and CHOICE."""
        return self._next_is(_INTEGER)

    def next_is_time(self) -> bool:
        """Whether a GeneralizedTime comes next, for OPTIONAL and CHOICE."""
        return self._next_is(_TIME)

    def next_is_null(self) -> bool:
        """Whether NULL comes next, for CHOICE."""
        return self._next_is(_NULL)

    def integer(self, field: str) -> int:
        """Read an INTEGER."""
        return self._number(_INTEGER, field)

    def enumerated(self, field: str) -> int:
        """Read an ENUMERATED."""
        return self._number(_ENUMERATED, field)

    def named_bits(self, field: str) -> int:
        """Read a BIT STRING of at most eight named bits, the first of them 80."""
        octets = self._content(_BIT_STRING, field)
        bits = octets[1] if len(octets) == 2 else 0
        if named_bits(bits) != _element(_BIT_STRING, octets):
            raise DecodeError(field, "not eight named bits in their shortest form", offset=self._offset)
        return bits

    def octet_string(self, field: str, size: int | None = None) -> bytes:
        """Read an OCTET STRING, of `size` octets if given."""
        octets = self._content(_OCTET_STRING, field)
        if size is not None and len(octets) != size:
            raise DecodeError(field, f"has {len(octets)} octets, expected {size}", offset=self._offset)
        return octets

    def null(self, field: str) -> None:
        """Read NULL."""
        if self._content(_NULL, field):
            raise DecodeError(field, "NULL is not empty", offset=self._offset)

    def generalized_time(self, field: str) -> datetime:
        """Read a GeneralizedTime of whole seconds in UTC."""
        octets = self._content(_TIME, field)
        try:
            moment = datetime.strptime(octets.decode("ascii"), _TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise DecodeError(field, f"not a time: {octets!r}", offset=self._offset) from None
        if generalized_time(moment) != _element(_TIME, octets):
            raise DecodeError(field, f"not a time: {octets!r}", offset=self._offset)
        return moment

    def sequence(self, field: str) -> DerReader:
        """Read a SEQUENCE and return the reader of what is in it."""
        return DerReader(self._content(_SEQUENCE, field))

    def sequence_octets(self, field: str) -> bytes:
        """Read a SEQUENCE and return its octets, tag and length included."""
        start = self._offset
        self._content(_SEQUENCE, field)
        return self._octets[start : self._offset]

    def element(self, field: str) -> bytes:
        """Read one element whole, whatever it is."""
        start = self._offset
        self._header(field)
        return self._octets[start : self._offset]

    def error(self, field: str, reason: str) -> DecodeError:
        """Return (not raise) an error at the next octet."""
        return DecodeError(field, reason, offset=self._offset)

    def end(self, field: str) -> None:
        """Raise unless everything is read."""
        if not self.done:
            raise DecodeError(
                field, f"{len(self._octets) - self._offset} octets too many", offset=self._offset
            )

    def _number(self, tag: int, field: str) -> int:
        octets = self._content(tag, field)
        value = int.from_bytes(octets, "big", signed=True)
        if not octets or _number(value) != octets:
            raise DecodeError(field, f"not an {_NAMES[tag]} in its shortest form", offset=self._offset)
        return value

    def _next_is(self, tag: int) -> bool:
        return self._octets[self._offset : self._offset + 1] == bytes([tag])

    def _content(self, tag: int, field: str) -> bytes:
        start = self._offset
        found, content = self._header(field)
        if found != tag:
            raise DecodeError(field, f"expected {_NAMES[tag]}, found tag {found:02X}", offset=start)
        return content

    def _header(self, field: str) -> tuple[int, bytes]:
        octets, start = self._octets, self._offset
        if len(octets) - start < 2:
            raise DecodeError(field, "is missing or cut short", offset=start)
        tag, length, begin = octets[start], octets[start + 1], start + 2
        if length >= 0x80:
            begin += length & 0x7F
            length = int.from_bytes(octets[start + 2 : begin], "big")
        content = octets[begin : begin + length]
        shortest = octets[start:begin] == _header(tag, length)
        if len(content) != length or not (shortest or octets[start + 1] == _TWO_OCTET_LENGTH):
            raise DecodeError(field, "its length is wrong", offset=start)
        self._offset = begin + length
        return tag, content


def is_sequence(octets: bytes) -> bool:
    """Say whether these octets are one SEQUENCE and nothing more; what is in it is not looked at."""
    reader = DerReader(octets)
    try:
        reader.sequence("sequence")
    except DecodeError:
        return False
    return reader.done


def read_whole(octets: bytes, field: str, read: Callable[[DerReader], T]) -> T:
    """Read one value that must be all of `octets`."""
    reader = DerReader(octets)
    value = read(reader)
    reader.end(field)
    return value


def _header(tag: int, length: int) -> bytes:
    if length < 0x80:
        return bytes((tag, length))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size


def _number(value: int) -> bytes:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return value.to_bytes(size, "big", signed=True)


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    return (bytes((tag, length)) if length < 0x80 else _header(tag, length)) + content
