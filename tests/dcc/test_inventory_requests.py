"""Requests about the inventory: 8.2 by place, 8.3, 8.4 in all its forms, 8.14."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.dcc.documents import RequestId, Stage, Via
from harness.dcc.duis.requests import (
    Decommission,
    DeleteDevice,
    DeviceDetails,
    HubInstalled,
    HubInstalledWithoutWan,
    Mpxn,
    MpxnKind,
    PropertyFilter,
    SearchInventory,
    SetHubStatus,
    SetMpxn,
    SetStatus,
    UpdateInventory,
    Uprn,
)
from harness.dcc.users import Premises, Users
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import CplStatus, DeviceType
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_1, HUB_2, NOTICE, PPMID, S1, S2, Estate
from tests.dcc.stores import put
from tests.dcc.test_dsp import refused
from tests.dcc.test_interim import FIRMWARE
from tests.dcc.test_interim import estate as interim_estate
from tests.smets.rules import own

ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
ESME_NOTICE = replace(
    NOTICE,
    device=ESME,
    device_type=DeviceType.ESME,
    manufacturer="1236",
    model="00220100",
    firmware="00020002",
    version="SMETS V5.1",
)
PENDING, LISTED, INSTALLED, COMMISSIONED, GONE, WITHDRAWN = (
    DeviceStatus.PENDING,
    DeviceStatus.WHITELISTED,
    DeviceStatus.INSTALLED_NOT_COMMISSIONED,
    DeviceStatus.COMMISSIONED,
    DeviceStatus.DECOMMISSIONED,
    DeviceStatus.WITHDRAWN,
)


class Asking:
    """Sends requests to an estate, each under a counter of its own."""

    def __init__(self, estate):
        self.estate = estate
        self.counter = 0

    def __call__(self, kind, target=ACB, **fields):
        self.counter += 1
        request = kind(request_id=RequestId(SUPPLIER, target, self.counter), **fields)
        return asyncio.run(self.estate.dcc.handle(request))

    def update(self, change, device=PPMID):
        return self(UpdateInventory, device=device, change=change)

    def record(self, device=PPMID):
        return self.estate.store.get(device)


def asking(status=PENDING, device=PPMID, **options):
    """Return a PPMID and an ESME in the SMI, one of them in that status."""
    estate = Estate(**options)
    asyncio.run(estate.prenotify(S1))
    asyncio.run(estate.dcc.prenotify(ESME_NOTICE))
    estate.force(device, status=status)
    return Asking(estate)


# --- 8.3 ----


@pytest.mark.parametrize("status", list(DeviceStatus))
def test_a_device_is_decommissioned_from_where_the_rulebook_says(status):
    ask = asking(status)
    ask.estate.force(PPMID, hub=HUB_2, joined=(ESME,))
    response = ask(Decommission, device=PPMID)
    if status.value in own().rule("SMI-DECOMMISSION").texts("from"):
        assert (response.code, response.via) == ("I99", Via.DSP)
        record = ask.record()
        assert (record.status, record.hub, record.joined) == (GONE, None, ())
    else:
        refused(response, Stage.STATUS, "E5")
        assert ask.record().status is status


def test_what_is_not_there_cannot_be_decommissioned():
    refused(asking()(Decommission, device=Eui64(1)), Stage.DEVICE_KNOWN, "E19")


# --- 8.4 ----


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (LISTED, SetStatus(PENDING), PENDING),
        (GONE, SetStatus(PENDING), PENDING),
        (PENDING, SetStatus(INSTALLED), INSTALLED),
        (COMMISSIONED, SetStatus(PENDING), None),
        (WITHDRAWN, SetStatus(INSTALLED), None),
    ],
)
def test_a_status_is_set_by_hand_where_the_rulebook_lets_it(before, change, after):
    ask = asking(before)
    response = ask.update(change)
    if after is None:
        refused(response, Stage.STATUS, "E5")
    assert ask.record().status is (after or before)


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        (PENDING, COMMISSIONED, COMMISSIONED),
        (COMMISSIONED, WITHDRAWN, WITHDRAWN),
        (PENDING, INSTALLED, INSTALLED),
        (WITHDRAWN, COMMISSIONED, None),
    ],
)
def test_a_hubs_status_is_set_by_hand(before, status, after):
    ask = asking(before, HUB_2)
    response = ask.update(SetHubStatus(status), HUB_2)
    if after is None:
        refused(response, Stage.STATUS, "E5")
    assert ask.record(HUB_2).status is (after or before)


def test_a_hubs_statuses_are_not_a_devices_and_the_other_way_round():
    ask = asking()
    refused(ask.update(SetHubStatus(COMMISSIONED)), Stage.STATUS, "E11")
    refused(ask.update(SetStatus(PENDING), HUB_2), Stage.STATUS, "E11")


def test_details_are_changed_to_those_of_a_row_in_the_cpl():
    ask = asking()
    response = ask.update(DeviceDetails(version="SMETS2+"))
    record = ask.record()
    assert response.ok
    assert (record.family, record.version, record.gbcs_version, record.notified_as) == (
        S2,
        "SMETS2+",
        "4.2",
        S1,
    )
    assert record.model == NOTICE.device_model


@pytest.mark.parametrize(
    "details",
    [
        DeviceDetails(firmware="0102FFFF"),
        DeviceDetails(model="00990100"),
        DeviceDetails(manufacturer="4321"),
        DeviceDetails(firmware="01020303", version="SMETS V5.1"),  # its row is Withdrawn
    ],
)
def test_details_that_no_active_row_has_are_refused_and_nothing_changes(details):
    ask = asking()
    before = ask.record()
    refused(ask.update(details), Stage.CPL, "E080405")
    assert ask.record() == before


def test_before_mp202_a_wrong_version_is_put_right_by_hand():
    estate = interim_estate()

    async def wrong():
        await estate.prenotify(S2, firmware=FIRMWARE[S2])
        await estate.whitelist(S1)
        return await estate.dcc.request("11.2", PPMID)

    refused(asyncio.run(wrong()), Stage.VERSIONING, "E5")
    ask = Asking(estate)
    refused(ask.update(DeviceDetails(version="SMETS1")), Stage.CPL, "E080405")  # no such row: real firmware
    assert ask.update(DeviceDetails(version="SMETS1", firmware=FIRMWARE[S1])).ok
    response = asyncio.run(estate.dcc.request("11.2", PPMID))
    assert (response.ok, response.via) == (True, Via.S1SP)


@pytest.mark.parametrize("status", list(DeviceStatus))
def test_a_device_is_deleted_where_the_rulebook_lets_it_and_keeps_its_history(status):
    ask = asking(status)
    response = ask.update(DeleteDevice())
    if status in (PENDING, GONE, WITHDRAWN):
        assert response.ok
        assert ask.record() is None
        assert ask.estate.store.history(PPMID)[-1].by == response.request_id
    else:
        refused(response, Stage.STATUS, "E5")


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (MpxnKind.IMPORT, "import_mpxn"),
        (MpxnKind.SECONDARY_IMPORT, "secondary_import_mpan"),
        (MpxnKind.EXPORT, "export_mpan"),
    ],
)
def test_a_meter_gets_a_meter_point_and_no_other_device_does(kind, field):
    ask = asking()
    assert ask.update(SetMpxn(kind, "1900000000001"), ESME).ok
    assert getattr(ask.record(ESME), field) == "1900000000001"
    shown = asyncio.run(ask.estate.dcc.read_inventory(ESME))
    assert getattr(shown, field) == "1900000000001"
    refused(ask.update(SetMpxn(kind, "1900000000001")), Stage.STATUS, "E11")


# --- 8.2 by place ----

MPXN = "1900000000001"
HOME = Premises(mpxns=(MPXN,), uprn=7, post_code="AB1 2CD", address_identifier="12a")


def at_home():
    ask = asking(users=Users(premises=(HOME,)))
    for device in (PPMID, ESME):
        ask.estate.force(device, hub=HUB_2)
    ask.estate.force(ESME, import_mpxn=MPXN)
    return ask


@pytest.mark.parametrize(
    "by",
    [
        Mpxn(MPXN),
        Uprn(7),
        PropertyFilter(post_code="ab12cd", address_identifier="12A"),
    ],
)
def test_all_devices_at_a_place_are_found_their_hub_first(by):
    response = at_home()(SearchInventory, by=by)
    assert (response.code, response.via) == ("I0", Via.DSP)
    assert [record.device for record in response.body.records] == [HUB_2, ESME, PPMID]


@pytest.mark.parametrize(
    "by",
    [Mpxn("1900000000002"), Uprn(8), PropertyFilter(post_code="AB1 2CD", address_identifier="13")],
)
def test_where_there_is_nothing_nothing_is_found(by):
    refused(at_home()(SearchInventory, by=by), Stage.DEVICE_KNOWN, "E080201")


def test_no_more_devices_are_shown_than_a_response_has_room_for():
    ask = at_home()
    for number in range(1, 30):
        ask.estate.store.apply(put(replace(ask.record(), device=Eui64(number))))
    assert len(ask(SearchInventory, by=Mpxn(MPXN)).body.records) == 17


# --- 8.14 ----


def installed(kind, **more):
    ask = asking(PENDING, HUB_1)
    response = ask(kind, hub=HUB_1, install_type="First", mpxn=MPXN, aerial=False, location="Indoor", **more)
    return ask, response


def test_a_hub_that_was_installed_is_commissioned_and_at_its_meter_point():
    ask, response = installed(HubInstalled, installed=datetime(2026, 1, 5, tzinfo=UTC))
    record = ask.record(HUB_1)
    assert (response.code, record.status, record.import_mpxn) == ("I99", COMMISSIONED, MPXN)


def test_a_hub_without_wan_is_installed_and_not_commissioned():
    ask, response = installed(
        HubInstalledWithoutWan,
        premise_type="House",
        metal_obstruction=False,
        connectivity_obstruction=True,
        shared_obstruction=False,
    )
    assert response.ok
    assert ask.record(HUB_1).status is INSTALLED


def test_only_a_hub_can_have_been_installed_as_one():
    ask = asking()
    response = ask(HubInstalled, hub=PPMID, install_type="First", mpxn=MPXN, aerial=False, location="Indoor")
    refused(response, Stage.DEVICE_KNOWN, "E11")


# --- 12.2 ----


def test_what_a_prenotification_says_beside_the_model_is_kept():
    estate = Estate()
    gpf = Eui64.parse("00-DB-12-34-56-78-90-A3")
    asyncio.run(estate.dcc.prenotify(replace(ESME_NOTICE, esme_variant="AD", gpf=gpf)))
    record = estate.store.get(ESME)
    assert (record.esme_variant, record.gpf) == ("AD", gpf)
    assert asyncio.run(estate.dcc.read_inventory(ESME)).cpl_status is CplStatus.ACTIVE
