"""Every form of answer crosses the boundary as a document and says the same on the other side."""

import asyncio

import pytest

from harness.dcc.documents import FirmwareWarning, LocalCommand, PreCommand, Via
from harness.dcc.door import S1SP_PARTY
from harness.dcc.duis import responses as r
from harness.dcc.duis.alerts import S1spAlertDsp
from harness.dcc.duis.requests import (
    CommandVariant,
    ReadDeviceLog,
    ReadFirmwareVersion,
    SignedPreCommand,
    UnjoinCritical,
    UpdatePpmidFirmware,
)
from harness.dcc.duis.responses import Smets1Answer
from harness.dcc.duis.signature import verify
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.gbcs import ACB
from harness.tap import Boundary
from tests.dcc.duis.schema import flaws
from tests.dcc.estate import PPMID, S1, S2, Estate
from tests.dcc.test_access import ESME, esme_ready, signed

KEYS = BenchXmlKeys("ppmid-bench")


def asked(kind, target, *, hub=S2, **fields):
    """Whitelist a PPMID, send one request; return the response and the documents that came back."""
    estate = Estate()

    async def run():
        await estate.row(S1, hub)
        before = len(estate.tap.at(Boundary.DUIS))
        response = await estate.dcc.send(kind, target, **fields)
        return response, estate.tap.at(Boundary.DUIS)[before:]

    response, events = asyncio.run(run())
    return response, [event[4] for event in events if event[1] == "dsp" and event[4]]


def test_a_critical_request_comes_back_as_a_pre_command_and_goes_out_signed():
    estate = esme_ready()
    made = asyncio.run(estate.dcc.send(UnjoinCritical, ESME, other=PPMID))
    assert isinstance(made.body, PreCommand)
    second = SignedPreCommand(request_id=made.request_id, srv="8.8.1", payload=signed(made.body.message))
    done = asyncio.run(estate.dcc.boundary.send(second))
    assert (made.code, done.code, done.via) == ("I0", "I0", Via.GBCS)
    documents = [event[4] for event in estate.tap.at(Boundary.DUIS) if event[1] == "dsp" and event[4]]
    forms = [type(read_response(document).body.payload) for document in documents[-3:]]
    assert forms == [r.PreCommand, type(None), r.GbcsPayload]


def test_a_command_for_local_delivery_is_handed_back():
    response, [document] = asked(ReadFirmwareVersion, PPMID, command_variant=CommandVariant.LOCAL)
    assert isinstance(response.body, LocalCommand)
    assert read_response(document).body.payload.message == response.body.message


def test_a_command_that_is_sent_and_handed_back_is_in_the_acknowledgement():
    response, documents = asked(ReadFirmwareVersion, PPMID, command_variant=CommandVariant.SEND_AND_LOCAL)
    acknowledged, answered = map(read_response, documents)
    assert (acknowledged.code, answered.code, response.code) == ("I99", "I0", "I0")
    assert acknowledged.body.payload.message == response.local.message
    assert response.fields["FirmwareVersion"] == "01020304"


def test_devices_that_get_no_firmware_are_on_a_list():
    response, [document] = asked(
        UpdatePpmidFirmware, ACB, hub=S1, image=b"", firmware="01020304", devices=(PPMID,)
    )
    assert isinstance(response.body, FirmwareWarning)
    assert (response.code, response.ok) == ("W110401", True)
    lists = {name: devices for name, devices in response.body.lists.items() if devices}
    assert lists == {"NotApplicableFirmwareDeviceIDList": (PPMID,)}
    assert read_response(document).body.payload.not_applicable == (PPMID,)


@pytest.mark.parametrize(
    ("kind", "form"), [(ReadDeviceLog, S1spAlertDsp), (ReadFirmwareVersion, Smets1Answer)]
)
def test_what_the_s1sp_says_is_signed_by_it_whatever_it_says(kind, form):
    response, documents = asked(kind, PPMID, hub=S1)
    body = read_response(documents[-1]).body
    holder = body.alert if isinstance(body, r.DccAlertMessage) else body
    assert verify(parse_xml(holder.signed), KEYS).owner == S1SP_PARTY
    assert isinstance(getattr(body, "alert", None) or body.answer, form)
    assert response.ok == (form is Smets1Answer)


@pytest.mark.dcc_data
@pytest.mark.parametrize(
    ("kind", "target", "hub", "fields"),
    [
        (ReadFirmwareVersion, PPMID, S2, {"command_variant": CommandVariant.SEND_AND_LOCAL}),
        (UpdatePpmidFirmware, ACB, S1, {"image": b"", "firmware": "01020304", "devices": (PPMID,)}),
        (ReadDeviceLog, PPMID, S1, {}),
    ],
)
def test_the_schema_takes_every_form(kind, target, hub, fields):
    _, documents = asked(kind, target, hub=hub, **fields)
    assert [flaw for document in documents for flaw in flaws(document)] == []
