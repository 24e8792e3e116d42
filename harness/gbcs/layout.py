"""Where each field of a GBCS message stands in its octets, for showing both side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.errors import DecodeError
from harness.gbcs.codes import use_case_name
from harness.gbcs.header import GENERAL_CIPHERING, MAC_LENGTH, Cra
from harness.gbcs.octets import Reader

_OTHER_INFORMATION = (
    ("supplementary remote party", 8),
    ("supplementary remote party counter", 8),
    ("supplementary originator counter", 8),
)
_TAGS = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x16: "IA5String",
    0x17: "UTCTime",
    0x18: "GeneralizedTime",
    0x30: "SEQUENCE",
    0x31: "SET",
}
_CONSTRUCTED = 0x20
_DEEPEST = 12


class Part(NamedTuple):
    """A field: its name, its value as text, and where it is; `depth` says how far inside another it lies."""

    name: str
    text: str
    offset: int
    length: int
    depth: int = 0


def parts(octets: bytes, *, offset: int = 0) -> list[Part]:
    """Return a message's fields in the order of its octets; `offset` is where it begins.

    Never raises: from where a message cannot be read, one last part says why and has the rest of it.
    """
    found: list[Part] = []
    reader = Reader(octets)
    try:
        found.extend(_message(reader))
    except DecodeError as error:
        at = found[-1].offset + found[-1].length if found else 0
        found.append(Part("cannot be read", str(error), at, len(octets) - at))
    return [part._replace(offset=part.offset + offset) for part in found]


def _message(reader: Reader) -> Iterator[Part]:
    ciphered = reader.remaining > 0 and _peek(reader) == GENERAL_CIPHERING
    if ciphered:
        yield _taken(reader, 1, "MAC header: general ciphering tag")
        yield _taken(reader, 6, "MAC header: unused fields")
        start = reader.position
        yield _number_part("MAC header: length", reader.length("length in the MAC header"), start, reader)
        yield _taken(reader, 1, "security control")
        yield _taken(reader, 4, "invocation counter")
    yield from _grouping_header(reader)
    start = reader.position
    length = reader.length("length of content")
    yield _number_part("length of content", length, start, reader)
    if length:
        content = reader.take(length, "content")
        at = reader.position - length
        yield Part("content", "", at, length)
        yield from _der(content, at, 1)
    if reader.remaining > (MAC_LENGTH if ciphered else 0):
        yield from _counted(reader, "signature")
    if ciphered:
        yield _taken(reader, MAC_LENGTH, "MAC")
    reader.end("message")


def _grouping_header(reader: Reader) -> Iterator[Part]:
    yield _taken(reader, 1, "grouping header: general signing tag")
    yield _taken(reader, 1, "length of transaction id")
    start = reader.position
    kind = reader.number(1, "CRA flag")
    name = Cra(kind).name.lower() if kind in tuple(Cra) else "unknown"
    yield Part("CRA flag", f"{name} (0x{kind:02X})", start, 1)
    start = reader.position
    yield Part("originator counter", str(reader.number(8, "originator counter")), start, 8)
    for field in ("business originator", "business target"):
        yield from _counted(reader, field, separator="-")
    yield from _counted(reader, "date-time")
    start = reader.position
    length = reader.length("length of other information")
    yield _number_part("length of other information", length, start, reader)
    yield from _other_information(reader, length)


def _other_information(reader: Reader, length: int) -> Iterator[Part]:
    end = reader.position + length
    start = reader.position
    code = reader.number(2, "message code")
    yield Part("message code", f"0x{code:04X} {use_case_name(code) or ''}".strip(), start, 2)
    for field, size in _OTHER_INFORMATION:
        if end - reader.position < size or end - reader.position > 24:
            break
        yield _taken(reader, size, field)
    if end > reader.position:
        yield _taken(reader, end - reader.position, "certificate")


def _counted(reader: Reader, field: str, *, separator: str = " ") -> Iterator[Part]:
    start = reader.position
    length = reader.length(f"length of {field}")
    yield _number_part(f"length of {field}", length, start, reader)
    if length:
        yield _taken(reader, length, field, separator=separator)


def _taken(reader: Reader, size: int, name: str, *, separator: str = " ") -> Part:
    octets = reader.take(size, name)
    return Part(name, octets.hex(separator).upper(), reader.position - size, size)


def _number_part(name: str, value: int, start: int, reader: Reader) -> Part:
    return Part(name, str(value), start, reader.position - start)


def _peek(reader: Reader) -> bytes:
    octet = reader.take(1, "message")
    reader.position -= 1
    return octet


def _der(octets: bytes, offset: int, depth: int) -> Iterator[Part]:
    """Yield DER elements while that is what the octets are; the content of DLMS use cases is none."""
    elements = _elements(octets)
    if elements is None or depth > _DEEPEST:
        return
    for tag, start, header, length in elements:
        value = octets[start + header : start + header + length]
        constructed = bool(tag & _CONSTRUCTED)
        name = _TAGS.get(tag, f"[{tag & 0x1F}]" if tag & 0xC0 else f"tag {tag:02X}")
        text = "" if constructed else _value(tag, value)
        yield Part(name, text, offset + start, header + length, depth)
        if constructed:
            yield from _der(value, offset + start + header, depth + 1)


def _elements(octets: bytes) -> list[tuple[int, int, int, int]] | None:
    """Return (tag, start, octets of tag and length, octets of value) of each element; None for no DER."""
    found: list[tuple[int, int, int, int]] = []
    reader = Reader(octets)
    try:
        while reader.remaining:
            start = reader.position
            tag = reader.number(1, "tag")
            length = reader.length("length")
            header = reader.position - start
            reader.take(length, "value")
            found.append((tag, start, header, length))
    except DecodeError:
        return None
    return found


def _value(tag: int, octets: bytes) -> str:
    if tag == 0x02:
        return str(int.from_bytes(octets, "big", signed=True))
    if tag in (0x0C, 0x16, 0x17, 0x18):
        return octets.decode("utf-8", "replace")
    return octets.hex(" ").upper()
