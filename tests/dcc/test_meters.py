"""What a supplier asks of a meter: made into its command, and what the meter answers, good or bad."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from harness.dcc.defects import DccDefect
from harness.dcc.documents import PreCommand, Stage, Via
from harness.dcc.duis.requests import (
    ActivateEmergencyCredit,
    Commission,
    DisplayMessage,
    JoinCritical,
    RequestId,
    SignedPreCommand,
    TopUp,
)
from harness.dcc.supplier import Supplier
from harness.errors import DecodeError
from harness.gbcs import ACB, SUPPLIER, BenchPki, OwnKeys, parse
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.gbz import ZclStatus
from harness.gbcs.use_cases import use_case_of
from harness.gbcs.use_cases.clock import ClockStatus, EsmeClock, GsmeClock, SetClock
from harness.gbcs.use_cases.display_message import GasMessage
from harness.gbcs.use_cases.joining import JoinResult
from harness.gbcs.use_cases.prepayment import OriginatingDevice, TopUpOutcome, TopUpResponse
from harness.gbcs.utrn import check_utrn
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB, PKI, PPMID, S2, Estate
from tests.gbcs.vectors import ESME, GSME

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW = CosemTime.of(NOON)
SUPPLIER_HIMSELF = Supplier(PKI)


def top_up(outcome):
    source = OriginatingDevice.ENERGY_SERVICE_INTERFACE
    return TopUpResponse(outcome=outcome, value=0, source=source, credit_remaining=500_000)


RIGHT = {ESME: EsmeClock(time=NOW, status=0), GSME: GsmeClock(time=NOON)}
WRONG = {ESME: EsmeClock(time=NOW, status=1), GSME: GsmeClock(time=NOON, status=ClockStatus.INVALID)}
CLOCK = {"current": NOON, "tolerance_s": 60}
FAULT = AccessResult.HARDWARE_FAULT
UTRN = "73946144332040217315"


class Premises:
    """An estate with both meters on the SMETS2+ hub, not yet commissioned; `answer` is what they answer."""

    def __init__(self, *defects, keys=PKI):
        self.estate = Estate(defects=defects)
        self.answer = AccessResult.SUCCESS
        self.keys = keys
        for kind in ("ESME", "GSME"):
            meter = self.estate.dcc.provision_meter(DeviceType(kind), HUB[S2])
            self.estate.force(meter, status=DeviceStatus.INSTALLED_NOT_COMMISSIONED)
        self.estate.hubs[S2].answer = self._answered

    def _answered(self, octets):
        case, device = use_case_of(parse(octets).message_code), parse(octets).recipient
        self.fields = case.read_command(octets, OwnKeys(device, PKI), device=device)
        self.command = parse(octets)
        return case.build_response(octets, self.answer, OwnKeys(device, self.keys))

    def asked(self, kind, meter, **fields):
        return asyncio.run(self.estate.dcc.send(kind, meter, **fields))

    def signed(self, kind, meter, **fields):
        """Take a critical request through both halves."""
        user = self.estate.dcc.service_user
        request = user.make(kind, meter, **fields)
        made = asyncio.run(user.send_made(request))
        assert isinstance(made.body, PreCommand), made
        signed = user.supplier.sign(made.body.message)
        second = SignedPreCommand(request_id=request.request_id, srv=request.srv, payload=signed)
        return asyncio.run(user.send_made(second))

    def status(self, meter):
        return self.estate.store.get(meter).status


SENT = [
    (TopUp, {"utrn": UTRN}, ESME, "CS01a", UTRN, AccessResult.SUCCESS, FAULT),
    (
        TopUp,
        {"utrn": UTRN},
        GSME,
        "CS01b",
        UTRN,
        top_up(TopUpOutcome.ACCEPTED),
        top_up(TopUpOutcome.REJECTED_DUPLICATE_TOP_UP),
    ),
    (DisplayMessage, {"message": "Reset"}, ESME, "ECS10", "Reset", AccessResult.SUCCESS, FAULT),
    (DisplayMessage, {"message": "Reset"}, GSME, "GCS07", "Reset", ZclStatus.SUCCESS, ZclStatus.FAILURE),
]


@pytest.mark.parametrize(("kind", "fields", "meter", "use_case", "carried", "good", "bad"), SENT)
def test_what_is_not_critical_goes_out_in_the_suppliers_name_with_the_acbs_mac(
    kind, fields, meter, use_case, carried, good, bad
):
    premises = Premises()
    for answer in (good, bad):
        premises.answer = answer
        response = premises.asked(kind, meter, **fields)
        assert (response.via, response.body.use_case) == (Via.GBCS, use_case)
        assert response.fields["MessageSuccess"] == ("true" if answer == good else "false")
        assert response.ok is (answer == good)
        command = premises.command
        assert (command.originator, command.counter) == (SUPPLIER, response.request_id.counter)
        assert command.supplementary_party is None
        got = premises.fields
        assert (got.text if isinstance(got, GasMessage) else got) == carried
        SUPPLIER_HIMSELF.check(response.body.message)


SIGNED = [
    (ActivateEmergencyCredit, {}, ESME, "ECS09", AccessResult.SUCCESS, FAULT),
    (ActivateEmergencyCredit, {}, GSME, "GCS06", ZclStatus.SUCCESS, ZclStatus.FAILURE),
    (Commission, CLOCK, ESME, "ECS70", RIGHT[ESME], WRONG[ESME]),
    (Commission, CLOCK, GSME, "GCS28", RIGHT[GSME], WRONG[GSME]),
    (JoinCritical, {"other": PPMID}, ESME, "CS03A1", JoinResult.SUCCESS, JoinResult.NO_CBKE_RESPONSE),
    (JoinCritical, {"other": PPMID}, GSME, "CS03C", JoinResult.SUCCESS, JoinResult.DEVICE_LOG_FULL),
]


@pytest.mark.parametrize(("kind", "fields", "meter", "use_case", "good", "bad"), SIGNED)
def test_what_is_critical_comes_back_to_be_signed_and_then_goes_out(kind, fields, meter, use_case, good, bad):
    premises = Premises()
    if "other" in fields:
        asyncio.run(premises.estate.prenotify(S2))
    for answer in (good, bad):
        premises.answer = answer
        response = premises.signed(kind, meter, **fields)
        assert (response.via, response.body.use_case) == (Via.GBCS, use_case)
        assert (response.ok, response.fields["MessageSuccess"]) == (
            answer == good,
            "true" if answer == good else "false",
        )
        assert premises.command.originator == SUPPLIER
        SUPPLIER_HIMSELF.check(response.body.message)


@pytest.mark.parametrize("meter", [ESME, GSME])
def test_a_meter_whose_clock_is_set_is_commissioned_and_one_whose_clock_is_not_stays_as_it_is(meter):
    premises = Premises()
    premises.answer = WRONG[meter]
    refused = premises.signed(Commission, meter, **CLOCK)
    assert (refused.ok, refused.stage) == (False, Stage.DELIVERY)
    assert premises.status(meter) is DeviceStatus.INSTALLED_NOT_COMMISSIONED
    premises.answer = RIGHT[meter]
    assert premises.signed(Commission, meter, **CLOCK).ok
    assert premises.status(meter) is DeviceStatus.COMMISSIONED
    assert premises.fields == SetClock(start=NOON, end=NOON + timedelta(seconds=60))


def test_a_dsp_may_be_made_to_commission_a_meter_that_refused():
    premises = Premises(DccDefect.COMMISSION_ANYWAY)
    premises.answer = WRONG[ESME]
    premises.signed(Commission, ESME, **CLOCK)
    assert premises.status(ESME) is DeviceStatus.COMMISSIONED


def test_a_join_that_the_meter_refuses_is_in_nobodys_record():
    premises = Premises()
    asyncio.run(premises.estate.prenotify(S2))
    premises.answer = JoinResult.DEVICE_LOG_FULL
    premises.signed(JoinCritical, ESME, other=PPMID)
    assert premises.estate.store.get(ESME).joined == ()


def test_a_response_to_the_supplier_has_a_mac_that_he_can_check_and_the_dsp_cannot():
    premises = Premises(keys=BenchPki("another seed"))
    response = premises.asked(DisplayMessage, ESME, message="Reset")
    assert response.ok
    with pytest.raises(DecodeError, match="MAC"):
        SUPPLIER_HIMSELF.check(response.body.message)


def test_a_signed_response_that_another_signed_is_refused_by_the_dsp():
    premises = Premises(keys=BenchPki("another seed"))
    premises.answer = RIGHT[ESME]
    response = premises.signed(Commission, ESME, **CLOCK)
    assert isinstance(response.cause, DecodeError) or not response.ok
    assert premises.status(ESME) is DeviceStatus.INSTALLED_NOT_COMMISSIONED


def test_a_response_to_the_supplier_that_answers_another_command_or_has_no_mac_is_refused():
    premises = Premises()
    honest = premises.estate.hubs[S2].answer
    for spoil in (
        lambda octets: parse(octets).with_mac(None).to_bytes(),
        lambda octets: octets.replace(parse(octets).counter.to_bytes(8, "big"), bytes(8)),
    ):
        premises.estate.hubs[S2].answer = lambda octets, spoil=spoil: spoil(honest(octets))
        response = premises.asked(DisplayMessage, ESME, message="Reset")
        assert (response.ok, response.stage) == (False, Stage.DELIVERY)


def test_a_utrn_is_good_for_its_meter_and_under_its_counter():
    first, second = SUPPLIER_HIMSELF.prepayment_counter(), SUPPLIER_HIMSELF.prepayment_counter()
    assert first < second
    assert first & 0xFFFFFFFF == 0
    utrn = SUPPLIER_HIMSELF.utrn(ESME, 1500, first)
    named = {"supplier": SUPPLIER, "keys": OwnKeys(ESME, PKI)}
    assert check_utrn(utrn, meter=ESME, counter=first, **named).value == 1500
    with pytest.raises(DecodeError):
        check_utrn(utrn, meter=ESME, counter=second, **named)


def test_a_supplier_takes_no_message_that_is_not_between_him_and_a_meter():
    response = asyncio.run(Estate().row(S2, S2))[2]
    assert response.request_id == RequestId(SUPPLIER, PPMID, response.request_id.counter)
    assert parse(response.body.message).recipient == ACB
    with pytest.raises(DecodeError, match="message code"):
        SUPPLIER_HIMSELF.check(response.body.message)
