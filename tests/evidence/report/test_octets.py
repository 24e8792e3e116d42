"""Every octet of what is shown has its name, and no name stands on octets that are not there."""

from __future__ import annotations

import pytest

from harness.evidence.report import octets
from harness.evidence.report.octets import air_views, gbcs_views, radio_views
from harness.gbcs import layout
from harness.zigbee.decoder import Decoder
from tests.dcc_data import dcc_data
from tests.evidence.report.packs import MESSAGE
from tests.zigbee import conversation


@pytest.fixture(scope="module")
def records():
    decoder = Decoder(
        network_keys=[(0, conversation.NETWORK_KEY)], link_keys={conversation.PPMID: conversation.LINK_KEY}
    )
    return [decoder.feed(psdu) for psdu in conversation.whole_life(MESSAGE).psdus()]


def layers(view):
    return [field for field in view.fields if field[0] == 0]


def test_layers_of_a_frame_are_all_of_it_without_a_gap(records):
    for record in records:
        at = 0
        for _, name, _, offset, length, *_ in layers(air_views(record)[0]):
            assert offset == at, (record.summary, name)
            at += length
        assert at == len(record.psdu), record.summary


def test_no_field_stands_outside_its_octets(records):
    for record in records:
        for view in air_views(record):
            assert all(0 <= field[3] <= field[3] + field[4] <= len(view.octets) for field in view.fields)


def test_nothing_of_a_decoded_frame_is_left_unsaid(records):
    names = {field[1] for record in records for view in air_views(record) for field in view.fields}
    assert "cannot be shown further" not in names
    assert {"MAC", "NWK", "APS", "ZCL Tunneling", "GBCS message", "Zigbee beacon", "NWK MIC"} <= names


def test_a_message_that_was_seen_before_is_shown_as_one_that_was_not(records):
    for record in records:
        anew = [view.as_json() for view in air_views(record)]
        for view in air_views(record):
            for field in view.fields:
                field[1] = "written over"  # what is shown is nobody else's
        octets._message.cache_clear()
        octets._gbcs.cache_clear()
        assert [view.as_json() for view in air_views(record)] == anew


def test_a_key_in_a_frame_is_where_the_report_says(records):
    view = next(
        view for record in records for view in air_views(record) if any(f[1] == "key" for f in view.fields)
    )
    _, _, text, offset, length = next(field for field in view.fields if field[1] == "key")
    assert view.octets[offset : offset + length] == bytes.fromhex(text)


def test_without_keys_a_frame_is_shown_as_far_as_it_can_be_read():
    psdu = conversation.whole_life(MESSAGE).psdus()[-1]
    views = air_views(Decoder().feed(psdu))
    assert [view.title for view in views] == ["Frame on the air"]
    assert "NWK payload, encrypted" in [field[1] for field in views[0].fields]


def test_what_a_radio_hands_over_is_shown_by_field():
    (view,) = radio_views(bytes.fromhex("180401000000190200"), 0x0109, 0x0800)
    assert [field[1] for field in layers(view)] == ["ZCL Key Establishment", "ReadAttributesResponse"]


@pytest.mark.parametrize("octets", [b"", b"\x18", b"\xff" * 5, bytes(300)])
def test_a_radio_message_that_is_none_says_why_and_raises_nothing(octets):
    for profile in (0x0109, 0):
        (view,) = radio_views(octets, profile, 0x0704)
        assert view.octets == octets


def spans(parts):
    return [(part.offset, part.length) for part in parts if part.depth == 0]


def covers(parts, octets):
    at = 0
    for offset, length in spans(parts):
        if offset != at:
            return False
        at += length
    return at == len(octets)


def test_fields_of_a_gbcs_message_are_all_of_it_without_a_gap():
    parts = layout.parts(MESSAGE)
    assert covers(parts, MESSAGE)
    told = {part.name: part.text for part in parts}
    assert told["message code"] == "0x0129 CS08"
    assert told["business originator"] == "00-DB-12-34-56-78-90-A4"
    assert told["OCTET STRING"] == "01 02 03 04"


def test_a_gbcs_message_says_what_its_use_case_means_by_it():
    (view,) = gbcs_views(MESSAGE)
    assert "CS08 response says" in [field[1] for field in layers(view)]
    assert [1, "firmware", "01 02 03 04"] in [field[:3] for field in view.fields]


@pytest.mark.parametrize("cut", range(0, len(MESSAGE), 7))
def test_a_gbcs_message_cut_short_is_shown_up_to_where_it_ends(cut):
    parts = layout.parts(MESSAGE[:cut])
    assert parts[-1].name == "cannot be read"
    assert covers(parts, MESSAGE[:cut])


@pytest.mark.dcc_data
def test_every_published_gbcs_message_is_shown_by_field_to_its_last_octet():
    paths = sorted(dcc_data("gbcs").rglob("*.HEX"))
    assert paths
    for path in paths:
        octets = bytes.fromhex(path.read_text().strip())
        parts = layout.parts(octets)
        assert covers(parts, octets), path.name
        assert "cannot be read" not in {part.name for part in parts}, path.name
        assert gbcs_views(octets)[0].fields


def test_attributes_have_their_names():
    (view,) = radio_views(bytes.fromhex("180401000000190200"), 0x0109, 0x0800)
    named = [field[2] for field in view.fields if field[1] == "attribute"]
    assert named == ["0 (0x0000) supported key establishment suites"]
    (view,) = radio_views(bytes.fromhex("10050002000100"), 0x0109, 0x0019)
    asked = [field[2] for field in view.fields if field[0] == 2]
    assert asked[:2] == ["2 (0x0002) current file version", "1 (0x0001) file offset"]
