"""What lies next to the table: rows that are not there, by every event and under both regimes.

The published table assumes that "all models exist in the CPL". Here the row of the resulting version is
Active, missing, Cancelled, Expired or Withdrawn, when a PPMID is installed first, whitelisted again on
another hub, moved with its hub, or taken over by another supplier; its two rows share a firmware version or
are a tactical pair.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.documents import RequestId, ServiceRequest, Stage
from harness.dcc.duis.requests import RestoreHanDeviceLog
from harness.dcc.users import BENCH_USERS, Registration
from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER
from harness.smets.cpl import Cpl, CplRow, CplStatus, key_in_force
from tests.dcc.estate import HUB, NOTICE, PPMID, S1, S2, Estate, Hub
from tests.smets.rules import changed, own

FICTITIOUS = "F1020304"
NEW_HUB = Eui64.parse("00-DB-12-34-56-78-92-09")
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MPXN = "1900000000001"
STATES = [*CplStatus, None]
ACTIVE = CplStatus.ACTIVE


def rules_and_firmware(shape):
    """Return the rulebook, and the firmware version of each row: one for both, or a tactical pair."""
    if shape == "enduring":
        return own(), {S1: NOTICE.firmware, S2: NOTICE.firmware}
    return changed("MP202-FIRMWARE", "row"), {S1: FICTITIOUS, S2: NOTICE.firmware}


def neighbourhood(shape):
    rules, firmware = rules_and_firmware(shape)
    estate = Estate(rules=rules, clock=lambda: NOW)
    rows = [row for row in estate.dcc.cpl.rows if row.model.model != NOTICE.model]
    rows += [
        CplRow(model=NOTICE.device_model.with_firmware(firmware[family]), version=family.value, family=family)
        for family in (S1, S2)
    ]
    estate.dcc.cpl = Cpl(rows, key_in_force(rules))
    estate.firmware = firmware
    return estate


def put_row_into(estate, family, state):
    """Have the CPL say that of the row of one family from now on, without suspending anybody."""
    model = NOTICE.device_model.with_firmware(estate.firmware[family])
    cpl = estate.dcc.cpl
    estate.dcc.cpl = cpl.without(model, family) if state is None else cpl.with_status(model, family, state)


async def first_install(estate, hub, state):
    await estate.prenotify(hub.other, firmware=estate.firmware[hub.other])
    put_row_into(estate, hub, state)
    return await estate.whitelist(hub)


async def whitelisted_again(estate, hub, state):
    await estate.prenotify(hub.other, firmware=estate.firmware[hub.other])
    assert (await estate.whitelist(hub.other)).ok
    assert (await estate.dcc.unwhitelist(HUB[hub.other], PPMID)).ok
    put_row_into(estate, hub, state)
    return await estate.whitelist(hub)


async def hub_exchanged(estate, hub, state):
    await estate.prenotify(hub.other, firmware=estate.firmware[hub.other])
    assert (await estate.whitelist(hub.other)).ok
    estate.dcc.provision_hub(hub_prenotification(NEW_HUB, hub), Hub(NEW_HUB, tunnel=hub is S2))
    put_row_into(estate, hub, state)
    request = RestoreHanDeviceLog(request_id=RequestId(SUPPLIER, NEW_HUB, 1), old_hub=HUB[hub.other])
    return await estate.dcc.handle(request)


EVENTS = {"first install": first_install, "again": whitelisted_again, "hub exchange": hub_exchanged}


@pytest.mark.parametrize("shape", ["enduring", "tactical"])
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.value if state else "missing")
@pytest.mark.parametrize("hub", [S1, S2], ids=lambda family: family.value)
def test_a_ppmid_flips_where_its_row_is_active_and_is_refused_where_it_is_not(shape, event, state, hub):
    estate = neighbourhood(shape)
    response = asyncio.run(EVENTS[event](estate, hub, state))
    record = estate.store.get(PPMID)
    if state is ACTIVE:
        assert response.ok
        assert (record.family, record.model.firmware) == (hub, estate.firmware[hub])
        assert asyncio.run(estate.dcc.request("11.2", PPMID)).via.value == ("s1sp" if hub is S1 else "gbcs")
        return
    assert (response.ok, response.stage) == (False, Stage.VERSIONING)
    assert response.code == ("E081205" if event == "hub exchange" else "E081105")
    assert "MP202-ROW-" + (state.name if state else "MISSING") in response.rules
    assert (record.family, record.model.firmware) == (hub.other, estate.firmware[hub.other])
    assert record.hub == {"first install": None, "again": None}.get(event, HUB[hub.other])


@pytest.mark.parametrize("shape", ["enduring", "tactical"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.value if state else "missing")
@pytest.mark.parametrize("hub", [S1, S2], ids=lambda family: family.value)
def test_after_a_change_of_supplier_the_version_is_what_it_was_and_the_row_decides(shape, state, hub):
    """A gaining supplier reaches the PPMID as the losing one did, whatever it was pre-notified as."""
    estate = neighbourhood(shape)
    gaining = BENCH_USERS[1].eui64

    async def run():
        assert (await first_install(estate, hub, ACTIVE)).ok
        for user, days in ((SUPPLIER, 300), (gaining, 1)):
            registration = Registration(mpxn=MPXN, user=user, since=NOW - timedelta(days=days))
            estate.users.register(registration)
        estate.force(HUB[hub], import_mpxn=MPXN)
        put_row_into(estate, hub, state)
        return [
            await estate.dcc.handle(ServiceRequest(request_id=RequestId(user, PPMID, 9), srv="11.2"))
            for user in (SUPPLIER, gaining)
        ]

    losing_one, gaining_one = asyncio.run(run())
    assert (losing_one.stage, losing_one.code) == (Stage.RESPONSIBLE, "E4")
    assert (gaining_one.ok, gaining_one.stage) == ((True, None) if state is ACTIVE else (False, Stage.CPL))
    assert estate.store.get(PPMID).family is hub


@pytest.mark.parametrize("shape", ["enduring", "tactical"])
@pytest.mark.parametrize("hub", [S1, S2], ids=lambda family: family.value)
def test_the_row_of_the_version_that_it_leaves_does_not_matter(shape, hub):
    estate = neighbourhood(shape)

    async def run():
        await estate.prenotify(hub.other, firmware=estate.firmware[hub.other])
        put_row_into(estate, hub.other, CplStatus.WITHDRAWN)
        return await estate.whitelist(hub)

    assert asyncio.run(run()).ok
    assert estate.store.get(PPMID).family is hub


def test_of_two_ppmids_the_one_whose_row_is_missing_keeps_its_hub_from_being_exchanged():
    estate = neighbourhood("enduring")
    lone = replace(NOTICE.device_model, model="000A0100")
    rows = [*estate.dcc.cpl.rows, CplRow(model=lone, version="SMETS1", family=S1)]
    estate.dcc.cpl = Cpl(rows, estate.dcc.cpl.key_fields)
    other = Eui64.parse("00-DB-12-34-56-78-90-97")

    async def run():
        await estate.prenotify(S1)
        await estate.prenotify(S1, device=other, model=lone.model)
        for device in (PPMID, other):
            assert (await estate.whitelist(S1, device)).ok
        estate.dcc.provision_hub(hub_prenotification(NEW_HUB, S2), Hub(NEW_HUB, tunnel=True))
        request = RestoreHanDeviceLog(request_id=RequestId(SUPPLIER, NEW_HUB, 1), old_hub=HUB[S1])
        return await estate.dcc.handle(request)

    response = asyncio.run(run())
    assert (response.ok, response.code) == (False, "E081205")
    assert str(other) in response.reason
    assert {estate.store.get(device).hub for device in (PPMID, other)} == {HUB[S1]}
