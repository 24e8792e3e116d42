"""The published schema takes every DUIS document of a certify run, and each one's signature holds."""

import pytest
from lxml import etree

from harness.dcc.duis.responses import Smets1ResponseMessage
from harness.dcc.duis.signature import verify
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.gbcs import ACB, SUPPLIER
from tests.dcc.duis.schema import flaws
from tests.system.test_certify import ROWS, TABLE

KEYS = BenchXmlKeys("ppmid-bench")


def documents(certified, row):
    return sorted((certified.pack / "cases" / row / "duis").glob("*.xml"))


@pytest.mark.dcc_data
@pytest.mark.parametrize("row", ROWS)
def test_the_schema_takes_every_document_of_a_row(certified, row):
    kept = documents(certified, row)
    assert len(kept) >= 6
    assert [flaw for path in kept for flaw in flaws(path.read_bytes())] == []


@pytest.mark.parametrize("row", ROWS)
def test_the_signature_of_every_document_holds(certified, row):
    for path in documents(certified, row):
        root = parse_xml(path.read_bytes())
        sender = SUPPLIER if etree.QName(root).localname == "Request" else ACB
        assert verify(root, KEYS).owner == sender


@pytest.mark.parametrize("row", ROWS)
def test_the_form_of_the_last_response_shows_the_route(certified, row):
    _, _, via = TABLE[row]
    response = read_response(documents(certified, row)[-1].read_bytes())
    assert isinstance(response.body, Smets1ResponseMessage) == (via == "s1sp")
