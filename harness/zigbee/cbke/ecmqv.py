"""The key agreement: ECMQV over both parties' certified and ephemeral keys, and what is derived from it.

Source: Zigbee SE 1.4 C.4.2.2.1 (ECMQV), C.4.2.2.2 (key derivation), C.4.2.2.3 (MAC); SEC 1 §3.4; facts
zigbee-ezsp §3 (vectors).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.cbke.curves import Curve, Point
from harness.zigbee.security import keyed_hash, mmo_hash

_INITIATOR, _RESPONDER = b"\x02", b"\x03"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its public key, compressed."""

    private: int
    public: bytes


def key_pair(curve: Curve, private: int) -> KeyPair:
    """Return the pair of a private key, 1 to the order less 1."""
    point = curve.multiply(private, curve.generator)
    assert point is not None
    return KeyPair(private, curve.encode(point))


def shared_secret(
    curve: Curve, *, own_key: int, own_ephemeral: KeyPair, peer_key: Point, peer_ephemeral: bytes
) -> bytes:
    """Return the shared secret Z as octets. Raises DecodeError for an ephemeral key that is none."""
    theirs = curve.decode(peer_ephemeral, "ephemeral public key")
    own_point = curve.decode(own_ephemeral.public)
    exponent = (own_ephemeral.private + _half(curve, own_point) * own_key) % curve.order
    combined = curve.add(theirs, curve.multiply(_half(curve, theirs), peer_key))
    if combined is None:
        raise DecodeError("ephemeral public key", "gives no shared secret")
    secret = curve.multiply(curve.cofactor * exponent % curve.order, combined)
    if secret is None:
        raise DecodeError("ephemeral public key", "gives no shared secret")
    return secret.x.to_bytes(curve.field.octets, "big")


def _half(curve: Curve, point: Point) -> int:
    """Return the associate value of a point: the lower half of its x, and one bit above."""
    bits = (curve.order.bit_length() + 1) // 2
    return point.x & (1 << bits) - 1 | 1 << bits


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """What both sides derive from the secret: `link_key` is what it was all for; 16 octets each."""

    mac_key: bytes
    link_key: bytes


def derive(secret: bytes) -> DerivedKeys:
    """Return the keys of a shared secret."""
    return DerivedKeys(mac_key=mmo_hash(secret + b"\0\0\0\x01"), link_key=mmo_hash(secret + b"\0\0\0\x02"))


def confirmations(
    mac_key: bytes, *, initiator: Eui64, responder: Eui64, ephemeral_u: bytes, ephemeral_v: bytes
) -> tuple[bytes, bytes]:
    """Return MACU and MACV, by which initiator and responder prove that they have the same key."""
    u, v = initiator.value.to_bytes(8, "big"), responder.value.to_bytes(8, "big")
    return (
        keyed_hash(mac_key, _INITIATOR + u + v + ephemeral_u + ephemeral_v),
        keyed_hash(mac_key, _RESPONDER + v + u + ephemeral_v + ephemeral_u),
    )
