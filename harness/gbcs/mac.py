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
import struct
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.eui64 import Eui64
from harness.gbcs.header import MAC_LENGTH
from harness.gbcs.message import Draft, GbcsMessage, parse, with_mac
from harness.gbcs.octets import with_length

PAYLOAD_ENCRYPTION = 4
"""The kind octet for the key of an encrypted payload; 1, 2 and 3 are the CRA flags."""

_KDF_COUNTER = bytes.fromhex("00000001")
_ALGORITHM_ID = bytes.fromhex("60857406080300")
_INFO = struct.Struct(">7sQ2BQQ")
_IV = struct.Struct(">Q4x")
_AAD_PREFIX = bytes.fromhex("110000000000")


class KeyAgreement(NamedTuple):
    """One party's private and the other's public key agreement key. Symmetric: either end gets the same."""

    private: EllipticCurvePrivateKey
    public: EllipticCurvePublicKey

    def shared_secret(self) -> bytes:
        """Return Z, 32 octets. The last pairs of key objects are remembered with theirs."""
        return _shared_secrets.of(self.private, self.public)


class SharedSecrets:
    """Shared secrets by pair of key objects, the oldest forgotten first.

    An entry holds on to its keys, so while it is there no other object can have the identity of either.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: dict[
            tuple[int, int], tuple[EllipticCurvePrivateKey, EllipticCurvePublicKey, bytes]
        ] = {}

    def of(self, private: EllipticCurvePrivateKey, public: EllipticCurvePublicKey) -> bytes:
        """Return Z."""
        place = id(private), id(public)
        entry = self._entries.get(place)
        if entry is None:
            entry = private, public, private.exchange(ECDH(), public)
            if len(self._entries) >= self._size:
                self._entries.pop(next(iter(self._entries)), None)
            self._entries[place] = entry
        return entry[2]


_shared_secrets = SharedSecrets(1024)


def derive_key(secret: bytes, *, originator: Eui64, recipient: Eui64, counter: int, kind: int) -> bytes:
    """Return the AES-128 key of one message. `kind` is a CRA flag or PAYLOAD_ENCRYPTION."""
    info = _INFO.pack(_ALGORITHM_ID, originator.value, 9, kind, counter, recipient.value)
    return sha256(_KDF_COUNTER + secret + info).digest()[:16]


def initialisation_vector(originator: Eui64) -> bytes:
    """Return the 12 octets of IV: no two messages share a key, so the counter part stays zero."""
    return _IV.pack(originator.value)


def gmac_tag(key: bytes, originator: Eui64, associated: bytes) -> bytes:
    """Return the whole GMAC tag, 16 octets, under a message's key."""
    return AESGCM(key).encrypt(initialisation_vector(originator), b"", associated)


def mac_with_secret(message: Draft | GbcsMessage, secret: bytes, unprotected: bytes) -> bytes:
    """Return the 12 octets of MAC for a message from a shared secret; `unprotected` is it without its MAC."""
    key = derive_key(
        secret,
        originator=message.originator,
        recipient=message.recipient,
        counter=message.counter,
        kind=message.cra,
    )
    return gmac_tag(key, message.originator, _AAD_PREFIX + unprotected)[:MAC_LENGTH]


def mac_of(message: GbcsMessage, agreement: KeyAgreement) -> bytes:
    """Return the 12 octets of MAC for `message`, whatever MAC it has now."""
    return mac_with_secret(message, agreement.shared_secret(), message.unprotected())


def protect(message: GbcsMessage, agreement: KeyAgreement, signature: bytes | None = None) -> bytes:
    """Return the message on the wire, with its MAC header and MAC.

    `signature`, if given, takes the place of the message's own; an absent one becomes a null one.
    """
    signature = message.signature if signature is None else signature
    unprotected = message.body() + with_length(signature or b"")
    return with_mac(unprotected, mac_with_secret(message, agreement.shared_secret(), unprotected))


def check_mac(
    message: bytes | GbcsMessage, private: EllipticCurvePrivateKey, public: EllipticCurvePublicKey
) -> bool:
    """Say whether the message has a MAC and it is right. Octets that do not parse raise DecodeError."""
    parsed = message if isinstance(message, GbcsMessage) else parse(message)
    if parsed.mac is None:
        return False
    return hmac.compare_digest(parsed.mac, mac_of(parsed, KeyAgreement(private, public)))
