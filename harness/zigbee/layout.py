"""Where each field of a record stands in its octets, for whoever shows octets and names side by side.

The octets are read once more, field by field, as the record's own table says.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from harness.eui64 import Eui64
from harness.zigbee.fields import (
    Bits,
    Codec,
    Cursor,
    Field,
    Many,
    Nested,
    Number,
    Record,
    shape_of,
    table_of,
    word_of,
)
from harness.zigbee.zcl_types import TypedValue


class Part(NamedTuple):
    """A field: its name, its value as text, and where it is; `depth` says how far inside another it lies.

    With `bits` it is not the octets, but so many bits of the control word that they are.
    """

    name: str
    text: str
    offset: int
    length: int
    depth: int = 0
    bits: Bits | None = None


def parts(kind: type[Record], octets: bytes, *, offset: int = 0, depth: int = 0) -> list[Part]:
    """Return a record's fields in the order of its octets; `offset` is where the record begins.

    Fields that are not there are left out, and octets beyond the record. Raises DecodeError.
    """
    cursor = Cursor(octets)
    found: list[Part] = []
    before, word = word_of(kind)
    for field in before:
        if field.told(0):
            found += _field_parts(field, cursor, 0, offset, depth)
    control = 0
    if word is not None:
        start = offset + cursor.offset
        control = cursor.number(kind.CONTROL_OCTETS, word)
        # mypy sees Record's __hash__, which kinds of records (types) do not use.
        found += _control_parts(kind, control, start, depth)  # type: ignore[arg-type]
    for field in shape_of(kind, control).fields:
        found += _field_parts(field, cursor, control, offset, depth)
    return found


def _field_parts(field: Field, cursor: Cursor, control: int, offset: int, depth: int) -> list[Part]:
    start = cursor.offset
    value = field.read(cursor, control)
    length = cursor.offset - start
    if not length:
        return []
    part = Part(_said(field.name), _outer(value, field.codec, length), offset + start, length, depth)
    if isinstance(value, Record | tuple):
        return [part, *_inner(value, field.codec, offset + start, depth + 1)]
    return [part]


@functools.lru_cache(maxsize=4096)
def _control_parts(kind: type[Record], control: int, offset: int, depth: int) -> tuple[Part, ...]:
    """Return the fields that share the control word, which few values of it make."""
    given = shape_of(kind, control).given
    return tuple(
        Part(_said(field.name), text_of(given[field.name]), offset, kind.CONTROL_OCTETS, depth, field.bits)
        for field in table_of(kind)
        if field.bits is not None
    )


@functools.lru_cache(maxsize=1024)
def _said(name: str) -> str:
    return name.replace("_", " ")


def _outer(value: Any, codec: Codec | None, length: int) -> str:
    if isinstance(value, Record):
        return ""
    if isinstance(value, tuple):
        return f"{len(value)}"
    return text_of(value, codec.octets if isinstance(codec, Number) else length)


def _inner(value: Any, codec: Codec | None, offset: int, depth: int) -> Iterator[Part]:
    if isinstance(value, Record):
        yield from parts(type(value), value.to_bytes(), offset=offset, depth=depth)
    elif isinstance(value, tuple) and isinstance(codec, Many):
        item = codec.item if isinstance(codec.item, Codec) else Nested(codec.item)
        offset += codec.count.octets if codec.count else 0
        for number, entry in enumerate(value, start=1):
            length = len(item.write(entry))
            yield Part(f"{number}", _outer(entry, item, length), offset, length, depth)
            yield from _inner(entry, item, offset, depth + 1)
            offset += length


def text_of(value: Any, octets: int = 0) -> str:
    """Return a value for people: numbers with their hexadecimal form, octets as hex, enums by name."""
    if type(value) is int:  # most are
        return f"{value} (0x{value & (1 << 8 * octets) - 1:0{2 * octets}X})" if octets else str(value)
    match value:
        case bool():
            return "yes" if value else "no"
        case IntEnum():
            return f"{value.name} (0x{int(value):02X})"
        case bytes():
            return value.hex(" ").upper()
        case TypedValue():
            return f"{value.type.name} {text_of(value.value)}"
        case Eui64() | str() | None:
            return str(value)
        case tuple():
            return ", ".join(text_of(entry) for entry in value)
    if is_dataclass(value):
        named = ((field.name.replace("_", " "), getattr(value, field.name)) for field in fields(value))
        return ", ".join(f"{name} {text_of(entry)}" for name, entry in named if entry is not None)
    return str(value)
