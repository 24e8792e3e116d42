"""Every published message parses and is written back octet for octet; nothing else gets past the parser."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.codes import USE_CASES
from harness.gbcs.header import Cra
from harness.gbcs.message import GbcsMessage, parse
from tests.gbcs.vectors import vector, vectors

EUIS = st.integers(0, (1 << 64) - 1).map(Eui64)
CERTIFICATES = st.just(b"") | st.binary(min_size=8, max_size=300).map(der.octet_string).map(der.sequence)
U64 = st.integers(0, (1 << 64) - 1)


@st.composite
def messages(draw):
    mac = draw(st.none() | st.binary(min_size=12, max_size=12))
    signatures = st.just(b"") | st.binary(min_size=64, max_size=64)
    depth = draw(st.integers(0, 3))
    return GbcsMessage(
        cra=draw(st.sampled_from(Cra)),
        counter=draw(U64),
        originator=draw(EUIS),
        recipient=draw(EUIS),
        message_code=draw(st.integers(0, 0xFFFF)),
        content=draw(st.binary(max_size=300)),
        date_time=draw(st.just(b"") | st.binary(min_size=12, max_size=12)),
        supplementary_party=draw(EUIS) if depth > 0 else None,
        supplementary_counter=draw(U64) if depth > 1 else None,
        supplementary_originator_counter=draw(U64) if depth > 2 else None,
        certificate=draw(CERTIFICATES) if depth > 1 else b"",
        signature=draw(signatures if mac else st.none() | signatures),
        mac=mac,
    )


def reads_back_or_is_refused(octets):
    try:
        message = parse(octets)
    except DecodeError:
        return
    assert message.to_bytes() == octets


@pytest.mark.dcc_data
def test_all_1275_vectors_parse_and_are_written_back_octet_for_octet():
    everything = vectors()
    shapes = Counter()
    for octets in everything.values():
        message = parse(octets)
        assert message.to_bytes() == octets
        shapes[message.cra.name, bool(message.signature), message.mac is not None] += 1
    assert len(everything) == 1275
    assert shapes == {
        ("COMMAND", False, True): 307,
        ("COMMAND", True, True): 190,
        ("COMMAND", True, False): 4,
        ("COMMAND", False, False): 178,  # pre-commands
        ("RESPONSE", False, True): 306,
        ("RESPONSE", True, False): 197,
        ("ALERT", False, True): 12,
        ("ALERT", True, False): 81,
    }


@pytest.mark.dcc_data
def test_every_message_code_of_the_vectors_has_the_name_of_its_directory():
    # Quirks passed over: the error pair in 8.8.2_CS04B really is CS04AC, the alert in DBCH04 is DBCH09, and
    # alerts that many use cases share have a name of their own.
    for name, octets in vectors().items():
        use_case = parse(octets).use_case
        assert use_case, name
        if "8.8.2_CS04B" in name or "alert" in use_case or use_case == "DBCH09":
            continue
        directory = name.split("/")[0].split("_", 1)[1]
        assert directory.startswith(use_case.replace(" ", "")), name


def test_no_two_message_codes_have_one_name():
    assert len(set(USE_CASES.values())) == len(USE_CASES)


@given(messages())
def test_what_is_written_reads_back(message):
    assert parse(message.to_bytes()) == message


@given(messages(), st.data())
def test_a_mutated_message_raises_only_a_decode_error_or_reads_back(message, data):
    octets = bytearray(message.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        match data.draw(st.sampled_from(["set", "cut", "insert"])):
            case "set":
                octets[place] = data.draw(st.integers(0, 255))
            case "cut":
                del octets[place : place + data.draw(st.integers(1, 20))]
            case "insert":
                octets[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        if not octets:
            break
    reads_back_or_is_refused(bytes(octets))


@given(st.binary(max_size=200))
def test_any_octets_at_all_raise_only_a_decode_error(octets):
    reads_back_or_is_refused(octets)


@pytest.mark.dcc_data
def test_a_message_cut_short_anywhere_or_too_long_is_refused():
    whole = vector("11.2_CS08/CS08_11.2_SUCCESS_COMMAND")
    for wrong in (*(whole[:count] for count in range(len(whole))), whole + b"\x00"):
        with pytest.raises(DecodeError):
            parse(wrong)


def test_a_decode_error_names_the_field_and_its_octet():
    with pytest.raises(
        DecodeError, match=r"MAC header at octet 0: expected DD000000000000, found DD000000000001"
    ):
        parse(bytes.fromhex("DD000000000001"))
    with pytest.raises(DecodeError, match=r"CRA flag at octet 2: expected 01, 02 or 03, found 04"):
        parse(bytes.fromhex("DF0904"))


@pytest.mark.parametrize(
    "change",
    [
        {"signature": b"\x00"},
        {"mac": b"\x00"},
        {"date_time": b"\x00"},
        {"counter": 1 << 64},
        {"counter": -1},
        {"message_code": 1 << 16},
        {"supplementary_counter": 1},
        {"supplementary_originator_counter": 1},
        {"certificate": b"\x30"},
        {"signature": None, "mac": bytes(12)},
    ],
    ids=lambda change: "+".join(change),
)
def test_a_message_that_cannot_be_written_cannot_be_made(change):
    message = GbcsMessage(
        cra=Cra.COMMAND, counter=1, originator=Eui64(1), recipient=Eui64(2), message_code=1, content=b""
    )
    with pytest.raises(ValueError, match=r"."):
        replace(message, **change)
