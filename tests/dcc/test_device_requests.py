"""Requests to devices: joins and what they do to the SMI, 8.1.1, 8.12.2, and those that end at the DSP."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.dcc.defects import DccDefect
from harness.dcc.documents import RequestId, S1spAlert, Smets1Response, Stage, Via, WrongForm
from harness.dcc.duis.requests import (
    ActivateEmergencyCredit,
    ActivateFirmware,
    CommandVariant,
    Commission,
    DisplayMessage,
    JoinNonCritical,
    ReadDeviceLog,
    RestoreGpfDeviceLog,
    TopUp,
    UnjoinNonCritical,
)
from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER, OwnKeys
from harness.gbcs.use_cases.joining import CS03A2, CS04AC, JoinResult, UnjoinResult
from harness.smets.cpl import CplRow, DeviceModel, DeviceType
from harness.smets.smi import DeviceStatus
from harness.tap import Boundary
from tests.dcc.estate import HUB_1, HUB_2, PKI, PPMID, S1, S2, Estate
from tests.dcc.stores import put
from tests.dcc.test_dsp import refused

ESME, GSME, GPF, NEW_GPF = (Eui64.parse(f"00-DB-12-34-56-78-90-{last}") for last in ("A0", "A1", "A3", "A9"))
MODEL = {
    ESME: ("00220100", DeviceType.ESME, "00020002"),
    GSME: ("00320100", DeviceType.GSME, "00030002"),
    GPF: ("00120100", DeviceType.GPF, "00010000"),
    NEW_GPF: ("00120100", DeviceType.GPF, "00010000"),
}
INSTALLED, COMMISSIONED = DeviceStatus.INSTALLED_NOT_COMMISSIONED, DeviceStatus.COMMISSIONED
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def home(hub=S2, meters=COMMISSIONED, **options):
    """Return an estate with a PPMID installed on that hub, and meters beside it."""
    estate = Estate(clock=lambda: NOW, **options)
    asyncio.run(estate.row(hub, hub))
    estate.force(PPMID, status=INSTALLED)
    ppmid = estate.store.get(PPMID)
    for device, (model, kind, firmware) in MODEL.items():
        found = DeviceModel(
            manufacturer="1236" if kind is not DeviceType.GPF else "1235",
            model=model if hub is S2 else model.replace("2", "1", 1) if kind is DeviceType.ESME else model,
            device_type=kind,
            firmware=firmware,
        )
        estate.store.apply(put(replace(ppmid, device=device, model=found, status=meters)))
        row = CplRow(model=found, version=ppmid.version, family=ppmid.family, gbcs_version="4.2")
        if estate.dcc.cpl.find(found, ppmid.family) is None:
            estate.dcc.cpl = type(estate.dcc.cpl)([*estate.dcc.cpl.rows, row], estate.dcc.cpl.key_fields)
    return estate


def ask(estate, kind, target=PPMID, counter=1, **fields):
    request = kind(request_id=RequestId(SUPPLIER, target, counter), **fields)
    return asyncio.run(estate.dcc.handle(request))


def answering(estate, use_case, result):
    estate.hubs[S2].answer = lambda message: use_case.build_response(message, result, OwnKeys(PPMID, PKI))


# --- 8.7.2 and 8.8.2 ----


def test_a_join_with_a_commissioned_meter_commissions_a_ppmid_and_is_in_both_records():
    estate = home()
    answering(estate, CS03A2, JoinResult.SUCCESS)
    response = ask(estate, JoinNonCritical, other=ESME)
    assert (response.ok, response.via, estate.dcc.route_of(response).use_case) == (True, Via.GBCS, "CS03A2")
    ppmid, esme = estate.store.get(PPMID), estate.store.get(ESME)
    assert (ppmid.status, ppmid.commissioned, ppmid.joined) == (COMMISSIONED, NOW.date(), (ESME,))
    assert esme.joined == (PPMID,)
    changes = estate.store.history(PPMID)[-3:]
    assert {change.by for change in changes} == {response.request_id}


def test_a_join_with_a_meter_that_is_not_commissioned_commissions_nobody():
    estate = home(meters=INSTALLED)
    answering(estate, CS03A2, JoinResult.SUCCESS)
    assert ask(estate, JoinNonCritical, other=ESME).ok
    assert estate.store.get(PPMID).status is INSTALLED


def test_a_join_that_the_device_refuses_changes_nothing():
    estate = home()
    answering(estate, CS03A2, JoinResult.DEVICE_LOG_FULL)
    response = ask(estate, JoinNonCritical, other=ESME)
    assert (response.ok, response.stage, response.code) == (False, Stage.DELIVERY, "I0")
    assert estate.store.get(PPMID).joined == ()


def test_an_unjoin_takes_the_join_out_of_both_records_and_leaves_the_status():
    estate = home()
    answering(estate, CS03A2, JoinResult.SUCCESS)
    ask(estate, JoinNonCritical, other=ESME)
    answering(estate, CS04AC, UnjoinResult.SUCCESS)
    response = ask(estate, UnjoinNonCritical, other=ESME, counter=2)
    assert (response.ok, estate.dcc.route_of(response).use_case) == (True, "CS04AC")
    assert (estate.store.get(PPMID).joined, estate.store.get(ESME).joined) == ((), ())
    assert estate.store.get(PPMID).status is COMMISSIONED


@pytest.mark.parametrize(
    ("other", "stage", "code"),
    [(Eui64(1), Stage.DEVICE_KNOWN, "E19"), (HUB_2, Stage.ROUTE, "E11")],
)
def test_a_join_with_nobody_or_with_a_hub_is_refused(other, stage, code):
    refused(ask(home(), JoinNonCritical, other=other), stage, code)


def test_the_use_case_of_a_join_is_by_the_other_device():
    estate = home()
    used = [
        estate.dcc.route_of(ask(estate, JoinNonCritical, other=other, counter=counter)).use_case
        for counter, other in enumerate((GSME, GPF), 1)
    ]
    assert used == ["CS03C", "CS03B"]


def test_on_a_smets1_system_the_s1sp_takes_note_of_a_join():
    estate = home(S1)
    response = ask(estate, JoinNonCritical, other=ESME)
    assert (response.ok, response.via) == (True, Via.S1SP)
    assert isinstance(response.body, Smets1Response)
    assert estate.dcc.route_of(response).command == b""
    assert estate.store.get(PPMID).status is COMMISSIONED


# --- 8.1.1 ----


def test_to_commission_a_smets1_meter_is_beyond_this_s1sp_which_says_so():
    estate = home(S1)
    response = ask(
        estate,
        Commission,
        ESME,
        current=NOW,
        tolerance_s=10,
        command_variant=CommandVariant.SEND,
    )
    assert (response.ok, response.via, response.stage) == (False, Via.S1SP, Stage.DELIVERY)
    assert isinstance(response.body, S1spAlert)
    assert response.body.code == "S1SP-UNREACHABLE"
    assert "8.1.1" in response.body.text


# --- 8.12.2 ----


def test_a_gas_proxy_takes_the_place_of_a_gas_proxy():
    refused(ask(home(), RestoreGpfDeviceLog, NEW_GPF, old_gpf=ESME), Stage.DEVICE_KNOWN, "E19")


# --- what is for meters ----


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (TopUp, {"utrn": "7" * 20}),
        (ActivateEmergencyCredit, {}),
        (DisplayMessage, {"message": "hello"}),
        (ActivateFirmware, {"firmware_hash": bytes(32)}),
        (Commission, {"current": NOW, "tolerance_s": 10}),
    ],
)
def test_what_is_for_a_meter_is_refused_to_a_ppmid(kind, fields):
    refused(ask(home(), kind, **fields), Stage.DEVICE_KNOWN, "E11")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (TopUp, {"utrn": "7" * 20}),
        (DisplayMessage, {"message": "hello"}),
        (ActivateEmergencyCredit, {"command_variant": CommandVariant.SEND}),
        (Commission, {"current": NOW, "tolerance_s": 10, "command_variant": CommandVariant.SEND}),
    ],
)
def test_a_request_to_a_smets1_meter_is_acknowledged_forwarded_and_ends_in_an_alert(kind, fields):
    estate = home(S1)
    response = ask(estate, kind, ESME, **fields)
    assert (response.acknowledgement.code, response.via) == ("I99", Via.S1SP)
    assert isinstance(response.body, S1spAlert)
    assert estate.tap.at(Boundary.GBCS) == []
    assert estate.dcc.route_of(response).command == b""


def test_a_pre_command_to_activate_firmware_is_made_for_a_meter():
    response = ask(home(), ActivateFirmware, ESME, firmware_hash=bytes(32))
    assert (response.code, response.body.use_case) == ("I0", "CS06")


# --- 8.9 ----


@pytest.mark.parametrize(("security", "use_case"), [(False, "CCS06"), (True, "CCS07")])
def test_a_hubs_log_is_read_in_the_way_that_is_asked_for(security, use_case):
    estate = home()
    response = ask(estate, ReadDeviceLog, HUB_2, security_details=security)
    assert response.ok
    assert estate.dcc.route_of(response).use_case == use_case


# --- never the one form in the place of the other ----


def test_a_dsp_that_hands_on_gbcs_as_a_smets1_response_is_stopped():
    with pytest.raises(WrongForm, match="GBCS message in a SMETS1 response"):
        asyncio.run(Estate(defects=(DccDefect.GBCS_AS_SMETS1,)).row(S1, S1))


def test_a_dsp_that_hands_on_a_smets1_response_as_gbcs_is_stopped():
    with pytest.raises(WrongForm, match="octets that are none"):
        asyncio.run(Estate(defects=(DccDefect.SMETS1_AS_GBCS,)).row(S2, S2))


def test_an_s1sp_alert_has_no_room_for_gbcs():
    estate = Estate()
    _, _, response = asyncio.run(estate.row(S2, S2))
    octets = estate.dcc.route_of(response).command
    with pytest.raises(WrongForm):
        S1spAlert(request_id=response.request_id, device=PPMID, code="X", text=octets.hex())


def test_the_hub_of_the_s1sp_is_the_only_one_that_is_asked():
    estate = home(S1)
    ask(estate, JoinNonCritical, other=ESME)
    assert estate.hubs[S2].asked == []
    assert estate.store.get(PPMID).hub == HUB_1
