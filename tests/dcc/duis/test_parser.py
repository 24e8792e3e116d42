"""XML from strangers: what the parser does not take, and that comments change nothing."""

import pytest

from harness.dcc.duis.requests import ReadInventory
from harness.dcc.duis.xml.parser import DEFAULT_LIMITS, DocumentError, Flaw, Limits, parse_xml
from harness.dcc.duis.xml.request import read_request, write_request
from tests.dcc.duis.samples import PPMID, TO_DSP

DOCUMENT = write_request(ReadInventory(request_id=TO_DSP, device=PPMID))
BOMB = b'<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'


def refused(document, limits=DEFAULT_LIMITS):
    with pytest.raises(DocumentError) as caught:
        parse_xml(document, limits)
    return caught.value.flaw


@pytest.mark.parametrize(
    ("document", "flaw"),
    [
        (b"", Flaw.MALFORMED),
        (b"{}", Flaw.MALFORMED),
        (DOCUMENT[:-20], Flaw.MALFORMED),
        (DOCUMENT + b"<more/>", Flaw.MALFORMED),
        (b"\xff\xfe" + "<a/>".encode("utf-16-le"), Flaw.MALFORMED),
        (b"<a>\xc3</a>", Flaw.MALFORMED),
        (b"<a>&undefined;</a>", Flaw.MALFORMED),
        (b"<a b='1' b='2'/>", Flaw.MALFORMED),
        (b"<x:a/>", Flaw.MALFORMED),
        (BOMB, Flaw.FORBIDDEN),
        (b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", Flaw.FORBIDDEN),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', Flaw.FORBIDDEN),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', Flaw.FORBIDDEN),
        (b"<?target data?><a/>", Flaw.FORBIDDEN),
        (b"<a><?target data?></a>", Flaw.FORBIDDEN),
    ],
)
def test_it_refuses(document, flaw):
    assert refused(document) is flaw


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        (b"<a>" + b"x" * 100 + b"</a>", Limits(octets=100)),
        (b"<a>" + b"<b/>" * 50 + b"</a>", Limits(elements=20)),
        (b"<a " + b" ".join(b'b%d="1"' % n for n in range(50)) + b"/>", Limits(attributes=20)),
        (b"<a>" * 40 + b"</a>" * 40, Limits(depth=32)),
    ],
    ids=["octets", "elements", "attributes", "depth"],
)
def test_it_refuses_what_is_too_large(document, limits):
    assert refused(document, limits) is Flaw.TOO_LARGE


def test_a_nest_that_no_stack_would_survive_is_refused():
    assert refused(b"<a>" * 19_000 + b"</a>" * 19_000) in (Flaw.TOO_LARGE, Flaw.MALFORMED)


def test_the_largest_firmware_image_is_taken():
    text = b"A" * 13_653_336
    assert len(parse_xml(b"<a>" + text + b"</a>").text) == len(text)


def test_a_comment_does_not_cut_a_text_in_two():
    cut = DOCUMENT.replace(b"90-A4</sr:DeviceID>", b"90<!-- x -->-A4</sr:DeviceID>")
    assert cut != DOCUMENT
    assert read_request(cut).device == PPMID


def test_white_space_between_elements_is_ignored():
    assert read_request(DOCUMENT.replace(b"><", b">\n  <")) == read_request(DOCUMENT)


def test_hints_where_a_schema_may_be_are_not_followed():
    hint = (
        b'<sr:Request xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a http://b" '
    )
    assert read_request(DOCUMENT.replace(b"<sr:Request ", hint)).device == PPMID
