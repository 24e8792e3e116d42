"""Certificates: the published ones' profile reproduced, the bench's own chain, and what a device refuses.

OpenSSL judges the chain; the published certificates judge the profile, octet for octet.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.certificates import (
    Issuer,
    check_authority,
    check_certificate,
    issue_device,
    issue_organisation,
    key_identifier,
    read_certificate,
)
from harness.gbcs.key_files import Zaz1KeyStore
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyUsage, OwnKeys
from harness.gbcs.roles import ORGANISATIONS, RemotePartyRole
from tests.dcc_data import dcc_data
from tests.gbcs.vectors import GSME, PPMID, rtds_certificate, rtds_keys

PKI = BenchPki("test")
KA, DS, PP = KeyUsage.KEY_AGREEMENT, KeyUsage.DIGITAL_SIGNATURE, KeyUsage.PREPAYMENT_KEY_AGREEMENT


def without_authority(octets: bytes) -> bytes:
    """What is signed, but for its last eight octets: they name the authority's key, which is unknown."""
    return x509.load_der_x509_certificate(octets).tbs_certificate_bytes[:-8]


def issuer_like(published: x509.Certificate) -> Issuer:
    policies = published.extensions.get_extension_for_class(x509.CertificatePolicies).value
    policy = policies[0].policy_identifier.dotted_string
    return Issuer(name=published.issuer, key=PKI.private_key(Eui64(1), DS), policy=policy)


@pytest.mark.dcc_data
@pytest.mark.parametrize("usage", [KA, DS])
@pytest.mark.parametrize("device", [PPMID, GSME], ids=["PPMID", "GSME"])
def test_a_published_device_certificate_is_issued_again(device, usage):
    octets = rtds_certificate(device, usage.value)
    published = x509.load_der_x509_certificate(octets)
    again = issue_device(
        issuer_like(published),
        device,
        read_certificate(octets).public_key,
        usage,
        serial=published.serial_number,
        begins=published.not_valid_before_utc,
    )
    assert without_authority(again) == without_authority(octets)


@pytest.mark.dcc_data
@pytest.mark.parametrize(("organisation", "usage"), [(ACB, KA), (ACB, DS), (SUPPLIER, KA), (SUPPLIER, PP)])
def test_a_published_organisation_certificate_is_issued_again(organisation, usage):
    octets = rtds_certificate(organisation, usage.value)
    published = x509.load_der_x509_certificate(octets)
    again = issue_organisation(
        issuer_like(published),
        organisation,
        ORGANISATIONS[organisation],
        read_certificate(octets).public_key,
        usage,
        serial=published.serial_number,
        begins=published.not_valid_before_utc,
        ends=published.not_valid_after_utc,
    )
    assert without_authority(again) == without_authority(octets)


@pytest.mark.dcc_data
def test_every_published_certificate_is_read_and_is_its_files():
    # Quirks passed over: fffffffffffffffe-ka.pem is a bare public key; 90b3d51f30000007-ka is supplier2's.
    without_authority_identifier = set()
    files = [file for file in sorted(dcc_data("pki", "rtds").glob("*.pem")) if file.stem[:2] != "ff"]
    for file in files:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        found = read_certificate(certificate.public_bytes(Encoding.DER))
        assert found.key_identifier == key_identifier(found.public_key)
        eui, usage = file.stem.split("-", 1)
        if not found.authority_identifier:
            without_authority_identifier.add(eui)
        owner = Eui64.parse("90B3D51F30030000" if file.stem == "90b3d51f30000007-ka" else eui)
        assert (found.subject, found.role) == (owner, ORGANISATIONS.get(owner))
        assert found.usage is (DS if usage == "ds" else KA)
    assert len(files) == 416
    assert without_authority_identifier == {"90b3d51f30010008"}


@pytest.mark.dcc_data
def test_every_store_gives_certificates_of_its_keys():
    zaz1 = Zaz1KeyStore.load(dcc_data("pki", "zaz1-keystore.json"))
    for keys in (rtds_keys(), zaz1, PKI, OwnKeys(PPMID, PKI)):
        for usage in (KA, DS):
            found = read_certificate(keys.certificate(ACB, usage))
            assert found.public_key == keys.public_key(ACB, usage)
            assert found.role is RemotePartyRole.ACCESS_CONTROL_BROKER
    with pytest.raises(KeyNotFound, match="certificate"):
        rtds_keys().certificate(Eui64(1), KA)
    with pytest.raises(KeyNotFound, match="certificate"):
        zaz1.certificate(PPMID, KA)


def test_the_bench_certificates_are_the_same_octets_in_every_run():
    assert hashlib.sha256(PKI.certificate(PPMID, KA)).hexdigest() == (
        "1cc56e097043b0e09cf99b3f52db4b79a7cdaf825ab6edf8f1c6d9c517b7ac87"
    )
    assert BenchPki("test").certificate(PPMID, KA) == PKI.certificate(PPMID, KA)
    assert BenchPki("other").certificate(PPMID, KA) != PKI.certificate(PPMID, KA)
    assert PKI.certificate(PPMID, DS) != PKI.certificate(PPMID, KA)


def test_an_organisation_of_the_users_own_gets_an_organisations_certificate():
    ours = Eui64(7)
    pki = BenchPki("test", ((ours, RemotePartyRole.SUPPLIER),))
    assert read_certificate(pki.certificate(ours, KA)).role is RemotePartyRole.SUPPLIER
    assert read_certificate(PKI.certificate(ours, KA)).role is None


@pytest.mark.parametrize(("eui", "usage"), [(PPMID, KA), (PPMID, DS), (ACB, KA), (ACB, DS), (SUPPLIER, PP)])
def test_openssl_verifies_the_bench_chain(tmp_path, eui, usage):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here: install the Debian package openssl")
    authorities = PKI.authorities()
    for name, chain in (
        ("root", [PKI.root()]),
        ("issuing", authorities),
        ("leaf", [PKI.certificate(eui, usage)]),
    ):
        pem = b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in chain)
        (tmp_path / f"{name}.pem").write_bytes(pem)
    command = [openssl, "verify", "-x509_strict", "-ignore_critical"]
    command += [
        "-CAfile",
        tmp_path / "root.pem",
        "-untrusted",
        tmp_path / "issuing.pem",
        tmp_path / "leaf.pem",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    other = ["-CAfile", tmp_path / "leaf.pem", tmp_path / "leaf.pem"]
    assert subprocess.run([*command[:4], *other], capture_output=True, timeout=20, check=False).returncode


def test_the_bench_authorities_are_issued_by_the_bench_root_and_no_other():
    for authority in PKI.authorities():
        check_authority(authority, PKI.root())
        with pytest.raises(DecodeError, match="not the root"):
            check_authority(authority, BenchPki("other").root())


def check(octets: bytes, **more):
    wanted = {"authorities": PKI.authorities(), "subject": GSME, "usage": KA} | more
    return check_certificate(octets, **wanted)


def test_a_ppmid_takes_the_gsmes_certificate():
    found = check(PKI.certificate(GSME, KA))
    assert found.public_key == PKI.public_key(GSME, KA)


@pytest.mark.parametrize(
    ("octets", "more", "field"),
    [
        (PKI.certificate(PPMID, KA), {}, "subject"),
        (PKI.certificate(GSME, DS), {}, "key usage"),
        (PKI.certificate(GSME, KA), {"usage": DS}, "key usage"),
        (BenchPki("other").certificate(GSME, KA), {}, "signature"),
        (PKI.certificate(GSME, KA), {"authorities": ()}, "signature"),
        (PKI.certificate(ACB, KA), {"subject": ACB}, "role"),
        (PKI.certificate(ACB, KA), {"subject": ACB, "role": RemotePartyRole.SUPPLIER}, "role"),
        (PKI.certificate(GSME, KA), {"role": RemotePartyRole.SUPPLIER}, "role"),
        (PKI.root(), {}, "certificate"),
        (PKI.authorities()[0], {}, "certificate"),
        (b"", {}, "certificate"),
        (PKI.certificate(GSME, KA)[:-1], {}, "certificate"),
        (PKI.certificate(GSME, KA) + b"\x00", {}, "certificate"),
    ],
)
def test_what_is_not_that_partys_certificate_is_refused_by_name(octets, more, field):
    with pytest.raises(DecodeError, match=field):
        check(octets, **more)


def test_an_acb_certificate_is_taken_as_an_acb_certificate():
    assert check(PKI.certificate(ACB, KA), subject=ACB, role=RemotePartyRole.ACCESS_CONTROL_BROKER)
    assert check(PKI.certificate(SUPPLIER, PP), subject=SUPPLIER, role=RemotePartyRole.SUPPLIER, usage=PP)


def test_who_may_not_sign_certificates_is_no_authority():
    device = x509.load_der_x509_certificate(PKI.certificate(PPMID, DS))
    impostor = Issuer(name=device.subject, key=PKI.private_key(PPMID, DS))
    forged = issue_device(impostor, GSME, PKI.public_key(GSME, KA), KA, serial=1)
    x509.load_der_x509_certificate(forged).verify_directly_issued_by(device)  # name and signature are right
    with pytest.raises(DecodeError, match="none of a trusted authority"):
        check(forged, authorities=[PKI.certificate(PPMID, DS)])


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_one_flipped_bit_anywhere_in_a_certificate_is_noticed():
    right = PKI.certificate(GSME, KA)
    for bit in range(len(right) * 8):
        wrong = bytearray(right)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            check(bytes(wrong))


def test_a_certificate_on_another_kind_of_key_is_refused():
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([]),
        subject_name=x509.Name([]),
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=x509.load_der_x509_certificate(PKI.root()).not_valid_before_utc,
        not_valid_after=x509.load_der_x509_certificate(PKI.root()).not_valid_after_utc,
    )
    for extension in x509.load_der_x509_certificate(PKI.certificate(GSME, KA)).extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    octets = builder.sign(PKI.private_key(Eui64(1), DS), SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(DecodeError, match="P-256"):
        read_certificate(octets)
