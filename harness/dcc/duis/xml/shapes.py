"""DUIS's complex types: a shape reads an element into a value and writes a value into an element.

The tables in `requests`, `responses` and `alerts` are made of these and read like the schema: which elements,
in which order, how often, and which attribute of the value each one is. An element that is not expected where
it stands is refused, and so is text or an attribute that no table has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lxml import etree

from harness.dcc.duis.xml.parser import SR, local_name, wrong
from harness.dcc.duis.xml.scalars import Scalar

Found = dict[str, Any]


class Shape(Protocol):
    """What is inside an element."""

    def read(self, element: etree._Element) -> Any:
        """Return the value. Raises DocumentError."""

    def write(self, element: etree._Element, value: Any) -> None:
        """Fill an empty element. Raises ValueError for a value that the schema has no room for."""


class Cursor:
    """The children of an element, taken one after another; a last one named `without_last` is left out."""

    def __init__(self, element: etree._Element, namespace: str, *, without_last: str = "") -> None:
        self.element = element
        self.namespace = namespace
        self._children = list(element)
        if self._children and self._children[-1].tag == without_last:
            self._children.pop()
        self._next = 0

    @property
    def here(self) -> etree._Element | None:
        """The next child, None after the last."""
        return self._children[self._next] if self._next < len(self._children) else None

    def is_at(self, name: str) -> bool:
        """Whether the next child has this name."""
        child = self.here
        return child is not None and child.tag == f"{{{self.namespace}}}{name}"

    def take(self) -> etree._Element:
        """Return the next child and go past it."""
        child = self.here
        assert child is not None
        self._next += 1
        return child

    def require(self, name: str) -> etree._Element:
        """Return the next child, which must have this name."""
        if not self.is_at(name):
            raise self.unexpected(name)
        return self.take()

    def unexpected(self, expected: str) -> Exception:
        """Return the error of the next child, or of there being none."""
        child = self.here
        if child is None:
            return wrong(self.element, f"ends where {expected} was expected")
        foreign = "" if etree.QName(child).namespace == self.namespace else " of another namespace"
        return wrong(child, f"{local_name(child)}{foreign} where {expected} was expected")

    def end(self) -> None:
        """Raise DocumentError unless every child was taken, and there is no text between them."""
        if self.here is not None:
            raise wrong(self.here, f"{local_name(self.here)} is not expected here")
        if _has_text(self.element):
            raise wrong(self.element, "has text between its elements")


class Part(Protocol):
    """A part of a sequence."""

    def take(self, cursor: Cursor, into: Found) -> None:
        """Read what is this part's of the children."""

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Append this part's elements."""


# --- what is inside an element ----------------------------------------------------------------------------


def read_scalar(scalar: Scalar[Any], element: etree._Element) -> Any:
    """Return the value of an element that has nothing but text."""
    if len(element):
        raise wrong(element[0], f"{local_name(element[0])} inside a {scalar.name}")
    no_attributes(element)
    try:
        return scalar.read(element.text or "")
    except ValueError as error:
        raise wrong(element, str(error)) from error


def write_scalar(scalar: Scalar[Any], element: etree._Element, value: Any) -> None:
    """Set the text of an element. Raises ValueError, which names the element."""
    try:
        element.text = scalar.write(value) or None
    except ValueError as error:
        raise ValueError(f"{local_name(element)}: {error}") from error


@dataclass(frozen=True, slots=True)
class Record:
    """An element whose children are these parts, in this order, and make up one value."""

    make: Callable[..., Any]
    parts: tuple[Part, ...]
    namespace: str = SR
    attributes: tuple[Attribute, ...] = ()

    def read(self, element: etree._Element) -> Any:
        """Return the value. Raises DocumentError."""
        found: Found = {}
        take_attributes(self.attributes, element, found)
        cursor = Cursor(element, self.namespace)
        for part in self.parts:
            part.take(cursor, found)
        cursor.end()
        try:
            return self.make(**found)
        except ValueError as error:
            raise wrong(element, str(error)) from error

    def write(self, element: etree._Element, value: Any) -> None:
        """Fill an empty element."""
        for attribute in self.attributes:
            attribute.put(element, value)
        for part in self.parts:
            part.put(element, value, self.namespace)


def record(make: Callable[..., Any], *parts: Part, namespace: str = SR, attributes: Any = ()) -> Record:
    """Return a record of these parts."""
    return Record(make, parts, namespace, tuple(attributes))


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an element, and of the value."""

    name: str
    field: str
    scalar: Scalar[Any]
    required: bool = False

    def put(self, element: etree._Element, owner: Any) -> None:
        """Set it, unless the value has none."""
        value = getattr(owner, self.field)
        if value is not None:
            element.set(self.name, self.scalar.write(value))


def only_child(element: etree._Element) -> etree._Element:
    """Return the only child of an element without attributes. Raises DocumentError."""
    no_attributes(element)
    if len(element) != 1:
        raise wrong(element, f"has {len(element)} elements, expected one")
    cursor = Cursor(element, "")
    child = cursor.take()
    cursor.end()
    return child


def take_attributes(attributes: tuple[Attribute, ...], element: etree._Element, into: Found) -> None:
    """Read these attributes; any other is refused."""
    known = {attribute.name: attribute for attribute in attributes}
    for name, text in element.attrib.items():
        attribute = known.pop(str(name), None)
        if attribute is None:
            raise wrong(element, f"attribute {name!s} is not expected here")
        try:
            into[attribute.field] = attribute.scalar.read(str(text))
        except ValueError as error:
            raise wrong(element, f"attribute {name!s}: {error}") from error
    for attribute in known.values():
        if attribute.required:
            raise wrong(element, f"has no attribute {attribute.name}")


EMPTY = record(lambda: True)
"""An element with nothing in it."""


def no_attributes(element: etree._Element) -> None:
    """Raise DocumentError for an element with an attribute."""
    if element.attrib:
        raise wrong(element, f"attribute {next(iter(element.attrib))!s} is not expected here")


def _has_text(element: etree._Element) -> bool:
    return bool((element.text or "").strip() or any((child.tail or "").strip() for child in element))
