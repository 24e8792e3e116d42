"""A DCC that is not ours: only its documents speak. Here one of ours plays it, behind HTTP."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from harness.dcc.documents import Stage, Via
from harness.dcc.door import DoorKeys
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.duis_user import DuisUser, UserKeys
from harness.dcc.http.link import http_link, inbox
from harness.dcc.http.outbox import Outbox
from harness.dcc.http.postman import Postman
from harness.dcc.http.serve import Address, serving
from harness.dcc.http.service import DccService
from harness.dcc.remote import RemoteDcc
from harness.errors import DeviceSilent, RigFault, StimulusImpossible, SystemFault
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus
from harness.tap import NullTap
from tests.dcc.estate import HUB, HUB_1, HUB_2, INSTALL_CODE, NOTICE, PKI, PPMID, S1, S2, Estate, RecordingTap
from tests.smets.rules import own

KEYS = BenchXmlKeys("remote")


@contextlib.asynccontextmanager
async def remote(estate, *, dsp_keys=KEYS, answer_within_s=5.0, outbox_url=None, tap=None):
    """Give a RemoteDcc whose other end is `estate`."""
    async with contextlib.AsyncExitStack() as stack:
        taken = []
        url = await stack.enter_async_context(inbox(lambda document: taken[0](document), Address()))
        outbox = Outbox()
        service = DccService(
            estate.dcc.handle,
            keys=DoorKeys.from_store(dsp_keys),
            rules=own(),
            tap=NullTap(),
            outbox=outbox,
            postman=Postman(outbox, {SUPPLIER: outbox_url or url}, NullTap()),
        )
        served = await stack.enter_async_context(serving(service.application(), Address()))
        user = DuisUser(
            await stack.enter_async_context(http_link(served)),
            keys=UserKeys(own=dsp_keys.signing_key(SUPPLIER), dsp=KEYS),
            rules=own(),
            tap=tap or NullTap(),
            answer_within_s=answer_within_s,
        )
        taken.append(user.take)
        yield RemoteDcc(
            {SUPPLIER: user},
            rules=own(),
            cpl=estate.dcc.cpl,
            eui64=SUPPLIER,
            dsp=ACB,
            keys=PKI,
            close=stack.aclose,
        )


def run(work, estate=None, **options):
    async def whole():
        of = estate or Estate()
        async with remote(of, **options) as dcc:
            return await work(dcc, of)

    return asyncio.run(whole())


async def listed(dcc, notified, hub):
    assert (await dcc.prenotify(replace(NOTICE, version=notified.value))).ok
    return await dcc.whitelist(HUB[hub], PPMID, INSTALL_CODE, 90)


@pytest.mark.parametrize(("notified", "hub"), [(S1, S1), (S1, S2), (S2, S1), (S2, S2)])
def test_a_row_is_read_through_8_2_and_the_form_of_the_response(notified, hub):
    async def work(dcc, _):
        response = await listed(dcc, notified, hub)
        return response, await dcc.read_inventory(PPMID), await dcc.request("11.2", PPMID), dcc

    response, shown, answer, dcc = run(work)
    assert (response.code, response.acknowledgement.code) == ("I0", "I99")
    assert (shown.family, shown.status) == (hub, DeviceStatus.WHITELISTED)
    assert answer.fields["FirmwareVersion"] == "01020304"
    way = dcc.route_of(answer)
    assert way.via is (Via.S1SP if hub is S1 else Via.GBCS)
    assert (way.use_case, bool(way.response)) == ((None, False) if hub is S1 else ("CS08", True))
    assert dcc.inventory() == (shown,)


def test_a_case_begins_with_the_device_forgotten():
    async def work(dcc, of):
        await listed(dcc, S1, S2)
        await dcc.begin_case(PPMID, [HUB_1, HUB_2])
        return await dcc.read_inventory(PPMID), dcc.routes

    shown, routes = run(work)
    assert shown is None
    assert [way.srv for way in routes] == ["8.2"]


def test_a_device_that_does_not_answer_is_told_by_the_code():
    async def work(dcc, of):
        await listed(dcc, S1, S2)
        of.hubs[S2].fails = DeviceSilent("nothing came back")
        return await dcc.request("11.2", PPMID)

    response = run(work)
    assert (response.ok, response.code, response.stage) == (False, "E21", Stage.DELIVERY)


def test_a_dcc_that_signs_with_another_key_does_not_hold():
    with pytest.raises(SystemFault, match="a document of the DSP's does not hold"):
        run(lambda dcc, _: dcc.read_inventory(PPMID), dsp_keys=BenchXmlKeys("somebody else"))


def test_a_response_that_never_comes_is_the_systems_fault(monkeypatch):
    monkeypatch.setattr("harness.dcc.duis_user._MARGIN_S", 0.0)
    with pytest.raises(SystemFault, match=r"acknowledged 8\.11 .* and did not answer it within 0\.5 s"):
        run(
            lambda dcc, _: listed(dcc, S1, S2),
            answer_within_s=0.5,
            outbox_url="http://127.0.0.1:9/nobody",
        )


def test_nobody_there_is_the_rigs_fault():
    async def work():
        async with http_link("http://127.0.0.1:9") as link:
            user = DuisUser(
                link,
                keys=UserKeys(own=KEYS.signing_key(SUPPLIER), dsp=KEYS),
                rules=own(),
                tap=NullTap(),
                answer_within_s=1.0,
            )
            dcc = RemoteDcc(
                {SUPPLIER: user}, rules=own(), cpl=None, eui64=SUPPLIER, dsp=ACB, keys=PKI, close=None
            )
            await dcc.read_inventory(PPMID)

    with pytest.raises(RigFault, match=r"no DSP at http://127\.0\.0\.1:9"):
        asyncio.run(work())


def test_what_only_a_dcc_that_can_be_administered_does_is_impossible():
    async def work(dcc, _):
        with pytest.raises(
            StimulusImpossible, match="without an administrative interface cannot be given an"
        ):
            await dcc.change_cpl(dcc.cpl)
        with pytest.raises(StimulusImpossible, match="cannot have `supplier2` become"):
            await dcc.change_supplier(HUB_1, "supplier2")
        for act in (
            lambda: dcc.provision_meter(DeviceType.ESME, HUB_1),
            lambda: dcc.provision_old_hub(HUB_1, S1, ()),
            lambda: dcc.trials,
        ):
            with pytest.raises(StimulusImpossible, match="without an administrative interface cannot"):
                act()
        with pytest.raises(
            StimulusImpossible, match=r"no user `supplier2` with an XML-signing key; .* supplier"
        ):
            dcc.act_as("supplier2")

    run(work)


def test_a_refusal_is_read_from_the_code_of_the_response():
    async def work(dcc, _):
        response = await dcc.request("11.2", PPMID)
        return response, dcc.route_of(response)

    response, way = run(work)
    assert (response.code, response.ok, way.refused, way.judged) == ("E19", False, True, ())


def test_what_the_users_side_sees_is_recorded():
    tap = RecordingTap()
    run(lambda dcc, _: dcc.read_inventory(PPMID), tap=tap)
    assert [event[3] for event in tap.events] == [f"request 8.2 about {PPMID}", "response E19 to 8.2"]
