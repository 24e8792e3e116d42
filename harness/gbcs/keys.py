"""Keys by role: who needs which key, and the bench's own keys and certificates.

A key belongs to an EUI-64 and a use: key agreement (MAC and encryption), digital signature, or a supplier's
key agreement for prepayment tokens. Everything that makes or checks a message takes a KeyStore.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha512
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.x509.oid import NameOID

from harness.eui64 import Eui64
from harness.gbcs.certificates import Issuer, issue_authority, issue_device, issue_organisation
from harness.gbcs.roles import ACB, ORGANISATIONS, SUPPLIER, KeyUsage, RemotePartyRole

__all__ = ["ACB", "SUPPLIER", "BenchPki", "KeyNotFound", "KeyStore", "KeyStores", "KeyUsage", "OwnKeys"]

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class KeyNotFound(LookupError):
    """A key store has not got this key."""

    def __init__(self, eui: Eui64, usage: KeyUsage, what: str = "public key") -> None:
        super().__init__(eui, usage, what)
        self.eui = eui
        self.usage = usage
        self.what = what

    def __str__(self) -> str:
        return f"no {self.usage.value} {self.what} of {self.eui}"


class KeyStore(Protocol):
    """Where keys come from; all methods raise KeyNotFound."""

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return the private key of `eui`."""

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return the public key of `eui`."""

    def certificate(self, eui: Eui64, usage: KeyUsage) -> bytes:
        """Return the certificate of `eui` (DER)."""


@dataclass(frozen=True, slots=True)
class BenchPki:
    """Keys and certificates for anybody on the virtual bench, derived from a seed. Never secret.

    private = 1 + SHA-512("ppmid-bench/" seed "/" EUI text "/" usage) mod (n - 1). A seed's certificates are
    the same octet for octet: serial numbers and nonces are derived too. Organisations are those of the
    published cast, and `organisations`.
    """

    seed: str
    organisations: tuple[tuple[Eui64, RemotePartyRole], ...] = ()

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return the derived private key."""
        return _private(self.seed, eui.value, usage)

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return the public key of the derived private key."""
        return _public(self.seed, eui.value, usage)

    def certificate(self, eui: Eui64, usage: KeyUsage) -> bytes:
        """Return the certificate (DER), made when it is first asked for."""
        role = dict(self.organisations).get(eui, ORGANISATIONS.get(eui))
        return _certificate(self.seed, eui, usage, role)

    def authorities(self) -> tuple[bytes, bytes]:
        """Return the certificates (DER) of those that sign devices' and organisations' certificates."""
        root = _issuer(self.seed, "root")
        return (
            _authority(self.seed, root, _issuer(self.seed, "devices")),
            _authority(self.seed, root, _issuer(self.seed, "organisations")),
        )

    def root(self) -> bytes:
        """Return the certificate (DER) of the root, which signs itself."""
        root = _issuer(self.seed, "root")
        return _authority(self.seed, root, root)


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """A key store as one party sees it: its own private keys, everybody's public keys."""

    owner: Eui64
    everybody: KeyStore

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return a private key of the owner; anybody else's is not found."""
        if eui.value != self.owner.value:
            raise KeyNotFound(eui, usage, "private key")
        return self.everybody.private_key(eui, usage)

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return anybody's public key."""
        return self.everybody.public_key(eui, usage)

    def certificate(self, eui: Eui64, usage: KeyUsage) -> bytes:
        """Return anybody's certificate (DER)."""
        return self.everybody.certificate(eui, usage)


@dataclass(frozen=True, slots=True)
class KeyStores:
    """Several key stores as one: the first that has a party's certificate for a use speaks for that use.

    So a private key never comes from another store than the certificate that it must belong to.
    """

    stores: tuple[KeyStore, ...]

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return the private key of `eui`."""
        return self._first(eui, usage).private_key(eui, usage)

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return the public key of `eui`."""
        return self._first(eui, usage).public_key(eui, usage)

    def certificate(self, eui: Eui64, usage: KeyUsage) -> bytes:
        """Return the certificate of `eui` (DER)."""
        return self._first(eui, usage).certificate(eui, usage)

    def _first(self, eui: Eui64, usage: KeyUsage) -> KeyStore:
        for store in self.stores:
            try:
                store.public_key(eui, usage)
            except KeyNotFound:
                continue
            return store
        raise KeyNotFound(eui, usage)


def _digest(seed: str, *parts: str) -> int:
    return int.from_bytes(sha512("/".join(("ppmid-bench", seed, *parts)).encode()).digest(), "big")


def _derived(seed: str, *parts: str) -> EllipticCurvePrivateKey:
    return derive_private_key(1 + _digest(seed, *parts) % (_P256_ORDER - 1), SECP256R1())


@lru_cache(maxsize=4096)
def _private(seed: str, eui: int, usage: KeyUsage) -> EllipticCurvePrivateKey:
    return _derived(seed, str(Eui64(eui)), usage.value)


@lru_cache(maxsize=4096)
def _public(seed: str, eui: int, usage: KeyUsage) -> EllipticCurvePublicKey:
    return _private(seed, eui, usage).public_key()


def _serial(seed: str, *parts: str) -> int:
    """Return a serial number of at most 16 octets, not zero."""
    return 1 + _digest(seed, *parts, "serial") % ((1 << 127) - 1)


@lru_cache(maxsize=64)
def _issuer(seed: str, name: str) -> Issuer:
    common_name = x509.NameAttribute(NameOID.COMMON_NAME, f"ppmid-bench {name}")
    return Issuer(name=x509.Name([common_name]), key=_derived(seed, name, "ds"))


def _authority(seed: str, issuer: Issuer, authority: Issuer) -> bytes:
    return issue_authority(issuer, authority, serial=_serial(seed, authority.name.rfc4514_string()))


@lru_cache(maxsize=1024)
def _certificate(seed: str, eui: Eui64, usage: KeyUsage, role: RemotePartyRole | None) -> bytes:
    public = _public(seed, eui.value, usage)
    serial = _serial(seed, str(eui), usage.value)
    if role is None:
        return issue_device(_issuer(seed, "devices"), eui, public, usage, serial=serial)
    return issue_organisation(_issuer(seed, "organisations"), eui, role, public, usage, serial=serial)
