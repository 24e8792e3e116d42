"""XML documents (DUIS) for people: indented, with what their signature element says.

Whether it is the document that was signed is found out here; who signed it needs certificates, is the DCC's
finding, and stands in its answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from harness.dcc.duis.signature import digest_holds

_DSIG = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A document as text, what there is of a signature, and why it could not be read, if so."""

    text: str
    signature: tuple[str, ...] = ()
    error: str | None = None


def read_document(octets: bytes) -> DocumentView | None:
    """Return a document indented; None for octets that do not begin like one."""
    if octets.lstrip()[:1] != b"<":
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        root = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError as error:
        return DocumentView(text=octets.decode("utf-8", "backslashreplace"), error=f"no XML: {error}")
    return DocumentView(
        text=etree.tostring(root, encoding="unicode", pretty_print=True), signature=_signature(root)
    )


def _signature(root: etree._Element) -> tuple[str, ...]:
    found = root.find(f".//{_DSIG}Signature")
    if found is None:
        return ("no XML signature",)
    method = found.find(f".//{_DSIG}SignatureMethod")
    issuer = found.find(f".//{_DSIG}X509IssuerName")
    serial = found.find(f".//{_DSIG}X509SerialNumber")
    algorithm = method.get("Algorithm", "").rpartition("#")[2] if method is not None else "unknown method"
    lines = [f"XML signature, {algorithm}"]
    whole = digest_holds(root)
    lines.append(
        "digest holds: it is what was signed" if whole else "digest does NOT hold: not what was signed"
    )
    if issuer is not None and serial is not None:
        lines.append(f"certificate {serial.text} of {issuer.text}")
    return tuple(lines)
