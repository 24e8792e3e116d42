"""Of a pack that somebody changed, what was changed is named: files, lines, the signature."""

from __future__ import annotations

import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from harness.errors import ConfigError
from harness.evidence.intact import verify
from harness.evidence.pack import EvidencePack
from harness.evidence.signature import PASSPHRASE, checking_key, sign, signing_key
from harness.tap import Boundary
from tests.evidence.test_pack import result

TIMELINE = "cases/ROW-1/timeline.jsonl"


@pytest.fixture
def folder(tmp_path):
    pack = EvidencePack(tmp_path / "pack")
    pack.begin_case("ROW-1")
    for number in range(10):
        pack.tap.record(Boundary.SERIAL, "bench", "ppmid", f"line {number}")
    pack.end_case(result())
    pack.finish(0)
    return pack.folder


def altered(folder, change):
    path = folder / TIMELINE
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))
    return [str(told) for told in verify(folder).lines[TIMELINE]]


def test_an_altered_line_is_named(folder):
    def change(lines):
        lines[3] = lines[3].replace(b"line 3", b"line X")

    assert altered(folder, change) == ["line 4 altered"]


def test_removed_added_and_altered_lines_are_told_apart(folder):
    def change(lines):
        del lines[8:]
        lines[5] = lines[5].replace(b"line 5", b"line X")
        lines.insert(1, lines[0])

    assert altered(folder, change) == ["line 2 added", "line 7 altered", "2 lines removed before line 10"]


def test_lines_are_not_told_when_their_digests_were_altered_too(folder):
    (folder / TIMELINE).write_text("")
    digests = folder / "cases" / "ROW-1" / "timeline.lines"
    digests.write_text("")
    findings = verify(folder)
    assert set(findings.altered) == {TIMELINE, "cases/ROW-1/timeline.lines"}
    assert findings.lines == {}


def key_pair(folder, private, password=None):
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    (folder / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (folder / "pub.pem").write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return folder / "key.pem", folder / "pub.pem"


KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_signature_holds_until_something_changes(folder, tmp_path, kind):
    key, public = key_pair(tmp_path, KEYS[kind]())
    sign(folder, signing_key(key))
    assert verify(folder).signature is None
    findings = verify(folder, checking_key(public))
    assert (findings.ok, findings.signed, findings.signature) == (True, True, True)
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("0", "1", 1))
    assert verify(folder, checking_key(public)).signature is False


def test_openssl_agrees_with_the_signature(folder, tmp_path):
    key, public = key_pair(tmp_path, KEYS["p-256"]())
    sign(folder, signing_key(key))
    check = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", "SHA256SUMS.sig", "SHA256SUMS"]
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "Verified OK")


def test_another_hand_cannot_make_an_altered_pack_whole_again(folder, tmp_path):
    """Who rewrites the checksums after altering a file still has no key."""
    key, public = key_pair(tmp_path, KEYS["ed25519"]())
    sign(folder, signing_key(key))
    subprocess.run(
        "sed -i s/pass/fail/ run.json; sha256sum $(cut -c67- SHA256SUMS) > s; mv s SHA256SUMS",
        shell=True,
        cwd=folder,
        check=True,
    )
    assert verify(folder).ok
    findings = verify(folder, checking_key(public))
    assert (findings.ok, findings.signature) == (False, False)


def test_a_pack_without_a_signature_is_not_ok_when_one_is_asked_for(folder, tmp_path):
    _, public = key_pair(tmp_path, KEYS["ed25519"]())
    findings = verify(folder, checking_key(public))
    assert (findings.ok, findings.signed, findings.signature) == (False, False, False)


def test_a_key_with_a_passphrase_is_opened_by_the_environment(tmp_path, monkeypatch):
    key, _ = key_pair(tmp_path, KEYS["ed25519"](), b"let me in")
    with pytest.raises(ConfigError, match=PASSPHRASE):
        signing_key(key)
    monkeypatch.setenv(PASSPHRASE, "let me in")
    signing_key(key)
    monkeypatch.setenv(PASSPHRASE, "wrong")
    with pytest.raises(ConfigError, match=r"key\.pem"):
        signing_key(key)


def test_what_is_no_key_to_sign_with_is_said(tmp_path):
    key, public = key_pair(tmp_path, rsa.generate_private_key(65537, 2048))
    for read, path in ((signing_key, key), (checking_key, public), (signing_key, public)):
        with pytest.raises(ConfigError, match="expected"):
            read(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        signing_key(tmp_path / "nowhere.pem")
