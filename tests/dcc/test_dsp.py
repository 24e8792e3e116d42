"""What the DSP refuses, at which stage and with which code; and what it makes of hubs that do not answer."""

import asyncio
from dataclasses import replace

import pytest

from harness.dcc.documents import RequestId, ServiceRequest, Stage, Via
from harness.errors import DeviceSilent, RadioUndelivered, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER, KeyNotFound
from harness.smets.cpl import Cpl, CplRow, CplStatus, DeviceType, key_in_force
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_1, HUB_2, INSTALL_CODE, NOTICE, PPMID, S1, S2, Estate, Record
from tests.smets.rules import changed

STRANGER = Eui64.parse("00-DB-12-34-56-78-90-97")
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")


def refused(response, stage, code):
    assert (response.ok, response.stage, response.code) == (False, stage, code), response
    assert response.reason
    assert response.body is None


# --- 12.2 ------------------------------------------------------------------------------------------------


def test_a_device_is_prenotified_once_and_its_version_is_kept_as_text():
    estate = Estate()

    async def run():
        return await estate.prenotify(S1), await estate.prenotify(S2), await estate.dcc.read_inventory(PPMID)

    first, again, shown = asyncio.run(run())
    assert (first.code, first.via, first.acknowledgement) == ("I99", Via.DSP, None)
    refused(again, Stage.DEVICE_KNOWN, "E120203")
    assert (shown.version, shown.status, shown.cpl_status) == (
        "SMETS1",
        DeviceStatus.PENDING,
        CplStatus.ACTIVE,
    )


@pytest.mark.parametrize(
    "changes",
    [{"firmware": "0102FFFF"}, {"model": "00990100"}, {"manufacturer": "4321"}, {"firmware": "01020303"}],
    ids=["firmware", "model", "manufacturer", "withdrawn"],
)
def test_a_model_without_an_active_cpl_row_is_not_taken(changes):
    refused(asyncio.run(Estate().prenotify(S1, **changes)), Stage.CPL, "E120204")


def test_an_unreadable_version_is_taken_when_the_model_has_a_row_of_either():
    estate = Estate()
    assert asyncio.run(estate.prenotify("V99 beta")).ok
    estate.dcc.forget_devices()
    assert asyncio.run(estate.prenotify(None)).ok


def test_a_version_text_that_duis_has_no_room_for_is_refused_before_it_is_sent():
    with pytest.raises(ValueError, match="at most 20"):
        replace(NOTICE, version="S" * 21)


# --- 8.2 -------------------------------------------------------------------------------------------------


def test_a_device_that_nobody_prenotified_is_not_in_the_inventory():
    estate = Estate()
    assert asyncio.run(estate.dcc.read_inventory(STRANGER)) is None
    assert estate.dcc.routes[-1].code == "E19"


# --- 8.11 and MP202's neighbours -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, CplStatus.CANCELLED, CplStatus.EXPIRED, CplStatus.WITHDRAWN])
@pytest.mark.parametrize("outcome", ["refuse", "keep", "apply"])
def test_without_an_active_row_of_the_resulting_version_the_rulebook_decides(status, outcome):
    rule = "MP202-ROW-" + (status.name if status else "MISSING")
    estate = Estate(rules=changed(rule, {"outcome": outcome, "code": "E081111"}))
    model = NOTICE.device_model
    cpl = estate.dcc.cpl
    estate.dcc.cpl = cpl.with_status(model, S2, status) if status else cpl.without(model, S2)

    async def run():
        await estate.prenotify(S1)
        listed = await estate.whitelist(S2)
        return listed, await estate.dcc.read_inventory(PPMID)

    listed, shown = asyncio.run(run())
    assert rule in listed.rules
    if outcome == "refuse":
        refused(listed, Stage.VERSIONING, "E081111")
        assert estate.hubs[S2].asked == []
        assert (shown.status, shown.family, shown.hub) == (DeviceStatus.PENDING, S1, None)
    else:
        assert listed.ok
        assert shown.family is (S1 if outcome == "keep" else S2)
        assert shown.status is DeviceStatus.WHITELISTED


def test_a_hub_whose_version_nobody_can_read_is_decided_by_the_rulebook():
    estate = Estate()
    odd = Eui64.parse("00-DB-12-34-56-78-91-03")
    notice = replace(NOTICE, device=odd, device_type=DeviceType.CHF, version="V99")
    estate.dcc.provision_hub(notice, estate.hubs[S2])

    async def run():
        await estate.prenotify(S1)
        return await estate.whitelist(odd)

    listed = asyncio.run(run())
    refused(listed, Stage.VERSIONING, "E081106")
    assert "MP202-HUB-UNKNOWN" in listed.rules


def test_a_ppmid_of_unreadable_version_gets_the_hubs():
    estate = Estate()
    _, shown, response = asyncio.run(estate.row("V99 beta", S2))
    assert (shown.family, shown.version, response.via) == (S2, "SMETS2+", Via.GBCS)


def test_where_the_rulebook_says_so_the_firmware_version_is_that_of_the_row():
    rules = changed("MP202-FIRMWARE", "row")
    fictitious = replace(NOTICE.device_model, firmware="F1020304")
    rows = [
        CplRow(model=NOTICE.device_model, version="SMETS2+", family=S2),
        CplRow(model=fictitious, version="SMETS1", family=S1),
    ]
    estate = Estate(rules=rules, cpl=Cpl(rows, key_in_force(rules)))
    _, shown, response = asyncio.run(estate.row(S2, S1))
    assert (shown.family, shown.firmware) == (S1, "F1020304")
    assert response.ok


def test_a_device_that_the_table_is_not_for_keeps_its_version():
    estate = Estate()
    esme = replace(
        NOTICE,
        device=ESME,
        device_type=DeviceType.ESME,
        manufacturer="1236",
        model="00220100",
        firmware="00020002",
    )

    async def run():
        await estate.dcc.prenotify(replace(esme, version="SMETS V5.1"))
        listed = await estate.whitelist(S1, ESME)
        return listed, await estate.dcc.read_inventory(ESME)

    listed, shown = asyncio.run(run())
    assert listed.ok
    assert shown.family is S2
    assert not any(rule.startswith("MP202-TABLE") for rule in listed.rules)


@pytest.mark.parametrize(
    ("hub", "device", "stage", "code"),
    [
        (HUB_2, STRANGER, Stage.DEVICE_KNOWN, "E19"),
        (STRANGER, PPMID, Stage.DEVICE_KNOWN, "E19"),
        (PPMID, PPMID, Stage.DEVICE_KNOWN, "E11"),
        (HUB_2, HUB_1, Stage.DEVICE_KNOWN, "E11"),
    ],
    ids=["no such device", "no such hub", "not a hub", "a hub on a hub"],
)
def test_whitelisting_needs_a_device_and_a_hub(hub, device, stage, code):
    estate = Estate()

    async def run():
        await estate.prenotify(S1)
        return await estate.dcc.whitelist(hub, device, INSTALL_CODE, 90)

    refused(asyncio.run(run()), stage, code)


@pytest.mark.parametrize(
    ("install_code", "join_time_s"),
    [(INSTALL_CODE, 0), (INSTALL_CODE, 3601), (INSTALL_CODE, 0.5), (b"", 90), (INSTALL_CODE + b"\0", 90)],
)
def test_an_install_code_or_window_that_duis_has_no_room_for_raises(install_code, join_time_s):
    with pytest.raises(ValueError, match=r"an install code|a join window"):
        asyncio.run(Estate().dcc.whitelist(HUB_1, PPMID, install_code, join_time_s))


def test_a_device_is_taken_off_no_hub_but_its_own():
    estate = Estate()

    async def run():
        await estate.row(S1, S2)
        return await estate.dcc.unwhitelist(HUB_1, PPMID), await estate.dcc.read_inventory(PPMID)

    response, shown = asyncio.run(run())
    refused(response, Stage.STATUS, "E5")
    assert shown.hub == HUB_2


# --- requests to a device --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("srv", "device", "stage", "code"),
    [
        ("11.2", STRANGER, Stage.DEVICE_KNOWN, "E19"),
        ("11.2", PPMID, Stage.STATUS, "E5"),
        ("11.2", HUB_2, Stage.DELIVERY, "E11"),
    ],
    ids=[
        "no such device",
        "not whitelisted",
        "a hub is asked in a use case not built",
    ],
)
def test_a_request_that_cannot_be_is_answered_with_a_code(srv, device, stage, code):
    estate = Estate()

    async def run():
        await estate.prenotify(S1)
        return await estate.dcc.request(srv, device)

    refused(asyncio.run(run()), stage, code)


@pytest.mark.parametrize("srv", ["99.9", "12.2"], ids=["unknown", "not to a device"])
def test_a_request_that_is_none_to_a_device_is_answered_with_a_code(srv):
    request = ServiceRequest(request_id=RequestId(SUPPLIER, PPMID, 1), srv=srv)
    refused(asyncio.run(Estate().dcc.handle(request)), Stage.KNOWN_REQUEST, "E11")


def test_a_request_that_duis_has_not_cannot_be_sent():
    with pytest.raises(StimulusImpossible, match=r"DUIS has no service reference 99\.9"):
        asyncio.run(Estate().dcc.request("99.9", PPMID))


def test_a_device_whose_cpl_row_is_withdrawn_is_no_target():
    estate = Estate()

    async def run():
        await estate.row(S1, S2)
        estate.dcc.cpl = estate.dcc.cpl.with_status(NOTICE.device_model, S2, CplStatus.WITHDRAWN)
        return await estate.dcc.request("11.2", PPMID), await estate.dcc.read_inventory(PPMID)

    response, shown = asyncio.run(run())
    refused(response, Stage.CPL, "E5")
    assert shown.cpl_status is CplStatus.WITHDRAWN


def test_a_use_case_that_this_dcc_does_not_build_is_answered():
    estate = Estate(rules=changed("USE-CASE-11.2", {"PPMID": "ECS52"}))
    _, _, response = asyncio.run(estate.row(S1, S2))
    refused(response, Stage.DELIVERY, "E11")
    assert "ECS52" in response.reason


@pytest.mark.parametrize("hub", [S1, S2])
@pytest.mark.parametrize(
    ("fault", "code"),
    [(DeviceSilent("no answer"), "E21"), (RadioUndelivered("not acknowledged"), "E20")],
    ids=["silent", "undelivered"],
)
def test_a_device_that_does_not_answer_is_a_code_with_its_cause(hub, fault, code):
    estate = Estate()

    async def run():
        await estate.row(S1, hub)
        estate.hubs[hub].fails = fault
        return await estate.dcc.request("11.2", PPMID)

    response = asyncio.run(run())
    refused(response, Stage.DELIVERY, code)
    assert response.cause is fault
    assert response.acknowledgement.code == "I99"


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_whitelisting_that_the_hub_did_not_take_changes_nothing_in_the_inventory(hub):
    estate = Estate()
    estate.hubs[hub].fails = RadioUndelivered("no")

    async def run():
        await estate.prenotify(hub.other)
        return await estate.whitelist(hub), await estate.dcc.read_inventory(PPMID)

    listed, shown = asyncio.run(run())
    refused(listed, Stage.DELIVERY, "E20")
    assert (shown.status, shown.family, shown.hub) == (DeviceStatus.PENDING, hub.other, None)


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_hub_that_hangs_is_given_up_after_its_deadline(hub, monkeypatch):
    monkeypatch.setattr("harness.dcc.delivery._MARGIN_S", -0.95)
    estate = Estate()

    async def hang(*_, **__):
        await asyncio.Event().wait()

    async def run():
        await estate.row(S1, hub)
        estate.hubs[hub].deliver_gbcs = estate.hubs[hub].read_attributes = hang
        return await estate.dcc.request("11.2", PPMID)

    response = asyncio.run(run())
    refused(response, Stage.DELIVERY, "E21")
    assert isinstance(response.cause, TimeoutError)


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_fault_of_the_rig_is_nobodys_response_code(hub):
    estate = Estate()

    async def run():
        await estate.row(S1, hub)
        estate.hubs[hub].fails = RigFault("the dongle is gone")
        await estate.dcc.request("11.2", PPMID)

    with pytest.raises(RigFault, match="dongle"):
        asyncio.run(run())
    assert estate.dcc.routes[-1].code == ""


def test_a_hub_that_is_in_the_inventory_and_not_on_the_bench_is_a_fault_of_the_rig():
    estate = Estate()
    absent = Eui64.parse("00-DB-12-34-56-78-91-04")
    estate.dcc.provision_hub(replace(NOTICE, device=absent, device_type=DeviceType.CHF, version="SMETS2+"))

    async def run():
        await estate.prenotify(S1)
        await estate.whitelist(absent)

    with pytest.raises(RigFault, match="91-04"):
        asyncio.run(run())


def test_credentials_that_the_rig_has_not_got_are_a_fault_of_the_rig():
    class NoKeys:
        def private_key(self, eui, usage):
            raise KeyNotFound(eui, usage, "private key")

        public_key = private_key

    with pytest.raises(RigFault, match="credentials"):
        asyncio.run(Estate(keys=NoKeys()).row(S1, S2))


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_read_failure_that_the_device_reports_is_passed_on(hub):
    estate = Estate()
    estate.hubs[S2].read_result = False
    estate.hubs[S1].records = {0x0002: Record(0x86, None)}
    _, _, response = asyncio.run(estate.row(S1, hub))
    assert (response.code, response.ok, response.stage) == ("I0", False, Stage.DELIVERY)
    assert response.fields["MessageSuccess"] == "false"


def test_requests_about_one_device_wait_for_each_other():
    estate = Estate()
    gate = asyncio.Event()
    hub = estate.hubs[S2]

    async def slow(*_):
        await gate.wait()

    async def run():
        await estate.prenotify(S1)
        hub.add_to_device_log = slow
        listing = asyncio.ensure_future(estate.whitelist(S2))
        reading = asyncio.ensure_future(estate.dcc.request("11.2", PPMID))
        await asyncio.sleep(0)
        gate.set()
        return await listing, await reading

    listed, read = asyncio.run(run())
    assert listed.ok
    assert (read.ok, read.via) == (True, Via.GBCS)


def test_a_joined_device_is_installed_when_its_own_hub_says_so():
    estate = Estate()

    async def run():
        await estate.row(S1, S2)
        estate.dcc.device_joined(HUB_1, PPMID)
        before = await estate.dcc.read_inventory(PPMID)
        estate.dcc.device_joined(HUB_2, PPMID)
        estate.dcc.device_joined(HUB_2, STRANGER)
        return before, await estate.dcc.read_inventory(PPMID)

    before, after = asyncio.run(run())
    assert before.status is DeviceStatus.WHITELISTED
    assert after.status is DeviceStatus.INSTALLED_NOT_COMMISSIONED


def test_a_case_starts_afresh_with_the_hubs_alone():
    estate = Estate()
    asyncio.run(estate.row(S1, S2))
    assert [record.device for record in estate.dcc.inventory()] == [HUB_1, HUB_2, PPMID]
    estate.dcc.forget_devices()
    assert [record.device for record in estate.dcc.inventory()] == [HUB_1, HUB_2]
    assert estate.dcc.routes == ()
    assert asyncio.run(estate.prenotify(S2)).ok
