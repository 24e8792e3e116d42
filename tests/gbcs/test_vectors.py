"""All published messages: every MAC and signature, every encrypted payload, every DLMS and GBZ content.

Source of the counts: facts gb-domain §3.3.
"""

from __future__ import annotations

from collections import Counter

import pytest

from harness.errors import DecodeError
from harness.gbcs.access import AccessRequest, AccessResponse, Notification
from harness.gbcs.builder import Protection, verify
from harness.gbcs.encryption import (
    ProtectedData,
    ciphered_payloads,
    decrypt,
    decrypt_payloads,
    encrypt,
    payload_key,
)
from harness.gbcs.gbz import GbzAlert, GbzPayload
from harness.gbcs.header import Cra
from harness.gbcs.message import parse
from tests.gbcs.vectors import rtds_keys, vector, vectors

pytestmark = pytest.mark.dcc_data

# Both ends are devices, and no device's private key is published.
WITHOUT_KEYS = {
    "NA_PCS01/PCS01_NA_SUCCESS_COMMAND_GBCS",
    "NA_PCS01/PCS01_NA_SUCCESS_RESPONSE_GBCS",
    "NA_PCS02/PCS02_NA_SUCCESS_COMMAND_GBCS",
    "NA_PCS02/PCS02_NA_SUCCESS_RESPONSE_GBCS",
}
KINDS = {b"\xd9": AccessRequest, b"\xda": AccessResponse, b"\x0f": Notification}


def test_811_macs_are_reproduced_and_472_signatures_verified_and_only_four_macs_cannot_be():
    macs = signatures = 0
    unverified = set()
    for name, octets in vectors().items():
        message = parse(octets)
        protection = Protection.MACED if message.mac else Protection.NONE
        protection |= Protection.SIGNED if message.signature else Protection.NONE
        try:
            verify(message, rtds_keys(), protection)
        except DecodeError as refused:
            unverified.add((name, refused.field))
            continue
        macs += message.mac is not None
        signatures += bool(message.signature)
    assert (macs, signatures) == (811, 472)
    assert unverified == {(name, "business originator") for name in WITHOUT_KEYS}


def test_every_dlms_and_gbz_content_is_written_back_octet_for_octet():
    kinds = Counter()
    for octets in vectors().values():
        message = parse(octets)
        kind = KINDS.get(message.content[:1])
        if kind:
            content = kind.from_bytes(message.content, message.counter)
            assert content.to_bytes(message.counter) == message.content
        elif message.content.startswith(b"\x01\x09"):
            kind = GbzAlert if message.cra is Cra.ALERT else GbzPayload
            assert kind.from_bytes(message.content).to_bytes() == message.content
        kinds[kind.__name__ if kind else "ASN.1"] += 1
    assert kinds == {
        "AccessRequest": 389,
        "AccessResponse": 292,
        "Notification": 62,
        "GbzPayload": 334,
        "GbzAlert": 20,
        "ASN.1": 178,
    }


def test_the_48_messages_with_encrypted_payloads_are_decrypted_and_encrypted_again():
    messages = payloads = 0
    for octets in vectors().values():
        message = parse(octets)
        plain = decrypt_payloads(message, rtds_keys())
        if not plain:
            continue
        key = payload_key(message, rtds_keys())
        again = tuple(encrypt(key, message.originator, one) for one in plain)
        assert again == ciphered_payloads(message)
        messages += 1
        payloads += len(plain)
    assert (messages, payloads) == (48, 63)


def test_what_was_encrypted_is_what_the_use_case_says():
    octets = vector("4.1.1_ECS17b/ECS17b_4.1.1_SINGLE_SUCCESS_RESPONSE")
    (plain,) = decrypt_payloads(parse(octets), rtds_keys())
    # an array or structure of two registers, each a value and its scaler and unit
    assert plain.hex() == "02010204060000000a02020f00161e060000000a02020f001620"


def test_a_ciphered_payload_with_one_bit_changed_does_not_decrypt():
    message = parse(vector("4.1.1_GCS13a/GCS13a_4.1.1_ERROR_RESPONSE"))
    key, (right,) = payload_key(message, rtds_keys()), ciphered_payloads(message)
    decrypt(key, message.originator, right)
    for bit in range(len(right) * 8):
        wrong = bytearray(right)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError, match="payload"):
            decrypt(key, message.originator, bytes(wrong))


def test_protected_data_are_written_back_octet_for_octet():
    message = parse(vector("4.1.1_ECS17b/ECS17b_4.1.1_SINGLE_SUCCESS_RESPONSE"))
    (data,) = AccessResponse.from_bytes(message.content, message.counter).data
    assert ProtectedData.from_bytes(data).to_bytes() == data
