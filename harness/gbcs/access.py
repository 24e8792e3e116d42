"""DLMS access request, response and data notification, as GBCS uses them.

::

    request       D9 | 20 counter(3) | 00 | n | specification * n | n | data * n
    response      DA | 20 counter(3) | 00 | 00 | n | data * n | n | result * n
    notification  0F | 20 counter(3) | 00 | structure { alert code long-unsigned, date-time, ... }

The counter is the low three octets of the message's originator counter. A specification is ``01`` get,
``02`` set, ``03`` action, each with class (2), instance (6) and member (1), or ``04`` / ``05``, get and set
with a selector (1) and its data. A result is the same kind of octet and a result octet.
Source: IEC 62056-5-3 ACCESS service; facts gb-domain §3.3 (proved on the RTDS vectors).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from harness.errors import DecodeError
from harness.gbcs import dlms
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.octets import Reader, length_octets
from harness.gbcs.open_enum import OpenEnum

_REQUEST, _RESPONSE, _NOTIFICATION = b"\xd9", b"\xda", b"\x0f"
_INVOKE_FLAGS = b"\x20"
_NO_DATE_TIME = b"\x00"
_NO_SPECIFICATION = b"\x00"


class Access(IntEnum):
    """What is done to an attribute or by a method."""

    GET = 1
    SET = 2
    ACTION = 3
    GET_SELECTED = 4
    SET_SELECTED = 5


class AccessResult(OpenEnum):
    """Whether it could be done (DLMS data-access-result and action-result, whose numbers agree)."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_ABORTED = 15
    NO_LONG_IN_PROGRESS = 16
    OTHER_REASON = 250


@dataclass(frozen=True, slots=True)
class Specification:
    """One access: kind, class, instance (OBIS, 6 octets), attribute or method, and selector with data."""

    access: Access
    class_id: int
    instance: bytes
    member: int
    selector: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the octets."""
        return b"".join(
            (
                bytes((self.access,)),
                self.class_id.to_bytes(2, "big"),
                self.instance,
                bytes((self.member,)),
                self.selector,
            )
        )


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Accesses in order, and one piece of data (null-data where there is none) for each."""

    specifications: tuple[Specification, ...]
    data: tuple[bytes, ...]

    def to_bytes(self, counter: int) -> bytes:
        """Return the octets in a command of this originator counter."""
        return b"".join(
            (
                _REQUEST,
                _invoke_id(counter),
                _NO_DATE_TIME,
                _list(tuple(one.to_bytes() for one in self.specifications)),
                _list(self.data),
            )
        )

    @classmethod
    def from_bytes(cls, octets: bytes, counter: int) -> AccessRequest:
        """Read the octets of a command of this originator counter; raises DecodeError."""
        reader = DlmsReader(octets)
        _head(reader.octets, _REQUEST, counter, "access request")
        specifications = tuple(_specification(reader) for _ in range(reader.octets.length("specifications")))
        data = _data(reader)
        if len(data) != len(specifications):
            raise DecodeError("access request", f"{len(specifications)} accesses, {len(data)} pieces of data")
        reader.end("access request")
        return cls(specifications, data)


@dataclass(frozen=True, slots=True)
class AccessResponse:
    """One piece of data and one result for each access."""

    data: tuple[bytes, ...]
    results: tuple[tuple[Access, AccessResult], ...]

    def to_bytes(self, counter: int) -> bytes:
        """Return the octets in a response of this originator counter."""
        return b"".join(
            (
                _RESPONSE,
                _invoke_id(counter),
                _NO_DATE_TIME,
                _NO_SPECIFICATION,
                _list(self.data),
                _list(tuple(bytes(pair) for pair in self.results)),
            )
        )

    @classmethod
    def from_bytes(cls, octets: bytes, counter: int) -> AccessResponse:
        """Read the octets of a response of this originator counter; raises DecodeError."""
        reader = DlmsReader(octets)
        _head(reader.octets, _RESPONSE, counter, "access response")
        reader.octets.literal(_NO_SPECIFICATION, "access request specification")
        data = _data(reader)
        count = reader.octets.length("access results")
        results = tuple(
            (_access(reader.octets), AccessResult(reader.octets.number(1, "access result")))
            for _ in range(count)
        )
        if len(data) != len(results):
            raise DecodeError("access response", f"{len(data)} pieces of data, {len(results)} results")
        reader.end("access response")
        return cls(data, results)


@dataclass(frozen=True, slots=True)
class Notification:
    """An alert: its code, when it was raised, and what more its use case says, element by element."""

    alert_code: int
    time: CosemTime
    body: tuple[bytes, ...] = ()

    def to_bytes(self, counter: int) -> bytes:
        """Return the octets in an alert of this originator counter."""
        elements = (dlms.long_unsigned(self.alert_code), dlms.date_time(self.time), *self.body)
        return _NOTIFICATION + _invoke_id(counter) + _NO_DATE_TIME + dlms.structure(*elements)

    @classmethod
    def from_bytes(cls, octets: bytes, counter: int) -> Notification:
        """Read the octets of an alert of this originator counter; raises DecodeError."""
        reader = DlmsReader(octets)
        _head(reader.octets, _NOTIFICATION, counter, "data notification")
        reader.octets.literal(b"\x02", "data notification")
        count = reader.octets.length("data notification")
        if count < 2:
            raise reader.octets.error("data notification", f"has {count} elements, expected 2 or more")
        code = reader.long_unsigned("alert code")
        time = reader.date_time("alert time")
        body = tuple(reader.element("alert body") for _ in range(count - 2))
        reader.end("data notification")
        return cls(code, time, body)


def _invoke_id(counter: int) -> bytes:
    return _INVOKE_FLAGS + (counter & 0xFFFFFF).to_bytes(3, "big")


def _head(reader: Reader, tag: bytes, counter: int, name: str) -> None:
    reader.literal(tag, f"{name} tag")
    reader.literal(_invoke_id(counter), "invoke id")
    reader.literal(_NO_DATE_TIME, f"{name} date-time")


def _list(elements: tuple[bytes, ...]) -> bytes:
    return length_octets(len(elements)) + b"".join(elements)


def _data(reader: DlmsReader) -> tuple[bytes, ...]:
    return tuple(reader.element("data") for _ in range(reader.octets.length("data")))


def _access(reader: Reader) -> Access:
    value = reader.number(1, "access kind")
    if value not in tuple(Access):
        reader.position -= 1
        raise reader.error("access kind", f"expected 01 to 05, found {value:02X}")
    return Access(value)


def _specification(reader: DlmsReader) -> Specification:
    octets = reader.octets
    access = _access(octets)
    class_id = octets.number(2, "class")
    instance = octets.take(6, "instance")
    member = octets.number(1, "attribute or method")
    selector = b""
    if access in (Access.GET_SELECTED, Access.SET_SELECTED):
        selector = octets.take(1, "selector") + reader.element("selector data")
    return Specification(access, class_id, instance, member, selector)
