"""DLMS data, access and ASN.1: what is nearly right is refused, and the field is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.gbcs import der, dlms
from harness.gbcs.access import (
    Access,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Notification,
    Specification,
)
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.octets import Reader
from harness.gbcs.open_enum import OpenEnum

NOON = CosemTime.of(datetime(2026, 6, 1, 12, tzinfo=UTC))
LEAVES = st.one_of(
    st.binary(max_size=20).map(dlms.octet_string),
    st.integers(0, 255).map(dlms.unsigned),
    st.integers(0, 65535).map(dlms.long_unsigned),
    st.integers(-128, 127).map(dlms.integer),
    st.integers(0, 255).map(dlms.enum),
    st.booleans().map(lambda value: dlms.boolean(value=value)),
    st.text("01", max_size=20).map(dlms.bit_string),
    st.just(dlms.NULL),
    st.just(dlms.date_time(NOON)),
)
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda items: st.sampled_from([dlms.array(*items), dlms.structure(*items)])
    ),
    max_leaves=12,
)


@given(DATA, st.binary(max_size=3))
def test_any_element_is_read_whole_and_no_further(element, after):
    reader = DlmsReader(element + after)
    assert reader.element("data") == element
    assert reader.octets.rest() == after


@given(DATA)
def test_an_element_cut_short_is_refused(element):
    for count in range(len(element)):
        with pytest.raises(DecodeError, match="data"):
            DlmsReader(element[:count]).element("data")


def test_elements_inside_each_other_have_an_end():
    deep = b"\x01\x01" * 1000 + dlms.NULL
    with pytest.raises(DecodeError, match="more than 16 elements inside each other"):
        DlmsReader(deep).element("data")
    types = b"\x13" + b"\x01\x00\x01" * 1000
    with pytest.raises(DecodeError, match="more than 16 types inside each other"):
        DlmsReader(types).element("data")


def test_a_count_beyond_what_is_left_is_refused_at_once():
    with pytest.raises(DecodeError, match="65535 elements in 1 octets"):
        DlmsReader(bytes.fromhex("0182FFFF00")).element("data")
    with pytest.raises(DecodeError, match="65535 elements in 1 octets"):
        DlmsReader(bytes.fromhex("0182FFFF00")).array("list", lambda reader: reader.null("item"))


def test_a_compact_array_is_read_whole():
    array = bytes.fromhex("13 02 02 11 01 0002 12 06 01 0002 0003 04".replace(" ", ""))
    reader = DlmsReader(array + b"\x00")
    assert reader.element("data") == array


@pytest.mark.parametrize(
    ("octets", "read", "says"),
    [
        ("11", "null", "expected null-data, found tag 11"),
        ("0903010203", "eui64", "has 3 octets, expected 8"),
        ("0406FF", "bit_string", "filled up with zeros"),
        ("07", "element", "no DLMS data has the tag 07"),
        ("1307", "element", "no DLMS type has the tag 07"),
        ("0981050102030405", "octet_string", "not a length in its shortest form"),
    ],
)
def test_what_is_not_that_element_is_refused_by_name(octets, read, says):
    with pytest.raises(DecodeError, match=says) as refused:
        getattr(DlmsReader(bytes.fromhex(octets)), read)("thing")
    assert "thing" in refused.value.field


def test_a_structure_of_another_size_is_refused():
    with pytest.raises(DecodeError, match="has 2 elements, expected 3"):
        DlmsReader(dlms.structure(dlms.NULL, dlms.NULL)).structure("thing", 3)


REQUEST = AccessRequest((Specification(Access.GET, 1, bytes(6), 2),), (dlms.NULL,))
RESPONSE = AccessResponse((dlms.NULL,), ((Access.GET, AccessResult.SUCCESS),))
ALERT = Notification(0x8F12, NOON)


@pytest.mark.parametrize("content", [REQUEST, RESPONSE, ALERT], ids=lambda one: type(one).__name__)
def test_an_access_belongs_to_the_message_whose_counter_it_repeats(content):
    octets = content.to_bytes(0x0102030405)
    assert type(content).from_bytes(octets, 0x0102030405) == content
    assert type(content).from_bytes(octets, 0xFF030405) == content  # three octets are all that it repeats
    with pytest.raises(DecodeError, match="invoke id"):
        type(content).from_bytes(octets, 0x0102030406)


def test_every_access_has_its_data_and_every_result_too():
    two = AccessRequest((*REQUEST.specifications, *REQUEST.specifications), REQUEST.data)
    with pytest.raises(DecodeError, match="2 accesses, 1 pieces of data"):
        AccessRequest.from_bytes(two.to_bytes(1), 1)
    more = AccessResponse((dlms.NULL, dlms.NULL), RESPONSE.results)
    with pytest.raises(DecodeError, match="2 pieces of data, 1 results"):
        AccessResponse.from_bytes(more.to_bytes(1), 1)


def test_an_alert_has_its_code_and_its_time():
    with pytest.raises(DecodeError, match="has 1 elements, expected 2 or more"):
        Notification.from_bytes(bytes.fromhex("0F2000000100020112 8F12".replace(" ", "")), 1)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_a_moment_is_the_same_after_its_way_through_cosem_time(moment):
    whole = moment.replace(microsecond=0)
    there = CosemTime.from_bytes(CosemTime.of(whole).to_bytes())
    assert there.moment == whole.replace(tzinfo=UTC)


def test_a_moment_of_another_zone_is_sent_in_utc_and_an_open_part_is_no_moment():
    summer = datetime(2026, 6, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert CosemTime.of(summer) == NOON
    assert NOON.to_bytes().hex() == "07ea0601ff0c0000008000ff"
    assert CosemTime(year=2026, month=6, hour=1, minute=0, second=0).moment is None
    with pytest.raises(ValueError, match="does not fit"):
        CosemTime(month=256)
    for wrong in (bytes(11), bytes(13)):
        with pytest.raises(DecodeError, match="date-time"):
            CosemTime.from_bytes(wrong)


@pytest.mark.parametrize(
    ("octets", "accepted"),
    [("3000", True), ("3082000 0", True), ("308100", False), ("30830000 00", False), ("3080", False)],
)
def test_a_sequence_has_the_shortest_length_or_one_of_two_octets(octets, accepted):
    octets = bytes.fromhex(octets.replace(" ", ""))
    if accepted:
        der.read_whole(octets, "thing", lambda reader: reader.sequence("thing"))
    else:
        with pytest.raises(DecodeError, match="its length is wrong"):
            der.read_whole(octets, "thing", lambda reader: reader.sequence("thing"))


@pytest.mark.parametrize(
    ("octets", "read"),
    [
        ("02020001", "integer"),
        ("0202FFFF", "integer"),
        ("0200", "integer"),
        ("0A020001", "enumerated"),
        ("03020080", "named_bits"),
        ("0303078000", "named_bits"),
        ("030101", "named_bits"),
        ("0300", "named_bits"),
        ("050100", "null"),
        ("180D31303031303130303030303 05A".replace(" ", ""), "generalized_time"),
    ],
)
def test_der_in_another_than_its_one_form_is_refused(octets, read):
    with pytest.raises(DecodeError, match="thing"):
        getattr(der.DerReader(bytes.fromhex(octets)), read)("thing")


@given(st.integers(0, 255))
def test_named_bits_read_back(bits):
    assert der.read_whole(der.named_bits(bits), "bits", lambda reader: reader.named_bits("bits")) == bits


@given(st.integers(-(1 << 70), 1 << 70))
def test_numbers_read_back(value):
    assert der.read_whole(der.integer(value), "number", lambda one: one.integer("number")) == value
    assert der.read_whole(der.enumerated(value), "number", lambda one: one.enumerated("number")) == value


@pytest.mark.parametrize("octets", ["8105", "817F", "820005", "8200FF", "80", "83000001", "84"])
def test_a_length_in_another_than_its_shortest_form_is_refused(octets):
    with pytest.raises(DecodeError, match="length"):
        Reader(bytes.fromhex(octets)).length("length")


def test_a_number_without_a_name_is_kept():
    class Some(OpenEnum):
        KNOWN_ONE = 1

    assert (Some(1).known, Some(1).text) == (True, "known one")
    assert (Some(9).known, int(Some(9)), Some(9).text) == (False, 9, "unknown 9")
    assert Some(9) == Some(9)
    for wrong in (-1, "x"):
        with pytest.raises(ValueError, match="not a valid"):
            Some(wrong)
