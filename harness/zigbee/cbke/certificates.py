"""Implicit certificates: what they hold, and the public key that a certificate and its issuer's key give.

Suite 1 (48 octets): public key reconstruction point 22, subject 8, issuer 8, attributes 10.
Suite 2 (74 octets): type 1, serial 8, curve 1, hash 1, issuer 8, valid from 5, lifetime 4, subject 8,
key usage 1, point 37. Source: Zigbee SE 1.4 C.4.2.3, C.4.3.3; SEC 4 (ECQV) §2.4, §2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.cbke.curves import Point
from harness.zigbee.cbke.suites import SUITE_1, Suite
from harness.zigbee.security import mmo_hash

_KEY_AGREEMENT = 0x88
_TYPE_IMPLICIT, _CURVE_283, _HASH_MMO = 0x00, 0x0D, 0x08
_FOR_EVER = b"\xff" * 4


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it goes over the air. Raises DecodeError when it is no certificate of its suite."""

    suite: Suite
    octets: bytes

    def __post_init__(self) -> None:
        wanted = self.suite.certificate_octets
        if len(self.octets) != wanted:
            raise DecodeError(
                "certificate", f"has {len(self.octets)} octets, {self.suite.name} needs {wanted}"
            )
        if self.suite is SUITE_1:
            return
        for name, at, value in (
            ("certificate type", 0, _TYPE_IMPLICIT),
            ("certificate curve", 9, _CURVE_283),
            ("certificate hash", 10, _HASH_MMO),
        ):
            if self.octets[at] != value:
                raise DecodeError(name, f"is 0x{self.octets[at]:02X}, must be 0x{value:02X}", offset=at)

    @property
    def subject(self) -> Eui64:
        """Whose it is."""
        start = 22 if self.suite is SUITE_1 else 28
        return Eui64(int.from_bytes(self.octets[start : start + 8], "big"))

    @property
    def issuer(self) -> bytes:
        """The issuer's identifier, 8 octets."""
        start = 30 if self.suite is SUITE_1 else 11
        return self.octets[start : start + 8]

    @property
    def point(self) -> Point:
        """The reconstruction point. Raises DecodeError when it is none."""
        part = self.octets[:22] if self.suite is SUITE_1 else self.octets[-37:]
        return self.suite.curve.decode(part, "certificate's point")

    def public_key(self, issuer_key: Point) -> Point:
        """Return the subject's public key, given the issuer's. Raises DecodeError."""
        curve = self.suite.curve
        key = curve.add(curve.multiply(self.hash() % curve.order, self.point), issuer_key)
        if key is None:
            raise DecodeError("certificate", "gives no public key")
        return key

    def hash(self) -> int:
        """Return the hash that ties the key to the certificate's contents."""
        return int.from_bytes(mmo_hash(self.octets), "big")


def certificate_octets(
    suite: Suite,
    *,
    point: bytes,
    subject: Eui64,
    issuer: bytes,
    serial: bytes = bytes(8),
    valid_from_s: int = 0,
    attributes: bytes = bytes.fromhex("01090006000000000000"),
) -> bytes:
    """Return a certificate's octets. `attributes` are suite 1's; `valid_from_s` is Unix time."""
    who = subject.value.to_bytes(8, "big")
    if suite is SUITE_1:
        return point + who + issuer + attributes
    return b"".join(
        (
            bytes((_TYPE_IMPLICIT,)),
            serial,
            bytes((_CURVE_283, _HASH_MMO)),
            issuer,
            valid_from_s.to_bytes(5, "big"),
            _FOR_EVER,
            who,
            bytes((_KEY_AGREEMENT,)),
            point,
        )
    )
