from __future__ import annotations

import pytest

from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.rig.certificates import load_certificate, load_certificates
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.suites import SUITE_1, SUITE_2
from tests.zigbee.cbke.vectors import VECTORS

HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
BENCH = BenchAuthority("bench")


def text(certificate, private_key, ca_key):
    return (
        "schema: ppmid-bench/certificate@1\n"
        f'certificate: "{certificate.hex()}"\nprivate-key: "{private_key.hex()}"\nca-key: "{ca_key.hex()}"\n'
    )


def published(vector):
    """The octets of a published certificate, its private key and its authority's key."""
    return vector.v.certificate, vector.v.private_key.to_bytes(40, "big"), vector.authority


def write(folder, *parts, name="hub.yaml"):
    path = folder / name
    path.write_text(text(*parts))
    return path


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.suite.name)
def test_a_published_certificate_is_read(tmp_path, vector):
    found = load_certificate(write(tmp_path, *published(vector)))
    assert (found.suite, found.certificate.subject) == (vector.suite, vector.v.eui64)
    assert found.private_key == vector.v.private_key


def test_files_come_before_the_benchs_authority_in_their_suite_only(tmp_path):
    vector = VECTORS[0]
    store = load_certificates([write(tmp_path, *published(vector))], BENCH)
    other = SUITE_2 if vector.suite is SUITE_1 else SUITE_1
    assert store.credentials(vector.v.eui64, vector.suite).certificate.octets == vector.v.certificate
    assert store.credentials(HUB, other) == BENCH.credentials(HUB, other)
    with pytest.raises(KeyError):
        store.credentials(HUB, vector.suite)


def test_without_files_all_is_the_benchs_own():
    store = load_certificates([], BENCH)
    assert store.credentials(HUB, SUITE_2) == BENCH.credentials(HUB, SUITE_2)


def test_two_certificates_for_one_device_are_one_too_many(tmp_path):
    paths = [write(tmp_path, *published(VECTORS[0]), name=name) for name in ("a.yaml", "b.yaml")]
    with pytest.raises(ConfigError, match=r"a second suite . certificate"):
        load_certificates(paths, BENCH)


def spoiled(octets, at=-1):
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


CERTIFICATE, PRIVATE, CA = published(VECTORS[1])


@pytest.mark.parametrize(
    ("parts", "line", "says"),
    [
        ((CERTIFICATE[:-1], PRIVATE, CA), 2, "48 octets .* or 74 .* not 73"),
        ((spoiled(CERTIFICATE, 0), PRIVATE, CA), 2, "none of suite 2"),
        ((CERTIFICATE, bytes(36), CA), 3, "no private key of suite 2"),
        ((CERTIFICATE, PRIVATE, CA[:-1]), 4, "no public key of suite 2"),
        ((CERTIFICATE, PRIVATE, b"\x05" + CA[1:]), 4, "no public key of suite 2"),
        ((CERTIFICATE, spoiled(PRIVATE), CA), 1, "do not belong together"),
        ((spoiled(CERTIFICATE, 30), PRIVATE, CA), 1, "do not belong together"),
    ],
    ids=["length", "type", "no private key", "CA key cut", "no point", "another key", "another subject"],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, parts, line, says):
    path = write(tmp_path, *parts)
    with pytest.raises(ConfigError, match=says) as caught:
        load_certificate(path)
    assert (caught.value.file, caught.value.line) == (path, line)


def test_a_key_that_is_missing_or_unknown_is_named(tmp_path):
    path = tmp_path / "hub.yaml"
    path.write_text("schema: ppmid-bench/certificate@1\ncertificate: '00'\n")
    with pytest.raises(ConfigError, match=r"`private.key` is missing"):
        load_certificate(path)
