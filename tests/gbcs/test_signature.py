"""Signatures as GBCS carries them are those that the cryptography library makes, whatever r and s are."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from harness.gbcs.header import Cra
from harness.gbcs.keys import ACB, BenchPki, KeyUsage
from harness.gbcs.message import draft
from harness.gbcs.signature import signature_of
from tests.gbcs.vectors import PPMID

SIGNING = BenchPki("test").private_key(ACB, KeyUsage.DIGITAL_SIGNATURE)


def test_r_and_s_are_32_octets_each_whatever_their_length_in_der():
    lengths = set()
    for counter in range(1500):
        message = draft(Cra.COMMAND, counter, ACB, PPMID, 0x0101, b"")
        der = SIGNING.sign(message.body()[1:], ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        assert signature_of(message, SIGNING) == r.to_bytes(32, "big") + s.to_bytes(32, "big")
        lengths |= {der[3], der[5 + der[3]]}
    assert lengths >= {31, 32, 33}
