"""Where each field of a record stands in its octets, for whoever shows octets and names side by side.

Positions come from writing the record field by field: what decodes encodes to the same octets (`fields`), so
they are those of the octets that were read.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import IntEnum
from typing import Any

from harness.eui64 import Eui64
from harness.zigbee.fields import Bits, Codec, Many, Nested, Number, Record, table_of
from harness.zigbee.zcl_types import TypedValue


@dataclass(frozen=True, slots=True)
class Part:
    """A field: its name, its value as text, and where it is; `depth` says how far inside another it lies.

    With `bits` it is not the octets, but so many bits of the control word that they are.
    """

    name: str
    text: str
    offset: int
    length: int
    depth: int = 0
    bits: Bits | None = None


def parts(record: Record, *, offset: int = 0, depth: int = 0) -> Iterator[Part]:
    """Yield a record's fields in the order of their octets; `offset` is where the record begins.

    Fields that are not there are left out. Raises ValueError for a record that cannot be written.
    """
    table = table_of(type(record))
    values = {field.name: getattr(record, field.name) for field in table}
    control = functools.reduce(int.__or__, (field.control_of(values[field.name]) for field in table), 0)
    width = record.CONTROL_OCTETS
    control_at: int | None = None
    for field in table:
        value = values[field.name]
        name = field.name.replace("_", " ")
        if field.bits is not None:
            if control_at is None:
                control_at, offset = offset, offset + width
            yield Part(name, text_of(value), control_at, width, depth, field.bits)
            continue
        octets = field.write(value, control)
        if octets:
            yield Part(name, _outer(value, field.codec, len(octets)), offset, len(octets), depth)
            yield from _inner(value, field.codec, offset, depth + 1)
        offset += len(octets)


def _outer(value: Any, codec: Codec | None, length: int) -> str:
    if isinstance(value, Record):
        return ""
    if isinstance(value, tuple):
        return f"{len(value)}"
    return text_of(value, codec.octets if isinstance(codec, Number) else length)


def _inner(value: Any, codec: Codec | None, offset: int, depth: int) -> Iterator[Part]:
    if isinstance(value, Record):
        yield from parts(value, offset=offset, depth=depth)
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
    match value:
        case bool():
            return "yes" if value else "no"
        case IntEnum():
            return f"{value.name} (0x{int(value):02X})"
        case int():
            return f"{value} (0x{value & (1 << 8 * octets) - 1:0{2 * octets}X})" if octets else str(value)
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
