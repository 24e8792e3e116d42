"""The administrative interface: for whom it is, what it takes, and hubs that a rig lends over a line."""

import asyncio
import contextlib

import aiohttp
import pytest

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.cpl_file import csv_of
from harness.dcc.cpl_intake import CplIntake
from harness.dcc.door import DoorKeys
from harness.dcc.duis.requests import ReadDeviceLog
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.http.admin import Admin
from harness.dcc.http.admin_client import admin_client, read_token
from harness.dcc.http.outbox import Outbox
from harness.dcc.http.postman import Postman
from harness.dcc.http.serve import Address, serving
from harness.dcc.http.service import DccService
from harness.errors import ConfigError, DeviceSilent, RigFault, StimulusImpossible
from harness.gbcs import SUPPLIER
from harness.hub.gpf import gpf_of
from harness.smets.cpl import CplStatus, DeviceType
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB, HUB_1, HUB_2, INSTALL_CODE, NOTICE, PKI, PPMID, S1, S2, Estate, RecordingTap
from tests.smets.rules import own


class Bench:
    """A DCC that can be administered, and a client of its interface."""

    def __init__(self, *, token=None, given=None):
        self.estate = Estate()  # hubs that answer; the DCC below knows none of them by itself
        self.tap = RecordingTap()
        self.dcc = EmbeddedDcc(rules=own(), cpl=self.estate.dcc.cpl, keys=PKI, tap=self.tap)
        self.outbox = Outbox()
        self.postman = Postman(self.outbox, {}, self.tap, first_pause_s=0.01)
        self.token = token
        self.given = given

    @contextlib.asynccontextmanager
    async def running(self):
        service = DccService(
            self.dcc.handle,
            keys=DoorKeys.from_store(BenchXmlKeys("admin")),
            rules=own(),
            tap=self.tap,
            outbox=self.outbox,
            postman=self.postman,
        )
        application = service.application()
        intake = CplIntake(self.dcc.replace_cpl, own(), self.tap)
        Admin(self.dcc, intake, self.outbox, self.postman, token=self.token).add_to(application)
        async with (
            serving(application, Address()) as url,
            aiohttp.ClientSession() as self.session,
            admin_client(f"{url}/admin", self.given) as self.admin,
        ):
            self.url = f"{url}/admin"
            yield self
        await self.dcc.close()

    async def ask(self, method, path="", **options):
        async with self.session.request(method, self.url + path, **options) as answer:
            return answer.status, await answer.text()

    @contextlib.asynccontextmanager
    async def lent(self):
        """Lend it the hubs of the estate."""
        link = await self.admin.hub_link()
        for family, hub in self.estate.hubs.items():
            link.attach(hub_prenotification(hub.eui64, family, gpf_of(hub.eui64)), hub)
        try:
            await link.settle()
            yield link
        finally:
            await link.close()

    async def listed(self, hub):
        assert (await self.dcc.prenotify(NOTICE)).ok
        return await self.dcc.whitelist(HUB[hub], PPMID, INSTALL_CODE, 90)


def run(work, **options):
    async def whole():
        async with Bench(**options).running() as bench:
            return await work(bench)

    return asyncio.run(whole())


# --- for whom it is ---------------------------------------------------------------------------------------


def test_a_page_in_a_browser_is_refused_whatever_it_has():
    status, _ = run(lambda bench: bench.ask("GET", headers={"Origin": "http://evil.example"}))
    assert status == 403


def test_without_its_token_nobody_is_let_in():
    async def work(bench):
        right = {"Authorization": "Bearer secret"}
        return [
            (await bench.ask("GET", headers=headers))[0]
            for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "secret"}, right)
        ]

    assert run(work, token="secret") == [401, 401, 401, 200]


def test_without_a_token_another_machine_is_refused(monkeypatch):
    monkeypatch.setattr("harness.dcc.http.admin._is_loopback", lambda remote: False)
    assert run(lambda bench: bench.ask("GET"))[0] == 403


def test_a_client_says_what_is_wrong():
    with pytest.raises(RigFault, match=r"the token is missing or wrong.*admin-token"):
        run(lambda bench: bench.admin.described(), token="secret", given="other")

    async def nobody():
        async with admin_client("http://127.0.0.1:9/admin", None) as admin:
            await admin.described()

    with pytest.raises(RigFault, match=r"no administrative interface at http://127\.0\.0\.1:9"):
        asyncio.run(nobody())


def test_a_token_is_in_a_file_and_not_empty(tmp_path):
    path = tmp_path / "token"
    path.write_text(" secret\n")
    assert read_token(path) == "secret"
    path.write_text("\n")
    with pytest.raises(ConfigError, match="the file is empty"):
        read_token(path)
    with pytest.raises(ConfigError, match="no token"):
        read_token(tmp_path / "absent")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/suppliers", b"no json"),
        ("POST", "/suppliers", b'{"hub": "x", "to": "supplier"}'),
        ("POST", "/suppliers", b"[]"),
        ("PUT", "/users/x", b'{"url": "http://here"}'),
        ("PUT", "/cpl", b"\xff\xfe"),
    ],
)
def test_what_it_does_not_understand_is_a_400_and_no_traceback(method, path, body):
    status, text = run(lambda bench: bench.ask(method, path, data=body))
    assert status == 400
    assert "Traceback" not in text


# --- what it takes ----------------------------------------------------------------------------------------


def test_a_new_cpl_suspends_and_restores_devices_and_a_bad_one_changes_nothing():
    async def work(bench):
        async with bench.lent():
            await bench.listed(S2)
            whole, model = bench.dcc.cpl, NOTICE.device_model
            seen = []
            await bench.admin.publish_cpl(whole.without(model, S2))
            seen.append((await bench.dcc.read_inventory(PPMID)).status)
            for bad in (b"", b"Manufacturer\n1", (csv_of(whole) + csv_of(whole).splitlines()[-1]).encode()):
                status, text = await bench.ask("PUT", "/cpl", data=bad)
                assert (status, '"taken": false' in text) == (422, True)
            seen.append((await bench.dcc.read_inventory(PPMID)).status)
            await bench.admin.publish_cpl(whole)
            seen.append((await bench.dcc.read_inventory(PPMID)).status)
            return seen

    assert run(work) == [DeviceStatus.SUSPENDED, DeviceStatus.SUSPENDED, DeviceStatus.WHITELISTED]


def test_a_cpl_as_csv_is_read_back_the_same():
    async def work(bench):
        changed = bench.dcc.cpl.with_status(NOTICE.device_model, S2, CplStatus.EXPIRED)
        await bench.admin.publish_cpl(changed)
        return bench.dcc.cpl, changed

    taken, sent = run(work)
    plain = [
        [(row.model, row.version, row.gbcs_version, row.status, row.added) for row in cpl.rows]
        for cpl in (taken, sent)
    ]
    assert plain[0] == plain[1]


def test_a_user_becomes_supplier_and_one_that_is_not_there_cannot():
    async def work(bench):
        async with bench.lent():
            mpxn = await bench.admin.change_supplier(HUB_2, "supplier2")
            with pytest.raises(StimulusImpossible, match="no user `nobody`"):
                await bench.admin.change_supplier(HUB_2, "nobody")
            with pytest.raises(StimulusImpossible, match="is not in the SMI"):
                await bench.admin.change_supplier(PPMID, "supplier2")
            return mpxn, (await bench.dcc.read_inventory(HUB_2)).import_mpxn

    mpxn, shown = run(work)
    assert mpxn == shown


def test_what_was_given_up_goes_out_to_the_url_that_a_user_is_given():
    from aiohttp import web

    async def work(bench):
        bench.outbox.put(SUPPLIER, b"a letter")
        bench.outbox.give_up(bench.outbox.first(SUPPLIER), "HTTP status 400")
        got = asyncio.Queue()

        async def take(request):
            got.put_nowait(await request.read())
            return web.Response()

        app = web.Application()
        app.router.add_post("/in", take)
        async with serving(app, Address()) as url:
            await bench.admin.deliver_to(SUPPLIER, f"{url}/in")
            status, text = await bench.ask("POST", f"/outbox/{SUPPLIER}")
            return status, text, await asyncio.wait_for(got.get(), 5)

    assert run(work) == (200, '{"taken": 1}', b"a letter")


def test_a_url_that_is_none_is_refused():
    with pytest.raises(StimulusImpossible, match="is no URL"):
        run(lambda bench: bench.admin.deliver_to(SUPPLIER, "ftp://here"))


def test_a_case_begins_without_devices_and_with_the_hubs():
    async def work(bench):
        async with bench.lent():
            await bench.listed(S2)
            await bench.admin.begin_case()
            told = await bench.admin.described()
            return await bench.dcc.read_inventory(PPMID), await bench.dcc.read_inventory(HUB_1), told

    gone, hub, told = run(work)
    assert (gone, hub.status) == (None, DeviceStatus.COMMISSIONED)
    assert told["hubs"] == sorted(map(str, (HUB_1, HUB_2)))
    assert told["regime"] == "MP202"
    assert told["users"]["supplier"] == str(SUPPLIER)


# --- hubs that are lent -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_lent_hub_carries_what_its_family_carries(hub):
    async def work(bench):
        async with bench.lent() as link:
            listed = await bench.listed(hub)
            read = await bench.dcc.request("11.2", PPMID)
            return listed, read, link.exchanges

    listed, read, exchanges = run(work)
    assert (listed.ok, read.ok, read.fields["FirmwareVersion"]) == (True, True, "01020304")
    assert [exchange.hub for exchange in exchanges] == [HUB[hub]] * 2
    assert bool(exchanges[-1].command) is (hub is S2)


def test_a_gpf_of_a_lent_hub_is_not_taken_for_the_chf():
    async def work(bench):
        async with bench.lent() as link:
            response = await bench.dcc.send(ReadDeviceLog, HUB_2, security_details=True)
            return response, link.exchanges

    response, exchanges = run(work)
    assert response.fields or response.code
    assert exchanges[-1].target == HUB_2


def test_what_a_lent_hub_fails_with_arrives_as_what_it_is():
    async def work(bench):
        async with bench.lent():
            await bench.listed(S2)
            bench.estate.hubs[S2].fails = DeviceSilent("nothing came back")
            silent = await bench.dcc.request("11.2", PPMID)
            bench.estate.hubs[S2].fails = RigFault("the dongle is gone")
            with pytest.raises(RigFault, match="the dongle is gone"):
                await bench.dcc.request("11.2", PPMID)
            return silent

    silent = run(work)
    assert (silent.code, silent.reason) == ("E21", "nothing came back")


def test_a_rig_that_goes_leaves_hubs_that_cannot_be_reached():
    async def work(bench):
        async with bench.lent():
            await bench.listed(S2)
        await asyncio.sleep(0.05)
        gone = await bench.dcc.request("11.2", PPMID)
        async with bench.lent():  # and when it is back, they are
            return gone, await bench.dcc.request("11.2", PPMID)

    gone, back = run(work)
    assert (gone.code, gone.reason) == ("E20", "the rig that this hub belongs to has gone")
    assert back.ok


def test_a_request_under_way_when_the_rig_goes_ends():
    async def work(bench):
        async with bench.lent() as link:
            await bench.listed(S2)
            hub = bench.estate.hubs[S2]
            asked = asyncio.Event()

            async def never(*_):
                asked.set()
                await asyncio.Event().wait()

            hub.deliver_gbcs = never
            asking = asyncio.create_task(bench.dcc.request("11.2", PPMID))
            await asyncio.wait_for(asked.wait(), 5)
            await link.close()
            return await asyncio.wait_for(asking, 5)

    assert run(work).code == "E20"


def test_a_dcc_that_goes_is_the_rigs_fault():
    async def work(bench):
        link = await bench.admin.hub_link()
        await link.settle()
        return link

    async def whole():
        async with Bench().running() as bench:
            link = await work(bench)
        await asyncio.sleep(0.05)
        with pytest.raises(RigFault, match="administrative interface has gone"):
            await link.settle()
        await link.close()

    asyncio.run(whole())


def test_what_the_dcc_cannot_do_for_a_rig_is_told_when_it_settles():
    async def work(bench):
        async with bench.lent() as link:
            link.meter(DeviceType.ESME, PPMID)
            with pytest.raises(RigFault, match="is not one of this rig's"):
                await link.settle()
            await link.settle()  # once
            link.alert(HUB_2, b"no alert at all")
            await link.settle()
            [alert] = link.alerts
            return alert

    assert run(work).refused


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"n": 1, "attach": {}}', '{"n": 1, "nothing": {}}'])
def test_a_line_that_talks_nonsense_is_closed_and_the_dcc_goes_on(text):
    async def work(bench):
        async with bench.session.ws_connect(f"{bench.url}/hubs") as socket:
            await socket.send_str(text)
            said = await socket.receive(timeout=5)
        return said.type, (await bench.ask("GET"))[0]

    assert run(work) == (aiohttp.WSMsgType.CLOSE, 200)
