"""Reading XML that anybody may have sent: no DTD, no entity, nothing from outside, and limits on everything.

A document that gets through is a plain tree: comments are gone, ignorable white space too, so that text is
one piece and what is signed is what is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from lxml import etree

from harness.errors import DecodeError

SR = "http://www.dccinterface.co.uk/ServiceUserGateway"
RA = "http://www.dccinterface.co.uk/ResponseAndAlert"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PREFIXES = {"sr": SR, "ra": RA, "ds": DS, "xsi": XSI}
SIGNATURE = f"{{{DS}}}Signature"

LARGEST_DOCUMENT = 16 << 20  # a firmware image of 10,240,000 octets in base64, and 50,000 device ids
_MOST_ELEMENTS, _MOST_ATTRIBUTES, _DEEPEST = 20_000, 20_000, 32
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']", re.IGNORECASE)
_ENCODINGS = (b"utf-8", b"us-ascii", b"ascii")


class Flaw(Enum):
    """In which way a document is none of ours."""

    TOO_LARGE = "too large"
    FORBIDDEN = "forbidden"  # a DTD, an entity, a processing instruction
    MALFORMED = "not well-formed"
    SCHEMA = "not as the schema has it"
    SIGNATURE = "not signed as it must be"


class DocumentError(DecodeError):
    """A document that was refused: `path` is the element, `line` its line, both where they are known."""

    def __init__(self, flaw: Flaw, reason: str, *, path: str = "document", line: int | None = None) -> None:
        super().__init__(path, reason)
        self.flaw = flaw
        self.path = path
        self.line = line

    def __str__(self) -> str:
        place = f" (line {self.line})" if self.line else ""
        return f"{self.path}{place}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a document may be; in octets, elements, attributes and levels."""

    octets: int = LARGEST_DOCUMENT
    elements: int = _MOST_ELEMENTS
    attributes: int = _MOST_ATTRIBUTES
    depth: int = _DEEPEST


DEFAULT_LIMITS = Limits()


def parse_xml(document: bytes, limits: Limits = DEFAULT_LIMITS) -> etree._Element:
    """Return the root element. Raises DocumentError."""
    _screen(document, limits)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,  # libxml2's own limit is smaller than the largest firmware image; ours is above
        remove_comments=True,
        remove_blank_text=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise DocumentError(Flaw.MALFORMED, error.msg or "no XML", line=error.position[0] or None) from error
    _judge(root, limits)
    return root


def path_of(element: etree._Element) -> str:
    """Return where an element is, such as ``Request/Body/ReadInventory/DeviceID``."""
    names = [local_name(element)]
    parent = element.getparent()
    while parent is not None:
        names.append(local_name(parent))
        parent = parent.getparent()
    return "/".join(reversed(names))


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def line_of(element: etree._Element) -> int | None:
    """Return the line that an element begins on, None where it was read from none."""
    line: int | None = element.sourceline  # type: ignore[assignment]  # the stubs leave it out
    return line


def wrong(element: etree._Element, reason: str) -> DocumentError:
    """Return the error of an element that is not as the schema has it."""
    return DocumentError(Flaw.SCHEMA, reason, path=path_of(element), line=line_of(element))


def _screen(document: bytes, limits: Limits) -> None:
    """Look at the octets before a parser does, so that the parser has nothing large or strange to do."""
    if len(document) > limits.octets:
        raise DocumentError(Flaw.TOO_LARGE, f"{len(document)} octets, at most {limits.octets} are taken")
    if b"\0" in document:
        raise DocumentError(Flaw.MALFORMED, "not UTF-8")
    declared = _DECLARED.match(document)
    if declared and declared[1].lower() not in _ENCODINGS:
        name = declared[1].decode("ascii")
        raise DocumentError(Flaw.FORBIDDEN, f"encoding {name}; only UTF-8 is taken", line=1)
    for forbidden in (b"<!DOCTYPE", b"<!ENTITY"):
        if forbidden in document:
            line = document.count(b"\n", 0, document.index(forbidden)) + 1
            raise DocumentError(Flaw.FORBIDDEN, f"{forbidden[2:].decode()} is not taken", line=line)
    elements = document.count(b"<")
    if elements > 2 * limits.elements:
        raise DocumentError(Flaw.TOO_LARGE, f"about {elements // 2} elements, at most {limits.elements}")
    attributes = document.count(b'="') + document.count(b"='")
    if attributes > limits.attributes:
        raise DocumentError(Flaw.TOO_LARGE, f"about {attributes} attributes, at most {limits.attributes}")


def _judge(root: etree._Element, limits: Limits) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise DocumentError(Flaw.FORBIDDEN, "a DOCTYPE is not taken")
    if root.getprevious() is not None or root.getnext() is not None:
        raise DocumentError(Flaw.FORBIDDEN, "processing instructions are not taken")
    level, current = 1, [root]
    while current:
        if level > limits.depth:
            raise DocumentError(Flaw.TOO_LARGE, f"more than {limits.depth} levels of elements")
        current = [child for element in current for child in element]
        for child in current:
            if not isinstance(child.tag, str):
                raise DocumentError(
                    Flaw.FORBIDDEN,
                    "processing instructions and entity references are not taken",
                    line=line_of(child),
                )
        level += 1
