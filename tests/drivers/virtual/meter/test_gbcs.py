"""What a virtual meter does with the commands of its supplier, and which it does not obey."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.virtual.meter.config import MeterConfig, MeterDefect, MeterKind
from drivers.virtual.meter.gbcs import MeterGbcs
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, KeyUsage, OwnKeys, command_of, make_utrn, sign_precommand
from harness.gbcs.acceptance import Refusal
from harness.gbcs.access import AccessResult
from harness.gbcs.gbz import ZclStatus
from harness.gbcs.message import parse
from harness.gbcs.use_cases.clock import ECS70, GCS28, SetClock
from harness.gbcs.use_cases.cs08 import CS08
from harness.gbcs.use_cases.display_message import ECS10, GCS07, GasMessage
from harness.gbcs.use_cases.joining import (
    CS03A1,
    CS03B,
    CS03C,
    CS04AC,
    CS04B,
    CS07,
    DeviceType,
    Join,
    JoinMethod,
    JoinResult,
    UnjoinResult,
)
from harness.gbcs.use_cases.prepayment import (
    CS01A,
    CS01B,
    ECS09,
    GCS06,
    OriginatingDevice,
    SelectEmergencyCredit,
    TopUpOutcome,
)
from tests.gbcs.vectors import CHF, ESME, GSME, PPMID

SEED = "test"
PKI = BenchPki(SEED)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AROUND = SetClock(start=NOON - MINUTE, end=NOON + MINUTE)
LATER = SetClock(start=NOON + MINUTE, end=NOON + 2 * MINUTE)
SELECT = SelectEmergencyCredit(device=OriginatingDevice.ENERGY_SERVICE_INTERFACE)
BY_A = Join(method=JoinMethod.METHOD_A_INITIATOR, device=PPMID, device_type=DeviceType.PPMID)
GPF = Eui64.parse("02-DB-12-34-56-78-91-02")
BY_C = Join(
    method=JoinMethod.METHOD_C,
    device=PPMID,
    device_type=DeviceType.PPMID,
    certificate=PKI.certificate(PPMID, KeyUsage.KEY_AGREEMENT),
)


class Meter:
    """A meter, and its supplier who counts."""

    def __init__(self, kind, *defects, hub_time=NOON):
        self.eui64 = ESME if kind is MeterKind.ESME else GSME
        self.config = MeterConfig(
            eui64=self.eui64,
            kind=kind,
            install_code=bytes(16),
            credentials=SEED,
            defects=frozenset(defects),
        )
        self.gbcs = MeterGbcs(self.config, lambda: hub_time)
        self.counter = 1000

    def command(self, case, fields, counter=None, keys=PKI):
        self.counter += 1
        heading = {
            "originator": SUPPLIER,
            "device": self.eui64,
            "counter": self.counter if counter is None else counter,
        }
        return case.build_command(fields, keys, **heading)

    def asked(self, case, fields, **more):
        command = self.command(case, fields, **more)
        response = self.gbcs.handle(command)
        assert response is not None, self.gbcs.refused
        return case.read_response(response, OwnKeys(SUPPLIER, PKI), command=command)

    def refusal(self, octets):
        assert self.gbcs.handle(octets) is None
        return self.gbcs.refused[-1].refusal

    def top_up(self, case, number, counter=None):
        utrn = make_utrn(1500, supplier=SUPPLIER, meter=self.eui64, counter=number << 32, keys=PKI)
        return self.asked(case, utrn, counter=number << 32 if counter is None else counter)


@pytest.fixture
def esme():
    return Meter(MeterKind.ESME)


@pytest.fixture
def gsme():
    return Meter(MeterKind.GSME)


def test_the_clock_is_set_when_the_hubs_time_lies_in_the_interval(esme, gsme):
    for meter, case in ((esme, ECS70), (gsme, GCS28)):
        assert not meter.asked(case, LATER).ok
        assert meter.gbcs.store.clock is None
        assert meter.asked(case, AROUND).ok
        assert meter.gbcs.store.clock == NOON


def test_a_meter_that_does_not_know_the_hubs_time_sets_no_clock():
    for kind, case in ((MeterKind.ESME, ECS70), (MeterKind.GSME, GCS28)):
        assert not Meter(kind, hub_time=None).asked(case, AROUND).ok


def test_a_defective_meter_takes_any_time():
    assert Meter(MeterKind.ESME, MeterDefect.TAKES_ANY_TIME).asked(ECS70, LATER).ok


def test_a_utrn_is_credited_once_also_under_another_counter(esme, gsme):
    assert esme.top_up(CS01A, 7) is AccessResult.SUCCESS
    assert esme.top_up(CS01A, 7) is not AccessResult.SUCCESS
    assert esme.top_up(CS01A, 7, counter=8 << 32) is not AccessResult.SUCCESS
    first, again = gsme.top_up(CS01B, 7), gsme.top_up(CS01B, 7)
    assert (first.outcome, first.value, first.credit_remaining) == (
        TopUpOutcome.ACCEPTED,
        1_500_000,
        1_500_000,
    )
    assert (again.outcome, again.credit_remaining) == (TopUpOutcome.REJECTED_DUPLICATE_TOP_UP, -1)
    assert esme.gbcs.account.balance == gsme.gbcs.account.balance == 1500


def test_counters_of_top_ups_do_not_use_up_those_of_other_commands(esme):
    esme.top_up(CS01A, 7)
    assert esme.asked(ECS10, "after a top-up") is AccessResult.SUCCESS


def test_emergency_credit_is_lent_once(esme, gsme):
    assert esme.asked(ECS09, None) is AccessResult.SUCCESS
    assert esme.asked(ECS09, None) is not AccessResult.SUCCESS
    assert gsme.asked(GCS06, SELECT) is ZclStatus.SUCCESS
    assert gsme.asked(GCS06, SELECT) is ZclStatus.FAILURE


def test_a_message_is_shown(esme, gsme):
    assert esme.asked(ECS10, "Hello") is AccessResult.SUCCESS
    assert gsme.asked(GCS07, GasMessage(text="Hello", message_id=1)) is ZclStatus.SUCCESS
    assert esme.gbcs.store.message == gsme.gbcs.store.message == "Hello"


def test_it_is_joined_to_a_ppmid_and_says_so(esme, gsme):
    assert esme.asked(CS03A1, BY_A) is JoinResult.SUCCESS
    assert esme.asked(CS03C, BY_C) is JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE
    assert gsme.asked(CS03C, BY_C) is JoinResult.SUCCESS
    for meter in (esme, gsme):
        assert [one.device for one in meter.asked(CS07, None).devices] == [PPMID]
        assert meter.asked(CS04AC, PPMID) is UnjoinResult.SUCCESS
        assert meter.asked(CS04AC, PPMID) is UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG


def test_a_gas_meter_is_joined_to_its_proxy_by_the_acb_and_an_electricity_meter_is_not(esme, gsme):
    join = Join(method=JoinMethod.METHOD_B, device=CHF, device_type=DeviceType.GPF)
    for meter, answers in ((gsme, True), (esme, False)):
        command = CS03B.build_command(
            join,
            OwnKeys(ACB, PKI),
            originator=ACB,
            device=meter.eui64,
            counter=1,
            supplementary_party=SUPPLIER,
            supplementary_counter=1,
        )
        response = meter.gbcs.handle(command)
        assert (response is not None) is answers
        if response is not None:
            result = CS03B.read_response(response, OwnKeys(ACB, PKI), command=command)
            assert result is JoinResult.SUCCESS
    assert CHF in gsme.gbcs.store.joined


def test_a_gas_meter_is_joined_to_its_proxy_by_method_b_and_to_no_ppmid_so(esme, gsme):
    proxy = Join(method=JoinMethod.METHOD_B, device=GPF, device_type=DeviceType.GPF)
    assert gsme.asked(CS03B, proxy) is JoinResult.SUCCESS
    wrong = replace(proxy, device_type=DeviceType.PPMID)
    assert gsme.asked(CS03B, wrong) is JoinResult.INVALID_METHOD_AND_ROLE, "as in the published response"
    assert gsme.asked(CS03C, BY_C) is JoinResult.SUCCESS
    assert [one.device for one in gsme.asked(CS07, None).devices] == [GPF, PPMID]
    assert gsme.asked(CS04B, GPF) is UnjoinResult.SUCCESS
    assert [one.device for one in gsme.asked(CS07, None).devices] == [PPMID]
    assert esme.refusal(esme.command(CS03B, proxy)) is Refusal.UNSUPPORTED


def test_another_devices_certificate_joins_nobody(gsme):
    wrong = Join(
        method=JoinMethod.METHOD_C,
        device=ESME,
        device_type=DeviceType.PPMID,
        certificate=PKI.certificate(PPMID, KeyUsage.KEY_AGREEMENT),
    )
    assert gsme.asked(CS03C, wrong) is JoinResult.INVALID_OR_MISSING_CERTIFICATE


def test_what_it_must_not_obey(esme):
    esme.asked(ECS10, "Hello")
    assert esme.refusal(esme.command(ECS10, "again", counter=1)) is Refusal.REPLAYED
    spoilt = bytearray(esme.command(ECS10, "spoilt"))
    spoilt[-1] ^= 1
    assert esme.refusal(bytes(spoilt)) is Refusal.BAD_MAC
    assert esme.refusal(esme.command(GCS07, GasMessage(text="gas", message_id=1))) is Refusal.UNSUPPORTED
    assert esme.refusal(esme.command(CS08, None)) is Refusal.UNSUPPORTED
    assert esme.refusal(b"nothing") is Refusal.MALFORMED
    unsigned = parse(esme.command(ECS09, None)).with_signature(b"").with_mac(None).to_bytes()
    assert esme.refusal(unsigned) is Refusal.BAD_MAC
    forged = BenchPki("another seed")
    own = ECS09.compose_command(None, originator=SUPPLIER, device=ESME, counter=5000).to_bytes()

    assert esme.refusal(command_of(sign_precommand(own, forged), _Both(forged, PKI))) is Refusal.BAD_SIGNATURE
    assert esme.gbcs.store.message == "Hello"
    assert not esme.gbcs.account.emergency


class _Both:
    """Public signing keys of one store, the rest of another: a DSP that believes a forger."""

    def __init__(self, signing, rest):
        self._signing, self._rest = signing, rest

    def private_key(self, eui, usage):
        return self._rest.private_key(eui, usage)

    def public_key(self, eui, usage):
        store = self._signing if usage is KeyUsage.DIGITAL_SIGNATURE else self._rest
        return store.public_key(eui, usage)


def test_a_meter_that_answers_under_the_wrong_mac_is_found_out_by_its_supplier():
    meter = Meter(MeterKind.ESME, MeterDefect.BAD_RESPONSE_MAC)
    with pytest.raises(DecodeError, match="MAC"):
        meter.asked(ECS10, "Hello")


def test_the_acb_may_read_what_it_is_joined_to(esme):
    command = CS07.build_command(
        None,
        OwnKeys(ACB, PKI),
        originator=ACB,
        device=ESME,
        counter=1,
        supplementary_party=SUPPLIER,
        supplementary_counter=1,
    )
    response = esme.gbcs.handle(command)
    assert CS07.read_response(response, OwnKeys(ACB, PKI), command=command).devices == ()
