"""Formats as tables: a dataclass whose annotations say, field by field, how it travels.

A `Record` reads like the table in a specification. Numbers are little-endian, as everywhere in
Zigbee. A run of `Bits` fields shares one control word (`CONTROL_OCTETS` wide); whether a later field
is there at all may hang on that word (`When`), be told by one bit of it (`Present`), or by there being
octets left (`IfAny`). Decoding keeps every bit, reserved ones too: what decodes encodes to the same octets.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from harness import open_enum
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.cursor import Cursor as Cursor


class OpenEnum(open_enum.OpenEnum):
    """An enum that keeps a value it does not know, as ``UNKNOWN_0xNN``."""

    @staticmethod
    def _written(value: int) -> str:
        return f"0x{value:02X}"


class Codec(ABC):
    """How one field travels. `control` is the record's control word (0 when it has none)."""

    TAKES_NONE: ClassVar[bool] = False  # None is a value that it writes itself

    @abstractmethod
    def write(self, value: Any) -> bytes:
        """Return the octets of a value. Raises ValueError when it does not fit."""

    @abstractmethod
    def read(self, cursor: Cursor, field: str, control: int) -> Any:
        """Take a value. Raises DecodeError."""

    def control_of(self, value: Any) -> int:  # noqa: ARG002 - most codecs set no control bits
        """Return the bits that this value sets in the record's control word."""
        return 0


@dataclass(frozen=True, slots=True)
class Number(Codec):
    """A little-endian number of so many octets."""

    octets: int
    signed: bool = False

    def write(self, value: Any) -> bytes:
        """Return the octets."""
        try:
            return int(value).to_bytes(self.octets, "little", signed=self.signed)
        except OverflowError:
            raise ValueError(f"{value} does not fit {self.octets} octets") from None

    def read(self, cursor: Cursor, field: str, control: int) -> int:  # noqa: ARG002
        """Take the number."""
        return cursor.number(self.octets, field, signed=self.signed)


@dataclass(frozen=True, slots=True)
class Eui(Codec):
    """An EUI-64, least significant octet first."""

    def write(self, value: Eui64) -> bytes:
        """Return 8 octets."""
        return value.to_bytes_le()

    def read(self, cursor: Cursor, field: str, control: int) -> Eui64:  # noqa: ARG002
        """Take 8 octets."""
        return Eui64.from_bytes_le(cursor.take(8, field))


@dataclass(frozen=True, slots=True)
class Octets(Codec):
    """So many octets as they are; None takes all that are left."""

    count: int | None = None

    def write(self, value: bytes) -> bytes:
        """Return the octets. Raises ValueError when there are not as many as the table says."""
        if self.count is not None and len(value) != self.count:
            raise ValueError(f"needs {self.count} octets, has {len(value)}")
        return bytes(value)

    def read(self, cursor: Cursor, field: str, control: int) -> bytes:  # noqa: ARG002
        """Take the octets."""
        return cursor.take(cursor.remaining if self.count is None else self.count, field)


@dataclass(frozen=True, slots=True)
class Prefixed(Codec):
    """Octets after their own number of octets."""

    length: Number

    def write(self, value: bytes) -> bytes:
        """Return length and octets."""
        return self.length.write(len(value)) + value

    def read(self, cursor: Cursor, field: str, control: int) -> bytes:
        """Take length and octets."""
        return cursor.take(self.length.read(cursor, field, control), field)


@dataclass(frozen=True, slots=True)
class Nested(Codec):
    """A record inside a record."""

    record: type[Record]

    def write(self, value: Record) -> bytes:
        """Return the record's octets."""
        return value.to_bytes()

    def read(self, cursor: Cursor, field: str, control: int) -> Record:  # noqa: ARG002
        """Take the record."""
        return self.record.read(cursor)


@dataclass(frozen=True, slots=True)
class Many(Codec):
    """A tuple of items: after its count, with its count in the control word, or as many as are left."""

    item: Codec | type[Record]
    count: Number | None = None
    count_bits: int | None = None  # mask of low-order control bits

    def write(self, value: tuple[Any, ...]) -> bytes:
        """Return count and items."""
        item = _codec(self.item)
        head = self.count.write(len(value)) if self.count else b""
        return head + b"".join(item.write(entry) for entry in value)

    def read(self, cursor: Cursor, field: str, control: int) -> tuple[Any, ...]:
        """Take count and items."""
        item = _codec(self.item)
        if self.count is not None:
            count = self.count.read(cursor, field, control)
        elif self.count_bits is not None:
            count = control & self.count_bits
        else:
            items = []
            while cursor.remaining:
                items.append(item.read(cursor, field, 0))
            return tuple(items)
        return tuple(item.read(cursor, field, 0) for _ in range(count))

    def control_of(self, value: tuple[Any, ...]) -> int:
        """Return the count where it travels in the control word."""
        if self.count_bits is None:
            return 0
        if len(value) > self.count_bits:
            raise ValueError(f"{len(value)} items do not fit a count of at most {self.count_bits}")
        return len(value)


def _codec(item: Codec | type[Record]) -> Codec:
    return item if isinstance(item, Codec) else Nested(item)


@dataclass(frozen=True, slots=True)
class Bits:
    """Mark: the field is `width` bits of the control word, from bit `shift`."""

    shift: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class When:
    """Mark: the field is there when the control word says so, None otherwise."""

    test: Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Present:
    """Mark: the field is there when this bit of the control word is set."""

    bit: int


@dataclass(frozen=True, slots=True)
class IfAny:
    """Mark: the field is there when octets are left for it."""


U8 = Annotated[int, Number(1)]
U16 = Annotated[int, Number(2)]
U24 = Annotated[int, Number(3)]
U32 = Annotated[int, Number(4)]
I8 = Annotated[int, Number(1, signed=True)]
EUI64 = Annotated[Eui64, Eui()]
KEY = Annotated[bytes, Octets(16)]
REST = Annotated[bytes, Octets()]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record's table."""

    name: str
    codec: Codec | None
    bits: Bits | None
    presence: When | Present | IfAny | None
    convert: Callable[[Any], Any] | None  # None where the codec's value is the field's
    if_any: bool  # whether it is there when octets are left for it
    in_control: bool  # whether its value sets bits of the control word

    def read(self, cursor: Cursor, control: int) -> Any:
        """Take the value of a field that the control word tells of; None when no octets are left for it."""
        if self.codec is None or (self.if_any and cursor.offset >= len(cursor.octets)):
            return None
        value = self.codec.read(cursor, self.name, control)
        return value if self.convert is None else self.convert(value)

    def told(self, control: int) -> bool:
        """Say whether the control word tells of the field; one that hangs on octets left is told of."""
        if isinstance(self.presence, When):
            return bool(self.presence.test(control))
        return not isinstance(self.presence, Present) or bool(control >> self.presence.bit & 1)

    def control_of(self, value: Any) -> int:
        """Return the bits that a value sets in the control word. Raises ValueError when it does not fit."""
        if self.bits:
            if not 0 <= int(value) < 1 << self.bits.width:
                raise ValueError(f"{self.name}: {value!r} does not fit {self.bits.width} bits")
            return int(value) << self.bits.shift
        set_by_presence = 1 << self.presence.bit if isinstance(self.presence, Present) else 0
        if self.codec is None or value is None:
            return 0
        return set_by_presence | self.codec.control_of(value)

    def write(self, value: Any, control: int) -> bytes:
        """Return the octets of a value, none for a field that is not there. Raises ValueError."""
        writes_none = self.codec is not None and self.codec.TAKES_NONE
        if not isinstance(self.presence, IfAny) and self.told(control) != (value is not None or writes_none):
            wanted = "must be given" if value is None else "has no place"
            raise ValueError(f"{self.name}: {wanted} in this frame")
        if self.codec is None or (value is None and not writes_none):
            return b""
        try:
            return self.codec.write(value)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None


class Record:
    """Base of all formats. Subclasses are frozen dataclasses with annotated fields."""

    __slots__ = ()
    CONTROL_OCTETS: ClassVar[int] = 1

    def to_bytes(self) -> bytes:
        """Return the octets. Raises ValueError for values that the format cannot carry."""
        table = table_of(type(self))
        values = [getattr(self, field.name) for field in table]
        control = 0
        for field, value in zip(table, values, strict=True):
            if field.in_control:
                control |= field.control_of(value)
        out = bytearray()
        control_written = False
        for field, value in zip(table, values, strict=True):
            if field.bits is None:
                out += field.write(value, control)
            elif not control_written:
                out += control.to_bytes(self.CONTROL_OCTETS, "little")
                control_written = True
        return bytes(out)

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        """Take one record, leaving what follows. Raises DecodeError."""
        before, word = word_of(cls)
        values = {field.name: field.read(cursor, 0) if field.told(0) else None for field in before}
        control = cursor.number(cls.CONTROL_OCTETS, word) if word is not None else 0
        shape = shape_of(cls, control)
        values.update(shape.given)
        for field in shape.fields:
            values[field.name] = field.read(cursor, control)
        try:
            return cls(**values)
        except ValueError as error:
            raise DecodeError(cls.__name__, str(error), offset=cursor.offset) from None

    @classmethod
    def from_bytes(cls, octets: bytes) -> Self:
        """Read exactly one record. Raises DecodeError, also when octets are left over."""
        cursor = Cursor(octets)
        record = cls.read(cursor)
        if cursor.remaining:
            raise DecodeError(cls.__name__, f"{cursor.remaining} octets left over", offset=cursor.offset)
        return record


@dataclass(frozen=True, slots=True)
class Shape:
    """What a control word makes of a record: the values that it gives, and the fields that follow it."""

    given: Mapping[str, Any]
    fields: tuple[Field, ...]


def shape_of(record: type[Record], control: int) -> Shape:
    """Return a record's shape under a control word (0 when it has none), worked out once for each."""
    # mypy sees Record's __hash__, which kinds of records (types) do not use.
    return _shape(record, control)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=4096)
def _shape(record: type[Record], control: int) -> Shape:
    table = table_of(record)
    first = next((place for place, field in enumerate(table) if field.bits is not None), 0)
    given: dict[str, Any] = {}
    found: list[Field] = []
    for field in table[first:]:
        if field.bits is not None:
            value = control >> field.bits.shift & (1 << field.bits.width) - 1
            given[field.name] = value if field.convert is None else field.convert(value)
        elif field.codec is not None and field.told(control):
            found.append(field)
        else:
            given[field.name] = None
    return Shape(given, tuple(found))


def word_of(record: type[Record]) -> tuple[tuple[Field, ...], str | None]:
    """Return the fields before a record's control word, and the name of the first field in the word."""
    return _word(record)  # type: ignore[arg-type]


@functools.cache
def _word(record: type[Record]) -> tuple[tuple[Field, ...], str | None]:
    table = table_of(record)
    first = next((place for place, field in enumerate(table) if field.bits is not None), None)
    return ((), None) if first is None else (table[:first], table[first].name)


_tables: dict[type[Record], tuple[Field, ...]] = {}


def table_of(record: type[Record]) -> tuple[Field, ...]:
    """Return a record's table, worked out at its first use."""
    table = _tables.get(record)
    if table is None:
        hints = typing.get_type_hints(record, include_extras=True)
        names = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]
        table = _tables[record] = tuple(_field(name, hints[name]) for name in names)
    return table


def _field(name: str, hint: Any) -> Field:
    marks: tuple[Any, ...] = getattr(hint, "__metadata__", ())
    kind = _kind(hint.__origin__ if marks else hint)
    codec = next((mark for mark in marks if isinstance(mark, Codec)), None)
    bits = next((mark for mark in marks if isinstance(mark, Bits)), None)
    if codec is None and bits is None:
        codec = Nested(kind)
    scalar = isinstance(kind, type) and issubclass(kind, int)
    presence = next((mark for mark in marks if isinstance(mark, When | Present | IfAny)), None)
    own_bits = codec is not None and type(codec).control_of is not Codec.control_of
    return Field(
        name=name,
        codec=codec,
        bits=bits,
        presence=presence,
        convert=kind if scalar and (kind is not int or not isinstance(codec, Number)) else None,
        if_any=isinstance(presence, IfAny),
        in_control=bits is not None or isinstance(presence, Present) or own_bits,
    )


def _kind(hint: Any) -> Any:
    """Return the type itself, without ``| None``."""
    if isinstance(hint, types.UnionType):
        choices = [choice for choice in hint.__args__ if choice is not types.NoneType]
        return choices[0] if len(choices) == 1 else object
    return hint
