"""The web services: what a client of a DCC Boxed gets from them, at once and later, and over a restart."""

import asyncio
import contextlib
import dataclasses
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from harness.dcc.counters import utc_now
from harness.dcc.dcc_alerts import DccAlert, DccAlertKind
from harness.dcc.door import DoorKeys
from harness.dcc.duis.alerts import PpmidRemoval
from harness.dcc.duis.requests import (
    LogAction,
    Prenotify,
    ReadFirmwareVersion,
    ReadInventory,
    RequestId,
    UpdateHanDeviceLog,
)
from harness.dcc.duis.responses import DspInventory, GbcsPayload, Smets1ResponseMessage
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.http.outbox import Outbox, Owed
from harness.dcc.http.postman import Postman
from harness.dcc.http.serve import Address, serving
from harness.dcc.http.service import DccService, ServiceLimits
from harness.errors import ConfigError, RigFault
from harness.gbcs import ACB, SUPPLIER
from tests.dcc.estate import HUB, INSTALL_CODE, NOTICE, PPMID, S1, S2, Estate, RecordingTap
from tests.smets.rules import own

KEYS = BenchXmlKeys("service")
XML = {"Content-Type": "application/xml"}


def signed(request):
    root = request_tree(request)
    sign(root, KEYS.signing_key(SUPPLIER))
    return serialise(root)


class User:
    """A service user's web service; `refuses` is how many times it does not take what comes."""

    def __init__(self, *, refuses=0):
        self.refuses = refuses
        self.taken = asyncio.Queue()
        self.tries = 0

    async def take(self, request):
        self.tries += 1
        if self.tries <= self.refuses:
            return web.Response(status=503)
        self.taken.put_nowait(await request.read())
        return web.Response(status=204)

    async def next(self):
        document = await asyncio.wait_for(self.taken.get(), 10)
        assert verify(parse_xml(document), KEYS).owner == ACB
        return read_response(document)


class Bench:
    """A service on loopback with a DCC behind it, and a user."""

    def __init__(self, *, estate=None, outbox=None, user=None, limits=None, handle=None):
        self.estate = estate or Estate()
        self.outbox = outbox or Outbox()
        self.user = user or User()
        self.limits = limits
        self.handle = handle
        self.tap = RecordingTap()
        self.counter = 0

    @contextlib.asynccontextmanager
    async def running(self, *, reachable=True):
        async with contextlib.AsyncExitStack() as stack:
            app = web.Application()
            app.router.add_post("/inbox", self.user.take)
            inbox = await stack.enter_async_context(serving(app, Address()))
            service = DccService(
                self.handle or self.estate.dcc.handle,
                keys=DoorKeys.from_store(KEYS),
                rules=own(),
                tap=self.tap,
                outbox=self.outbox,
                postman=Postman(
                    self.outbox,
                    {SUPPLIER: f"{inbox}/inbox"} if reachable else {},
                    self.tap,
                    first_pause_s=0.01,
                ),
                limits=self.limits,
            )
            self.service = service
            self.url = await stack.enter_async_context(serving(service.application(), Address()))
            self.session = await stack.enter_async_context(aiohttp.ClientSession())
            yield self

    async def post(self, document, service="serviceD", headers=XML):
        async with self.session.post(
            f"{self.url}/api/v1/{service}", data=document, headers=headers
        ) as answer:
            return answer.status, await answer.read()

    async def ask(self, request, service="serviceD"):
        status, content = await self.post(signed(request), service)
        assert status == 200, content
        assert verify(parse_xml(content), KEYS).owner == ACB
        return read_response(content)

    async def health(self):
        async with self.session.get(f"{self.url}/health") as answer:
            return await answer.json()

    def id(self, target):
        self.counter += 1
        return RequestId(SUPPLIER, target, self.counter)

    async def whitelisted(self, notified, hub):
        notice = dataclasses.replace(NOTICE, version=notified.value)
        assert (await self.ask(Prenotify(request_id=self.id(ACB), prenotification=notice))).code == "I99"
        acknowledged = await self.ask(
            UpdateHanDeviceLog(
                request_id=self.id(HUB[hub]),
                device=PPMID,
                action=LogAction.ADD,
                install_code=INSTALL_CODE,
                join_time_s=90,
            ),
            "serviceS",
        )
        assert acknowledged.code == "I99"
        return await self.user.next()


def run(bench, work, **options):
    async def whole():
        async with bench.running(**options):
            return await work(bench)

    return asyncio.run(whole())


@pytest.mark.parametrize(("notified", "hub"), [(S1, S1), (S1, S2), (S2, S1), (S2, S2)])
def test_a_row_of_the_table_is_read_through_8_2_and_the_form_of_the_response(notified, hub):
    async def work(bench):
        assert (await bench.whitelisted(notified, hub)).code == "I0"
        shown = await bench.ask(ReadInventory(request_id=bench.id(ACB), device=PPMID))
        acknowledged = await bench.ask(ReadFirmwareVersion(request_id=bench.id(PPMID)), "serviceS")
        return shown.body.payload, acknowledged, await bench.user.next()

    inventory, acknowledged, response = run(Bench(), work)
    assert isinstance(inventory, DspInventory)
    [device] = inventory.devices
    assert device.version == hub.value
    assert (device.s1sp, device.csp_region) == (("BENCH-S1SP", "SMETS1") if hub is S1 else (None, None))
    assert (acknowledged.code, acknowledged.response_id) == ("I99", None)
    assert (response.code, response.response_id) == ("I0", acknowledged.request_id.response_id)
    if hub is S1:
        assert isinstance(response.body, Smets1ResponseMessage)
        assert response.body.answer.fields == {"FirmwareVersion": "01020304"}
    else:
        assert isinstance(response.body.payload, GbcsPayload)


@pytest.mark.parametrize(
    ("document", "headers", "status"),
    [
        (b"<a/>", XML, 400),
        (b"<a/>", {"Content-Type": "application/json"}, 415),
        (b"<a>" + b"x" * 4000 + b"</a>", XML, 413),
    ],
)
def test_what_is_no_request_gets_an_http_status(document, headers, status):
    bench = Bench(limits=ServiceLimits(octets=4000))
    got, content = run(bench, lambda bench: bench.post(document, headers=headers))
    assert (got, b"Traceback" in content) == (status, False)
    assert len(bench.tap.events) == 1


def test_a_request_that_never_ends_is_given_up():
    bench = Bench(limits=ServiceLimits(read_within_s=0.05))

    async def work(bench):
        host, port = bench.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /api/v1/serviceD HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
            b"Content-Length: 100\r\n\r\n<a>"
        )
        line = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        await writer.wait_closed()
        return line

    assert b" 408 " in run(bench, work)


def test_another_method_or_path_is_refused_and_health_is_told():
    async def work(bench):
        async with bench.session.get(f"{bench.url}/api/v1/serviceD") as answer:
            method = answer.status
        async with bench.session.post(f"{bench.url}/api/v1/serviceX", data=b"") as answer:
            path = answer.status
        await bench.ask(ReadInventory(request_id=bench.id(ACB), device=PPMID))
        return method, path, await bench.health()

    method, path, health = run(Bench(), work)
    assert (method, path) == (405, 404)
    assert health["status"] == "ok"
    assert health["answered"] == {"200": 1}
    assert (health["owed"], health["waiting"]) == (0, {})


def test_a_user_that_does_not_take_a_response_is_tried_again_until_it_does():
    bench = Bench(user=User(refuses=3))
    response = run(bench, lambda bench: bench.whitelisted(S1, S2))
    assert response.code == "I0"
    assert bench.user.tries >= 4
    told = [event for event in bench.tap.events if "not taken by" in event[3]]
    assert len(told) == 3
    assert "HTTP status 503" in told[0][3]


def test_what_a_user_did_not_take_is_delivered_after_a_restart(tmp_path):
    path = tmp_path / "outbox"

    async def unreachable(bench):
        notice = dataclasses.replace(NOTICE, version=S1.value)
        await bench.ask(Prenotify(request_id=bench.id(ACB), prenotification=notice))
        request = UpdateHanDeviceLog(
            request_id=bench.id(HUB[S2]),
            device=PPMID,
            action=LogAction.ADD,
            install_code=INSTALL_CODE,
            join_time_s=90,
        )
        await bench.ask(request, "serviceS")
        async with asyncio.timeout(10):
            while not bench.outbox.waiting():  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.01)
        return request.request_id

    first = Bench(outbox=Outbox(path))
    request_id = run(first, unreachable, reachable=False)
    first.outbox.close()
    second = Bench(outbox=Outbox(path))
    response = run(second, lambda bench: bench.user.next())
    assert (response.request_id, response.code) == (request_id, "I0")
    assert second.outbox.waiting() == {}


def test_a_request_that_was_under_way_when_the_service_ended_is_answered_when_it_starts_again(tmp_path):
    path = tmp_path / "outbox"
    with contextlib.closing(Outbox(path)) as outbox:
        outbox.owe(Owed(request_id=RequestId(SUPPLIER, PPMID, 7), srv="11.2"))
    bench = Bench(outbox=Outbox(path))
    response = run(bench, lambda bench: bench.user.next())
    assert (response.request_id, response.code) == (RequestId(SUPPLIER, PPMID, 7), "E20")
    assert bench.outbox.owed() == ()


def test_a_request_is_owed_before_it_is_acknowledged():
    seen = []

    async def handle(request, acknowledge):
        return await bench.estate.dcc.handle(
            request, lambda told: (acknowledge(told), seen.append(bench.outbox.owed()))
        )

    bench = Bench(handle=handle)
    run(bench, lambda bench: bench.whitelisted(S1, S2))
    [[owed]] = seen
    assert owed.srv == "8.11"


@pytest.mark.parametrize("fault", [RigFault("the dongle is gone"), ValueError("a bug")])
def test_a_fault_of_the_bench_is_an_answer_too_and_no_traceback(fault):
    async def handle(request, acknowledge):
        raise fault

    bench = Bench(handle=handle)
    document = signed(ReadInventory(request_id=RequestId(SUPPLIER, ACB, 1), device=PPMID))
    status, content = run(bench, lambda bench: bench.post(document))
    assert b"Traceback" not in content
    if isinstance(fault, RigFault):
        assert read_response(content).code == "E20"
    else:
        assert (status, content) == (500, b"the DCC is at fault: ValueError: a bug")


def test_an_alert_is_told_to_those_whom_it_is_for_and_to_nobody_else():
    mine = DccAlert(
        kind=DccAlertKind.PPMID_REMOVAL,
        code="N999",
        body=PpmidRemoval(ppmid=PPMID, hub=HUB[S2]),
        to=frozenset({SUPPLIER}),
    )
    others = dataclasses.replace(mine, code="N1", to=frozenset({ACB}))

    async def work(bench):
        bench.service.tell(others)
        bench.service.tell(mine)
        return await bench.user.next()

    told = run(Bench(), work)
    assert told.request_id is None
    assert (told.body.code, told.body.alert) == ("N999", mine.body)


def test_a_request_for_later_is_answered_when_its_time_has_come_and_not_for_a_restart():
    async def work(bench):
        initiative = bench.estate.dcc.initiative
        initiative.serve(bench.service)
        await bench.whitelisted(S1, S2)
        soon = utc_now() + timedelta(seconds=0.3)
        request = ReadFirmwareVersion(request_id=bench.id(PPMID), execution=soon)
        acknowledged = await bench.ask(request, "serviceS")
        owed = bench.outbox.owed()
        response = await bench.user.next()
        await initiative.close()
        return request, acknowledged, owed, response

    request, acknowledged, owed, response = run(Bench(), work)
    assert (acknowledged.code, acknowledged.response_id) == ("I99", None)
    assert owed == ()
    assert (response.request_id, response.code) == (request.request_id, "I0")
    assert isinstance(response.body.payload, GbcsPayload)


def test_an_outbox_that_is_none_or_is_in_use_is_told(tmp_path):
    path = tmp_path / "outbox"
    path.write_bytes(b"no sqlite at all" * 100)
    with pytest.raises(ConfigError, match="cannot be used as an outbox"):
        Outbox(path)
    other = tmp_path / "other"
    first = Outbox(other)
    with contextlib.closing(first), pytest.raises(ConfigError, match="cannot be used as an outbox"):
        Outbox(other)


def test_an_address_that_is_taken_is_told():
    async def work():
        async with serving(web.Application(), Address()) as url:
            port = int(url.rpartition(":")[2])
            async with serving(web.Application(), Address(port=port)):
                pass

    with pytest.raises(RigFault, match=r"cannot listen on 127\.0\.0\.1 port"):
        asyncio.run(work())
