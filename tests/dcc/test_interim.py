"""Before MP202: a PPMID keeps the version that it was pre-notified as, and a wrong one is no target."""

import asyncio
from dataclasses import replace

import pytest

from harness.dcc.documents import Stage, Via
from harness.smets.cpl import Cpl, CplRow, key_in_force
from tests.dcc.estate import NOTICE, S1, S2, Estate
from tests.smets.rules import changed

INTERIM = changed("CPL-REGIME", "INTERIM")
REAL, FICTITIOUS = "01020304", "F1020304"
FIRMWARE = {S1: FICTITIOUS, S2: REAL}


def estate(rules=INTERIM):
    rows = [
        CplRow(
            model=replace(NOTICE.device_model, firmware=FIRMWARE[family]), version=family.value, family=family
        )
        for family in (S1, S2)
    ]
    return Estate(rules=rules, cpl=Cpl(rows, key_in_force(rules)))


def row(of, notified, hub):
    async def run():
        assert (await of.prenotify(notified, firmware=FIRMWARE[notified])).ok
        listed = await of.whitelist(hub)
        return listed, await of.dcc.read_inventory(NOTICE.device), await of.dcc.request("11.2", NOTICE.device)

    return asyncio.run(run())


@pytest.mark.parametrize("family", [S1, S2])
def test_a_ppmid_of_its_hubs_version_is_asked_by_the_way_of_that(family):
    listed, shown, response = row(estate(), family, family)
    assert listed.ok
    assert (shown.family, shown.firmware) == (family, FIRMWARE[family])
    assert (response.ok, response.via) == (True, Via.S1SP if family is S1 else Via.GBCS)


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_ppmid_of_the_wrong_version_is_whitelisted_and_then_no_target(hub):
    of = estate()
    listed, shown, response = row(of, hub.other, hub)
    assert listed.ok
    assert (shown.family, shown.hub) == (hub.other, of.hubs[hub].eui64)
    assert not any(rule.startswith("MP202-TABLE") for rule in listed.rules)
    assert (response.ok, response.stage, response.code) == (False, Stage.VERSIONING, "E5")
    assert "INTERIM-WRONG-VERSION" in response.rules
    assert of.hubs[hub].asked == [("add", NOTICE.device, of.hubs[hub].asked[0][2], 90)]


def test_a_rulebook_can_say_that_of_mp202_too():
    rules = changed("INTERIM-WRONG-VERSION", {"regimes": ["INTERIM", "MP202"], "code": "E11"})
    rules = rules.overlay([replace(rules.rule("MP202-ROW-MISSING"), value={"outcome": "keep"})])
    of = Estate(rules=rules)
    of.dcc.cpl = of.dcc.cpl.without(NOTICE.device_model, S2)
    listed, shown, response = asyncio.run(of.row(S1, S2))
    assert (listed.ok, shown.family) == (True, S1)
    assert (response.stage, response.code) == (Stage.VERSIONING, "E11")
