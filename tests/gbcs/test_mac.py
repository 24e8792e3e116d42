"""Shared secrets that are remembered are those of the keys that were asked for."""

from __future__ import annotations

import random

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, derive_private_key

from harness.gbcs.mac import KeyAgreement, SharedSecrets


def test_a_remembered_secret_is_never_another_pairs_also_when_key_objects_come_and_go():
    rng = random.Random(4)
    remembered = SharedSecrets(3)
    for _ in range(200):
        # New objects each time, so that their identities are used again and again.
        private, other = (derive_private_key(rng.randrange(1, 6), SECP256R1()) for _ in range(2))
        public = other.public_key()
        assert remembered.of(private, public) == private.exchange(ECDH(), public)
        assert remembered.of(private, public) == private.exchange(ECDH(), public)


def test_both_ends_agree():
    one, other = (derive_private_key(number, SECP256R1()) for number in (7, 8))
    secrets = {
        KeyAgreement(one, other.public_key()).shared_secret(),
        KeyAgreement(other, one.public_key()).shared_secret(),
    }
    assert len(secrets) == 1
