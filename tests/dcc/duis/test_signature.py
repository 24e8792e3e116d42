"""XML signatures: those of a DCC Boxed hold, ours hold, and nothing that was touched does."""

import base64
import copy

import pytest
from lxml import etree

from harness.dcc.duis.signature import digest_holds, sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import DS, DocumentError, Flaw, parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import (
    BENCH_ISSUER,
    BenchXmlKeys,
    JoinedXmlKeys,
    XmlKeyNotFound,
    load_folder,
    load_zaz1,
)
from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, parse
from tests.conformance import oracles
from tests.dcc.duis.samples import REQUESTS
from tests.dcc_data import dcc_data

KEYS = BenchXmlKeys("signature")
ALGORITHMS = "{http://www.w3.org/2000/09/xmldsig#}"
SIGNED = b""


def signed(request=REQUESTS[0], owner=SUPPLIER, keys=KEYS):
    root = request_tree(request)
    sign(root, keys.signing_key(owner))
    return serialise(root)


def published():
    return JoinedXmlKeys(
        load_folder(dcc_data("pki", "xml-sign")), load_zaz1(dcc_data("pki", "zaz1-keystore.json"))
    )


def refusal(document, keys=KEYS):
    with pytest.raises(DocumentError) as caught:
        verify(parse_xml(document), keys)
    assert caught.value.flaw is Flaw.SIGNATURE
    return str(caught.value)


# --- what holds -------------------------------------------------------------------------------------------


@pytest.mark.dcc_data
@pytest.mark.parametrize("name", ["ecs52", "readfw"])
def test_the_signature_of_a_real_dcc_boxed_holds(name):
    document = dcc_data("duis", f"sample-signed-response-{name}.xml").read_bytes()
    assert verify(parse_xml(document), published()).owner == ACB


@pytest.mark.dcc_data
@pytest.mark.parametrize("name", ["ecs52", "readfw"])
def test_a_real_response_is_read(name):
    document = dcc_data("duis", f"sample-signed-response-{name}.xml").read_bytes()
    response = read_response(document)
    assert (response.code, response.schema_version, response.body.srv) == ("I0", "5.1", "11.2")
    assert response.response_id == response.request_id.response_id
    message = parse(response.body.payload.message)
    assert (message.originator, message.recipient) == (response.request_id.target, ACB)
    assert message.supplementary_party == SUPPLIER


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_what_we_sign_holds_for_us(request_):
    assert verify(parse_xml(signed(request_)), KEYS).owner == SUPPLIER


@pytest.mark.dcc_data
@pytest.mark.parametrize("request_", REQUESTS[:6], ids=lambda request: type(request).__name__)
def test_what_we_sign_holds_for_signxml(request_):
    signxml = oracles.signxml()
    keys = load_folder(dcc_data("pki", "xml-sign"))
    pem = dcc_data("pki", "xml-sign", "xml-sign-90B3D51F30010000-ds.pem").read_text()
    algorithms = signxml.SignatureConfiguration(
        require_x509=True,
        default_reference_c14n_method=signxml.CanonicalizationMethod.CANONICAL_XML_1_0,
        expect_references=1,
    )
    result = signxml.XMLVerifier().verify(
        signed(request_, keys=keys),
        x509_cert=pem,
        expect_config=algorithms,
        cert_resolver=None,
    )
    assert result.signed_xml.tag.endswith("Request")


@pytest.mark.dcc_data
def test_what_signxml_does_not_take_we_did_break():
    signxml = oracles.signxml()
    keys = load_folder(dcc_data("pki", "xml-sign"))
    pem = dcc_data("pki", "xml-sign", "xml-sign-90B3D51F30010000-ds.pem").read_text()
    with pytest.raises(signxml.exceptions.InvalidDigest):
        signxml.XMLVerifier().verify(
            signed(keys=keys).replace(b"SMETS2+", b"SMETS1"),
            x509_cert=pem,
            expect_config=signxml.SignatureConfiguration(
                default_reference_c14n_method=signxml.CanonicalizationMethod.CANONICAL_XML_1_0
            ),
        )


def test_a_document_that_was_indented_after_signing_holds():
    assert verify(parse_xml(signed().replace(b"><", b">\n  <")), KEYS).owner == SUPPLIER


def test_verifying_leaves_the_document_as_it_was():
    root = parse_xml(signed())
    before = serialise(root)
    verify(root, KEYS)
    assert serialise(root) == before


# --- what does not ----------------------------------------------------------------------------------------


def test_a_text_that_was_changed():
    assert "its digest differs" in refusal(signed().replace(b"SMETS2+", b"SMETS1"))


def test_an_element_that_was_added():
    extra = b"<sr:ESMEVariant>A</sr:ESMEVariant></sr:DevicePrenotification>"
    assert "its digest differs" in refusal(signed().replace(b"</sr:DevicePrenotification>", extra))


def test_another_schema_version():
    assert "its digest differs" in refusal(signed().replace(b'"5.4"', b'"5.3"'))


def test_the_signature_of_another_document():
    one, other = parse_xml(signed(REQUESTS[0])), parse_xml(signed(REQUESTS[2]))
    one.replace(one[-1], other[-1])
    assert "its digest differs" in refusal(serialise(one))


def test_the_signature_of_another_party_under_this_partys_serial_number():
    one, other = parse_xml(signed()), parse_xml(signed(owner=ACB))
    one[-1].replace(one[-1][1], other[-1][1])
    assert f"not one of {SUPPLIER}" in refusal(serialise(one))


def test_no_signature():
    assert "not signed" in refusal(serialise(request_tree(REQUESTS[0])))


def test_a_signature_that_was_moved():
    root = parse_xml(signed())
    root.insert(0, root[-1])
    assert "not signed" in refusal(serialise(root))
    root = parse_xml(signed())
    root[1].append(root[-1])
    assert "not signed" in refusal(serialise(root))


def test_two_signatures():
    root = parse_xml(signed())
    root.append(copy.deepcopy(root[-1]))
    assert "its digest differs" in refusal(serialise(root))


def test_a_document_wrapped_in_another():
    """The classic attack: the signed document goes into a corner, and another takes its place."""
    inner = parse_xml(signed())
    outer = request_tree(REQUESTS[9])
    signature = inner[-1]
    corner = etree.SubElement(outer, f"{{{DS}}}Object")
    corner.append(copy.deepcopy(inner))
    outer.append(signature)
    assert "its digest differs" in refusal(serialise(outer))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'URI=""', b'URI="#body"', "attributes"),
        (b'Reference URI=""', b'Reference URI="" Id="x"', "attributes"),
        (b"xml-exc-c14n#", b"xml-exc-c14n#WithComments", "attributes"),
        (b"#ecdsa-sha256", b"#hmac-sha256", "attributes"),
        (b"xmlenc#sha256", b"xmldsig#sha1", "attributes"),
        (b"#enveloped-signature", b"#base64", "attributes"),
        (b"</ds:Transforms>", b'<ds:Transform Algorithm="x"/></ds:Transforms>', "not expected here"),
        (b"</ds:Reference>", b'</ds:Reference><ds:Reference URI=""/>', "Reference is not expected here"),
        (b"</ds:Signature>", b"<ds:Object/></ds:Signature>", "Object is not expected here"),
        (b"CN=PPMID-BENCH", b"CN=SOMEBODY", "no bench certificate"),
        (b"SerialNumber>", b"SerialNumber>1", "no bench certificate"),
    ],
)
def test_a_signature_of_another_kind(old, new, says):
    document = signed()
    assert old in document
    assert says in refusal(document.replace(old, new, 1))


@pytest.mark.parametrize("length", [0, 63, 65, 72])
def test_a_value_of_another_length(length):
    root = parse_xml(signed())
    root[-1][1].text = base64.b64encode(bytes(length)).decode()
    assert "not one of" in refusal(serialise(root))


def test_the_serial_number_of_another_party():
    other = str((1 << 64) | ACB.value).encode()
    mine = str((1 << 64) | SUPPLIER.value).encode()
    assert f"not one of {ACB}" in refusal(signed().replace(mine, other))


@pytest.mark.dcc_data
@pytest.mark.parametrize("name", ["ecs52", "readfw"])
def test_a_real_response_that_was_changed_does_not_hold(name):
    document = dcc_data("duis", f"sample-signed-response-{name}.xml").read_bytes()
    assert "its digest differs" in refusal(document.replace(b">I0<", b">E1<"), published())


# --- keys -------------------------------------------------------------------------------------------------


def test_the_bench_has_a_key_for_everybody_and_the_same_one_again():
    key = KEYS.signing_key(ACB)
    assert KEYS.find(key.certificate.issuer, key.certificate.serial) == key.certificate
    assert BenchXmlKeys("other").signing_key(ACB).certificate != key.certificate


@pytest.mark.dcc_data
def test_of_a_partys_keys_the_one_for_xml_is_taken():
    for keys in (load_folder(dcc_data("pki", "xml-sign")), load_zaz1(dcc_data("pki", "zaz1-keystore.json"))):
        certificate = keys.signing_key(SUPPLIER).certificate
        assert certificate.serial == 27572613927499351639968579586655397031
        assert certificate.owner == SUPPLIER
        assert keys.find("OU=07, CN=Z1", certificate.serial) == certificate


def test_a_key_that_no_store_has_is_told():
    with pytest.raises(XmlKeyNotFound, match="no bench certificate"):
        JoinedXmlKeys(KEYS).find("CN=Z1,OU=07", 7)
    with pytest.raises(XmlKeyNotFound, match="no bench certificate"):
        KEYS.find(BENCH_ISSUER, SUPPLIER.value)
    with pytest.raises(XmlKeyNotFound, match="no XML-signing keys at all"):
        JoinedXmlKeys().signing_key(Eui64(1))


def test_files_that_are_no_keys_are_told(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        load_folder(tmp_path / "none")
    with pytest.raises(ConfigError, match="not a ZAZ1 key store"):
        load_zaz1(tmp_path / "none.json")
    (tmp_path / "x.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(ConfigError, match="no certificate"):
        load_folder(tmp_path)


def test_a_digest_says_whether_it_is_the_document_that_was_signed():
    document = signed()
    assert digest_holds(parse_xml(document))
    root = parse_xml(document)
    root[0][0].text += "1"
    assert not digest_holds(root)
    assert len(root) == len(parse_xml(document))
    assert not digest_holds(request_tree(REQUESTS[0]))
