"""Key stores: the bench's derived keys, and the published formats."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs.key_files import PemFolderKeyStore, Zaz1KeyStore
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyUsage, OwnKeys
from tests.dcc_data import dcc_data
from tests.gbcs.vectors import PPMID, rtds_keys

KA, DS, PP = KeyUsage.KEY_AGREEMENT, KeyUsage.DIGITAL_SIGNATURE, KeyUsage.PREPAYMENT_KEY_AGREEMENT


def octets(key):
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()


def test_the_bench_keys_are_the_same_in_every_run():
    private = BenchPki("virtual").private_key(ACB, KA).private_numbers().private_value
    # sha512(b"ppmid-bench/virtual/90-B3-D5-1F-30-00-00-02/ka") mod (n - 1) + 1, worked out elsewhere
    assert private == 0xB3249CD4E496AA04A2CB712360CB8968D58715D2940F19FEB6455F93C9B6DEA8


def test_the_bench_keys_differ_by_seed_party_and_use():
    keys = [
        octets(BenchPki(seed).public_key(eui, usage))
        for seed in ("virtual", "other")
        for eui in (ACB, PPMID)
        for usage in KeyUsage
    ]
    assert len(set(keys)) == len(keys)


def test_a_party_has_only_its_own_private_keys():
    own = OwnKeys(PPMID, BenchPki("virtual"))
    own.private_key(PPMID, DS)
    own.public_key(ACB, KA)
    with pytest.raises(KeyNotFound, match="private key of 90-B3"):
        own.private_key(ACB, KA)


@pytest.mark.dcc_data
def test_a_folder_of_pem_files_is_a_key_store():
    keys = rtds_keys()
    assert octets(keys.private_key(ACB, KA).public_key()) == octets(keys.public_key(ACB, KA))
    assert octets(keys.private_key(SUPPLIER, PP).public_key()) == octets(keys.public_key(SUPPLIER, PP))
    assert octets(keys.public_key(PPMID, DS)) != octets(keys.public_key(PPMID, KA))
    with pytest.raises(KeyNotFound, match="ka private key of 00-DB"):
        keys.private_key(PPMID, KA)
    with pytest.raises(KeyNotFound):
        keys.public_key(Eui64(1), KA)


def test_a_file_that_is_no_key_is_a_mistake_of_whoever_wrote_it(tmp_path):
    (tmp_path / "90-B3-D5-1F-30-00-00-02-ka.key").write_text("-----BEGIN nothing")
    (tmp_path / "90b3d51f30000002-ka.pem").write_text("nothing")
    keys = PemFolderKeyStore.load(tmp_path)
    with pytest.raises(ConfigError, match="not a private key"):
        keys.private_key(ACB, KA)
    with pytest.raises(ConfigError, match="not a certificate"):
        keys.public_key(ACB, KA)
    with pytest.raises(ConfigError, match="no such folder"):
        PemFolderKeyStore.load(tmp_path / "absent")


@pytest.mark.dcc_data
def test_the_published_json_is_a_key_store_of_organisations():
    keys = Zaz1KeyStore.load(dcc_data("pki", "zaz1-keystore.json"))
    for eui, usage in ((ACB, KA), (ACB, DS), (SUPPLIER, KA), (SUPPLIER, DS), (SUPPLIER, PP)):
        assert octets(keys.private_key(eui, usage).public_key()) == octets(keys.public_key(eui, usage))
    assert octets(keys.public_key(SUPPLIER, KA)) != octets(keys.public_key(SUPPLIER, PP))
    with pytest.raises(KeyNotFound):
        keys.public_key(PPMID, KA)


@pytest.mark.parametrize(
    "text", ["", "[]", json.dumps({"x": {}}), json.dumps({"90b3d51f30000002": {"keyAgreement": {"1": {}}}})]
)
def test_json_that_is_no_key_store_is_a_mistake_of_whoever_wrote_it(text):
    with pytest.raises(ConfigError, match=r"keystore\.json: not"):
        Zaz1KeyStore(text)
