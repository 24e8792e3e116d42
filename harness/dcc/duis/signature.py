"""XML signatures as DUIS has them, and nothing else that XML-DSig allows.

Enveloped, the last child of the root; SignedInfo by exclusive C14N; one Reference to the whole document,
whose only transform takes the signature out, so that its digest is over inclusive C14N 1.0 without comments;
ECDSA on P-256 with SHA-256, r || s; the key by issuer and serial number. White space between elements is not
signed: it is stripped before signing and before verifying (`parse_xml` does). The document that was verified
is the one that is read: there is no reference that could point elsewhere.
Source: facts gb-domain §6.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from harness.dcc.duis.xml.parser import DS, SIGNATURE, DocumentError, Flaw, line_of, path_of
from harness.dcc.duis.xml.parts import Group, One
from harness.dcc.duis.xml.scalars import ANY_TEXT, base64_octets, integer
from harness.dcc.duis.xml.shapes import Part, record
from harness.dcc.duis.xml_keys import XmlCertificate, XmlKeyNotFound, XmlKeyStore, XmlSigningKey

EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
DIGEST_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_HALF = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    digest: bytes
    value: bytes
    issuer: str
    serial: int


def _algorithm(name: str, algorithm: str) -> Group:
    return Group(name, fixed=(("Algorithm", algorithm),))


_SIGNED_INFO = Group(
    "SignedInfo",
    (
        _algorithm("CanonicalizationMethod", EXCLUSIVE_C14N),
        _algorithm("SignatureMethod", ECDSA_SHA256),
        Group(
            "Reference",
            (
                Group("Transforms", (_algorithm("Transform", ENVELOPED),)),
                _algorithm("DigestMethod", DIGEST_SHA256),
                One("DigestValue", "digest", base64_octets()),
            ),
            fixed=(("URI", ""),),
        ),
    ),
)
_REST: tuple[Part, ...] = (
    One("SignatureValue", "value", base64_octets()),
    Group(
        "KeyInfo",
        (
            Group(
                "X509Data",
                (
                    Group(
                        "X509IssuerSerial",
                        (
                            One("X509IssuerName", "issuer", ANY_TEXT),
                            One("X509SerialNumber", "serial", integer(0, 1 << 160)),
                        ),
                    ),
                ),
            ),
        ),
    ),
)
_SHAPE = record(_Signature, _SIGNED_INFO, *_REST, namespace=DS)


def sign(root: etree._Element, key: XmlSigningKey) -> None:
    """Append a signature to an element that is a document without one and without ignorable white space."""
    values = _Signature(
        digest=_digest(root),
        value=b"",
        issuer=key.certificate.issuer,
        serial=key.certificate.serial,
    )
    signature = etree.SubElement(root, SIGNATURE, nsmap={"ds": DS})
    _SHAPE.write(signature, values)
    der = key.private.sign(_canonical_signed_info(signature), ECDSA(SHA256()))
    r, s = decode_dss_signature(der)
    octets = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    signature[1].text = base64_octets().write(octets)


def is_signed(root: etree._Element) -> bool:
    """Whether a document's last element is a signature."""
    return len(root) > 0 and root[-1].tag == SIGNATURE


def verify(root: etree._Element, keys: XmlKeyStore) -> XmlCertificate:
    """Return whose signature a document from `parse_xml` has. Raises DocumentError (`Flaw.SIGNATURE`).

    The document is as it was afterwards.
    """
    if not is_signed(root):
        raise _refused(root, "not signed: the last element of the document is no signature")
    signature = root[-1]
    try:
        values: _Signature = _SHAPE.read(signature)
        certificate = keys.find(values.issuer, values.serial)
    except DocumentError as error:
        raise DocumentError(Flaw.SIGNATURE, error.reason, path=error.path, line=error.line) from error
    except XmlKeyNotFound as error:
        raise _refused(signature, str(error)) from error
    if not _holds(values.value, _canonical_signed_info(signature), certificate):
        raise _refused(signature, f"the signature is not one of {certificate.owner}")
    root.remove(signature)
    digest = _digest(root)
    root.append(signature)
    if digest != values.digest:
        raise _refused(signature, "the document is not the one that was signed: its digest differs")
    return certificate


def digest_holds(root: etree._Element) -> bool:
    """Whether a signed document from `parse_xml` has the digest that its signature names.

    That says that it is what was signed, not who signed it. The document is as it was afterwards.
    """
    if not is_signed(root):
        return False
    signature = root[-1]
    try:
        values: _Signature = _SHAPE.read(signature)
    except DocumentError:
        return False
    root.remove(signature)
    digest = _digest(root)
    root.append(signature)
    return digest == values.digest


def _holds(value: bytes, signed: bytes, certificate: XmlCertificate) -> bool:
    if len(value) != 2 * _HALF:
        return False
    der = encode_dss_signature(int.from_bytes(value[:_HALF], "big"), int.from_bytes(value[_HALF:], "big"))
    try:
        certificate.public.verify(der, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _digest(root: etree._Element) -> bytes:
    return sha256(etree.tostring(root, method="c14n", exclusive=False, with_comments=False)).digest()


def _canonical_signed_info(signature: etree._Element) -> bytes:
    return etree.tostring(signature[0], method="c14n", exclusive=True, with_comments=False, with_tail=False)


def _refused(element: etree._Element, reason: str) -> DocumentError:
    return DocumentError(Flaw.SIGNATURE, reason, path=path_of(element), line=line_of(element))
