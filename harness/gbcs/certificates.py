"""X.509 certificates of devices and organisations: their profile, and what a device checks of one.

::

    device        empty subject; subject alternative name (critical): hardware module name with the EUI-64
    organisation  subject OU = role in two hex digits, x500UniqueIdentifier = EUI-64
    both          P-256, ecdsa-with-SHA256, key usage (critical): digital signature or key agreement alone,
                  key identifiers of 8 octets, certificate policies (critical)

Devices' certificates never end. Validity is not looked at here: devices have no say in time when they are
installed, and the published test certificates have expired.
Source: facts gb-domain §5 (decoded from the published certificates).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.roles import KeyUsage, RemotePartyRole

POLICY = "1.2.826.0.1.8641679.1.2.1.4"

_NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_BEGINNING = datetime(2015, 1, 1, tzinfo=UTC)
_HARDWARE_MODULE_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
_HARDWARE_TYPE = bytes.fromhex("3019060D2A863A0001848FB90F010202010408")
"""SEQUENCE { OID 1.2.826.0.1.8641679.1.2.2.1, OCTET STRING of 8 } up to the EUI-64."""
BAD_CERTIFICATE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for octets that are no certificate, or one that it has no words for."""

_AGREEMENT_USAGES = (KeyUsage.KEY_AGREEMENT, KeyUsage.PREPAYMENT_KEY_AGREEMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs certificates: its name, its key, and the policy that it names in them."""

    name: x509.Name
    key: EllipticCurvePrivateKey
    policy: str = POLICY


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says. `role` is None in a device's; `usage` does not tell prepayment keys apart."""

    subject: Eui64
    role: RemotePartyRole | None
    usage: KeyUsage
    public_key: EllipticCurvePublicKey
    key_identifier: bytes
    authority_identifier: bytes
    octets: bytes


def key_identifier(public: EllipticCurvePublicKey) -> bytes:
    """Return the 8 octets that name a key: 0100 and the last 60 bits of its SHA-1 (RFC 5280 4.2.1.2)."""
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    last = bytearray(sha1(point, usedforsecurity=False).digest()[-8:])
    last[0] = last[0] & 0x0F | 0x40
    return bytes(last)


def issue_device(
    issuer: Issuer,
    device: Eui64,
    public: EllipticCurvePublicKey,
    usage: KeyUsage,
    *,
    serial: int,
    begins: datetime = _BEGINNING,
) -> bytes:
    """Return a device's certificate (DER). The same arguments give the same octets."""
    name = x509.OtherName(_HARDWARE_MODULE_NAME, _HARDWARE_TYPE + device.to_bytes_be())
    builder = _profile(issuer, x509.Name([]), public, serial, begins)
    builder = _with_usage(builder, usage).add_extension(_identifier(public), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=True)
    return _signed(builder, issuer)


def issue_organisation(
    issuer: Issuer,
    organisation: Eui64,
    role: RemotePartyRole,
    public: EllipticCurvePublicKey,
    usage: KeyUsage,
    *,
    serial: int,
    begins: datetime = _BEGINNING,
    ends: datetime = _NEVER,
) -> bytes:
    """Return an organisation's certificate (DER). The same arguments give the same octets."""
    # A BIT STRING begins with how many bits of its last octet are unused: none.
    identifier = x509.NameAttribute(
        NameOID.X500_UNIQUE_IDENTIFIER,
        b"\x00" + organisation.to_bytes_be(),
        _type=x509.name._ASN1Type.BitString,  # the library's only way to say it
    )
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{role:02X}")
    subject = x509.Name([x509.RelativeDistinguishedName([part]) for part in (unit, identifier)])
    builder = _profile(issuer, subject, public, serial, begins, ends)
    builder = _with_usage(builder, usage).add_extension(_identifier(public), critical=False)
    return _signed(builder, issuer)


def issue_authority(issuer: Issuer, authority: Issuer, *, serial: int) -> bytes:
    """Return the certificate (DER) of one that signs certificates; a root is its own issuer."""
    public = authority.key.public_key()
    builder = _profile(issuer, authority.name, public, serial, _BEGINNING)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usages(key_cert_sign=True, crl_sign=True), critical=True)
    builder = builder.add_extension(_identifier(public), critical=False)
    return _signed(builder, issuer)


def read_certificate(octets: bytes) -> Certificate:
    """Read a device's or organisation's certificate (DER); raises DecodeError naming what is wrong."""
    certificate = _parsed(octets, "certificate")
    try:
        subject, role = _subject(certificate)
        found = certificate.extensions
        usage = found.get_extension_for_class(x509.KeyUsage).value
        own = found.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        authority = _authority_identifier(found)
    except x509.ExtensionNotFound as missing:
        raise DecodeError("certificate", f"has no {missing.oid._name}") from None
    except BAD_CERTIFICATE as error:
        raise DecodeError("certificate", f"an extension does not decode: {error}") from None
    if usage == _usages(digital_signature=True):
        meaning = KeyUsage.DIGITAL_SIGNATURE
    elif usage == _usages(key_agreement=True):
        meaning = KeyUsage.KEY_AGREEMENT
    else:
        raise DecodeError("key usage of the certificate", "is neither of the two")
    return Certificate(
        subject=subject,
        role=role,
        usage=meaning,
        public_key=_public_key(certificate),
        key_identifier=own,
        authority_identifier=authority,
        octets=octets,
    )


def check_certificate(
    octets: bytes,
    *,
    authorities: Iterable[bytes],
    subject: Eui64,
    usage: KeyUsage,
    role: RemotePartyRole | None = None,
) -> Certificate:
    """Check that a certificate is `subject`'s, for that use and role, and signed by one of `authorities`.

    `role` None asks for a device's. Raises DecodeError naming what is wrong; DecodeError too when one of the
    authorities' own certificates does not decode.
    """
    certificate = read_certificate(octets)
    if certificate.subject != subject:
        raise DecodeError("subject of the certificate", f"is {certificate.subject}, expected {subject}")
    if certificate.role != role:
        found, wanted = (_role_name(one) for one in (certificate.role, role))
        raise DecodeError("role in the certificate", f"is {found}, expected {wanted}")
    expected = KeyUsage.KEY_AGREEMENT if usage in _AGREEMENT_USAGES else usage
    if certificate.usage is not expected:
        raise DecodeError("key usage of the certificate", f"is {certificate.usage.value}, not {usage.value}")
    issued = _parsed(octets, "certificate")
    if not any(_issued_by(issued, _parsed(one, "issuing certificate")) for one in authorities):
        raise DecodeError("signature of the certificate", "is none of a trusted authority's")
    return certificate


def check_authority(octets: bytes, root: bytes) -> None:
    """Check that an issuing certificate is signed by the root; raises DecodeError."""
    if not _issued_by(_parsed(octets, "issuing certificate"), _parsed(root, "root certificate")):
        raise DecodeError("signature of the issuing certificate", "is not the root's")


def _profile(
    issuer: Issuer,
    subject: x509.Name,
    public: EllipticCurvePublicKey,
    serial: int,
    begins: datetime,
    ends: datetime = _NEVER,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer.name,
        subject_name=subject,
        public_key=public,
        serial_number=serial,
        not_valid_before=begins.replace(tzinfo=None),
        not_valid_after=ends.replace(tzinfo=None),
    )


def _signed(builder: x509.CertificateBuilder, issuer: Issuer) -> bytes:
    policy = x509.PolicyInformation(x509.ObjectIdentifier(issuer.policy), None)
    authority = x509.AuthorityKeyIdentifier(key_identifier(issuer.key.public_key()), None, None)
    builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=True)
    builder = builder.add_extension(authority, critical=False)
    return builder.sign(issuer.key, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _with_usage(builder: x509.CertificateBuilder, usage: KeyUsage) -> x509.CertificateBuilder:
    agreement = usage in _AGREEMENT_USAGES
    return builder.add_extension(
        _usages(digital_signature=not agreement, key_agreement=agreement), critical=True
    )


def _usages(
    *,
    digital_signature: bool = False,
    key_agreement: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=key_agreement,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _identifier(public: EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier(key_identifier(public))


def _authority_identifier(extensions: x509.Extensions) -> bytes:
    """Return the authority's key identifier, nothing where there is none, as in a published one."""
    try:
        found = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return b""
    return found or b""


def _parsed(octets: bytes, field: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(octets)
    except BAD_CERTIFICATE as error:
        raise DecodeError(field, f"does not decode: {error}") from None
    if not octets.endswith(b"\x00" + certificate.signature):  # the library takes unused bits for none
        raise DecodeError(f"signature of the {field}", "is not of whole octets")
    return certificate


def _public_key(certificate: x509.Certificate) -> EllipticCurvePublicKey:
    try:
        public = certificate.public_key()
    except BAD_CERTIFICATE as error:
        raise DecodeError("public key of the certificate", f"does not decode: {error}") from None
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise DecodeError("public key of the certificate", "is not one on P-256")
    return public


def _subject(certificate: x509.Certificate) -> tuple[Eui64, RemotePartyRole | None]:
    if len(certificate.subject):
        return _organisation(certificate.subject)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    values = [
        one.value for one in names if isinstance(one, x509.OtherName) and one.type_id == _HARDWARE_MODULE_NAME
    ]
    if len(values) != 1 or len(values[0]) != len(_HARDWARE_TYPE) + 8 or values[0][:-8] != _HARDWARE_TYPE:
        raise DecodeError("subject alternative name", "is not one hardware module name with an EUI-64")
    return Eui64.from_bytes_be(values[0][-8:]), None


def _organisation(subject: x509.Name) -> tuple[Eui64, RemotePartyRole]:
    units = subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    identifiers = subject.get_attributes_for_oid(NameOID.X500_UNIQUE_IDENTIFIER)
    if len(units) != 1 or len(identifiers) != 1:
        raise DecodeError("subject of the certificate", "has not one role and one unique identifier")
    role, identifier = units[0].value, identifiers[0].value
    if not isinstance(identifier, bytes) or len(identifier) != 9 or identifier[0] != 0:
        raise DecodeError("subject of the certificate", "its unique identifier is no EUI-64")
    try:
        return Eui64.from_bytes_be(identifier[1:]), RemotePartyRole(int(role, 16))
    except ValueError:
        raise DecodeError("role in the certificate", f"is not two hex digits: {role!r}") from None


def _role_name(role: RemotePartyRole | None) -> str:
    return "a device's" if role is None else role.text


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Say whether the authority may sign certificates, and has signed this one."""
    try:
        usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(authority)
    except (*BAD_CERTIFICATE, x509.ExtensionNotFound, InvalidSignature):
        return False
    return usage.key_cert_sign
