"""CS08 against the published vectors, and against everything that is nearly right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyUsage, OwnKeys
from harness.gbcs.mac import check_mac
from harness.gbcs.message import parse
from harness.gbcs.use_cases import cs08
from tests.gbcs.vectors import HCALCS, PPMID, rtds_keys, vector

PKI = BenchPki("test")
FIRMWARE = bytes.fromhex("01020304")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-97")


def bench_command() -> bytes:
    return cs08.command(
        originator=ACB,
        device=PPMID,
        counter=7,
        supplementary_party=SUPPLIER,
        supplementary_counter=1000,
        keys=OwnKeys(ACB, PKI),
    )


def bench_response() -> bytes:
    return cs08.response(bench_command(), FIRMWARE, OwnKeys(PPMID, PKI))


@pytest.mark.dcc_data
@pytest.mark.parametrize(
    ("outcome", "device", "counter", "user_counter"),
    [("SUCCESS", PPMID, 0x514, 1000), ("ERROR", HCALCS, 0x515, 1001)],
)
def test_the_command_is_the_vector_octet_for_octet(outcome, device, counter, user_counter):
    built = cs08.command(
        originator=ACB,
        device=device,
        counter=counter,
        supplementary_party=SUPPLIER,
        supplementary_counter=user_counter,
        keys=rtds_keys(),
    )
    assert built == vector(f"11.2_CS08/CS08_11.2_{outcome}_COMMAND")


@pytest.mark.dcc_data
@pytest.mark.parametrize(("outcome", "firmware"), [("SUCCESS", "0123ABCD"), ("ERROR", "00000000")])
def test_the_response_is_the_vector_octet_for_octet_and_reads_back(outcome, firmware):
    command, expected = (vector(f"11.2_CS08/CS08_11.2_{outcome}_{kind}") for kind in ("COMMAND", "RESPONSE"))
    ok = outcome == "SUCCESS"
    assert cs08.response(command, bytes.fromhex(firmware), rtds_keys(), ok=ok) == expected
    assert cs08.read_response(expected, rtds_keys(), command=command) == cs08.Cs08Result(
        bytes.fromhex(firmware), ok
    )


@pytest.mark.dcc_data
@pytest.mark.parametrize("kind", ["COMMAND", "RESPONSE"])
def test_one_flipped_bit_anywhere_in_the_vector_is_noticed(kind):
    right = vector(f"11.2_CS08/CS08_11.2_SUCCESS_{kind}")
    read = cs08.read_command if kind == "COMMAND" else cs08.read_response
    read(right, rtds_keys())
    for bit in range(len(right) * 8):
        wrong = bytearray(right)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError) as noticed:
            read(bytes(wrong), rtds_keys())
        assert noticed.value.field


def test_a_device_answers_and_the_dsp_reads_its_firmware():
    request = bench_command()
    cs08.read_command(request, OwnKeys(PPMID, PKI), device=PPMID)
    answer = cs08.read_response(bench_response(), OwnKeys(ACB, PKI), command=request)
    assert answer == cs08.Cs08Result(FIRMWARE, True)


def test_a_response_echoes_the_commands_counters_and_swaps_its_ids():
    request, answer = parse(bench_command()), parse(bench_response())
    assert (answer.originator, answer.recipient) == (request.recipient, request.originator)
    assert (answer.counter, answer.supplementary_party, answer.supplementary_counter) == (7, SUPPLIER, 1000)


def test_a_command_to_another_device_is_refused():
    with pytest.raises(DecodeError, match="business target"):
        cs08.read_command(bench_command(), OwnKeys(OTHER, PKI), device=OTHER)


def test_a_command_readdressed_without_its_key_is_refused():
    moved = replace(parse(bench_command()), recipient=OTHER)
    with pytest.raises(DecodeError, match="MAC"):
        cs08.read_command(moved, OwnKeys(OTHER, PKI), device=OTHER)


def test_a_command_from_another_originator_is_refused():
    forged = replace(parse(bench_command()), originator=SUPPLIER)
    with pytest.raises(DecodeError, match="MAC"):
        cs08.read_command(forged, OwnKeys(PPMID, PKI), device=PPMID)


def test_a_command_made_with_other_keys_is_refused():
    with pytest.raises(DecodeError, match="MAC"):
        cs08.read_command(bench_command(), OwnKeys(PPMID, BenchPki("another seed")), device=PPMID)


def test_a_response_to_another_command_is_refused():
    later = replace(parse(bench_command()), counter=8)
    with pytest.raises(DecodeError, match="originator counter"):
        cs08.read_response(bench_response(), OwnKeys(ACB, PKI), command=later)


def test_another_use_case_is_refused():
    other = replace(parse(bench_response()), message_code=0x0013)
    with pytest.raises(DecodeError, match="message code"):
        cs08.read_response(other, OwnKeys(ACB, PKI))


def test_a_response_without_its_mac_is_refused():
    with pytest.raises(DecodeError, match="MAC"):
        cs08.read_response(replace(parse(bench_response()), mac=None), OwnKeys(ACB, PKI))


def test_who_holds_no_key_of_either_party_cannot_make_or_check_a_mac():
    with pytest.raises(KeyNotFound):
        cs08.command(originator=ACB, device=PPMID, counter=1, keys=OwnKeys(OTHER, PKI))
    with pytest.raises(DecodeError, match="not trusted"):
        cs08.read_command(bench_command(), OwnKeys(OTHER, PKI))


def test_check_mac_says_yes_from_both_ends_and_no_to_a_changed_message():
    usage = KeyUsage.KEY_AGREEMENT
    acb, device = PKI.private_key(ACB, usage), PKI.private_key(PPMID, usage)
    octets = bench_command()
    assert check_mac(octets, acb, device.public_key())
    assert check_mac(parse(octets), device, acb.public_key())
    assert not check_mac(replace(parse(octets), counter=8), acb, device.public_key())
    assert not check_mac(replace(parse(octets), mac=None), acb, device.public_key())
