"""A hub takes another's place (8.12.1): its devices move, and PPMIDs get its version by the rulebook."""

import asyncio

import pytest

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.defects import DccDefect
from harness.dcc.documents import RequestId, Stage, Via
from harness.dcc.duis.requests import RestoreHanDeviceLog
from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER
from harness.smets.smi import DeviceStatus
from harness.zigbee.swap_out import TrustCentreBackup
from tests.dcc.estate import HUB, NOTICE, PPMID, S1, S2, Estate, Hub
from tests.dcc.test_dsp import refused
from tests.smets.rules import changed

NEW = {S1: Eui64.parse("00-DB-12-34-56-78-92-01"), S2: Eui64.parse("00-DB-12-34-56-78-92-02")}


def exchanged(old, new, *, withdrawn=False, logged=(), **options):
    """Whitelist a PPMID on a hub, and have a new hub take that one's place."""
    estate = Estate(**options)
    asyncio.run(estate.row(old, old))
    hub = Hub(NEW[new], tunnel=new is S2)
    estate.dcc.provision_hub(hub_prenotification(NEW[new], new), hub)
    estate.new_hub = hub
    estate.hubs[old].hashes = dict(logged)
    if withdrawn:
        estate.dcc.cpl = estate.dcc.cpl.without(NOTICE.device_model, new)
    request = RestoreHanDeviceLog(request_id=RequestId(SUPPLIER, NEW[new], 1), old_hub=HUB[old])
    return estate, asyncio.run(estate.dcc.handle(request))


PAIRS = [(S1, S1), (S1, S2), (S2, S1), (S2, S2)]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_devices_move_with_their_log_and_take_the_new_hubs_version(old, new):
    estate, response = exchanged(old, new)
    assert (response.ok, response.code) == (True, "I0")
    assert response.via is (Via.S1SP if new is S1 else Via.GBCS)
    record = estate.store.get(PPMID)
    assert (record.hub, record.family, record.notified_as) == (NEW[new], new, old)
    assert estate.store.get(HUB[old]).status is DeviceStatus.DECOMMISSIONED
    assert estate.dcc.route_of(response).use_case == ("CCS03" if new is S2 else None)
    changes = [change for change in estate.store.history(PPMID) if change.by == response.request_id]
    assert {change.what for change in changes} >= {"hub"}
    assert ("family" in {change.what for change in changes}) is (old is not new)


def test_the_s1sp_hands_the_log_of_a_hub_of_its_own_to_the_one_that_replaces_it():
    key = bytes(16)
    estate, response = exchanged(S1, S1, logged={PPMID: key})
    assert response.ok
    backup = TrustCentreBackup(extended_pan_id=HUB[S1], link_key_hashes={PPMID: key})
    assert estate.new_hub.asked == [("restore", backup)]


def test_without_a_row_of_the_new_version_the_whole_exchange_is_refused():
    estate, response = exchanged(S1, S2, withdrawn=True)
    refused(response, Stage.VERSIONING, "E081205")
    assert str(PPMID) in response.reason
    assert (estate.store.get(PPMID).hub, estate.store.get(PPMID).family) == (HUB[S1], S1)


def test_a_rulebook_may_leave_every_version_as_it_is():
    rules = changed("HUB-EXCHANGE", {"versioning": False, "code": "E081205"})
    estate, response = exchanged(S1, S2, rules=rules)
    assert response.ok
    assert (estate.store.get(PPMID).hub, estate.store.get(PPMID).family) == (NEW[S2], S1)


def test_a_dsp_that_leaves_versions_as_they_are_shows_it():
    estate, response = exchanged(S1, S2, defects=(DccDefect.LEAVE_ON_EXCHANGE,))
    assert response.ok
    assert estate.store.get(PPMID).family is S1


def test_a_hub_takes_neither_its_own_place_nor_that_of_nobody():
    estate, _ = exchanged(S2, S2)

    def ask(old, counter):
        request = RestoreHanDeviceLog(request_id=RequestId(SUPPLIER, NEW[S2], counter), old_hub=old)
        return asyncio.run(estate.dcc.handle(request))

    refused(ask(NEW[S2], 2), Stage.DEVICE_KNOWN, "E11")
    refused(ask(Eui64(1), 3), Stage.DEVICE_KNOWN, "E19")
    refused(ask(PPMID, 4), Stage.DEVICE_KNOWN, "E19")
