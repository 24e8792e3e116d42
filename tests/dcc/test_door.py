"""The DSP's door: what it takes in, what it turns away, and how it answers what goes to a device."""

import asyncio

import pytest

from harness.dcc.counters import utc_now
from harness.dcc.documents import Acknowledgement, ServiceResponse, Smets1Response, Via
from harness.dcc.door import S1SP_PARTY, Door, DoorKeys
from harness.dcc.duis.requests import CommandVariant, ReadFirmwareVersion, ReadInventory, RequestId
from harness.dcc.duis.responses import Smets1ResponseMessage
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import Limits, parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.web_services import WebService
from harness.errors import RigFault
from harness.gbcs import ACB, SUPPLIER
from harness.tap import Boundary
from tests.dcc.estate import HUB_1, PPMID, RecordingTap
from tests.smets.rules import own

KEYS = BenchXmlKeys("door")
READ = ReadInventory(request_id=RequestId(SUPPLIER, ACB, 1), device=PPMID)
TO_DEVICE = ReadFirmwareVersion(request_id=RequestId(SUPPLIER, PPMID, 2))


def signed(request, owner=SUPPLIER):
    root = request_tree(request)
    sign(root, KEYS.signing_key(owner))
    return serialise(root)


class Bench:
    """A door with a DSP behind it that does as it is told."""

    def __init__(self, *, acknowledge=False, body=None, via=Via.DSP, raises=None, limits=None):
        self.acknowledge, self.body, self.via, self.raises = acknowledge, body, via, raises
        self.delivered, self.failed, self.taken = [], [], []
        self.tap = RecordingTap()
        self.go_on, self.told = asyncio.Event(), asyncio.Event()
        self.door = Door(
            self.handle,
            keys=DoorKeys.from_store(KEYS),
            rules=own(),
            tap=self.tap,
            deliver=lambda *what: self.tell(self.delivered, what),
            failed=lambda *what: self.tell(self.failed, what),
            clock=utc_now,
            limits=limits or Limits(),
        )

    def tell(self, where, what):
        where.append(what)
        self.told.set()

    async def handle(self, request, acknowledge):
        self.taken.append(request)
        if self.acknowledge:
            acknowledge(Acknowledgement(request_id=request.request_id, code="I99"))
            await self.go_on.wait()
        if self.raises is not None:
            raise self.raises
        return ServiceResponse(
            request_id=request.request_id, code="I0", ok=True, via=self.via, body=self.body
        )

    def post(self, document, service=WebService.NON_DEVICE):
        return asyncio.run(self.door.post(service, document))


def test_a_signed_request_is_taken_and_answered_with_a_signed_response():
    bench = Bench()
    reply = bench.post(signed(READ))
    assert bench.taken == [READ]
    assert verify(parse_xml(reply.content), KEYS).owner == ACB
    response = read_response(reply.content)
    assert (response.code, response.request_id) == ("I0", READ.request_id)
    assert response.response_id == RequestId(ACB, SUPPLIER, 1)
    assert [event[4] for event in bench.tap.at(Boundary.DUIS)] == [signed_in(bench), reply.content]


def signed_in(bench):
    return bench.tap.at(Boundary.DUIS)[0][4]


def test_what_goes_to_a_device_is_acknowledged_and_answered_later():
    bench = Bench(acknowledge=True)

    async def run():
        reply = await bench.door.post(WebService.SEND, signed(TO_DEVICE))
        assert bench.delivered == []
        bench.go_on.set()
        await asyncio.wait_for(bench.told.wait(), 5)
        return reply

    reply = asyncio.run(run())
    acknowledgement = read_response(reply.content)
    assert (acknowledgement.code, acknowledgement.response_id) == ("I99", None)
    [(request_id, document)] = bench.delivered
    assert request_id == TO_DEVICE.request_id
    assert read_response(document).code == "I0"


def test_a_smets1_answer_is_signed_by_the_s1sp_inside_and_by_the_dsp_outside():
    answer = Smets1Response(
        request_id=TO_DEVICE.request_id, srv="11.2", success=True, fields={"FirmwareVersion": "01020304"}
    )
    bench = Bench(body=answer, via=Via.S1SP)
    reply = bench.post(signed(TO_DEVICE), WebService.SEND)
    body = read_response(reply.content).body
    assert isinstance(body, Smets1ResponseMessage)
    assert verify(parse_xml(reply.content), KEYS).owner == ACB
    assert verify(parse_xml(body.signed), KEYS).owner == S1SP_PARTY
    assert body.answer.fields == {"FirmwareVersion": "01020304"}


@pytest.mark.parametrize(
    ("document", "status"),
    [(b"", 400), (b"<a/>", 400), (b"<!DOCTYPE a><a/>", 400), (b"<a>" + b"x" * 5000 + b"</a>", 413)],
)
def test_what_is_no_request_gets_an_http_status_and_no_further(document, status):
    bench = Bench(limits=Limits(octets=5000))
    reply = bench.post(document)
    assert (reply.status, bench.taken) == (status, [])
    [event] = bench.tap.at(Boundary.DUIS)
    assert "turned away" in event[3]
    assert event[4] == document[:4096]


@pytest.mark.parametrize(
    ("document", "service", "code", "says"),
    [
        (signed(READ).replace(b"90-A4", b"90-A5"), WebService.NON_DEVICE, "E100", "its digest differs"),
        (serialise(request_tree(READ)), WebService.NON_DEVICE, "E100", "not signed"),
        (signed(READ, owner=HUB_1), WebService.NON_DEVICE, "E100", f"signed by {HUB_1}, but its sender is"),
        (signed(READ).replace(b"sr:DeviceID", b"sr:Device"), WebService.NON_DEVICE, "E100", "where UPRN"),
        (signed(READ), WebService.SEND, "E13", "command variant 8 goes to serviceD, not serviceS"),
        (signed(TO_DEVICE), WebService.TRANSFORM, "E13", "command variant 1 goes to serviceS"),
    ],
    ids=[
        "altered",
        "not signed",
        "signed by another",
        "of no schema",
        "wrong service",
        "not to be transformed",
    ],
)
def test_a_request_that_cannot_be_taken_is_answered_with_a_code(document, service, code, says):
    bench = Bench()
    reply = bench.post(document, service)
    response = read_response(reply.content)
    assert (response.code, bench.taken) == (code, [])
    assert response.request_id.originator == SUPPLIER
    assert any(says in event[3] for event in bench.tap.at(Boundary.DUIS))


def test_a_fault_of_the_rig_is_raised_before_an_acknowledgement_and_told_after_one():
    fault = RigFault("the dongle is gone")
    with pytest.raises(RigFault, match="dongle"):
        Bench(raises=fault).post(signed(READ))

    bench = Bench(raises=fault, acknowledge=True)

    async def run():
        await bench.door.post(WebService.SEND, signed(TO_DEVICE))
        bench.go_on.set()
        await asyncio.wait_for(bench.told.wait(), 5)

    asyncio.run(run())
    assert bench.failed == [(TO_DEVICE, fault)]
    assert bench.delivered == []


def test_a_fault_after_its_sender_went_away_is_told():
    fault = RigFault("the dongle is gone")
    bench = Bench(raises=fault, acknowledge=True)

    async def run():
        sender = asyncio.ensure_future(bench.door.post(WebService.SEND, signed(TO_DEVICE)))
        await asyncio.sleep(0)
        sender.cancel()
        await asyncio.wait({sender})
        bench.go_on.set()
        await asyncio.wait_for(bench.told.wait(), 5)

    asyncio.run(run())
    assert bench.failed == [(TO_DEVICE, fault)]


def test_closing_ends_what_is_under_way():
    bench = Bench(acknowledge=True)

    async def run():
        await bench.door.post(WebService.SEND, signed(TO_DEVICE))
        await bench.door.close()

    asyncio.run(run())
    assert (bench.delivered, bench.failed) == ([], [])


@pytest.mark.parametrize("variant", CommandVariant)
def test_every_command_variant_has_one_web_service(variant):
    expected = {4: "serviceT", 1: "serviceS", 3: "serviceS", 5: "serviceS", 7: "serviceS"}
    [service] = [service for service in WebService if service.takes(variant)]
    assert service.value == expected.get(variant.value, "serviceD")
