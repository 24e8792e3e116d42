"""Messages mutated at random, whole or in their content, raise nothing but DecodeError when read."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.errors import DecodeError
from harness.gbcs.access import AccessRequest, AccessResponse, Notification
from harness.gbcs.block_transfer import Block
from harness.gbcs.builder import Protection, verify
from harness.gbcs.certificates import read_certificate
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.encryption import decrypt_payloads
from harness.gbcs.gbz import GbzAlert, GbzPayload
from harness.gbcs.header import Cra
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyUsage
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.use_cases import ALERT_CASES, USE_CASES
from harness.gbcs.use_cases.credentials import CS02A_SIGNED
from tests.conformance.test_gbcs_tshark import bench_messages
from tests.dcc_data import DCC_DATA
from tests.gbcs.mutants import mutated
from tests.gbcs.vectors import PPMID, rtds_keys, vectors

PKI = BenchPki("test")


def seeds() -> list[bytes]:
    """The published messages where they are, and the bench's own."""
    return [*bench_messages().values(), *(vectors().values() if DCC_DATA else ())]


def read_everywhere(message: GbcsMessage, keys) -> int:
    """Read a message's content every way that there is; return how many ways refused it."""
    refused = 0
    cases = USE_CASES.values() if message.cra is not Cra.ALERT else ()
    ways = [
        *(lambda case=case: case.command_fields(message) for case in cases),
        *(lambda case=case: case.response_fields(message) for case in cases),
        *(lambda case=case: case.alert_fields(message) for case in ALERT_CASES.values()),
        lambda: CS02A_SIGNED.response_fields(message),
        lambda: AccessRequest.from_bytes(message.content, message.counter),
        lambda: AccessResponse.from_bytes(message.content, message.counter),
        lambda: Notification.from_bytes(message.content, message.counter),
        lambda: GbzPayload.from_bytes(message.content),
        lambda: GbzAlert.from_bytes(message.content),
        lambda: DlmsReader(message.content).element("data"),
        lambda: CosemTime.from_bytes(message.content),
        lambda: decrypt_payloads(message, keys),
        lambda: verify(message, keys, Protection.SIGNED if message.signature else Protection.MACED),
    ]
    for way in ways:
        try:
            way()
        except DecodeError as error:
            refused += bool(error.field)
    return refused


def own_way(message: GbcsMessage, keys) -> None:
    """Read a message as what it says it is."""
    if message.cra is Cra.ALERT:
        case = ALERT_CASES.get(message.message_code)
        if case:
            case.read_alert(message, keys)
        return
    case = USE_CASES.get(message.message_code)
    if case:
        (case.read_command if message.cra is Cra.COMMAND else case.read_response)(message, keys)


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """Read `count` mutants; return how many parsed and how many were refused somewhere."""
    rng = random.Random(seed)
    keys = rtds_keys() if DCC_DATA else PKI
    messages = [(octets, parse(octets)) for octets in seeds()]
    parsed = refused = 0
    for number in range(count):
        octets, message = rng.choice(messages)
        try:
            if number % 2:
                mutant = replace(message, content=mutated(message.content, rng))
            else:
                changed = mutated(octets, rng)
                mutant = parse(changed)
                assert mutant.to_bytes() == changed
            parsed += 1
            own_way(mutant, keys)
            if number % 20 == 1:
                refused += read_everywhere(mutant, keys) > 0
        except DecodeError as error:
            refused += bool(error.field)
    return parsed, refused


def test_a_few_thousand_mutants_raise_nothing_but_a_decode_error():
    parsed, refused = fuzz(5_000, seed=1)
    # Half are mutated in their content alone, so that what is behind the headers is reached.
    assert parsed >= 2_500
    assert refused >= 2_500


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_hundred_thousand_mutants_raise_nothing_but_a_decode_error():
    parsed, refused = fuzz(100_000, seed=2)
    assert parsed >= 50_000
    assert refused >= 50_000


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_mutated_certificates_and_blocks_raise_nothing_but_a_decode_error():
    rng = random.Random(3)
    certificates = [PKI.certificate(eui, KeyUsage.KEY_AGREEMENT) for eui in (PPMID, ACB, SUPPLIER)]
    block = Block(
        cra=Cra.COMMAND,
        counter=1,
        originator=ACB,
        recipient=PPMID,
        message_code=1,
        number=1,
        data=bytes(40),
    ).to_bytes()
    refused = 0
    for _ in range(3_000):
        for read, octets in ((read_certificate, rng.choice(certificates)), (Block.from_bytes, block)):
            try:
                read(mutated(octets, rng))
            except DecodeError as error:
                refused += bool(error.field)
    assert refused > 3_000
