"""What every DUIS document has: a root with its schema version, a signature at its end, UTF-8."""

from __future__ import annotations

from lxml import etree

from harness.dcc.duis.xml.parser import SIGNATURE, SR, XSI, DocumentError, Flaw, line_of, local_name, wrong
from harness.dcc.duis.xml.scalars import DECIMAL
from harness.dcc.duis.xml.shapes import Cursor, Found

_VERSION = "schemaVersion"
_HINTS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")  # never followed


def root_attributes(root: etree._Element, schema_version: str) -> None:
    """Set the schema version. Raises ValueError."""
    root.set(_VERSION, DECIMAL.write(schema_version))


def take_root(root: etree._Element, name: str) -> tuple[Cursor, Found]:
    """Return a cursor over the children but the signature, and the schema version. Raises DocumentError."""
    if root.tag != f"{{{SR}}}{name}":
        raise DocumentError(
            Flaw.SCHEMA, f"expected {name} of DUIS", path=local_name(root), line=line_of(root)
        )
    found: Found = {}
    for attribute, text in root.attrib.items():
        if attribute in _HINTS:
            continue
        if attribute != _VERSION:
            raise wrong(root, f"attribute {attribute!s} is not expected here")
        try:
            found["schema_version"] = DECIMAL.read(str(text))
        except ValueError as error:
            raise wrong(root, f"attribute {attribute}: {error}") from error
    if not found:
        raise wrong(root, f"has no attribute {_VERSION}")
    return Cursor(root, SR, without_last=SIGNATURE), found


def serialise(root: etree._Element) -> bytes:
    """Return a document in UTF-8, without white space between elements."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=False)
