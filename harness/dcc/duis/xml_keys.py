"""Keys for signing XML: not the keys for GBCS, and named by a document by issuer and serial number.

Sources: a folder of certificates and keys, the published ZAZ1 key store, or a seed. Validity dates are not
looked at: the published test certificates have expired.
Source: facts gb-domain §5, §6.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs.keys import BenchPki, KeyUsage

T = TypeVar("T")

_UNIQUE_IDENTIFIER = x509.ObjectIdentifier("2.5.4.45")
_UNIT = x509.ObjectIdentifier("2.5.4.11")
_XML_SIGNING_UNITS = ("87", "89", "135", "137")  # the roles 135 and 137, in hex and as they stand
BENCH_ISSUER = "CN=PPMID-BENCH,OU=07"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlCertificate:
    """Whose public key this is, and by what a signature names it. `for_xml`: whether that is its role."""

    issuer: str
    serial: int
    owner: Eui64
    public: EllipticCurvePublicKey
    for_xml: bool = True

    def point(self) -> bytes:
        """Return the public key as an uncompressed point, 65 octets."""
        return self.public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @classmethod
    def of_point(cls, issuer: str, serial: int, owner: Eui64, point: bytes) -> XmlCertificate:
        """Return a certificate whose public key is this point. Raises ValueError for none of P-256."""
        public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        return cls(issuer=issuer, serial=serial, owner=owner, public=public)


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlSigningKey:
    """A private key with its certificate."""

    certificate: XmlCertificate
    private: EllipticCurvePrivateKey


class XmlKeyNotFound(LookupError):
    """A store has not got a key."""


class XmlKeyStore(Protocol):
    """Where XML-signing keys come from. Both methods raise XmlKeyNotFound."""

    def find(self, issuer: str, serial: int) -> XmlCertificate:
        """Return the certificate that a signature names."""

    def signing_key(self, owner: Eui64) -> XmlSigningKey:
        """Return the key with which this party signs."""

    def known(self, parties: Iterable[Eui64]) -> tuple[XmlCertificate, ...]:
        """Return all certificates that are held; where they are made when asked for, those of these."""


@dataclass(frozen=True, slots=True)
class BenchXmlKeys:
    """Keys for anybody, derived from a seed, never secret. The serial number is 1 and the owner's EUI-64."""

    seed: str

    def find(self, issuer: str, serial: int) -> XmlCertificate:
        """Return the certificate of the EUI-64 in the serial number."""
        if normal_issuer(issuer) != normal_issuer(BENCH_ISSUER) or serial >> 64 != 1:
            raise XmlKeyNotFound(f"no bench certificate has issuer {issuer} and serial number {serial}")
        return self.signing_key(Eui64(serial & ((1 << 64) - 1))).certificate

    def signing_key(self, owner: Eui64) -> XmlSigningKey:
        """Return the derived key."""
        return _bench_key(self.seed, owner)

    def known(self, parties: Iterable[Eui64]) -> tuple[XmlCertificate, ...]:
        """Return the certificates of these parties."""
        return tuple(self.signing_key(party).certificate for party in parties)


@lru_cache(maxsize=1024)
def _bench_key(seed: str, owner: Eui64) -> XmlSigningKey:
    private = BenchPki(f"{seed}/xml-sign").private_key(owner, KeyUsage.DIGITAL_SIGNATURE)
    certificate = XmlCertificate(
        issuer=BENCH_ISSUER, serial=(1 << 64) | owner.value, owner=owner, public=private.public_key()
    )
    return XmlSigningKey(certificate=certificate, private=private)


class HeldXmlKeys:
    """Keys that were read from somewhere. Of two signing keys of one owner the one meant for XML is taken."""

    def __init__(self, certificates: Iterable[XmlCertificate], keys: Iterable[XmlSigningKey] = ()) -> None:
        self._certificates = {(normal_issuer(entry.issuer), entry.serial): entry for entry in certificates}
        self._keys: dict[Eui64, XmlSigningKey] = {}
        for key in keys:
            held = self._keys.get(key.certificate.owner)
            if held is None or (key.certificate.for_xml and not held.certificate.for_xml):
                self._keys[key.certificate.owner] = key

    def find(self, issuer: str, serial: int) -> XmlCertificate:
        """Return the certificate with this issuer and serial number."""
        try:
            return self._certificates[normal_issuer(issuer), serial]
        except KeyError:
            raise XmlKeyNotFound(f"no certificate has issuer {issuer} and serial number {serial}") from None

    def signing_key(self, owner: Eui64) -> XmlSigningKey:
        """Return the key of this party."""
        try:
            return self._keys[owner]
        except KeyError:
            raise XmlKeyNotFound(f"no XML-signing key of {owner}") from None

    def known(self, parties: Iterable[Eui64]) -> tuple[XmlCertificate, ...]:  # noqa: ARG002 - it holds them all
        """Return all certificates."""
        return tuple(self._certificates.values())


class JoinedXmlKeys:
    """Several stores as one; the first that has a key gives it."""

    def __init__(self, *stores: XmlKeyStore) -> None:
        self._stores = stores

    def find(self, issuer: str, serial: int) -> XmlCertificate:
        """Return the certificate that a signature names."""
        return self._first(lambda store: store.find(issuer, serial))

    def signing_key(self, owner: Eui64) -> XmlSigningKey:
        """Return the key with which this party signs."""
        return self._first(lambda store: store.signing_key(owner))

    def known(self, parties: Iterable[Eui64]) -> tuple[XmlCertificate, ...]:
        """Return all certificates."""
        wanted = tuple(parties)
        return tuple(certificate for store in self._stores for certificate in store.known(wanted))

    def _first(self, ask: Callable[[XmlKeyStore], T]) -> T:
        missing = XmlKeyNotFound("no XML-signing keys at all")
        for store in self._stores:
            try:
                return ask(store)
            except XmlKeyNotFound as error:
                missing = error
        raise missing


def load_folder(folder: Path) -> HeldXmlKeys:
    """Read a folder of ``NAME.pem`` certificates and ``NAME.key`` private keys (PKCS #8, PEM or DER).

    Raises ConfigError for a folder that is none, or a file that is neither.
    """
    if not folder.is_dir():
        raise ConfigError("no such folder of XML-signing keys", file=folder)
    certificates, keys = [], []
    for path in sorted(folder.glob("*.pem")):
        octets = path.read_bytes()
        if b"BEGIN CERTIFICATE" not in octets:
            continue
        certificate = _certificate(octets, path)
        certificates.append(certificate)
        beside = path.with_suffix(".key")
        if beside.is_file():
            private = _private(beside.read_bytes(), beside)
            keys.append(XmlSigningKey(certificate=certificate, private=private))
    return HeldXmlKeys(certificates, keys)


def load_zaz1(file: Path) -> HeldXmlKeys:
    """Read the digital-signature keys of a ZAZ1 key store. Raises ConfigError for a file that is none."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        entries = [entry for uses in held.values() for entry in uses.get("digitalSignature", {}).values()]
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"not a ZAZ1 key store: {error}", file=file) from error
    certificates, keys = [], []
    for entry in entries:
        key = _zaz1_key(entry, file)
        if key is not None:
            certificates.append(key.certificate)
            keys.append(key)
    return HeldXmlKeys(certificates, keys)


def load_xml_keys(folder: Path | None, zaz1: Path | None, seed: str) -> XmlKeyStore:
    """Return the keys of these files, of both if both are given; of neither, the bench's own from a seed."""
    stores: list[XmlKeyStore] = []
    if folder is not None:
        stores.append(load_folder(folder))
    if zaz1 is not None:
        stores.append(load_zaz1(zaz1))
    return JoinedXmlKeys(*stores) if stores else BenchXmlKeys(seed)


def normal_issuer(name: str) -> frozenset[str]:
    """Return an issuer's name so that blanks and the order of its parts do not matter."""
    return frozenset(part.strip() for part in name.split(","))


def _zaz1_key(entry: Mapping[str, Any], file: Path) -> XmlSigningKey | None:
    """Return a key, None for one whose certificate does not parse: the published store has two of these."""
    try:
        certificate = _certificate(str(entry["certificate"]).encode(), file)
        private = _private(str(entry["privateKey"]).encode(), file)
    except KeyError as error:
        raise ConfigError(f"not a ZAZ1 key store: no {error}", file=file) from error
    except ConfigError:
        return None
    return XmlSigningKey(certificate=certificate, private=private)


def _certificate(octets: bytes, file: Path) -> XmlCertificate:
    try:
        certificate = x509.load_pem_x509_certificate(octets)
        public = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"no certificate: {error}", file=file) from error
    identifiers = certificate.subject.get_attributes_for_oid(_UNIQUE_IDENTIFIER)
    units = certificate.subject.get_attributes_for_oid(_UNIT)
    octets_of_owner = identifiers[0].value if identifiers else b""
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise ConfigError("the certificate is not for P-256", file=file)
    if not isinstance(octets_of_owner, bytes) or len(octets_of_owner) != 9:
        raise ConfigError("the certificate names no EUI-64 (unique identifier of its subject)", file=file)
    return XmlCertificate(
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        owner=Eui64.from_bytes_be(octets_of_owner[1:]),
        public=public,
        for_xml=any(unit.value in _XML_SIGNING_UNITS for unit in units),
    )


def _private(octets: bytes, file: Path) -> EllipticCurvePrivateKey:
    load = load_pem_private_key if octets.startswith(b"-----") else load_der_private_key
    try:
        key = load(octets, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"no private key: {error}", file=file) from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ConfigError("the private key is not for P-256", file=file)
    return key
