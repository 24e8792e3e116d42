"""Keys by role: who needs which key, and the bench's own keys.

A key belongs to an EUI-64 and a use: key agreement (MAC and encryption), digital signature, or a supplier's
key agreement for prepayment tokens. Everything that makes or checks a message takes a KeyStore.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha512
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)

from harness.eui64 import Eui64

ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
"""The Access Control Broker, the DSP's own party to every command's MAC (facts: gb-domain §3.1)."""
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
"""The supplier of the published test cast."""

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class KeyUsage(Enum):
    """What a key is for."""

    KEY_AGREEMENT = "ka"
    DIGITAL_SIGNATURE = "ds"
    PREPAYMENT_KEY_AGREEMENT = "pp-ka"


class KeyNotFound(LookupError):
    """A key store has not got this key."""

    def __init__(self, eui: Eui64, usage: KeyUsage, what: str = "public key") -> None:
        super().__init__(f"no {usage.value} {what} of {eui}")
        self.eui = eui
        self.usage = usage


class KeyStore(Protocol):
    """Where keys come from; both methods raise KeyNotFound."""

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return the private key of `eui`."""

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return the public key of `eui`."""


@dataclass(frozen=True, slots=True)
class BenchPki:
    """Keys for anybody on the virtual bench, derived from a seed: the same seed, the same keys. Never secret.

    private = 1 + SHA-512("ppmid-bench/" seed "/" EUI text "/" usage) mod (n - 1).
    """

    seed: str

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return the derived private key."""
        return _derived(self.seed, eui, usage)

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return the public key of the derived private key."""
        return self.private_key(eui, usage).public_key()


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """A key store as one party sees it: its own private keys, everybody's public keys."""

    owner: Eui64
    everybody: KeyStore

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return a private key of the owner; anybody else's is not found."""
        if eui != self.owner:
            raise KeyNotFound(eui, usage, "private key")
        return self.everybody.private_key(eui, usage)

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return anybody's public key."""
        return self.everybody.public_key(eui, usage)


@lru_cache(maxsize=1024)
def _derived(seed: str, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
    digest = sha512(f"ppmid-bench/{seed}/{eui}/{usage.value}".encode()).digest()
    return derive_private_key(1 + int.from_bytes(digest, "big") % (_P256_ORDER - 1), SECP256R1())
