"""Hashes, derived keys, install codes and CCM*, against published vectors."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.zigbee import install_code, security
from harness.zigbee.security import AuthenticationFailed, AuxHeader, KeyId
from tests.zigbee.conversation import HUB, PPMID

PRINTED = bytes.fromhex("83FED3407A939723A5C639B26916D505C3B5")
KEY = bytes(range(16))
AUX = AuxHeader(key_id=KeyId.DATA, frame_counter=0x01020304, source=HUB)


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        pytest.param(b"\xc0", "AE3A102A28D43EE0D4A09E22788B206C", id="C.5.1"),
        pytest.param(bytes(range(0xC0, 0xD0)), "A7977E88BC0B61E8210827109A228F2D", id="C.5.2"),
        pytest.param(bytes(n % 256 for n in range(8191)), "24EC2FE75BBFFCB34789BC0610E7F165", id="C.5.3"),
        pytest.param(bytes(n % 256 for n in range(8192)), "DC6B0687F09F8607131C170B3BD31591", id="C.5.4"),
        pytest.param(bytes(n % 256 for n in range(8201)), "72C9B15E178AA843E4A16C58E33643A3", id="C.5.5"),
        pytest.param(bytes(n % 256 for n in range(8202)), "BC9828D59B2AA323DAF20BE5F2E66511", id="C.5.6"),
    ],
)
def test_the_hash_is_the_specification_s(message, digest):
    assert security.mmo_hash(message).hex().upper() == digest


def test_the_keyed_hash_is_the_specification_s():
    digest = security.keyed_hash(bytes(range(0x40, 0x50)), b"\xc0")
    assert digest.hex().upper() == "4512807BF94CB3400F0E2C25FB76E999"


def test_the_key_transport_key_of_the_well_known_key_is_the_published_one():
    assert security.key_transport_key(b"ZigBeeAlliance09").hex().upper() == "4BAB0F173E1434A2D572E1C1EF478782"


def test_an_install_code_with_its_crc_stands_for_its_link_key():
    assert install_code.link_key_of_printed(PRINTED).hex().upper() == "66B6900981E1EE3CA4206B6B861C02BB"
    assert install_code.with_crc(PRINTED[:-2]) == PRINTED


@pytest.mark.parametrize("bit", range(0, 8 * len(PRINTED), 7))
def test_an_install_code_with_a_wrong_bit_is_refused(bit):
    wrong = bytearray(PRINTED)
    wrong[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError, match="install code CRC"):
        install_code.link_key_of_printed(bytes(wrong))


@pytest.mark.parametrize("octets", [6, 8, 12, 16])
def test_install_codes_of_all_lengths_have_a_link_key(octets):
    assert install_code.link_key_of_printed(install_code.with_crc(bytes(octets))) == install_code.link_key(
        bytes(octets)
    )


@pytest.mark.parametrize("octets", [0, 5, 7, 17, 18])
def test_install_codes_of_other_lengths_are_refused(octets):
    with pytest.raises(ValueError, match="not"):
        install_code.link_key(bytes(octets))
    with pytest.raises(DecodeError):
        install_code.check_crc(bytes(octets + 2))


@given(st.binary(max_size=30), st.binary(max_size=80))
def test_what_is_sealed_unseals(header, payload):
    secured = security.seal(KEY, header, AUX, payload)
    assert security.unseal(KEY, header, secured) == (AUX, payload)


@given(st.binary(min_size=1, max_size=30), st.binary(max_size=40), st.data())
def test_a_changed_bit_in_header_or_frame_is_noticed(header, payload, data):
    whole = bytearray(header + security.seal(KEY, header, AUX, payload))
    # The three level bits are 0 on the air and 5 in the sum, whatever they are: they are no part of it.
    level_bits = range(8 * len(header), 8 * len(header) + 3)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1).filter(lambda n: n not in level_bits))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        security.unseal(KEY, bytes(whole[: len(header)]), bytes(whole[len(header) :]), source=PPMID)


def test_a_wrong_key_is_noticed():
    with pytest.raises(AuthenticationFailed, match="MIC"):
        security.unseal(bytes(16), b"h", security.seal(KEY, b"h", AUX, b"payload"))


def test_the_level_travels_as_zero():
    assert security.seal(KEY, b"", dataclasses.replace(AUX, level=5), b"x")[0] & 7 == 0


def test_a_frame_without_its_source_needs_to_be_told_it():
    aux = dataclasses.replace(AUX, source=None)
    secured = security.seal(KEY, b"h", aux, b"payload", source=HUB)
    assert security.unseal(KEY, b"h", secured, source=HUB)[1] == b"payload"
    with pytest.raises(AuthenticationFailed):
        security.unseal(KEY, b"h", secured, source=PPMID)
    with pytest.raises(DecodeError, match="source EUI-64"):
        security.unseal(KEY, b"h", secured)


@given(st.binary(max_size=40))
def test_random_octets_raise_only_decode_errors(octets):
    with pytest.raises(DecodeError):
        security.unseal(KEY, b"", octets, source=HUB)
    with pytest.raises(DecodeError):
        install_code.check_crc(octets + b"\x00" * 30)
