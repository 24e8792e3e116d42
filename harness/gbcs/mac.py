"""Message authentication: the key derivation function and the GMAC, cut to 12 octets.

::

    K   = SHA-256(00000001 || Z || info)[0:16]           Z: x of the P-256 Diffie-Hellman point
    info = 60857406080300 || originator || 09 || kind || originator counter || recipient
    MAC = AES-128-GCM tag(K, IV = originator || 00000000,
                          AAD = 110000000000 || grouping header .. signature field)[0:12]

The AAD starts with six octets where the security header on the wire has five.
Source: facts gb-domain §3.3; NIST SP 800-56A single-step KDF.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.eui64 import Eui64
from harness.gbcs.header import MAC_LENGTH
from harness.gbcs.message import GbcsMessage, parse

PAYLOAD_ENCRYPTION = 4
"""The kind octet for the key of an encrypted payload; 1, 2 and 3 are the CRA flags."""

_KDF_COUNTER = bytes.fromhex("00000001")
_ALGORITHM_ID = bytes.fromhex("60857406080300")
_AAD_PREFIX = bytes.fromhex("110000000000")


@dataclass(frozen=True, slots=True)
class KeyAgreement:
    """One party's private and the other's public key agreement key. Symmetric: either end gets the same."""

    private: EllipticCurvePrivateKey
    public: EllipticCurvePublicKey

    def shared_secret(self) -> bytes:
        """Return Z, 32 octets."""
        return self.private.exchange(ECDH(), self.public)


def derive_key(secret: bytes, *, originator: Eui64, recipient: Eui64, counter: int, kind: int) -> bytes:
    """Return the AES-128 key of one message. `kind` is a CRA flag or PAYLOAD_ENCRYPTION."""
    info = b"".join(
        (
            _ALGORITHM_ID,
            originator.to_bytes_be(),
            bytes([9, kind]),
            counter.to_bytes(8, "big"),
            recipient.to_bytes_be(),
        )
    )
    return sha256(_KDF_COUNTER + secret + info).digest()[:16]


def initialisation_vector(originator: Eui64) -> bytes:
    """Return the 12 octets of IV: no two messages share a key, so the counter part stays zero."""
    return originator.to_bytes_be() + bytes(4)


def gmac_tag(key: bytes, originator: Eui64, associated: bytes) -> bytes:
    """Return the whole GMAC tag, 16 octets, under a message's key."""
    return AESGCM(key).encrypt(initialisation_vector(originator), b"", associated)


def mac_with_secret(message: GbcsMessage, secret: bytes) -> bytes:
    """Return the 12 octets of MAC for `message`, whatever MAC it has now, from a shared secret."""
    key = derive_key(
        secret,
        originator=message.originator,
        recipient=message.recipient,
        counter=message.counter,
        kind=message.cra,
    )
    return gmac_tag(key, message.originator, _AAD_PREFIX + message.unprotected())[:MAC_LENGTH]


def mac_of(message: GbcsMessage, agreement: KeyAgreement) -> bytes:
    """Return the 12 octets of MAC for `message`, whatever MAC it has now."""
    return mac_with_secret(message, agreement.shared_secret())


def protect(message: GbcsMessage, agreement: KeyAgreement) -> bytes:
    """Return the message on the wire, with its MAC header and MAC. An absent signature becomes a null one."""
    ready = message.with_mac(bytes(MAC_LENGTH))
    return ready.with_mac(mac_of(ready, agreement)).to_bytes()


def check_mac(
    message: bytes | GbcsMessage, private: EllipticCurvePrivateKey, public: EllipticCurvePublicKey
) -> bool:
    """Say whether the message has a MAC and it is right. Octets that do not parse raise DecodeError."""
    parsed = message if isinstance(message, GbcsMessage) else parse(message)
    if parsed.mac is None:
        return False
    return hmac.compare_digest(parsed.mac, mac_of(parsed, KeyAgreement(private, public)))
