"""XML documents (DUIS) for people: indented, with what their signature element says.

Whether it is the document that was signed, and by whom, is found out here by the certificates that the pack
has; what the DCC made of that stands in its answer.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass

from lxml import etree

from harness.dcc.duis.signature import digest_holds, verify
from harness.dcc.duis.xml.parser import DocumentError
from harness.dcc.duis.xml_keys import HeldXmlKeys, XmlCertificate, XmlKeyNotFound, XmlKeyStore
from harness.eui64 import Eui64
from harness.evidence.report.parties import Signer

_DSIG = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A document as text, what there is of a signature, and why it could not be read, if so."""

    text: str
    signature: tuple[str, ...] = ()
    error: str | None = None


@functools.lru_cache(maxsize=8)
def certificates(signers: tuple[Signer, ...]) -> XmlKeyStore:
    """Return what signatures are checked by; what is no certificate is passed over."""
    found = []
    for signer in signers:
        with contextlib.suppress(ValueError):
            owner, point = Eui64.parse(signer.owner), bytes.fromhex(signer.public)
            found.append(XmlCertificate.of_point(signer.issuer, int(signer.serial), owner, point))
    return HeldXmlKeys(found)


def read_document(octets: bytes, keys: XmlKeyStore, *, masked: bool = False) -> DocumentView | None:
    """Return a document indented; None for octets that do not begin like one.

    One in which secrets are `masked` is not what was signed, and nobody's fault.
    """
    if octets.lstrip()[:1] != b"<":
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        root = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError as error:
        return DocumentView(text=octets.decode("utf-8", "backslashreplace"), error=f"no XML: {error}")
    text = etree.tostring(root, encoding="unicode", pretty_print=True)
    found = root.find(f".//{_DSIG}Signature")
    if found is None:
        return DocumentView(text=text, signature=("no XML signature",))
    if masked:
        state, broken = "XML signature: not checked, as secrets in the document are masked here", None
    else:
        state, broken = _checked(root, keys)
    return DocumentView(text=text, signature=(state, *_named(found)), error=broken)


def _checked(root: etree._Element, keys: XmlKeyStore) -> tuple[str, str | None]:
    """Return the state of a signature, and what is wrong when it is broken."""
    try:
        owner = verify(root, keys).owner
    except DocumentError as error:
        if isinstance(error.__cause__, XmlKeyNotFound) and digest_holds(root):
            return "XML signature: unknown signer, the pack has no such certificate; the digest holds", None
        return "XML signature: BROKEN", f"XML signature broken: {error.reason}"
    return f"XML signature: verified, it is {owner}'s", None


def _named(signature: etree._Element) -> list[str]:
    """Return how a signature says that it was made."""
    method = signature.find(f".//{_DSIG}SignatureMethod")
    issuer = signature.find(f".//{_DSIG}X509IssuerName")
    serial = signature.find(f".//{_DSIG}X509SerialNumber")
    lines = [method.get("Algorithm", "").rpartition("#")[2] if method is not None else "unknown method"]
    if issuer is not None and serial is not None:
        lines.append(f"certificate {serial.text} of {issuer.text}")
    return lines
