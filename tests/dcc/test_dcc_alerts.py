"""Alerts of the DCC's own: each at its moment, once, to those whom it is for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from harness.dcc.agenda import Entry, Matter, MemoryAgenda
from harness.dcc.cpl_file import load_cpl
from harness.dcc.dcc_alerts import DccAlertKind
from harness.dcc.defects import DccDefect
from harness.dcc.duis import alerts as a
from harness.dcc.duis.requests import Decommission, DeleteDevice, RestoreHanDeviceLog, UpdateInventory
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.smets.cpl import CplStatus
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import CPL_FILE, HUB_2, INSTALL_CODE, PKI, PPMID, S1, S2, Estate, Record, Value
from tests.dcc.test_alerts import activated, log_told, transferred
from tests.smets.rules import changed, own

SUPPLIER_2 = Eui64.parse("90-B3-D5-1F-30-03-00-00")
BOTH = {SUPPLIER, SUPPLIER_2}
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def passes(self, seconds):
        self.now += timedelta(seconds=seconds)


class Listening:
    """An estate whose alerts are kept; the first supplier is registered there if told so."""

    def __init__(self, **how):
        self.clock = Clock()
        self.estate = Estate(clock=self.clock, **how)
        self.dcc = self.estate.dcc
        self.heard = []
        self.dcc.initiative.listen(self.heard.append)

    def since(self):
        """Return what was heard since this was asked last."""
        heard, self.heard[:] = list(self.heard), []
        return [(alert.kind, set(alert.to)) for alert in heard]


def run(work, **how):
    async def whole():
        listening = Listening(**how)
        try:
            return await work(listening)
        finally:
            await listening.dcc.close()

    return asyncio.run(whole())


def test_an_add_is_settled_when_the_hub_has_the_device_on_its_han():
    async def work(it):
        await it.estate.prenotify(S1)
        listed = await it.estate.whitelist(S2)
        it.dcc.take_alert(HUB_2, log_told(1))
        before = it.since()
        it.dcc.take_alert(HUB_2, log_told(2, key_hash=bytes(16)))
        it.dcc.take_alert(HUB_2, log_told(3, key_hash=bytes(16)))
        body = it.heard[0].body
        return listed, before, body, it.since()

    listed, before, body, after = run(work)
    assert before == []
    assert body == a.UpdateHanDeviceLogResult(listed.request_id)
    assert after == [(DccAlertKind.LOG_UPDATED, {SUPPLIER})]


def test_on_a_smets1_hub_it_is_settled_when_the_hub_reports_it():
    async def work(it):
        await it.estate.prenotify(S2)
        await it.estate.whitelist(S1)
        it.dcc.device_joined(HUB_2, PPMID)  # another hub says nothing about it
        before = it.since()
        it.dcc.device_joined(it.estate.hubs[S1].eui64, PPMID)
        return before, it.since()

    assert run(work) == ([], [(DccAlertKind.LOG_UPDATED, {SUPPLIER})])


def test_a_join_time_that_passes_is_told_once_and_a_later_join_no_more():
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(S2)
        it.clock.passes(89)
        await it.dcc.initiative.see_to_agenda()
        before = it.since()
        it.clock.passes(1)
        await it.dcc.initiative.see_to_agenda()
        await it.dcc.initiative.see_to_agenda()
        told = it.since()
        it.dcc.take_alert(HUB_2, log_told(1, key_hash=bytes(16)))
        return before, told, it.since()

    assert run(work) == ([], [(DccAlertKind.LOG_UNCONFIRMED, {SUPPLIER})], [])


def test_the_dcc_notices_by_itself_that_a_join_time_has_passed():
    async def work():
        estate = Estate()
        await estate.prenotify(S1)
        heard = asyncio.Event()
        estate.dcc.initiative.listen(lambda alert: heard.set())
        await estate.dcc.whitelist(HUB_2, PPMID, INSTALL_CODE, 1)
        await asyncio.wait_for(heard.wait(), 10)
        told = estate.dcc.told
        await estate.dcc.close()
        return told

    told = asyncio.run(work())
    assert {user: [sent.body.code for sent in sent] for user, sent in told.items() if sent} == {
        SUPPLIER: ["N25"]
    }


@pytest.mark.parametrize("family", [S1, S2])
def test_a_removal_is_told_to_its_sender_and_to_the_suppliers_there(family):
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(family)
        it.dcc.register_supplier(it.estate.hubs[family].eui64, "supplier2")
        it.dcc.act_as("other-user")
        gone = await it.dcc.unwhitelist(it.estate.hubs[family].eui64, PPMID)
        removal = it.heard[-1].body
        return gone, removal, it.since()

    gone, removal, told = run(work)
    assert gone.ok
    assert removal.ppmid == PPMID
    assert told == [
        (DccAlertKind.LOG_UPDATED, {gone.request_id.originator}),
        (DccAlertKind.PPMID_REMOVAL, {SUPPLIER_2}),
    ]


def test_a_removal_that_failed_is_told_to_nobody():
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(S2)
        it.estate.hubs[S2].fails = TimeoutError()
        gone = await it.dcc.unwhitelist(HUB_2, PPMID)
        return gone.ok, it.since()

    assert run(work) == (False, [])


def test_a_row_that_goes_and_comes_back_is_told_for_each_device_of_it():
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(S2)
        cpl = load_cpl(CPL_FILE, own())
        gone = cpl.with_status(cpl.rows[0].model, S2, CplStatus.WITHDRAWN)
        it.dcc.publish_cpl(gone)
        suspended = it.since()
        it.dcc.publish_cpl(gone)
        again = it.since()
        it.dcc.register_supplier(HUB_2, "supplier")
        it.dcc.publish_cpl(cpl)
        body = it.heard[0].body
        return suspended, again, body, it.since()

    suspended, again, body, restored = run(work)
    assert suspended == [(DccAlertKind.SUSPENDED, BOTH)]
    assert again == []
    assert body == a.DeviceStatusChange(device=PPMID, change=a.StatusChange.RESTORED)
    assert restored == [(DccAlertKind.RESTORED, {SUPPLIER})]


def test_a_suspended_device_that_is_decommissioned_is_not_restored():
    async def work(it):
        await it.estate.prenotify(S1)
        it.estate.force(PPMID, status=DeviceStatus.SUSPENDED)
        gone = await it.dcc.send(Decommission, ACB, device=PPMID)
        return gone.ok, it.since()

    assert run(work) == (True, [])


def test_a_device_that_is_taken_out_of_the_inventory_is_told_and_a_new_case_is_not():
    async def work(it):
        await it.estate.prenotify(S1)
        await it.dcc.send(UpdateInventory, ACB, device=PPMID, change=DeleteDevice())
        told = it.since()
        await it.estate.prenotify(S1)
        it.dcc.forget_devices()
        return told, it.since()

    assert run(work) == ([(DccAlertKind.REMOVED, BOTH)], [])


@pytest.mark.parametrize(("said", "told"), [("01020304", []), ("01020305", [DccAlertKind.FIRMWARE_MISMATCH])])
@pytest.mark.parametrize("family", [S1, S2])
def test_a_device_that_says_another_firmware_version_than_the_smi_is_told(family, said, told):
    async def work(it):
        octets = bytes.fromhex(said)
        hub = it.estate.hubs[family]
        hub.records = {0x0002: Record(0, Value(int.from_bytes(octets)))}
        hub.answer = lambda message: cs08.response(message, octets, OwnKeys(PPMID, PKI), ok=True)
        _, _, read = await it.estate.row(S1, family)
        body = it.heard[0].body if it.heard else None
        return read.ok, body, it.since()

    ok, body, alerts = run(work)
    assert ok
    assert [kind for kind, _ in alerts] == told
    if told:
        assert (body.device, body.in_smi, body.on_device) == (PPMID, "01020304", said)


def test_alerts_of_ppmid_and_hub_go_to_the_suppliers_there():
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(S2)
        it.dcc.register_supplier(HUB_2, "supplier2")
        it.dcc.take_alert(HUB_2, activated(1))
        it.dcc.take_alert(HUB_2, transferred(1))
        it.dcc.take_alert(HUB_2, activated(1))  # a replay
        return it.since()

    assert run(work) == [(DccAlertKind.PPMID, {SUPPLIER_2}), (DccAlertKind.HUB, {SUPPLIER_2})]


def test_a_hub_that_is_replaced_is_decommissioned_and_that_is_told():
    async def work(it):
        old = Eui64.parse("00-DB-12-34-56-78-91-09")
        it.dcc.provision_old_hub(old, S2, ())
        it.estate.force(HUB_2, status=DeviceStatus.PENDING)
        answer = await it.dcc.send(RestoreHanDeviceLog, HUB_2, old_hub=old)
        body = it.heard[-1].body if it.heard else None
        return answer, old, body, it.since()

    answer, old, body, told = run(work)
    assert answer.ok, answer.reason
    assert body == a.DeviceStatusChange(device=old, change=a.StatusChange.HUB_DECOMMISSIONED)
    assert told == [(DccAlertKind.HUB_DECOMMISSIONED, BOTH)]


def test_an_overlay_says_which_code_and_to_whom():
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(S2)
        await it.dcc.unwhitelist(HUB_2, PPMID)
        return [(alert.code, set(alert.to)) for alert in it.heard]

    rules = changed("ALERT-PPMID-REMOVAL", {"code": "N44", "to": "others"})
    assert run(work, rules=rules) == [("N24", {SUPPLIER}), ("N44", {SUPPLIER_2})]


@pytest.mark.parametrize(
    ("defect", "count", "to"),
    [
        (DccDefect.WITHHOLD_ALERTS, 0, None),
        (DccDefect.REPEAT_ALERTS, 2, {SUPPLIER}),
        (DccDefect.ALERT_EVERYBODY, 1, "everybody"),
    ],
)
def test_a_dsp_can_be_wrong_about_them(defect, count, to):
    async def work(it):
        await it.estate.prenotify(S1)
        await it.estate.whitelist(S2)
        it.dcc.take_alert(HUB_2, log_told(1, key_hash=bytes(16)))
        return it.since(), {user for user, sent in it.dcc.told.items() if sent}

    told, got = run(work, defects=(defect,))
    assert len(told) == count
    if to is None:
        assert got == set()
    else:
        assert got == (to if to != "everybody" else told[0][1])
        assert (len(got) > 2) is (to == "everybody")


# --- the agenda ---------------------------------------------------------------------------------------------


def entry(key, seconds, matter=Matter.LOG_UPDATE):
    return Entry(matter=matter, key=key, due=START + timedelta(seconds=seconds), content=key.encode())


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_an_agenda_gives_what_is_due_first_in_front(tmp_path, kind):
    store = SqliteSmiStore(tmp_path / "smi") if kind == "disk" else None
    agenda = store.agenda if store is not None else MemoryAgenda()
    assert agenda.next_due() is None
    for one in (entry("b", 20), entry("a", 30), entry("c", 10, Matter.REQUEST), entry("a", 10.5)):
        agenda.put(one)
    assert [one.key for one in agenda.entries(Matter.LOG_UPDATE)] == ["a", "b"]
    assert agenda.next_due() == START + timedelta(seconds=10)
    assert agenda.take(Matter.REQUEST, "c") == entry("c", 10, Matter.REQUEST)
    assert agenda.take(Matter.REQUEST, "c") is None
    assert agenda.get(Matter.LOG_UPDATE, "a") == entry("a", 10.5)
    agenda.clear()
    assert agenda.next_due() is None
    if store is not None:
        store.close()


def test_what_waits_is_still_there_when_the_dcc_starts_again(tmp_path):
    async def before():
        estate = Estate(store=SqliteSmiStore(tmp_path / "smi"))
        await estate.prenotify(S1)
        await estate.dcc.whitelist(HUB_2, PPMID, INSTALL_CODE, 1)
        await estate.dcc.close()
        estate.store.close()

    async def after():
        estate = Estate(store=SqliteSmiStore(tmp_path / "smi"))
        heard = asyncio.get_running_loop().create_future()
        estate.dcc.initiative.listen(heard.set_result)
        estate.dcc.initiative.look()
        alert = await asyncio.wait_for(heard, 10)
        await estate.dcc.close()
        estate.store.close()
        return alert

    asyncio.run(before())
    assert asyncio.run(after()).kind is DccAlertKind.LOG_UNCONFIRMED
