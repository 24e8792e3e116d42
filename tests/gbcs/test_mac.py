"""Shared secrets that are remembered are those of the keys that were asked for."""

from __future__ import annotations

import random
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, derive_private_key

from harness.gbcs.mac import KeyAgreement, SharedSecrets


def scalars(count: int, largest: int):
    rng = random.Random(4)
    return [(rng.randrange(1, largest), rng.randrange(1, largest)) for _ in range(count)]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_remembered_secret_is_never_another_pairs_also_when_key_objects_come_and_go(size):
    remembered = SharedSecrets(size)
    for one, other in scalars(300, 50):
        # New objects each time, let go at once, so that their places in memory are used again and again.
        private = derive_private_key(one, SECP256R1())
        public = derive_private_key(other, SECP256R1()).public_key()
        expected = derive_private_key(one, SECP256R1()).exchange(ECDH(), public)
        assert remembered.of(private, public) == expected
        assert remembered.of(private, public) == expected
        del private, public


def test_keys_are_held_as_long_as_their_secret_is_remembered():
    # While they are, no other key object can have the identity that the secret is remembered by.
    remembered = SharedSecrets(1)
    private, public = derive_private_key(3, SECP256R1()), derive_private_key(4, SECP256R1()).public_key()
    before = sys.getrefcount(private), sys.getrefcount(public)
    remembered.of(private, public)
    assert (sys.getrefcount(private), sys.getrefcount(public)) == (before[0] + 1, before[1] + 1)
    remembered.of(derive_private_key(5, SECP256R1()), public)
    assert sys.getrefcount(private) == before[0]


def test_one_key_has_another_secret_with_each_partner():
    remembered = SharedSecrets(1000)
    keys = [derive_private_key(number, SECP256R1()) for number in range(1, 9)]
    publics = [key.public_key() for key in keys]
    for _ in range(2):
        for key in keys:
            for public in publics:
                assert remembered.of(key, public) == key.exchange(ECDH(), public)


def test_both_ends_agree():
    one, other = (derive_private_key(number, SECP256R1()) for number in (7, 8))
    secrets = {
        KeyAgreement(one, other.public_key()).shared_secret(),
        KeyAgreement(other, one.public_key()).shared_secret(),
    }
    assert len(secrets) == 1
