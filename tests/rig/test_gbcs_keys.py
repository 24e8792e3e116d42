"""GBCS keys of a user's own: asked before the bench's, each party by one store alone."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyUsage
from harness.gbcs.use_cases.cs08 import CS08
from harness.rig.gbcs_keys import load_gbcs_keys
from harness.rig.load import load_rig
from tests.dcc_data import dcc_data
from tests.rig.test_load import RIGS, VIRTUAL

USERS = BenchPki("a user's own")
BENCH = BenchPki("bench")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
KA, DS = KeyUsage.KEY_AGREEMENT, KeyUsage.DIGITAL_SIGNATURE


def write(folder, eui, usage, *, private):
    stem = folder / f"{eui.value:016x}-{usage.value}"
    certificate = x509.load_der_x509_certificate(USERS.certificate(eui, usage))
    stem.with_suffix(".pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    if private:
        key = USERS.private_key(eui, usage)
        octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        stem.with_suffix(".key").write_bytes(octets)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    for usage in (KA, DS):
        write(folder, ACB, usage, private=True)
        write(folder, PPMID, usage, private=False)
    return folder


def test_the_users_parties_have_the_users_keys_and_all_others_the_benchs(folder):
    keys = load_gbcs_keys([folder], "bench")
    for usage in (KA, DS):
        assert keys.public_key(PPMID, usage) == USERS.public_key(PPMID, usage)
        assert keys.certificate(ACB, usage) == USERS.certificate(ACB, usage)
        assert (
            keys.private_key(ACB, usage).private_numbers() == USERS.private_key(ACB, usage).private_numbers()
        )
        assert keys.public_key(SUPPLIER, usage) == BENCH.public_key(SUPPLIER, usage)


def test_a_private_key_never_comes_from_another_store_than_its_certificate(folder):
    keys = load_gbcs_keys([folder], "bench")
    with pytest.raises(KeyNotFound, match="ka private key of 00-DB"):
        keys.private_key(PPMID, KA)  # the bench would have one, and it would be wrong


def test_the_users_ppmid_believes_a_command_made_with_them(folder):
    keys = load_gbcs_keys([folder], "bench")
    command = CS08.build_command(None, keys, originator=ACB, device=PPMID, counter=1)
    CS08.read_command(command, USERS, device=PPMID)


@pytest.mark.dcc_data
def test_a_zaz1_file_and_a_folder_stand_side_by_side(folder):
    zaz1 = dcc_data("pki", "zaz1-keystore.json")
    keys = load_gbcs_keys([zaz1, folder], "bench")
    assert keys.certificate(ACB, KA) != USERS.certificate(ACB, KA)
    assert keys.certificate(PPMID, KA) == USERS.certificate(PPMID, KA)


def test_a_rig_names_them_beside_itself(folder, tmp_path):
    path = tmp_path / "rig.yaml"
    path.write_text(VIRTUAL.replace("pki:\n", "pki:\n  gbcs-keys: [keys]\n"))
    assert load_rig(path).pki.gbcs_keys == (folder,)
    assert load_rig(RIGS / "virtual.yaml").pki.gbcs_keys == ()


@pytest.mark.parametrize("name", ["absent", "keys/empty.json"])
def test_what_is_no_key_store_is_said_before_anything_is_opened(folder, tmp_path, name):
    (folder / "empty.json").write_text("[]")
    path = tmp_path / "rig.yaml"
    path.write_text(VIRTUAL.replace("pki:\n", f"pki:\n  gbcs-keys: [{name}]\n"))
    with pytest.raises(ConfigError, match=r"cannot be read|not a ZAZ1 key store"):
        load_rig(path)


@pytest.mark.parametrize("suffix", [".pem", ".key"])
def test_a_bad_file_of_a_folder_is_named_at_once(folder, suffix):
    path = folder / f"{str(ACB).replace('-', '').lower()}-ka{suffix}"
    assert path.exists()
    path.write_text("nothing")
    with pytest.raises(ConfigError, match=f"{path.name}: not a"):
        load_gbcs_keys([folder], "bench")


def test_a_private_key_that_is_not_its_certificates_is_named(folder):
    stem = str(ACB).replace("-", "").lower()
    (folder / f"{stem}-ka.key").write_bytes((folder / f"{stem}-ds.key").read_bytes())
    with pytest.raises(ConfigError, match=f"not the private key of the certificate in {stem}-ka.pem"):
        load_gbcs_keys([folder], "bench")


@pytest.mark.dcc_data
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda entry: entry.update(privateKey="nothing"), "privateKey` is not a private key"),
        (lambda entry: entry.pop("privateKey"), "no 'privateKey'"),
        (lambda entry: entry.update(role="x"), "invalid literal"),
    ],
)
def test_a_bad_entry_of_a_key_store_is_named_with_its_field(tmp_path, change, says):
    held = json.loads(dcc_data("pki", "zaz1-keystore.json").read_text())
    eui = next(eui for eui in held if Eui64.parse(eui) == ACB)
    serial, entry = next(iter(held[eui]["keyAgreement"].items()))
    change(entry)
    path = tmp_path / "store.json"
    path.write_text(json.dumps({eui: {"keyAgreement": {serial: entry}}}))
    with pytest.raises(ConfigError) as raised:
        load_gbcs_keys([path], "bench")
    assert f"`{eui} keyAgreement {serial}" in str(raised.value)
    assert says in str(raised.value)
    assert "store.json" in str(raised.value)
