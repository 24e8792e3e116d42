"""`dcc serve` killed again and again under load: what it acknowledged is done, whole, and answered."""

import asyncio
import contextlib
import itertools
import random
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from harness.dcc.documents import Prenotification
from harness.dcc.duis.requests import LogAction, Prenotify, RequestId, UpdateHanDeviceLog
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.http.serve import Address, serving
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import DeviceType
from tests.dcc.estate import HUB_2, INSTALL_CODE
from tests.system.dcc_process import DccProcess

KEYS = BenchXmlKeys("ppmid-bench")
XML = {"Content-Type": "application/xml"}
AT_ONCE, KILLS = 6, 4
NOTICE = Prenotification(
    device=Eui64(1),
    device_type=DeviceType.PPMID,
    manufacturer="1234",
    model="00090100",
    firmware="01020304",
    version="SMETS1",
)


class Users:
    """A service user with many devices: what was acknowledged to him, and what he was sent."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.notified = []
        self.listed = []
        self.answered = {}
        self.chance, self.refuses = random.Random(7), 0.2

    async def take(self, request):
        if self.chance.random() < self.refuses:
            return web.Response(status=503)
        document = await request.read()
        assert verify(parse_xml(document), KEYS).owner == ACB
        response = read_response(document)
        self.answered.setdefault(response.request_id, set()).add(response.code)
        return web.Response(status=204)

    async def work(self, session, url):
        """Pre-notify and whitelist one device after the other, until nobody is there any more."""
        while True:
            device = Eui64((0xD0 << 56) | next(self.numbers))
            notice = replace(NOTICE, device=device)
            request = Prenotify(request_id=self.id(ACB), prenotification=notice)
            if not await self.acknowledged(session, f"{url}/api/v1/serviceD", request):
                return
            self.notified.append(device)
            request = UpdateHanDeviceLog(
                request_id=self.id(HUB_2),
                device=device,
                action=LogAction.ADD,
                install_code=INSTALL_CODE,
                join_time_s=60,
            )
            if not await self.acknowledged(session, f"{url}/api/v1/serviceS", request):
                return
            self.listed.append(request.request_id)

    def id(self, target):
        return RequestId(SUPPLIER, target, next(self.numbers))

    async def acknowledged(self, session, url, request):
        root = request_tree(request)
        sign(root, KEYS.signing_key(SUPPLIER))
        try:
            async with session.post(url, data=serialise(root)) as got:
                response = read_response(await got.read())
        except (aiohttp.ClientError, ValueError):
            return False
        assert response.code == "I99", response
        return True


async def killed_again_and_again(path, seed):
    chance, user = random.Random(seed), Users()
    app = web.Application()
    app.router.add_post("/inbox", user.take)
    async with serving(app, Address()) as inbox, aiohttp.ClientSession(headers=XML) as session:
        options = ("--smi", path, "--hub", f"{HUB_2}=SMETS2+", "--user", f"{SUPPLIER}={inbox}/inbox")
        for _ in range(KILLS):
            dcc = await asyncio.to_thread(DccProcess, *options)
            loop = asyncio.get_running_loop()
            loop.call_later(chance.uniform(0.1, 1.0), dcc.process.kill)
            await asyncio.gather(*(user.work(session, dcc.url) for _ in range(AT_ONCE)))
            await asyncio.to_thread(dcc.end)
        user.refuses = 0.01  # each refusal is a pause, and hundreds of answers may wait by now
        dcc = await asyncio.to_thread(DccProcess, *options)
        try:
            async with asyncio.timeout(60):
                while True:
                    async with session.get(f"{dcc.url}/health") as got:
                        health = await got.json()
                    if not health["owed"] and not health["waiting"]:
                        break
                    await asyncio.sleep(0.1)
        finally:
            await asyncio.to_thread(dcc.end)
    return user


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_was_acknowledged_is_lost_or_half_done_or_unanswered(tmp_path, seed):
    user = asyncio.run(killed_again_and_again(tmp_path / "smi", seed))
    assert len(user.listed) > KILLS
    assert [request for request in user.listed if request not in user.answered] == []
    # there is no hub behind it: E20, also to those that a kill interrupted
    assert set().union(*user.answered.values()) == {"E20"}
    with contextlib.closing(SqliteSmiStore(tmp_path / "smi")) as store:
        assert [device for device in user.notified if store.get(device) is None] == []
        for record in store.records():
            assert store.history(record.device)
        # what was taken once is not taken again
        assert not any(store.note_request(SUPPLIER, one.counter, "sent") for one in user.listed)
