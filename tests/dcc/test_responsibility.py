"""Where another supplier is registered, nobody else gets round it: not by firmware, hubs or meter points."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.documents import FirmwareWarning, RequestId, Stage
from harness.dcc.duis.requests import (
    CommandVariant,
    HubInstalled,
    JoinNonCritical,
    LogAction,
    MpxnKind,
    ReadFirmwareVersion,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    ReturnLocalCommandResponse,
    SetMpxn,
    UpdateHanDeviceLog,
    UpdateInventory,
    UpdatePpmidFirmware,
)
from harness.dcc.users import Registration
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import FIRMWARE, HUB_1, HUB_2, INSTALL_CODE, PKI, PPMID, S2, Hub
from tests.dcc.test_access import SUPPLIER_2, handled
from tests.dcc.test_device_requests import ESME, GPF, NEW_GPF, home
from tests.dcc.test_dsp import refused
from tests.smets.rules import changed

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
THERE, ELSEWHERE = "1900000000001", "1900000000002"
NEW_HUB = Eui64.parse("00-DB-12-34-56-78-92-02")


def others_home(**options):
    """Return an estate whose PPMID is at a meter point of the second supplier's, by its hub's record."""
    estate = home(**options)
    estate.force(HUB_2, import_mpxn=THERE)
    estate.force(PPMID, status=DeviceStatus.COMMISSIONED)
    estate.users.register(Registration(mpxn=THERE, user=SUPPLIER_2, since=NOW - timedelta(days=1)))
    estate.dcc.provision_hub(hub_prenotification(NEW_HUB, S2), Hub(NEW_HUB, tunnel=True))
    return estate


def asked(kind, target=ACB, counter=1, by=SUPPLIER, **fields):
    return kind(request_id=RequestId(by, target, counter), **fields)


def installed(hub, mpxn):
    return asked(HubInstalled, hub=hub, install_type="x", mpxn=mpxn, aerial=False, location="x")


def taken_off(device=PPMID, hub=HUB_2):
    return asked(UpdateHanDeviceLog, hub, device=device, action=LogAction.REMOVE)


def put_on(hub):
    return asked(
        UpdateHanDeviceLog,
        hub,
        device=PPMID,
        action=LogAction.ADD,
        install_code=INSTALL_CODE,
        join_time_s=60,
    )


REACHING = {
    "11.2": lambda: asked(ReadFirmwareVersion, PPMID),
    "8.14.1, of the hub": lambda: installed(HUB_2, ELSEWHERE),
    "8.14.1, at the meter point": lambda: installed(HUB_1, THERE),
    "8.12.1, of the old hub": lambda: asked(RestoreHanDeviceLog, NEW_HUB, old_hub=HUB_2),
    "8.12.1, of the new hub": lambda: asked(RestoreHanDeviceLog, HUB_2, old_hub=NEW_HUB),
    "8.12.2, of the old GPF": lambda: asked(RestoreGpfDeviceLog, NEW_GPF, old_gpf=GPF),
    "8.4, a meter point": lambda: asked(
        UpdateInventory, device=ESME, change=SetMpxn(MpxnKind.IMPORT, ELSEWHERE)
    ),
    "8.11, off the hub": taken_off,
    "8.11, to another hub": lambda: put_on(HUB_1),
    "8.7.2": lambda: asked(JoinNonCritical, PPMID, other=ESME),
}


@pytest.mark.parametrize("request_of", REACHING.values(), ids=REACHING.keys())
def test_what_is_about_others_premises_is_refused_and_changes_nothing(request_of):
    estate = others_home()
    if "NEW_GPF" in request_of.__code__.co_names:
        estate.force(NEW_GPF, hub=NEW_HUB)
    before = tuple(estate.store.records())
    (response,) = handled(estate, request_of())
    refused(response, Stage.RESPONSIBLE, "E4")
    assert "ACCESS-BY-REGISTRATION" in response.rules
    assert tuple(estate.store.records()) == before
    refused(handled(estate, asked(ReadFirmwareVersion, PPMID, counter=2))[0], Stage.RESPONSIBLE, "E4")


@pytest.mark.parametrize("mpxn", [THERE, ELSEWHERE])
def test_a_hub_is_installed_by_who_is_responsible(mpxn):
    estate = others_home()
    by_whom = asked(
        HubInstalled, by=SUPPLIER_2, hub=HUB_2, install_type="x", mpxn=mpxn, aerial=False, location="x"
    )
    assert handled(estate, by_whom)[0].ok
    assert estate.store.get(HUB_2).import_mpxn == mpxn


def test_a_ppmid_at_others_premises_is_left_out_of_11_4_and_the_rest_is_not():
    estate = others_home()
    distribution = asked(
        UpdatePpmidFirmware, image=b"\x1e\xf1\xee\x0b", firmware="01020304", devices=(PPMID, Eui64(1))
    )
    (response,) = handled(estate, distribution)
    assert isinstance(response.body, FirmwareWarning)
    assert response.body.lists == {"InvalidDeviceIDList": (PPMID, Eui64(1))}
    assert "FIRMWARE-NOT-REGISTERED" in response.rules
    by_whom = asked(
        UpdatePpmidFirmware, by=SUPPLIER_2, image=distribution.image, firmware="01020304", devices=(PPMID,)
    )
    assert handled(estate, by_whom)[0].code == "I99"


def test_on_which_list_it_stands_is_the_rulebooks_to_say():
    estate = others_home(rules=changed("FIRMWARE-NOT-REGISTERED", "InvalidGBCSVersionList"))
    distribution = asked(UpdatePpmidFirmware, image=b"x", firmware="01020304", devices=(PPMID,))
    assert handled(estate, distribution)[0].body.lists == {"InvalidGBCSVersionList": (PPMID,)}


def test_the_hub_that_takes_anothers_place_is_at_its_meter_point():
    estate = others_home()
    exchange = asked(RestoreHanDeviceLog, NEW_HUB, by=SUPPLIER_2, old_hub=HUB_2)
    assert handled(estate, exchange)[0].ok
    assert estate.store.get(NEW_HUB).import_mpxn == THERE
    refused(handled(estate, asked(ReadFirmwareVersion, PPMID))[0], Stage.RESPONSIBLE, "E4")


def test_the_response_to_a_local_command_is_taken_of_who_was_handed_it_alone():
    estate = home()
    local = asked(ReadFirmwareVersion, PPMID, counter=5, command_variant=CommandVariant.LOCAL)
    (handed,) = handled(estate, local)
    answer = cs08.response(handed.body.message, FIRMWARE, OwnKeys(PPMID, PKI))

    def returned(by):
        return asked(ReturnLocalCommandResponse, by=by, counter=6, original=local.request_id, response=answer)

    theirs, own = handled(estate, returned(SUPPLIER_2), returned(SUPPLIER))
    refused(theirs, Stage.DELIVERY, "E081301")
    assert own.ok


@pytest.mark.parametrize(
    "status", [one for one in DeviceStatus if one.value not in ("InstalledNotCommissioned", "Commissioned")]
)
def test_the_log_of_a_hub_is_not_updated_in_every_status_of_the_hub(status):
    estate = home()
    estate.force(HUB_2, status=status)
    sent = len(estate.hubs[S2].asked)
    for request in (taken_off(), put_on(HUB_2)):
        estate.store.note_request = lambda *_: True
        (response,) = handled(estate, request)
        refused(response, Stage.STATUS, "E5")
        assert "STATUS-8.11-HUB" in response.rules
    assert len(estate.hubs[S2].asked) == sent


def test_a_rulebook_may_have_the_log_updated_in_another_status():
    estate = home(rules=changed("STATUS-8.11-HUB", ["Commissioned", "Decommissioned"]))
    estate.force(HUB_2, status=DeviceStatus.DECOMMISSIONED)
    assert asyncio.run(estate.dcc.handle(taken_off())).ok
