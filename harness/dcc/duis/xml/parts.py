"""The parts of a sequence: one element, many, a flag, a choice, a group.

Each takes its elements from a cursor when it is read, and appends them when it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.dcc.duis.requests.request import reference_of
from harness.dcc.duis.service_references import ELEMENTS
from harness.dcc.duis.xml.parser import wrong
from harness.dcc.duis.xml.scalars import Scalar, words
from harness.dcc.duis.xml.shapes import EMPTY, Cursor, Found, Part, Record, Shape, read_scalar, write_scalar

_REFERENCE, _VARIANT = "ServiceReference", "ServiceReferenceVariant"
_REFERENCES, _VARIANTS = words(*{reference_of(srv) for srv in ELEMENTS}), words(*ELEMENTS)


@dataclass(frozen=True, slots=True)
class One:
    """One element. An optional one that is absent leaves the value's own default."""

    name: str
    field: str
    shape: Scalar[Any] | Shape
    optional: bool = False

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read the element."""
        if self.optional and not cursor.is_at(self.name):
            return
        into[self.field] = _read(self.shape, cursor.require(self.name))

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append the element."""
        value = getattr(owner, self.field)
        if value is None:
            if self.optional:
                return
            raise ValueError(f"{self.name} must be there")
        _write(self.shape, etree.SubElement(parent, f"{{{namespace}}}{self.name}"), value)


def maybe(name: str, field: str, shape: Scalar[Any] | Shape) -> One:
    """Return an element that may be absent."""
    return One(name, field, shape, optional=True)


@dataclass(frozen=True, slots=True)
class Many:
    """So many elements of one name, as a tuple."""

    name: str
    field: str
    shape: Scalar[Any] | Shape
    least: int
    most: int

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read the elements."""
        values: list[Any] = []
        while cursor.is_at(self.name) and len(values) < self.most:
            values.append(_read(self.shape, cursor.take()))
        if len(values) < self.least:
            raise cursor.unexpected(self.name)
        into[self.field] = tuple(values)

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append the elements."""
        values = getattr(owner, self.field)
        if not self.least <= len(values) <= self.most:
            raise ValueError(f"{len(values)} of {self.name}, expected {self.least} to {self.most}")
        for value in values:
            _write(self.shape, etree.SubElement(parent, f"{{{namespace}}}{self.name}"), value)


@dataclass(frozen=True, slots=True)
class Flag:
    """An empty element that says yes by being there."""

    name: str
    field: str

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read whether it is there."""
        into[self.field] = cursor.is_at(self.name)
        if into[self.field]:
            EMPTY.read(cursor.take())

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append it if so."""
        if getattr(owner, self.field):
            etree.SubElement(parent, f"{{{namespace}}}{self.name}")


@dataclass(frozen=True, slots=True)
class Group:
    """An element whose parts belong to the value around it.

    With `present`, which says when it is written, it may be absent. `fixed` are its attributes, with the only
    value that each may have.
    """

    name: str
    parts: tuple[Part, ...] = ()
    present: Callable[[Any], bool] | None = None
    fixed: tuple[tuple[str, str], ...] = ()

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read the parts."""
        if self.present is not None and not cursor.is_at(self.name):
            return
        inside = Cursor(cursor.require(self.name), cursor.namespace)
        if tuple(inside.element.attrib.items()) != self.fixed:
            raise wrong(inside.element, f"its attributes are not {dict(self.fixed) or 'none'}")
        for part in self.parts:
            part.take(inside, into)
        inside.end()

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append the element and its parts."""
        if self.present is None or self.present(owner):
            element = etree.SubElement(parent, f"{{{namespace}}}{self.name}", dict(self.fixed))
            for part in self.parts:
                part.put(element, owner, namespace)


@dataclass(frozen=True, slots=True)
class Case:
    """One element of a choice: its name, the type of value that it is, and its shape."""

    name: str
    type: type
    shape: Shape


@dataclass(frozen=True, slots=True)
class Choice:
    """One element out of several. `other` takes a name of the schema's that has no case of its own."""

    field: str
    cases: tuple[Case, ...]
    optional: bool = False
    other: Shape | None = None

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read the element that is there."""
        child = cursor.here
        if child is None and self.optional:
            return
        for case in self.cases:
            if cursor.is_at(case.name):
                into[self.field] = case.shape.read(cursor.take())
                return
        if child is None or self.other is None:
            if self.optional:
                return
            raise cursor.unexpected(" or ".join(case.name for case in self.cases[:4]))
        into[self.field] = self.other.read(cursor.take())

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append the element that the value's type says."""
        value = getattr(owner, self.field)
        if value is None and self.optional:
            return
        for case in self.cases:
            if type(value) is case.type:
                case.shape.write(etree.SubElement(parent, f"{{{namespace}}}{case.name}"), value)
                return
        if self.other is None:
            raise ValueError(f"no element for a {type(value).__name__}")
        self.other.write(parent, value)


@dataclass(frozen=True, slots=True)
class Tag:
    """One name of a `Tagged` element: what the name means, and what is inside."""

    name: str
    means: object
    shape: Scalar[Any] | Shape


@dataclass(frozen=True, slots=True)
class Tagged:
    """One element whose name is one attribute of the value, and what is inside another if there is any."""

    kind: str
    field: str | None
    tags: tuple[Tag, ...]

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read the element that is there."""
        for tag in self.tags:
            if cursor.is_at(tag.name):
                inside = _read(tag.shape, cursor.take())
                into[self.kind] = tag.means
                if self.field is not None:
                    into[self.field] = inside
                return
        raise cursor.unexpected(" or ".join(tag.name for tag in self.tags))

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append the element that goes with the value's kind."""
        kind = getattr(owner, self.kind)
        for tag in self.tags:
            if tag.means == kind:
                element = etree.SubElement(parent, f"{{{namespace}}}{tag.name}")
                if self.field is not None:
                    _write(tag.shape, element, getattr(owner, self.field))
                return
        raise ValueError(f"no element for {kind!r}")


@dataclass(frozen=True, slots=True)
class Inline:
    """Parts that make up a value of their own, without an element around them."""

    field: str
    shape: Record

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read the parts."""
        found: Found = {}
        for part in self.shape.parts:
            part.take(cursor, found)
        into[self.field] = self.shape.make(**found)

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append the parts."""
        for part in self.shape.parts:
            part.put(parent, getattr(owner, self.field), namespace)


@dataclass(frozen=True, slots=True)
class Service:
    """ServiceReference and ServiceReferenceVariant, which go together, as `srv`."""

    optional: bool = False

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read both; a variant of another reference is refused."""
        if self.optional and not cursor.is_at(_REFERENCE):
            return
        reference = read_scalar(_REFERENCES, cursor.require(_REFERENCE))
        element = cursor.require(_VARIANT)
        srv = read_scalar(_VARIANTS, element)
        if reference_of(srv) != reference:
            raise wrong(element, f"{srv} is no variant of {reference}")
        into["srv"] = srv

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append both."""
        if self.optional and owner.srv is None:
            return
        for name, scalar, text in (
            (_REFERENCE, _REFERENCES, reference_of(owner.srv)),
            (_VARIANT, _VARIANTS, owner.srv),
        ):
            write_scalar(scalar, etree.SubElement(parent, f"{{{namespace}}}{name}"), text)


@dataclass(frozen=True, slots=True)
class Wrap:
    """A shape of one scalar: the element's text is the only attribute of the value."""

    make: Callable[[Any], Any]
    field: str
    scalar: Scalar[Any]

    def read(self, element: etree._Element) -> Any:
        """Return the value."""
        return self.make(read_scalar(self.scalar, element))

    def write(self, element: etree._Element, value: Any) -> None:
        """Set the text."""
        write_scalar(self.scalar, element, getattr(value, self.field))


def _read(shape: Scalar[Any] | Shape, element: etree._Element) -> Any:
    return read_scalar(shape, element) if isinstance(shape, Scalar) else shape.read(element)


def _write(shape: Scalar[Any] | Shape, element: etree._Element, value: Any) -> None:
    if isinstance(shape, Scalar):
        write_scalar(shape, element, value)
    else:
        shape.write(element, value)
