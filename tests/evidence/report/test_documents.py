"""What a report says of a document's signature: verified, of an unknown signer, broken, or not checked."""

from __future__ import annotations

import pytest
from lxml import etree

from harness.dcc.duis.signature import sign
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.evidence.report.documents import certificates, read_document
from harness.evidence.report.parties import Parties, Signer
from harness.gbcs import SUPPLIER
from harness.rig.load import load_rig
from harness.rig.signers import signers
from tests.system.runs import VIRTUAL

KEY = BenchXmlKeys("here").signing_key(SUPPLIER)
SIGNER = Signer(
    issuer=KEY.certificate.issuer,
    serial=str(KEY.certificate.serial),
    owner=str(SUPPLIER),
    public=KEY.certificate.point().hex(),
)
OTHER = Signer(
    issuer=SIGNER.issuer,
    serial=SIGNER.serial,
    owner=SIGNER.owner,
    public=BenchXmlKeys("there").signing_key(SUPPLIER).certificate.point().hex(),
)


@pytest.fixture
def signed():
    root = etree.fromstring(b'<a xmlns="http://www.dccinterface.co.uk/ServiceUserGateway"><b>1</b></a>')
    sign(root, KEY)
    octets = etree.tostring(root)
    parse_xml(octets)
    return octets


def state(octets, *known, masked=False):
    view = read_document(octets, certificates(known), masked=masked)
    return view.signature[0], view.error


def test_a_signature_that_holds_names_its_signer(signed):
    assert state(signed, SIGNER) == (f"XML signature: verified, it is {SUPPLIER}'s", None)


def test_a_signer_whose_certificate_the_pack_has_not_got_is_unknown(signed):
    said, error = state(signed)
    assert "unknown signer" in said
    assert error is None


def test_a_document_that_was_altered_is_broken_whoever_signed_it(signed):
    altered = signed.replace(b"<b>1", b"<b>2")
    assert altered != signed
    for known in ((SIGNER,), ()):
        said, error = state(altered, *known)
        assert said == "XML signature: BROKEN"
        assert error.startswith("XML signature broken: ")


def test_a_signature_under_another_key_is_broken(signed):
    said, error = state(signed, OTHER)
    assert said == "XML signature: BROKEN"
    assert f"not one of {SUPPLIER}" in error


def test_what_was_masked_is_nobodys_broken_signature(signed):
    said, error = state(signed.replace(b"<b>1", b"<b>0"), SIGNER, masked=True)
    assert "not checked" in said
    assert error is None


def test_what_is_no_certificate_is_passed_over(signed):
    bad = Signer(issuer="CN=x", serial="many", owner="nobody", public="zz")
    assert "unknown signer" in state(signed, bad)[0]
    assert Parties.of({"signers": ["x", {"issuer": 1}]}).signers == (
        Signer(issuer="1", serial="", owner="", public=""),
    )


def test_a_rig_tells_the_certificates_of_who_signs_on_it():
    told = signers(load_rig(VIRTUAL))
    assert str(SUPPLIER) in {entry["owner"] for entry in told}
    assert len({entry["owner"] for entry in told}) == len(told) > 2
    assert all(len(bytes.fromhex(entry["public"])) == 65 for entry in told)
