"""Signatures: ECDSA on P-256 with SHA-256, r || s in 64 octets.

Signed are the octets after the tag DF up to the end of the content. The nonce is derived from key and message
(RFC 6979), so that the same message always gets the same signature and nothing here needs a random source; a
verifier cannot tell. The RTDS signatures are not made that way.
Source: facts gb-domain §3.3; RFC 6979.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from harness.gbcs.message import SIGNATURE_LENGTH, Draft, GbcsMessage, parse

_HALF = SIGNATURE_LENGTH // 2


def signed_octets(message: Draft | GbcsMessage) -> bytes:
    """Return what a signature covers: ``09 CRA counter ... content``."""
    return message.body()[1:]


_DETERMINISTIC = ECDSA(SHA256(), deterministic_signing=True)


def signature_of(message: Draft | GbcsMessage, private: EllipticCurvePrivateKey) -> bytes:
    """Return the 64 octets of signature for `message`, whatever signature it has now."""
    # DER: 30 length, 02 length r, 02 length s, each length one octet.
    der = private.sign(signed_octets(message), _DETERMINISTIC)
    s = 6 + der[3]
    return _half(der[4 : s - 2]) + _half(der[s:])


def _half(integer: bytes) -> bytes:
    """Return a DER INTEGER's content in 32 octets: no zero before a high bit, filled up when short."""
    return integer[-_HALF:].rjust(_HALF, b"\0")


def sign(message: GbcsMessage, private: EllipticCurvePrivateKey) -> GbcsMessage:
    """Return the message with a signature, and without the MAC that would not cover it."""
    return message.with_signature(signature_of(message, private))


def check_signature(message: bytes | GbcsMessage, public: EllipticCurvePublicKey) -> bool:
    """Say whether the message has a signature and it is right. Octets that do not parse raise DecodeError."""
    parsed = message if isinstance(message, GbcsMessage) else parse(message)
    if not parsed.signature:
        return False
    r = int.from_bytes(parsed.signature[:_HALF], "big")
    s = int.from_bytes(parsed.signature[_HALF:], "big")
    try:
        public.verify(encode_dss_signature(r, s), signed_octets(parsed), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
