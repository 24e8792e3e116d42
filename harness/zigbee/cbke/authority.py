"""A certificate authority of the bench's own: the same seed, the same keys. Never secret.

It issues implicit certificates (ECQV) for any device, in either suite. A user's own certificates, by
Certicom or another, are `DeviceCredentials` read from files.
Source: SEC 4 §2.3 (certificate request and generation), §2.5 (the subject's private key).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from hashlib import sha512
from typing import Protocol

from harness.eui64 import Eui64
from harness.zigbee.cbke.certificates import Certificate, certificate_octets
from harness.zigbee.cbke.curves import Point
from harness.zigbee.cbke.suites import Suite

ISSUER = b"PPMIDTST"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCredentials:
    """What a device holds for one suite: its certificate, its private key, and its issuer's public key."""

    certificate: Certificate
    private_key: int
    issuer_key: Point

    @property
    def suite(self) -> Suite:
        """The suite that they are for."""
        return self.certificate.suite

    def consistent(self) -> bool:
        """Whether private key, certificate and issuer's key belong together."""
        curve = self.suite.curve
        own = curve.multiply(self.private_key, curve.generator)
        return own == self.certificate.public_key(self.issuer_key)


class CredentialStore(Protocol):
    """Where credentials come from."""

    def credentials(self, eui64: Eui64, suite: Suite) -> DeviceCredentials:
        """Return a device's credentials; KeyError when there are none."""


@dataclass(frozen=True, slots=True)
class BenchAuthority:
    """A CredentialStore that makes what it is asked for."""

    seed: str

    def public_key(self, suite: Suite) -> Point:
        """Return the authority's public key."""
        return _public(suite, _scalar(self.seed, suite, "authority"))

    def credentials(self, eui64: Eui64, suite: Suite) -> DeviceCredentials:
        """Return a device's credentials."""
        return _issued(self.seed, suite, eui64)


@functools.lru_cache(maxsize=256)
def _issued(seed: str, suite: Suite, eui64: Eui64) -> DeviceCredentials:
    curve, authority = suite.curve, _scalar(seed, suite, "authority")
    requested, blinding = _scalar(seed, suite, f"{eui64} request"), _scalar(seed, suite, f"{eui64} issue")
    point = curve.add(_public(suite, requested), _public(suite, blinding))
    assert point is not None
    octets = certificate_octets(suite, point=curve.encode(point), subject=eui64, issuer=ISSUER)
    certificate = Certificate(suite, octets)
    digest = certificate.hash() % curve.order
    contribution = (digest * blinding + authority) % curve.order
    return DeviceCredentials(
        certificate=certificate,
        private_key=(contribution + digest * requested) % curve.order,
        issuer_key=_public(suite, authority),
    )


def _scalar(seed: str, suite: Suite, what: str) -> int:
    digest = sha512(f"ppmid-bench/cbke/{seed}/{suite.number}/{what}".encode()).digest()
    return 1 + int.from_bytes(digest, "big") % (suite.curve.order - 1)


@functools.lru_cache(maxsize=256)
def _public(suite: Suite, private_key: int) -> Point:
    point = suite.curve.multiply(private_key, suite.curve.generator)
    assert point is not None
    return point
