"""The four rows through the DCC, the way of each request, and what each defect changes."""

import asyncio
from dataclasses import replace

import pytest

from harness.dcc.defects import DccDefect
from harness.dcc.documents import GbcsResponse, Smets1Response, Stage, Via
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, OwnKeys, parse
from harness.gbcs.use_cases import cs08
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus
from harness.tap import Boundary
from tests.dcc.estate import FIRMWARE, HUB, HUB_1, HUB_2, INSTALL_CODE, NOTICE, PKI, PPMID, S1, S2, Estate
from tests.smets.rules import own

ROWS = [(S1, S1), (S1, S2), (S2, S1), (S2, S2)]
IDS = ["row 1", "row 2", "row 3", "row 4"]


@pytest.mark.parametrize(("notified", "hub"), ROWS, ids=IDS)
def test_a_row_resolves_to_the_hubs_version_and_routes_by_it(notified, hub):
    estate = Estate()
    listed, shown, response = asyncio.run(estate.row(notified, hub))

    assert (listed.code, listed.acknowledgement.code, listed.ok) == ("I0", "I99", True)
    assert shown.family is hub
    assert shown.version == hub.value
    assert shown.status is DeviceStatus.WHITELISTED
    assert shown.hub == HUB[hub]
    assert shown.firmware == "01020304"
    assert shown.gbcs_version == ("4.2" if hub is S2 else "")
    assert (shown.s1sp, shown.csp_region) == (("BENCH-S1SP", "SMETS1") if hub is S1 else (None, None))
    assert (response.code, response.ok) == ("I0", True)
    assert response.fields["FirmwareVersion"] == FIRMWARE.hex().upper()

    row = "MP202-TABLE-" + str(1 + ROWS.index((notified, hub)))
    assert row in listed.rules
    via, body = (Via.S1SP, Smets1Response) if hub is S1 else (Via.GBCS, GbcsResponse)
    assert (listed.via, response.via) == (via, via)
    assert isinstance(response.body, body)
    assert estate.hubs[hub.other].asked == []
    assert estate.hubs[hub].asked[0] == ("add", PPMID, INSTALL_CODE, 90)


def test_by_way_of_gbcs_the_hub_carries_a_cs08_command_of_the_acb_on_behalf_of_the_user():
    estate = Estate()
    _, _, response = asyncio.run(estate.row(S1, S2))
    route = estate.dcc.route_of(response)
    kind, device, octets = estate.hubs[S2].asked[1]
    assert (kind, device, octets) == ("gbcs", PPMID, route.command)
    message = cs08.read_command(octets, OwnKeys(PPMID, PKI), device=PPMID)
    assert message.message_code == route.message_code == 0x0129
    assert (message.originator, message.supplementary_party) == (ACB, SUPPLIER)
    assert message.supplementary_counter == response.request_id.counter
    assert (route.use_case, route.via) == ("CS08", Via.GBCS)
    assert response.body.message == route.response
    assert [data for *_, data, _ in estate.tap.at(Boundary.GBCS)][-2:] == [route.command, route.response]
    assert estate.tap.at(Boundary.S1SP) == []


def test_by_way_of_the_s1sp_no_gbcs_octet_is_made():
    estate = Estate()
    _, _, response = asyncio.run(estate.row(S2, S1))
    route = estate.dcc.route_of(response)
    assert (route.command, route.response, route.use_case) == (b"", b"", None)
    assert estate.hubs[S1].asked[1] == ("read", PPMID, 0x0019, (0x0002,), True)
    assert estate.tap.at(Boundary.GBCS) == []
    assert len(estate.tap.at(Boundary.S1SP)) == 4  # there and back, for 8.11 and for 11.2


def test_every_request_passes_the_stages_in_their_order():
    estate = Estate()
    listed, _, response = asyncio.run(estate.row(S1, S2))
    assert estate.dcc.route_of(listed).passed == tuple(Stage)[2:]  # a value has two behind it
    assert estate.dcc.route_of(response).passed == tuple(Stage)[2:]


def test_a_whitelisting_leans_on_the_rules_that_read_the_version_texts():
    estate = Estate(rules=own())
    old = Eui64.parse("00-DB-12-34-56-78-91-05")
    notice = replace(NOTICE, device=old, device_type=DeviceType.CHF, version="SMETS V1.2")
    estate.dcc.provision_hub(notice, estate.hubs[S1])

    async def run():
        await estate.prenotify(S2)
        return await estate.whitelist(old)

    listed = asyncio.run(run())
    assert {"VERSION-SMETS2", "VERSION-1-OLD", "HUB-FAMILY", "MP202-FIRMWARE", "MP202-TABLE-3"} <= set(
        listed.rules
    )
    assert "VERSION-1-OLD" in {rule.id for rule in own().assumptions(listed.rules)}


def test_counters_grow_and_no_request_id_is_used_twice():
    estate = Estate()

    async def run():
        await estate.row(S1, S2)
        return [await estate.dcc.request("11.2", PPMID) for _ in range(20)]

    responses = asyncio.run(run())
    users = [response.request_id.counter for response in responses]
    acbs = [parse(estate.dcc.route_of(response).command).counter for response in responses]
    assert users == sorted(set(users))
    assert acbs == sorted(set(acbs))


def test_taken_off_one_hub_and_whitelisted_on_the_other_a_ppmid_flips_back():
    estate = Estate()

    async def run():
        await estate.row(S1, S2)
        estate.dcc.device_joined(HUB_2, PPMID)
        removed = await estate.dcc.unwhitelist(HUB_2, PPMID)
        between = await estate.dcc.read_inventory(PPMID)
        listed = await estate.whitelist(S1)
        return removed, between, listed, await estate.dcc.read_inventory(PPMID)

    removed, between, listed, shown = asyncio.run(run())
    assert removed.ok
    assert (between.status, between.hub, between.family) == (DeviceStatus.DECOMMISSIONED, None, S2)
    assert "MP202-TABLE-3" in listed.rules
    assert (shown.family, shown.hub) == (S1, HUB_1)
    assert estate.hubs[S2].asked[-1] == ("remove", PPMID)
    flips = [(change.before, change.after) for change in estate.dcc.history(PPMID) if change.what == "family"]
    assert flips == [("SMETS1", "SMETS2+"), ("SMETS2+", "SMETS1")]


# --- each defect changes a result ---------------------------------------------------------------------------


def results(*defects):
    """Return, for each row, the version in the inventory, the way of 11.2 and its code."""

    async def run():
        found = []
        for notified, hub in ROWS:
            estate = Estate(defects=defects)
            _, shown, response = await estate.row(notified, hub)
            found.append((shown.family, response.via, response.code))
        return found

    return asyncio.run(run())


RIGHT = [(S1, Via.S1SP, "I0"), (S2, Via.GBCS, "I0"), (S1, Via.S1SP, "I0"), (S2, Via.GBCS, "I0")]


def test_without_a_defect_every_row_is_right():
    assert results() == RIGHT


@pytest.mark.parametrize(
    ("defect", "wrong_rows"),
    [
        (DccDefect.SWAP_TABLE, [0, 1, 2, 3]),
        (DccDefect.IGNORE_HUB, [1, 2]),
        (DccDefect.ROUTE_BY_PRENOTIFIED, [1, 2]),
        (DccDefect.STALE_INVENTORY, [1, 2]),
    ],
)
def test_a_defect_shows_in_the_rows_that_it_spoils_and_in_no_other(defect, wrong_rows):
    found = results(defect)
    assert [row for row in range(4) if found[row] != RIGHT[row]] == wrong_rows


def test_routing_by_the_prenotification_leaves_the_inventory_right():
    found = results(DccDefect.ROUTE_BY_PRENOTIFIED)
    assert [family for family, _, _ in found] == [family for family, _, _ in RIGHT]


def test_a_gbcs_command_for_a_hub_without_a_tunnel_is_the_dsps_fault_and_no_impossible_stimulus():
    estate = Estate(defects=(DccDefect.SWAP_TABLE,))
    _, _, response = asyncio.run(estate.row(S1, S1))
    assert (response.code, response.via, response.stage) == ("E20", Via.GBCS, Stage.DELIVERY)


# --- the MAC of a response -------------------------------------------------------------------------------


def spoilt(octets):
    return octets[:-1] + bytes([octets[-1] ^ 1])


@pytest.mark.parametrize("defects", [(), (DccDefect.SKIP_RESPONSE_MAC_CHECK,)], ids=["honest", "careless"])
def test_a_response_with_a_wrong_mac_is_believed_by_a_careless_dsp_alone(defects):
    estate = Estate(defects=defects)
    hub = estate.hubs[S2]
    hub.answer = lambda message: spoilt(hub.honest_answer(message))
    _, _, response = asyncio.run(estate.row(S1, S2))
    if defects:
        assert (response.code, response.ok) == ("I0", True)
    else:
        assert (response.code, response.ok, response.body) == ("E21", False, None)
        assert isinstance(response.cause, DecodeError)
        assert "MAC" in response.reason
        assert "RESPONSE-BAD-ANSWER" in response.rules


@pytest.mark.parametrize("defects", [(), (DccDefect.SKIP_RESPONSE_MAC_CHECK,)], ids=["honest", "careless"])
def test_even_a_careless_dsp_wants_an_answer_to_its_own_command(defects):
    estate = Estate(defects=defects)
    hub = estate.hubs[S2]
    earlier = []

    def answer(message):
        earlier.append(hub.honest_answer(message))
        return earlier[0]

    hub.answer = answer

    async def run():
        await estate.row(S1, S2)
        return await estate.dcc.request("11.2", PPMID)

    response = asyncio.run(run())
    assert response.code == "E21"
    assert "counter" in response.reason
