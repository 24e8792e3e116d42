"""A hub's GPF at the DSP: in the SMI beside its CHF, joined and unjoined, its log backed up and restored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.documents import RequestId, Stage, Via
from harness.dcc.duis.requests import (
    JoinCritical,
    JoinNonCritical,
    Mpxn,
    ReadDeviceLog,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    SearchInventory,
    UnjoinNonCritical,
)
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, OwnKeys, parse
from harness.gbcs.use_cases.gas_proxy import GCS59, GCS62, GpfLogBackup
from harness.gbcs.use_cases.joining import CS03B, DeviceType, JoinedDevice, JoinMethod
from harness.hub.defects import HubDefect
from harness.hub.gpf import Gpf, gpf_of
from harness.hub.logical_device import HubNow
from harness.smets.cpl import DeviceType as SmiType
from harness.smets.smi import DeviceStatus
from harness.tap import NullTap
from tests.dcc.estate import HUB, HUB_1, HUB_2, PKI, PPMID, S1, S2, Estate, Hub
from tests.dcc.test_dsp import refused

GPF = gpf_of(HUB_2)
SMETS1_GPF = gpf_of(HUB_1)
OLD_GPF = Eui64.parse("00-DB-12-34-56-78-90-A3")
NEW_HUB = Eui64.parse("00-DB-12-34-56-78-92-02")
GSME = Eui64.parse("00-DB-12-34-56-78-90-A1")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOG = (JoinedDevice(PPMID, DeviceType.PPMID), JoinedDevice(GSME, DeviceType.GSME))


def home(hub=S2, defects=()):
    """Return an estate whose hubs have their GPFs in the SMI, and a PPMID that is installed on one."""
    estate = Estate(clock=lambda: NOW)
    asyncio.run(estate.row(hub, hub))
    estate.force(PPMID, status=DeviceStatus.INSTALLED_NOT_COMMISSIONED)
    for family, one in estate.hubs.items():
        estate.dcc.provision_hub(hub_prenotification(one.eui64, family, gpf_of(one.eui64)), one)
    estate.hubs[S2].gpf = Gpf(
        GPF,
        HubNow(name="fake", tap=NullTap(), utc=lambda: NOW),
        PKI,
        chf=HUB_2,
        alert=lambda message: estate.dcc.take_alert(HUB_2, message),
        defects=defects,
    )
    return estate


def ask(estate, kind, target=GPF, counter=1, **fields):
    request = kind(request_id=RequestId(SUPPLIER, target, counter), **fields)
    return asyncio.run(estate.dcc.handle(request))


def told(estate, octets, hub=HUB_2):
    return estate.dcc.take_alert(hub, octets)


def backup(counter=1, *, originator=GPF, devices=LOG):
    fields = GpfLogBackup(time=NOW, devices=devices)
    return GCS62.build_alert(
        fields, OwnKeys(originator, PKI), originator=originator, recipient=ACB, counter=counter
    )


# --- the SMI ----


@pytest.mark.parametrize("family", [S1, S2])
def test_a_hub_has_two_entries_that_go_together(family):
    estate = home()
    chf, gpf = (estate.store.get(device) for device in (HUB[family], gpf_of(HUB[family])))
    assert (chf.gpf, gpf.hub) == (gpf.device, chf.device)
    assert (gpf.device_type, gpf.family, gpf.status) == (SmiType.GPF, family, chf.status)
    assert gpf.model == replace(chf.model, device_type=SmiType.GPF)


def test_a_search_finds_the_gpf_where_its_hub_is():
    estate = home()
    estate.force(HUB_2, import_mpxn="1900000000001")
    response = ask(estate, SearchInventory, ACB, by=Mpxn("1900000000001"))
    assert [record.device for record in response.body.records] == [HUB_2, PPMID, GPF]


def test_a_case_that_begins_has_the_gpfs_as_they_were():
    estate = home()
    ask(estate, JoinNonCritical, other=PPMID)
    assert estate.store.get(GPF).joined == (PPMID,)
    estate.dcc.forget_devices()
    assert [record.device for record in estate.store.records()] == [HUB_1, HUB_2, SMETS1_GPF, GPF]
    assert estate.store.get(GPF).joined == ()


# --- 8.7, 8.8, 8.9 ----


def test_a_ppmid_is_joined_by_a_command_to_the_gpf_and_is_commissioned_by_that():
    estate = home()
    asked = len(estate.hubs[S2].asked)
    response = ask(estate, JoinNonCritical, other=PPMID)
    assert (response.code, response.via, dict(response.fields)) == (
        "I0",
        Via.GBCS,
        {"MessageSuccess": "true", "JoinResponseCode": "success"},
    )
    way = estate.dcc.route_of(response)
    assert (way.use_case, parse(way.command).recipient) == ("CS03B", GPF)
    join = CS03B.read_command(way.command, PKI, device=GPF)
    assert (join.method, join.device, join.device_type) == (JoinMethod.METHOD_B, PPMID, DeviceType.PPMID)
    assert (parse(way.response).originator, parse(way.response).mac is not None) == (GPF, True)
    ppmid = estate.store.get(PPMID)
    assert (ppmid.status, ppmid.joined) == (DeviceStatus.COMMISSIONED, (GPF,))
    read = ask(estate, ReadDeviceLog, counter=2)
    assert read.fields["DeviceLog"] == f"{PPMID} PPMID"
    assert len(estate.hubs[S2].asked) == asked, "nothing of it went to a device on the air"


def test_an_unjoin_is_cs04b_and_in_both_records():
    estate = home()
    ask(estate, JoinNonCritical, other=PPMID)
    response = ask(estate, UnjoinNonCritical, counter=2, other=PPMID)
    assert (response.code, estate.dcc.route_of(response).use_case) == ("I0", "CS04B")
    assert (estate.store.get(PPMID).joined, estate.store.get(GPF).joined) == ((), ())
    again = ask(estate, UnjoinNonCritical, counter=3, other=PPMID)
    assert (again.ok, again.fields["UnjoinResponseCode"]) == (False, "device not in device log")


def test_a_critical_join_is_none_of_the_gpfs():
    refused(ask(home(), JoinCritical, other=PPMID), Stage.DEVICE_KNOWN, "E11")


def test_the_response_of_a_gpf_that_answers_as_the_chf_is_refused():
    estate = home(defects=[HubDefect.GPF_ANSWERS_AS_CHF])
    response = ask(estate, JoinNonCritical, other=PPMID)
    assert (response.ok, response.stage, response.code) == (False, Stage.DELIVERY, "E21")
    assert str(HUB_2) in response.reason
    assert estate.store.get(PPMID).joined == ()


def test_on_a_smets1_hub_the_s1sp_is_asked_and_no_octet_of_gbcs_is_made():
    estate = home(S1)
    for counter, kind in enumerate((JoinNonCritical, UnjoinNonCritical), 1):
        response = ask(estate, kind, SMETS1_GPF, counter, other=PPMID)
        way = estate.dcc.route_of(response)
        assert (response.via, way.command, way.use_case) == (Via.S1SP, b"", None)
    estate.dcc.provision_old_gpf(OLD_GPF, HUB_1, ())
    refused(ask(estate, RestoreGpfDeviceLog, SMETS1_GPF, 3, old_gpf=OLD_GPF), Stage.ROUTE, "E11")


# --- GCS62 and 8.12.2 ----


def test_a_backup_counts_when_it_is_of_the_hubs_own_gpf():
    estate = home()
    alert = told(estate, backup())
    assert (alert.refused, alert.alert_code) == ("", 0x8071)
    assert alert.told == {"DeviceLog": f"{PPMID} PPMID, {GSME} GSME"}


@pytest.mark.parametrize(
    ("octets", "hub", "reason"),
    [
        (backup(originator=HUB_2), HUB_2, "no GPF of the hub"),
        (backup(originator=PPMID), HUB_2, "no GPF of the hub"),
        (backup(), HUB_1, "no GPF of the hub"),
        (backup()[:-1] + bytes([backup()[-1] ^ 1]), HUB_2, "MAC"),
    ],
    ids=["of the CHF", "of a PPMID", "through another hub", "wrong MAC"],
)
def test_another_backup_is_refused(octets, hub, reason):
    estate = home()
    assert reason in told(estate, octets, hub).refused
    response = ask(estate, ReadDeviceLog)
    assert response.ok


def test_8_12_2_gives_the_gpf_the_log_that_the_old_one_backed_up():
    estate = home()
    estate.dcc.provision_old_gpf(OLD_GPF, HUB_2, LOG)
    estate.force(OLD_GPF, joined=(PPMID,))
    estate.force(PPMID, joined=(OLD_GPF,))
    response = ask(estate, RestoreGpfDeviceLog, old_gpf=OLD_GPF)
    way = estate.dcc.route_of(response)
    assert (response.code, way.use_case, parse(way.command).message_code) == ("I0", "GCS59", 0x008C)
    assert GCS59.read_command(way.command, PKI, device=GPF) == LOG
    assert response.fields["RestoreOutcomes"] == f"{PPMID} PPMID success, {GSME} GSME success"
    assert estate.hubs[S2].gpf.device_log() == LOG
    assert [estate.store.get(device).joined for device in (GPF, OLD_GPF, PPMID)] == [(PPMID,), (), (GPF,)]
    assert estate.store.get(OLD_GPF).status is DeviceStatus.DECOMMISSIONED
    assert estate.dcc.alerts[-1].told == {"DeviceLog": f"{PPMID} PPMID, {GSME} GSME"}


def test_what_a_gpf_joined_itself_is_what_another_is_given():
    estate = home()
    ask(estate, JoinNonCritical, other=PPMID)
    estate.dcc.provision_old_gpf(OLD_GPF, HUB_2, ())
    other = replace(estate.store.get(OLD_GPF), status=DeviceStatus.COMMISSIONED)
    assert other.device_type is SmiType.GPF
    request = RestoreGpfDeviceLog(request_id=RequestId(SUPPLIER, OLD_GPF, 9), old_gpf=GPF)
    command = estate.dcc.trials.command("GCS59", request)
    assert GCS59.read_command(command, PKI, device=OLD_GPF) == (LOG[0],)


def test_a_hub_that_is_exchanged_takes_no_gpf_of_the_old_one_with_it():
    estate = home()
    new = Hub(NEW_HUB, tunnel=True)
    estate.dcc.provision_hub(hub_prenotification(NEW_HUB, S2, gpf_of(NEW_HUB)), new)
    assert ask(estate, RestoreHanDeviceLog, NEW_HUB, old_hub=HUB_2).ok
    assert [estate.store.get(device).hub for device in (PPMID, GPF, gpf_of(NEW_HUB))] == [
        NEW_HUB,
        HUB_2,
        NEW_HUB,
    ]


def test_an_entry_that_cannot_be_restored_makes_the_response_say_so():
    estate = home()
    estate.dcc.provision_old_gpf(OLD_GPF, HUB_2, (LOG[0], JoinedDevice(GSME, DeviceType.ESME)))
    response = ask(estate, RestoreGpfDeviceLog, old_gpf=OLD_GPF)
    assert (response.ok, response.stage) == (False, Stage.DELIVERY)
    assert response.fields["MessageSuccess"] == "false"
    assert estate.store.get(GPF).joined == ()
