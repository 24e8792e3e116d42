"""What a supplier does to a meter: answers that are no success, commands not of their use case."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime, timedelta

import pytest

from harness.errors import DecodeError
from harness.gbcs import der
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyUsage, OwnKeys
from harness.gbcs.message import parse
from harness.gbcs.use_cases.clock import ECS70, GCS28, ClockStatus, EsmeClock, GsmeClock, SetClock
from harness.gbcs.use_cases.credentials import CS02A
from harness.gbcs.use_cases.display_message import ECS10, GCS07, GasMessage
from harness.gbcs.use_cases.prepayment import GCS06, PCS02, OriginatingDevice, SelectEmergencyCredit
from tests.dcc_data import DCC_DATA
from tests.gbcs.exchanges_supplier import clocks, emergency_credit, messages
from tests.gbcs.vectors import ESME, GSME, vector

PKI = BenchPki("test")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TIME = CosemTime.of(NOON)


@pytest.mark.parametrize(
    "clock",
    [
        EsmeClock(time=TIME, status=0x01),
        EsmeClock(time=TIME, status=0x02),
        EsmeClock(time=TIME, status=AccessResult.OTHER_REASON),
        EsmeClock(time=AccessResult.HARDWARE_FAULT, status=0),
        EsmeClock(adjusted=AccessResult.TEMPORARY_FAILURE, time=TIME, status=0),
        GsmeClock(time=NOON, status=ClockStatus.UNRELIABLE),
        GsmeClock(time=NOON, status=ClockStatus(7)),
    ],
)
def test_a_clock_that_is_not_set_or_not_right_is_no_success(clock):
    assert not clock.ok


def test_daylight_saving_is_no_fault_of_a_clock():
    assert EsmeClock(time=TIME, status=0x80).ok
    assert GsmeClock(time=NOON).ok


def test_a_time_that_was_read_and_a_result_that_it_was_not_contradict_each_other():
    content = bytearray(ECS70.response_content.write(EsmeClock(time=TIME, status=0), 7))
    content[-3] = AccessResult.HARDWARE_FAULT
    with pytest.raises(DecodeError, match="time"):
        ECS70.response_content.read(bytes(content), 7)


def test_a_clock_with_a_time_of_its_own_to_set_is_not_of_this_use_case():
    written = ECS70.command_content.write(SetClock(start=NOON, end=NOON + timedelta(minutes=1)), 7)
    open_time = CosemTime().to_bytes()
    assert open_time in written
    with pytest.raises(DecodeError, match="preset time"):
        ECS70.command_content.read(written.replace(open_time, TIME.to_bytes()), 7)


@pytest.mark.parametrize("text", ["", "x" * 117, "no\nline", "1 £"])
def test_a_message_that_no_meter_shows_is_not_sent(text):
    for case, fields in ((ECS10, text), (GCS07, GasMessage(text=text, message_id=1))):
        with pytest.raises(ValueError, match="1 to 116"):
            case.command_content.write(fields, 7)


def test_a_message_of_control_characters_is_not_read():
    written = ECS10.command_content.write("Reset", 7)
    with pytest.raises(DecodeError, match="message"):
        ECS10.command_content.read(written.replace(b"Reset", b"Re\x07et"), 7)


def test_emergency_credit_of_the_supplier_is_none_of_a_ppmids():
    written = GCS06.command_content.write(
        SelectEmergencyCredit(device=OriginatingDevice.ENERGY_SERVICE_INTERFACE), 7
    )
    with pytest.raises(DecodeError, match="originating device"):
        PCS02.command_content.read(written, 7)


def test_a_meters_clock_is_set_by_a_signed_command_only():
    fields = SetClock(start=NOON, end=NOON + timedelta(hours=1))
    for case, meter in ((ECS70, ESME), (GCS28, GSME)):
        heading = {"originator": SUPPLIER, "device": meter, "counter": 9}
        signature = parse(case.build_command(fields, PKI, **heading)).signature
        command = case.build_command(fields, OwnKeys(ACB, PKI), signature=signature, **heading)
        assert case.read_command(command, OwnKeys(meter, PKI), device=meter) == fields
        unsigned = case.build_command(fields, OwnKeys(ACB, PKI), signature=b"", **heading)
        with pytest.raises(DecodeError, match="signature"):
            case.read_command(unsigned, OwnKeys(meter, PKI), device=meter)


def test_bench_suppliers_have_a_key_of_their_own_for_prepayment():
    usages = (KeyUsage.KEY_AGREEMENT, KeyUsage.PREPAYMENT_KEY_AGREEMENT)
    one, other = (PKI.private_key(SUPPLIER, usage).private_numbers().private_value for usage in usages)
    assert one != other


def test_a_clock_status_below_nothing_is_no_clock_status():
    negative = der.sequence(der.generalized_time(NOON), der.integer(-1))
    with pytest.raises(DecodeError, match="clock status"):
        GCS28.response_content.read(negative, 7)


@pytest.mark.dcc_data
def test_a_status_of_credentials_below_nothing_is_none():
    message = parse(vector("6.24.1_CS02aMAC/CS02aMAC_6.24.1_SUCCESS_RESPONSE"))
    assert bytes.fromhex("0A0100") in message.content
    negative = message.content.replace(bytes.fromhex("0A0100"), bytes.fromhex("0A01FF"), 1)
    with pytest.raises(DecodeError, match="status"):
        CS02A.response_content.read(negative, message.counter)


@pytest.mark.dcc_data
def test_a_content_that_was_altered_anywhere_reads_or_is_refused_by_name():
    chance = random.Random(2026)
    if DCC_DATA is None:
        pytest.skip("no published DCC data here")
    for exchange in (*emergency_credit(), *messages(), *clocks()):
        contents = {"COMMAND": exchange.case.command_content, "RESPONSE": exchange.case.response_content}
        for kind, content in contents.items():
            message = parse(vector(f"{exchange.vector}_{kind}"))
            for _ in range(400):
                with contextlib.suppress(DecodeError):
                    content.read(altered(message.content, chance), message.counter)


def altered(octets, chance):
    """Return octets with one to three of them changed, taken out or put in."""
    some = bytearray(octets)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(some))
        match chance.choice(("change", "change", "take", "put")):
            case "change":
                some[place] = chance.randrange(256)
            case "take":
                del some[place]
            case _:
                some.insert(place, chance.randrange(256))
    return bytes(some)
