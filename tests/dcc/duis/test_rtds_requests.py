"""Every request of the RTDS is read; those with a class are written again with the same content."""

import re

import pytest
from lxml import etree

from harness.dcc.duis.requests import OtherRequest, ReadInventory
from harness.dcc.duis.service_references import ELEMENTS
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import read_request, write_request
from harness.dcc.duis.xml.requests import BODIES
from tests.dcc.duis.schema import SIGNATURE, SR, flaws
from tests.dcc_data import DCC_DATA, dcc_data

pytestmark = pytest.mark.dcc_data

TEMPLATES = sorted((DCC_DATA / "duis" / "templates").glob("*.XML")) if DCC_DATA else []


def content(document):
    """Return a document without its signature, in canonical form, times too."""
    root = parse_xml(document)
    for signature in root.findall(SIGNATURE):
        root.remove(signature)
    text = etree.tostring(root, method="c14n", exclusive=True).decode()
    return re.sub(r"(T\d\d:\d\d:\d\d)\.0+Z", r"\1Z", text)


def test_there_are_297_of_them():
    dcc_data()
    assert len(TEMPLATES) == 297


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name.removesuffix("_REQUEST_DUIS.XML"))
def test_a_request_is_read_and_written_again(path):
    document = path.read_bytes()
    request = read_request(document)
    written = write_request(request)
    assert content(written) == content(document)
    assert read_request(written) == request
    assert flaws(written) == []


def test_those_in_scope_have_a_class():
    requests = [read_request(path.read_bytes()) for path in TEMPLATES]
    assert {request.srv for request in requests if not isinstance(request, OtherRequest)} == {
        *("2.2", "2.5", "3.1", "8.1.1", "8.2", "8.3", "8.4", "8.7.1", "8.7.2", "8.8.1", "8.8.2", "8.9"),
        *("8.11", "8.12.1", "8.12.2", "8.13", "8.14.1", "8.14.2", "11.1", "11.2", "11.3", "11.4", "12.2"),
    }


def test_the_schema_has_no_request_that_we_do_not_know():
    schema = etree.parse(str(dcc_data("duis", "duis-5.4.xsd")))
    names = {"xs": "http://www.w3.org/2001/XMLSchema"}
    variants = schema.xpath(
        "//xs:simpleType[@name='ServiceReferenceVariant']//xs:enumeration/@value", namespaces=names
    )
    bodies = schema.xpath(
        "//xs:complexType[@name='Request']//xs:element[@name='Body']//xs:choice/xs:element/@name",
        namespaces=names,
    )
    assert set(ELEMENTS) == set(variants)
    assert {*ELEMENTS.values(), "SignedPreCommand"} == set(bodies)
    assert {body.element for body in BODIES} <= set(bodies)


def test_the_content_of_a_template_is_what_it_says():
    path = dcc_data("duis", "templates", "8.2_READ_INVENTORY_REQUEST_DUIS.XML")
    request = read_request(path.read_bytes())
    assert isinstance(request, ReadInventory)
    assert str(request.device) == "00-DB-12-34-56-78-90-A2"
    assert request.request_id.counter == 1000
    assert f"{{{SR}}}Request" == parse_xml(write_request(request)).tag
