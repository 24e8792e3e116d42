"""A CPL row that goes suspends the devices that stand on it; when it is back, so are they."""

import asyncio

import pytest

from harness.dcc.documents import Stage
from harness.smets.cpl import CplStatus
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_1, HUB_2, NOTICE, PPMID, S1, S2, Estate
from tests.smets.rules import changed


def status(estate):
    return {record.device: record.status for record in estate.dcc.inventory()}[PPMID]


@pytest.mark.parametrize("how", [*CplStatus, None])
def test_a_row_that_is_gone_suspends_and_one_that_is_back_restores(how):
    estate = Estate()
    asyncio.run(estate.row(S1, S2))
    estate.dcc.device_joined(HUB_2, PPMID)
    whole = estate.dcc.cpl
    model = NOTICE.device_model
    estate.dcc.publish_cpl(whole.with_status(model, S2, how) if how else whole.without(model, S2))
    active = how is CplStatus.ACTIVE
    assert status(estate) is (DeviceStatus.INSTALLED_NOT_COMMISSIONED if active else DeviceStatus.SUSPENDED)
    response = asyncio.run(estate.dcc.request("11.2", PPMID))
    assert (response.ok, response.stage) == ((True, None) if active else (False, Stage.STATUS))
    estate.dcc.publish_cpl(whole)
    assert status(estate) is DeviceStatus.INSTALLED_NOT_COMMISSIONED
    assert asyncio.run(estate.dcc.request("11.2", PPMID)).ok


def test_the_row_of_the_other_family_is_none_of_its_business():
    estate = Estate()
    asyncio.run(estate.row(S1, S2))
    estate.dcc.publish_cpl(estate.dcc.cpl.without(NOTICE.device_model, S1))
    assert status(estate) is DeviceStatus.WHITELISTED


def test_the_rulebook_says_which_states_suspend():
    estate = Estate(rules=changed("CPL-SUSPENDS", ["Withdrawn"]))
    asyncio.run(estate.row(S1, S2))
    estate.dcc.publish_cpl(estate.dcc.cpl.with_status(NOTICE.device_model, S2, CplStatus.EXPIRED))
    assert status(estate) is DeviceStatus.WHITELISTED


def test_hubs_are_suspended_too_and_a_case_begins_with_the_rigs_own_list():
    estate = Estate()
    whole = estate.dcc.cpl
    (row,) = [row for row in whole.rows if row.model.device_type.value == "CHF" and row.family is S1]
    estate.dcc.publish_cpl(whole.without(row.model, S1))
    suspended = {
        record.device for record in estate.dcc.inventory() if record.status is DeviceStatus.SUSPENDED
    }
    assert suspended == {HUB_1}
    estate.dcc.forget_devices()
    assert estate.dcc.cpl is whole
    assert {record.status for record in estate.dcc.inventory()} == {DeviceStatus.COMMISSIONED}


def test_a_hub_of_the_benchs_own_that_a_users_list_never_knew_stays():
    whole = Estate().dcc.cpl
    (row,) = [row for row in whole.rows if row.model.device_type.value == "CHF" and row.family is S1]
    estate = Estate(cpl=whole.without(row.model, S1))
    estate.dcc.publish_cpl(estate.dcc.cpl)
    assert {record.status for record in estate.dcc.inventory()} == {DeviceStatus.COMMISSIONED}
