"""Requests and responses of every kind as XML: what we write, the schema takes and we read again."""

import pytest
from lxml import etree

from harness.dcc.duis import alerts as a
from harness.dcc.duis import requests as q
from harness.dcc.duis import responses as r
from harness.dcc.duis.requests import request as request_base
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import DocumentError, Flaw, parse_xml
from harness.dcc.duis.xml.request import read_request, request_tree, write_request
from harness.dcc.duis.xml.requests import BODIES
from harness.dcc.duis.xml.responses import read_response, response_tree, write_response
from harness.dcc.duis.xml.smets1 import alert_tree, answer_tree
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.gbcs import ACB, SUPPLIER
from tests.dcc.duis.samples import REQUESTS, RESPONSES, S1SP_ALERT, SMETS1_ANSWERS, TO_PPMID, WHEN
from tests.dcc.duis.schema import flaws

KEYS = BenchXmlKeys("documents")


def named(value):
    return type(getattr(value, "body", value)).__name__


def smets1(answer, request_id=TO_PPMID):
    """Return a response with an answer that the S1SP has signed (here: a party of the bench)."""
    root = answer_tree(answer)
    sign(root, KEYS.signing_key(SUPPLIER))
    body = r.Smets1ResponseMessage(srv="11.2", signed=serialise(root), answer=answer)
    return r.Response(
        request_id=request_id, response_id=request_id.response_id, code="I0", when=WHEN, body=body
    )


def s1sp_alert():
    root = alert_tree(S1SP_ALERT)
    sign(root, KEYS.signing_key(SUPPLIER))
    body = r.DccAlertMessage(
        code="N55", alert=a.S1spAlertDsp(signed=serialise(root), schedule=1, alert=S1SP_ALERT)
    )
    return r.Response(code="I0", when=WHEN, body=body)


@pytest.mark.parametrize("request_", REQUESTS, ids=named)
def test_a_request_reads_as_it_was_written(request_):
    assert read_request(write_request(request_)) == request_


@pytest.mark.dcc_data
@pytest.mark.parametrize("request_", REQUESTS, ids=named)
def test_the_schema_takes_a_signed_request(request_):
    root = request_tree(request_)
    sign(root, KEYS.signing_key(SUPPLIER))
    assert flaws(serialise(root)) == []


def test_there_is_a_sample_of_every_request():
    assert {type(request) for request in REQUESTS} == {body.type for body in BODIES}


@pytest.mark.parametrize("response", RESPONSES, ids=named)
def test_a_response_reads_as_it_was_written(response):
    assert read_response(write_response(response)) == response


@pytest.mark.dcc_data
@pytest.mark.parametrize(
    "response", [*RESPONSES, *(smets1(answer) for answer in SMETS1_ANSWERS), s1sp_alert()], ids=named
)
def test_the_schema_takes_a_signed_response(response):
    root = response_tree(response)
    sign(root, KEYS.signing_key(ACB))
    assert flaws(serialise(root)) == []


@pytest.mark.parametrize("answer", SMETS1_ANSWERS, ids=named)
def test_what_an_s1sp_signed_holds_inside_the_dsps_response_and_taken_out_of_it(answer):
    response = smets1(answer)
    root = response_tree(response)
    sign(root, KEYS.signing_key(ACB))
    received = parse_xml(serialise(root))
    assert verify(received, KEYS).owner == ACB
    read = read_response(serialise(root))
    assert read.body.answer == answer
    inner = parse_xml(read.body.signed)
    assert verify(inner, KEYS).owner == SUPPLIER


def test_an_s1sps_alert_holds_taken_out_of_the_dsps_alert():
    response = s1sp_alert()
    root = response_tree(response)
    sign(root, KEYS.signing_key(ACB))
    read = read_response(serialise(root))
    assert read.body.alert.alert == S1SP_ALERT
    assert verify(parse_xml(read.body.alert.signed), KEYS).owner == SUPPLIER


def test_an_answer_of_an_s1sp_without_its_signature_is_refused():
    body = r.Smets1ResponseMessage(srv="11.2", signed=serialise(answer_tree(SMETS1_ANSWERS[0])))
    response = r.Response(code="I0", when=WHEN, body=body)
    with pytest.raises(DocumentError, match="has no signature of the S1SP"):
        read_response(write_response(response))


def test_gbcs_in_an_answer_of_an_s1sp_is_refused():
    root = answer_tree(SMETS1_ANSWERS[0])
    message = root.find(".//{*}ResponseMessage")
    message.insert(0, etree.SubElement(message, f"{{{message[0].nsmap['ra']}}}GBCSData"))
    sign(root, KEYS.signing_key(SUPPLIER))
    body = r.Smets1ResponseMessage(signed=serialise(root))
    with pytest.raises(DocumentError, match="GBCS in an answer of an S1SP"):
        read_response(write_response(r.Response(code="I0", when=WHEN, body=body)))


# --- what is not as the schema has it ---------------------------------------------------------------------

DOCUMENT = write_request(
    q.Prenotify(request_id=REQUESTS[0].request_id, prenotification=REQUESTS[0].prenotification)
).decode()


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        (
            "<sr:DeviceModel>",
            "<sr:Colour/><sr:DeviceModel>",
            "Body/DevicePrenotification/Colour",
            "DeviceModel",
        ),
        (
            "DeviceType>PPMID",
            "DeviceType>TOASTER",
            "DevicePrenotification/DeviceType",
            "'TOASTER' is none of",
        ),
        (">SMETS2+<", ">" + "x" * 21 + "<", "SMETSCHTSVersion", "21 characters"),
        (">00-DB-12-34-56-78-90-A4<", ">00DB1234567890A4<", "DevicePrenotification/DeviceID", "no EUI-64"),
        (":1000<", ":18446744073709551616<", "Header/RequestID", "counter out of range"),
        (":1000<", ":01000<", "Header/RequestID", "originator:target:counter"),
        ("CommandVariant>8", "CommandVariant>10", "Header/CommandVariant", "not within 1 to 9"),
        ("CommandVariant>8", "CommandVariant>\u0668", "Header/CommandVariant", "no whole number"),
        ("Reference>12.2", "Reference>12.9", "Header/ServiceReference", "'12.9' is none of"),
        ("Variant>12.2", "Variant>8.2", "Header/ServiceReferenceVariant", "8.2 is no variant of 12.2"),
        ("sr:DevicePrenotification>", "sr:ReadInventory>", "Body/ReadInventory", "no body of 12.2"),
        ('schemaVersion="5.4"', 'schemaVersion="new"', "Request", "no decimal number"),
        (' schemaVersion="5.4"', "", "Request", "no attribute schemaVersion"),
        ("<sr:Header>", '<sr:Header lang="en">', "Request/Header", "attribute lang"),
        ("<sr:Body>", "<sr:Body>hello", "Request/Body", "text between"),
        ("</sr:Body>", "<sr:ReadInventory/></sr:Body>", "Request/Body", "2 elements"),
        ("</sr:Body>", "</sr:Body><sr:More/>", "Request/More", "not expected here"),
        ("sr:Request", "sr:Response", "Response", "expected Request"),
    ],
)
def test_a_flaw_is_told_by_path_and_reason(old, new, path, reason):
    assert old in DOCUMENT
    with pytest.raises(DocumentError) as caught:
        read_request(DOCUMENT.replace(old, new).encode())
    assert caught.value.flaw is Flaw.SCHEMA
    assert caught.value.path.endswith(path)
    assert reason in caught.value.reason
    assert caught.value.line == 2


def test_the_line_of_a_flaw_is_told():
    lines = DOCUMENT.replace("><", ">\n<").replace("DeviceType>PPMID", "DeviceType>APC")
    with pytest.raises(DocumentError, match=r"DeviceType \(line 14\): 'APC' is none of"):
        read_request(lines.encode())


@pytest.mark.parametrize(
    "request_",
    [
        q.DisplayMessage(request_id=TO_PPMID, message="caf\u00e9"),
        q.DisplayMessage(request_id=TO_PPMID, message=""),
        q.TopUp(request_id=TO_PPMID, utrn="7394"),
        q.ActivateFirmware(request_id=TO_PPMID, firmware_hash=b"short"),
        q.Commission(request_id=TO_PPMID, current=WHEN.replace(tzinfo=None), tolerance_s=1),
        q.ReadInventory(request_id=TO_PPMID, srv="8.99", device=ACB),
        request_base.ServiceRequest(request_id=TO_PPMID, srv="11.2"),
        q.UpdatePpmidFirmware(request_id=TO_PPMID, image=b"", firmware="1", devices=()),
    ],
    ids=named,
)
def test_a_value_that_the_schema_has_no_room_for_is_not_written(request_):
    with pytest.raises(ValueError, match=r"\w"):
        write_request(request_)
