"""Documents as nobody should send them: each is answered, none does any harm, all are recorded."""

import asyncio
from dataclasses import replace

import pytest

from harness.dcc.door import Door, DoorKeys
from harness.dcc.duis.requests import (
    LogAction,
    Prenotify,
    ReadFirmwareVersion,
    ReadInventory,
    RequestId,
    UpdateHanDeviceLog,
)
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.web_services import WebService
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.tap import Boundary
from tests.dcc.duis.samples import REQUESTS
from tests.dcc.estate import HUB_2, INSTALL_CODE, NOTICE, PPMID, S2, Estate, RecordingTap
from tests.dcc.mutations import Mutator

KEYS = BenchXmlKeys("bad documents")
KEY = KEYS.signing_key(SUPPLIER)
STATUSES = {200, 400, 413}


def signed(request):
    root = request_tree(request)
    sign(root, KEY)
    return serialise(root)


def seeds():
    """Documents that would be taken, each with an id of its own, and one of every other kind."""
    listing = UpdateHanDeviceLog(
        request_id=RequestId(SUPPLIER, HUB_2, 9_000_001),
        device=PPMID,
        action=LogAction.ADD,
        install_code=INSTALL_CODE,
        join_time_s=90,
    )
    own = (
        Prenotify(
            request_id=RequestId(SUPPLIER, ACB, 9_000_002),
            prenotification=replace(NOTICE, device=Eui64(77), version=S2.value),
        ),
        ReadInventory(request_id=RequestId(SUPPLIER, ACB, 9_000_003), device=PPMID),
        ReadFirmwareVersion(request_id=RequestId(SUPPLIER, PPMID, 9_000_004)),
    )
    return [signed(request) for request in (listing, *own, *REQUESTS)]


class Bench:
    """A door with the whole DCC behind it."""

    def __init__(self):
        self.estate = Estate()
        self.tap = RecordingTap()
        self.later = []
        self.door = Door(
            self.estate.dcc.handle,
            keys=DoorKeys.from_store(KEYS),
            rules=self.estate.dcc.rules,
            tap=self.tap,
            deliver=lambda *what: self.later.append(what),
            failed=lambda request, error: pytest.fail(f"{request}: {error!r}"),
        )

    def smi(self):
        return [record.plain() for record in self.estate.dcc.inventory()]

    async def judge(self, document, service):
        """Post a document and hold the answer to what must hold of every answer; return its code."""
        before, events = self.smi(), len(self.tap.events)
        reply = await self.door.post(service, document)
        assert reply.status in STATUSES
        assert b"Traceback" not in reply.content
        recorded = [event for event in self.tap.events[events:] if event[0] is Boundary.DUIS]
        assert recorded, "the attempt was not recorded"
        if reply.status != 200:
            assert self.smi() == before
            return str(reply.status)
        assert verify(parse_xml(reply.content), KEYS).owner == ACB
        response = read_response(reply.content)
        if response.code not in ("I0", "I99"):
            assert self.smi() == before, (response.code, document)
        return response.code


async def fed(seed, count):
    bench = Bench()
    mutate = Mutator(seed, seeds(), KEY)
    codes = {}
    for _ in range(count):
        service = mutate.chance.choice(tuple(WebService))
        code = await bench.judge(mutate(), service)
        codes[code] = codes.get(code, 0) + 1
    await bench.door.close()
    return codes


def test_a_thousand_mutated_documents_do_no_harm():
    codes = asyncio.run(fed(1, 1000))
    assert {"400", "E100", "E13"} <= set(codes)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_thousand_mutated_documents_do_no_harm(seed):
    asyncio.run(fed(seed, 1000))


def test_a_document_that_was_taken_once_is_a_replay_the_second_time():
    async def run():
        bench = Bench()
        document = seeds()[1]
        first = await bench.judge(document, WebService.NON_DEVICE)
        smi = bench.smi()
        second = await bench.judge(document, WebService.NON_DEVICE)
        return first, second, smi == bench.smi()

    first, second, unchanged = asyncio.run(run())
    assert (first, unchanged) == ("I99", True)
    assert second not in ("I0", "I99")


def test_a_request_of_the_wrong_role_is_refused():
    operator = Eui64.parse("90-B3-D5-1F-30-02-00-00")

    async def run():
        root = request_tree(
            UpdateHanDeviceLog(
                request_id=RequestId(operator, HUB_2, 1), device=PPMID, action=LogAction.REMOVE
            )
        )
        sign(root, KEYS.signing_key(operator))
        return await Bench().judge(serialise(root), WebService.SEND)

    assert asyncio.run(run()) == "E2"
