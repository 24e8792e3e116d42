"""A virtual bilingual PPMID, commanded over its test port: how it joins, what it becomes, what it keeps."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.ppmid.commissioning import choose_mode
from drivers.virtual.ppmid.nonvolatile import Mode
from drivers.virtual.ppmid.zcl_server import SERVES, USES
from harness.errors import DutFault
from harness.eui64 import Eui64
from harness.zigbee import key_establishment, tunnel
from harness.zigbee.zcl_types import DataType, TypedValue
from tests.drivers.virtual.ppmid.bench_of_one import run, until
from tests.drivers.virtual.ppmid.fake_air import PPMID, FakeHub, within

SMETS1, SMETS2 = 0x0001, 0x0002


def hubs(**changes):
    return [
        FakeHub(SMETS1, eui64="00-DB-12-34-56-78-91-01", channel=15),
        FakeHub(SMETS2, eui64="00-DB-12-34-56-78-91-02", channel=20),
    ]


@pytest.mark.parametrize(
    ("suites", "mode"),
    [(0, "none"), (1, "SMETS1"), (2, "SMETS2+"), (3, "SMETS2+"), (4, "none"), (5, "SMETS1")],
)
def test_suite_2_makes_smets2_and_suite_1_alone_smets1(suites, mode):
    assert choose_mode(suites, frozenset()) is Mode(mode)


@pytest.mark.parametrize(("suites", "mode"), [(SMETS1, "SMETS1"), (SMETS2, "SMETS2+"), (3, "SMETS2+")])
def test_a_ppmid_takes_its_mode_from_the_hub_it_joins(suites, mode):
    async def scenario(bench):
        before = await bench.port.status()
        assert (before.state, before.mode, before.suites_offered) == ("out", "none", 0)
        outcome = await bench.port.join(5.0)
        assert (outcome.joined, outcome.reason) == (True, None)
        assert 0.0 <= outcome.elapsed_s < 5.0
        status = outcome.status
        assert (status.state, status.mode, status.suites_offered) == ("joined", mode, suites)
        assert (status.channel, status.pan_id, status.short_address) == (20, 0x5678, 0x796F)
        assert status.extended_pan_id == status.parent == Eui64.parse("00-DB-12-34-56-78-91-02")
        assert await bench.port.status() == status

    run(scenario, hubs=[FakeHub(suites)])


def test_it_asks_for_the_suites_under_the_network_key_and_for_a_tunnel_under_the_link_key():
    async def scenario(bench):
        await bench.join()
        await within(bench.hub.tunnel_opened.wait())
        asked = [(each.cluster, each.link_key_secured) for each in bench.hub.asked]
        assert asked == [(0x0006, False), *[(0x0800, False)] * 4, (0x0006, False), (0x0704, True)]

    run(scenario)


def test_on_a_smets1_hub_it_asks_for_no_tunnel():
    async def scenario(bench):
        await bench.join()
        await asyncio.sleep(0.05)
        assert [each.cluster for each in bench.hub.asked] == [0x0006, *[0x0800] * 4]

    run(scenario, hubs=[FakeHub(SMETS1)])


def test_its_endpoint_is_that_of_a_ppmid():
    assert SERVES == (0x0000, 0x0800)
    assert set(USES) == {0x0800, 0x0700, 0x0702, 0x0705, 0x0703, 0x0704, 0x0019, 0x000A}


# --- staying out --------------------------------------------------------------------------------------------


def stays_out(bench, reason):
    async def scenario():
        outcome = await bench.port.join(0.5)
        assert (outcome.joined, outcome.reason) == (False, reason)
        assert (outcome.status.state, outcome.status.mode) == ("out", "none")

    return scenario()


def test_without_a_network_it_stays_out():
    async def scenario(bench):
        bench.hub.permits = False
        await stays_out(bench, "no-network")

    run(scenario)


def test_with_another_install_code_it_stays_out_and_with_the_right_one_gets_in():
    async def scenario(bench):
        await bench.port.set_install_code(bytes(16))
        await stays_out(bench, "wrong-key")
        await bench.port.set_install_code(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
        await bench.join()

    run(scenario)


def test_a_key_that_got_lost_on_the_way_is_tried_for_again_but_not_for_ever():
    async def scenario(bench):
        bench.stack.lost = 2
        await stays_out(bench, "no-key")
        bench.stack.lost = 1
        await bench.join()

    run(scenario)


def test_a_host_without_key_establishment_is_stayed_with_when_the_rig_says_so():
    async def scenario(bench):
        bench.hub.serves = {tunnel.CLUSTER}
        joined = await bench.join()
        assert (joined.state, joined.mode) == ("joined", "none")
        assert bench.stack.left == []

    run(scenario, stays_without_mode=True)


def test_a_hub_without_key_establishment_is_left_again():
    async def scenario(bench):
        bench.hub.serves = {tunnel.CLUSTER}
        await stays_out(bench, "no-key-establishment")
        assert bench.stack.left == [20]

    run(scenario)


@pytest.mark.parametrize(
    "value",
    [
        TypedValue(DataType.BITMAP16, 0x0000),
        TypedValue(DataType.BITMAP16, 0x0004),
        TypedValue(DataType.CHARACTER_STRING, "2"),
    ],
    ids=str,
)
def test_a_hub_that_offers_no_suite_known_is_left_again(value):
    async def scenario(bench):
        bench.hub.value = value
        await stays_out(bench, "no-key-establishment")
        assert bench.stack.left == [20]

    run(scenario)


def test_a_hub_that_does_not_answer_is_asked_three_times_and_left():
    async def scenario(bench):
        bench.hub.silent_to = {key_establishment.CLUSTER}
        await stays_out(bench, "no-key-establishment")
        assert len([each for each in bench.hub.asked if each.cluster == 0x0800]) == 3

    run(scenario)


def test_a_question_that_got_lost_is_asked_again():
    async def scenario(bench):
        bench.hub.ignored = 2
        await bench.join()

    run(scenario)


def test_a_join_ends_at_its_timeout():
    async def scenario(bench):
        bench.stack.gate = asyncio.Event()
        outcome = await bench.port.join(0.1)
        assert (outcome.joined, outcome.reason) == (False, "timeout")
        assert 0.1 <= outcome.elapsed_s < 1.0

    run(scenario)


def test_a_device_sent_away_while_it_asks_reports_a_refusal():
    async def scenario(bench):
        bench.hub.silent_to = {key_establishment.CLUSTER}
        joining = asyncio.ensure_future(bench.port.join(2.0))
        await until(lambda: bench.stack.network)
        bench.stack.told_to_leave()
        assert (await joining).reason == "refused"

    run(scenario)


def test_leave_ends_a_join_under_way():
    async def scenario(bench):
        bench.stack.gate = asyncio.Event()
        joining = asyncio.ensure_future(bench.port.join(30.0))
        async with asyncio.timeout(2.0):
            while (await bench.port.status()).state != "joining":
                pass
        await bench.port.leave()
        assert (await joining).reason == "cancelled"

    run(scenario)


def test_who_is_on_a_network_cannot_join_another():
    async def scenario(bench):
        await bench.join()
        with pytest.raises(DutFault, match=r"joined already; leave first \(bad-state\)"):
            await bench.port.join(1.0)

    run(scenario)


# --- keeping and giving up -------------------------------------------------------------------------------


def test_leaving_gives_up_the_mode_and_the_next_hub_gives_another():
    async def scenario(bench):
        first, second = bench.hubs
        second.permits = False
        assert (await bench.join()).mode == "SMETS1"
        await bench.port.leave()
        after = await bench.port.status()
        assert (after.state, after.mode, after.suites_offered, after.channel) == ("out", "none", 0, None)
        first.permits, second.permits = False, True
        assert (await bench.join()).mode == "SMETS2+"
        bench.stack.told_to_leave()
        after = await bench.port.status()
        assert (after.state, after.mode) == ("out", "none")
        assert "evt left state=out mode=none suites=0 key-establishment=0" in bench.said()

    run(scenario, hubs=hubs())


def test_leaving_nothing_is_no_error():
    async def scenario(bench):
        await bench.port.leave()
        await bench.port.leave()

    run(scenario)


@pytest.mark.parametrize("suites", [SMETS1, SMETS2])
def test_mode_and_network_outlast_a_power_cut(suites):
    async def scenario(bench):
        before = await bench.join()
        bench.hub.asked.clear()
        await bench.device.power(on=False)
        await bench.device.power(on=False)
        bench.hub.tunnel_opened.clear()
        await bench.device.power(on=True)
        after = await bench.port.status()
        assert (after.state, after.mode, after.suites_offered) == ("joined", before.mode, suites)
        if suites == SMETS2:
            await within(bench.hub.tunnel_opened.wait())
        assert 0x0800 not in [each.cluster for each in bench.hub.asked], "it must not decide anew"
        assert bench.stack.sent_while_off == []

    run(scenario, hubs=[FakeHub(suites)])


def test_without_power_it_is_silent():
    async def scenario(bench):
        await bench.port.identify()
        await bench.device.power(on=False)
        with pytest.raises(DutFault, match="answered before, but not to `info`"):
            await bench.port.identify()

    run(scenario)


def test_a_reset_answers_first_and_keeps_everything():
    async def scenario(bench):
        before = await bench.join()
        await bench.port.restart()
        await until(lambda: [line for line in bench.said()[3:] if line.startswith("evt started")])
        after = await bench.port.status()
        assert (after.state, after.mode, after.channel) == ("joined", before.mode, before.channel)

    run(scenario)


def test_an_install_code_outlasts_a_power_cut():
    async def scenario(bench):
        await bench.port.set_install_code(bytes(16))
        await bench.device.power(on=False)
        await bench.device.power(on=True)
        await stays_out(bench, "wrong-key")

    run(scenario)


def test_a_lost_parent_is_sought_until_it_is_back():
    async def scenario(bench):
        await bench.join()
        await within(bench.hub.tunnel_opened.wait())
        bench.hub.tunnel_opened.clear()
        bench.stack.lost = 3
        bench.stack.lose_parent()
        await within(bench.hub.tunnel_opened.wait())
        after = await bench.port.status()
        assert (after.state, after.mode, bench.stack.lost) == ("joined", "SMETS2+", 0)

    run(scenario)


def moved_to(hub):
    """Have another hub take the place of the PPMID's own, which is gone."""

    async def move(bench):
        await bench.join()
        await within(bench.hub.tunnel_opened.wait())
        bench.hub.tunnel_opened.clear()
        bench.stack.swaps_to = hub
        bench.stack.lose_parent()

    return move


def test_with_a_hub_in_the_place_of_its_own_mode_and_link_key_are_new_and_kept():
    other = FakeHub(0x0001, eui64="00-DB-12-34-56-78-91-03", channel=25)

    async def scenario(bench):
        await moved_to(other)(bench)
        await until(lambda: other.link_keys)
        assert other.link_keys != bench.hub.link_keys
        await until(lambda: bench.stack.shared_keys[-1] == other.link_keys[-1])
        await bench.device.power(on=False)
        await bench.device.power(on=True)
        after = await bench.port.status()
        assert (after.state, after.mode, after.suite_used, after.channel) == ("joined", "SMETS1", 1, 25)

    run(scenario, hubs=[FakeHub(), other])


def test_of_a_hub_in_the_place_of_its_own_that_establishes_no_key_nothing_is_kept():
    other = FakeHub(0x0001, eui64="00-DB-12-34-56-78-91-03", channel=25)
    other.silent_to = {0x0800}

    async def scenario(bench):
        await moved_to(other)(bench)
        await within(bench.hub.tunnel_opened.wait(), 5.0)  # back with its own
        after = await bench.port.status()
        assert (after.state, after.mode, after.suite_used, after.channel) == ("joined", "SMETS2+", 2, 20)
        assert bench.stack.restored == [{"network": 20}]
        assert other.link_keys == []

    run(scenario, hubs=[FakeHub(), other])


def test_a_ppmid_told_to_leave_while_it_settles_in_stays_out():
    other = FakeHub(0x0002, eui64="00-DB-12-34-56-78-91-03", channel=25)
    other.silent_to = {0x0800}

    async def scenario(bench):
        await moved_to(other)(bench)
        await until(lambda: other.asked)
        bench.stack.told_to_leave()
        assert (await bench.port.status()).state == "out"
        await asyncio.sleep(0.3)  # longer than settling in takes
        assert ((await bench.port.status()).state, bench.stack.restored) == ("out", [])

    run(scenario, hubs=[FakeHub(), other])


# --- identity ---------------------------------------------------------------------------------------------


def test_it_says_who_it_is():
    async def scenario(bench):
        identity = await bench.port.identify()
        assert (identity.eui64, identity.manufacturer, identity.model, identity.firmware) == (
            PPMID,
            "1234",
            "00090100",
            "01020304",
        )

    run(scenario)


@pytest.mark.parametrize(
    "changes", [{"install_code": b"short"}, {"manufacturer": "12"}, {"model": "x" * 8}, {"firmware": ""}]
)
def test_a_nonsensical_configuration_is_refused(changes):
    with pytest.raises(ValueError, match=r"octets|hex digits"):
        run(lambda bench: None, **changes)
