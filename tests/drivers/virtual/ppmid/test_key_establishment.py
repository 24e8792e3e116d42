"""The PPMID's side of key establishment, against a hub of the test's making."""

from __future__ import annotations

import asyncio

import pytest

from drivers.virtual.ppmid.defects import Defect
from harness.zigbee import key_establishment, zcl_general
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.commands import COMMANDS, Terminate, TerminateStatus
from harness.zigbee.cbke.exchange import Established, Exchange
from harness.zigbee.cbke.suites import SUITES
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from tests.drivers.virtual.ppmid.bench_of_one import run, until
from tests.drivers.virtual.ppmid.fake_air import PPMID, SEED, FakeHub, within

OTA = 0x0019


@pytest.mark.parametrize("suite", [1, 2])
def test_it_establishes_a_key_in_the_suite_offered_before_it_calls_itself_joined(suite):
    async def scenario(bench):
        status = await bench.join()
        assert (status.suites_offered, status.suite_used) == (suite, suite)
        assert bench.stack.shared_keys == bench.hub.link_keys != []
        sent = [each for each in bench.hub.asked if each.cluster == key_establishment.CLUSTER]
        assert len(sent) == 4
        assert not any(each.link_key_secured for each in sent)

    run(scenario, hubs=[FakeHub(suite)])


@pytest.mark.parametrize("suite", [1, 2])
def test_a_hub_may_begin_it_too(suite):
    async def scenario(bench):
        await bench.join()
        own = BenchAuthority(SEED).credentials(bench.hub.network.extended_pan_id, SUITES[suite])
        exchange, done = Exchange(own, peer=PPMID, ephemeral=4711, initiator=True), asyncio.Event()

        def say(command):
            frame = ZclFrame(
                frame_type=ZclFrameType.CLUSTER,
                direction=Direction.TO_SERVER,
                sequence=9,
                command=command.COMMAND,
                payload=command.to_bytes(),
            )
            bench.hub.say(key_establishment.CLUSTER, frame, secured=False)

        def take(frame):
            assert frame.direction is Direction.TO_CLIENT
            reaction = exchange.take(COMMANDS[frame.direction, frame.command].from_bytes(frame.payload), 0.0)
            if reaction.send is not None:
                say(reaction.send)
            if reaction.outcome is not None:
                done.set()

        bench.hub.take_key_establishment = take
        say(exchange.start(0.0))
        await within(done.wait())
        assert isinstance(exchange.outcome, Established)
        assert bench.stack.shared_keys[-1] == exchange.outcome.link_key != bench.stack.shared_keys[0]

    run(scenario, hubs=[FakeHub(suite)])


def test_of_two_suites_it_takes_the_better():
    async def scenario(bench):
        assert (await bench.join()).suite_used == 2

    run(scenario, hubs=[FakeHub(3)])


@pytest.mark.parametrize("defect", [Defect.WRONG_CONFIRM_KEY, Defect.ANOTHERS_CERTIFICATE])
def test_without_a_key_it_stays_out(defect):
    async def scenario(bench):
        outcome = await bench.port.join(2.0)
        assert (outcome.joined, outcome.reason) == (False, "key-establishment-failed")
        assert outcome.status.suite_used == 0
        assert bench.stack.shared_keys == []

    run(scenario, defect)


def test_a_hub_that_ends_it_is_not_asked_again(monkeypatch):
    async def scenario(bench):
        said = []

        def refuse(frame):
            said.append(frame)
            bench.hub.say_key_establishment(Terminate(status=TerminateStatus.NO_RESOURCES))

        bench.hub.take_key_establishment = refuse
        assert (await bench.port.join(2.0)).reason == "key-establishment-failed"
        assert len(said) == 1

    run(scenario)


def test_a_hub_that_is_silent_is_asked_again(monkeypatch):
    async def scenario(bench):
        said = []
        bench.hub.take_key_establishment = said.append
        assert (await bench.port.join(5.0)).reason == "key-establishment-failed"
        assert len(said) == 2

    monkeypatch.setattr("harness.zigbee.cbke.exchange._NETWORK_S", 0.05)
    run(scenario)


def test_its_link_key_outlives_a_power_cut_and_goes_with_the_network():
    async def scenario(bench):
        await bench.join()
        await bench.device.power(on=False)
        await bench.device.power(on=True)
        assert (await bench.port.status()).suite_used == 2
        await bench.port.leave()
        assert (await bench.port.status()).suite_used == 0

    run(scenario)


def test_smart_energy_without_the_link_key_is_refused_and_not_taken():
    async def scenario(bench):
        await bench.join()
        refused = await bench.hub.read(OTA, 0x0002, secured=False)
        assert refused == zcl_general.DefaultResponse(command=0, status=ZclStatus.FAILURE)
        assert await bench.port.received() == ()
        assert (await bench.hub.read(OTA, 0x0002)).value(0x0002) is not None

    run(scenario)


def test_before_it_has_a_key_smart_energy_is_refused_to_the_hub():
    async def scenario(bench):
        bench.hub.take_key_establishment = lambda frame: None  # it waits
        joining = asyncio.ensure_future(bench.port.join(5.0))
        await until(lambda: len(bench.hub.asked) >= 3)
        refused = await bench.hub.read(OTA, 0x0002)
        assert refused == zcl_general.DefaultResponse(command=0, status=ZclStatus.FAILURE)
        await bench.port.leave()
        assert (await joining).reason == "cancelled"

    run(scenario)


def test_a_device_that_uses_the_network_key_alone_does_so():
    async def scenario(bench):
        await bench.join()
        await bench.hub.read(OTA, 0x0002)
        assert not any(each.link_key_secured for each in bench.hub.asked)

    run(scenario, Defect.NETWORK_KEY_ONLY, hubs=[FakeHub(1)])


def test_a_device_that_skips_it_has_no_key_and_uses_the_install_codes():
    async def scenario(bench):
        assert (await bench.join()).suite_used == 0
        assert (await bench.hub.read(OTA, 0x0002)).value(0x0002) is not None

    run(scenario, Defect.SKIPS_KEY_ESTABLISHMENT, hubs=[FakeHub(1)])


def test_a_device_that_accepts_what_is_not_secured_does_so():
    async def scenario(bench):
        await bench.join()
        assert (await bench.hub.read(OTA, 0x0002, secured=False)).value(0x0002) is not None

    run(scenario, Defect.ACCEPTS_UNSECURED)
