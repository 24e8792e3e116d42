"""Certificates, key agreement and derived keys are what the specification's vectors say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.certificates import Certificate
from harness.zigbee.cbke.curves import SECT163K1, SECT283K1
from harness.zigbee.cbke.ecmqv import confirmations, derive, key_pair, shared_secret
from harness.zigbee.cbke.suites import SUITE_1, SUITE_2
from tests.benchmarks.cbke import measure
from tests.zigbee.cbke.vectors import VECTORS

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
by_suite = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.suite.name)
both_sides = pytest.mark.parametrize("side", ["u", "v"])
curves = pytest.mark.parametrize("curve", [SECT163K1, SECT283K1], ids=lambda curve: curve.name)


@by_suite
@both_sides
def test_a_certificate_says_whose_it_is_and_gives_the_key_that_its_owner_has(vector, side):
    party, curve = getattr(vector, side), vector.suite.curve
    certificate = Certificate(vector.suite, party.certificate)
    assert certificate.subject == party.eui64
    key = certificate.public_key(curve.decode(vector.authority))
    assert key == curve.multiply(party.private_key, curve.generator)


@by_suite
@both_sides
def test_both_sides_come_to_the_published_secret(vector, side):
    own, peer = (vector.u, vector.v) if side == "u" else (vector.v, vector.u)
    curve = vector.suite.curve
    ephemeral = key_pair(curve, own.ephemeral_private)
    assert ephemeral.public == own.ephemeral
    secret = shared_secret(
        curve,
        own_key=own.private_key,
        own_ephemeral=ephemeral,
        peer_key=Certificate(vector.suite, peer.certificate).public_key(curve.decode(vector.authority)),
        peer_ephemeral=peer.ephemeral,
    )
    assert secret == vector.secret


@by_suite
def test_keys_and_confirmations_are_the_published_ones(vector):
    keys = derive(vector.secret)
    assert (keys.mac_key, keys.link_key) == (vector.mac_key, vector.link_key)
    assert confirmations(
        keys.mac_key,
        initiator=vector.u.eui64,
        responder=vector.v.eui64,
        ephemeral_u=vector.u.ephemeral,
        ephemeral_v=vector.v.ephemeral,
    ) == (vector.mac_u, vector.mac_v)


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2], ids=lambda suite: suite.name)
def test_what_the_benchs_authority_issues_belongs_together(suite):
    authority = BenchAuthority("test")
    credentials = authority.credentials(PPMID, suite)
    assert credentials.consistent()
    assert credentials.certificate.subject == PPMID
    assert credentials.certificate.issuer == b"PPMIDTST"
    assert credentials == BenchAuthority("test").credentials(PPMID, suite)
    assert credentials.certificate != BenchAuthority("other").credentials(PPMID, suite).certificate


@by_suite
def test_a_certificate_that_was_changed_gives_another_key(vector):
    curve = vector.suite.curve
    for at in (25, 40):
        octets = bytearray(vector.u.certificate)
        octets[at] ^= 1
        changed = Certificate(vector.suite, bytes(octets))
        try:
            key = changed.public_key(curve.decode(vector.authority))
        except DecodeError:
            continue
        assert key != curve.multiply(vector.u.private_key, curve.generator)


@pytest.mark.parametrize(
    ("suite", "octets", "field"),
    [
        (SUITE_1, bytes(47), "certificate"),
        (SUITE_2, bytes(75), "certificate"),
        (SUITE_2, b"\x01" + bytes(73), "certificate type"),
        (SUITE_2, bytes(74), "certificate curve"),
    ],
)
def test_what_is_no_certificate_is_refused_by_name(suite, octets, field):
    with pytest.raises(DecodeError) as refused:
        Certificate(suite, octets)
    assert refused.value.field == field


@curves
@given(st.data())
def test_multiples_agree_with_additions(curve, data):
    one, other = (data.draw(st.integers(1, curve.order - 1)) for _ in range(2))
    left = curve.add(curve.multiply(one, curve.generator), curve.multiply(other, curve.generator))
    assert left == curve.multiply((one + other) % curve.order, curve.generator)
    point = curve.multiply(one, curve.generator)
    assert curve.multiply(other, point) == curve.multiply(one * other % curve.order, curve.generator)
    assert curve.decode(curve.encode(point)) == point
    assert curve.is_valid(point)


@curves
def test_small_multiples_are_repeated_sums(curve):
    total = None
    for count in range(1, 12):
        total = curve.add(total, curve.generator)
        assert curve.multiply(count, curve.generator) == total
    assert curve.multiply(curve.order, curve.generator) is None
    assert curve.add(curve.generator, curve.negate(curve.generator)) is None


@curves
def test_octets_that_are_no_point_of_the_subgroup_are_refused(curve):
    good = curve.encode(curve.generator)
    outside = 0
    for octets in (
        good[:-1],
        b"\x04" + good[1:],
        b"\x02" + bytes(len(good) - 1),
        b"\x02" + b"\xff" * (len(good) - 1),
    ):
        with pytest.raises(DecodeError):
            curve.decode(octets)
    for last in range(256):  # of arbitrary x, at most half are on the curve, and fewer in the subgroup
        try:
            point = curve.decode(good[:-1] + bytes([last]))
        except DecodeError:
            outside += 1
        else:
            assert curve.is_valid(point)
            assert curve.multiply(curve.order - 1, point) == curve.negate(point)
    assert outside > 128


@curves
def test_the_benchmark_measures_what_it_says(curve):
    ours, textbook = measure(curve, rounds=1)  # it compares the results, too
    assert ours > 0
    assert textbook > 0
