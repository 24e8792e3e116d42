"""The hub's side of key establishment, against an initiator and a responder of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from harness.errors import DeviceSilent, RigFault
from harness.hub.defects import HubDefect
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import HubEventKind
from harness.rig.certificates import CertificateFiles
from harness.rig.faces import JoinKind, NetworkSettings
from harness.zigbee.cbke import commands
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.commands import ConfirmKey, EphemeralData, Initiate, Terminate, TerminateStatus
from harness.zigbee.cbke.exchange import Established, Exchange
from harness.zigbee.cbke.suites import SUITE_1, SUITE_2
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType
from tests.hub.fake_radio import CODE, HUB, KEY, PPMID
from tests.hub.hub_bench import HubBench, run, settle

KE, METERING, BASIC = 0x0800, 0x0702, 0x0000
READ = bytes.fromhex("00 07 00 0000")
REFUSED = bytes.fromhex("18 07 0B 00 01")  # Default Response to Read Attributes: FAILURE
AUTHORITY = BenchAuthority("ppmid-bench")
SUITES = {"smets1": SUITE_1, "smets2": SUITE_2}


class Device:
    """A PPMID that speaks key establishment for itself; `spoil` changes what it says."""

    def __init__(self, bench, suite, *, credentials=None, initiator=True, spoil=lambda command: command):
        self.bench = bench
        self.exchange = Exchange(
            credentials or AUTHORITY.credentials(PPMID, suite), peer=HUB, ephemeral=4711, initiator=initiator
        )
        self.direction = Direction.TO_SERVER if initiator else Direction.TO_CLIENT
        self.spoil = spoil
        self.heard = []
        self.done = asyncio.Event()
        bench.device.establishes = False
        bench.device.answers = self.answer

    async def join(self):
        await self.bench.hub.add_to_device_log(PPMID, CODE, 60.0)
        assert self.bench.device.join()

    async def establish(self):
        await self.join()
        self.say(self.exchange.start(0.0))
        async with asyncio.timeout(5.0):
            await self.done.wait()
        return self.exchange.outcome

    def say(self, command):
        command = self.spoil(command)
        if command is None:
            return
        frame = ZclFrame(
            frame_type=ZclFrameType.CLUSTER,
            direction=self.direction,
            sequence=9,
            command=command.COMMAND,
            payload=command.to_bytes(),
        )
        self.bench.device.say(cluster=KE, payload=frame.to_bytes())

    def answer(self, message):
        if message.profile == 0 and message.cluster == 0x0006:
            body = message.payload[:1] + bytes.fromhex("00 3412 01 01")
            return [self.bench.device.reply(message, body, cluster=0x8006)]
        frame = ZclFrame.from_bytes(message.payload)
        if message.cluster != KE or frame.frame_type is not ZclFrameType.CLUSTER:
            return []
        assert not message.link_key_secured
        command = commands.COMMANDS[frame.direction, frame.command].from_bytes(frame.payload)
        self.heard.append(command)
        reaction = self.exchange.take(command, 0.0)
        if reaction.send is not None:
            self.say(reaction.send)
        if reaction.outcome is not None:
            self.done.set()
        return []


def kinds(bench):
    return [event.kind for event in bench.hub.events]


@pytest.mark.parametrize("profile", SUITES)
def test_a_device_that_begins_gets_a_key_which_radio_log_and_keys_have(profile):
    async def scenario(bench):
        suite = SUITES[profile]
        outcome = await Device(bench, suite).establish()
        assert isinstance(outcome, Established)
        (entry,) = bench.hub.device_log()
        assert (entry.established, entry.suite) == (True, suite.number)
        assert entry.trust_centre_link_key == entry.derived_key == outcome.link_key
        assert bench.radio.link_keys == {PPMID: outcome.link_key}
        assert bench.hub.keys().link_keys == {PPMID: (KEY, outcome.link_key)}
        event = bench.hub.events[-1]
        assert (event.kind, event.suite) == (HubEventKind.KEY_ESTABLISHED, suite.number)

    run(scenario, profile=profile)


def test_the_radio_has_the_key_before_the_device_is_told_that_it_is_right():
    async def scenario(bench):
        device = Device(bench, SUITE_2)
        seen = []
        answer = device.answer

        def watch(message):
            seen.append((message.payload[2:3], dict(bench.radio.link_keys)))
            return answer(message)

        bench.device.answers = watch
        await device.establish()
        assert seen[-1][0] == b"\x02"  # Confirm Key
        assert seen[-1][1] != {}
        assert all(keys == {} for _, keys in seen[:-1])

    run(scenario)


def test_before_and_without_the_link_key_smart_energy_is_refused_and_the_rest_is_not():
    async def scenario(bench):
        device = Device(bench, SUITE_2)
        await device.join()
        for secured in (True, False):  # the install code's link key is none for Smart Energy
            assert await said(bench, METERING, link_key_secured=secured) == [REFUSED]
        assert not bench.device.received[-1].link_key_secured
        assert bench.hub.events[-1].kind is HubEventKind.UNSECURED
        assert "before key establishment" in bench.hub.events[-1].note
        assert len(await said(bench, BASIC)) == len(await said(bench, KE)) == 1
        device.say(device.exchange.start(0.0))
        await device.done.wait()
        (answer,) = await said(bench, METERING, link_key_secured=True)
        assert answer[2:3] == b"\x01"  # Read Attributes Response
        assert await said(bench, METERING, link_key_secured=False) == [REFUSED]
        assert "under the network key" in bench.hub.events[-1].note

    run(scenario)


async def said(bench, cluster, **changes):
    bench.device.received.clear()
    bench.device.say(cluster=cluster, payload=READ, **changes)
    await settle()
    return [message.payload for message in bench.device.received]


@pytest.mark.parametrize(
    ("cluster", "payload", "changes"),
    [
        (METERING, "18 07 0B 00 86", {}),  # a Default Response
        (METERING, "00 07 00 0000", {"broadcast": True}),
    ],
)
def test_what_must_not_be_answered_is_refused_in_silence(cluster, payload, changes):
    async def scenario(bench):
        await Device(bench, SUITE_2).join()
        bench.device.say(cluster=cluster, payload=bytes.fromhex(payload), link_key_secured=False, **changes)
        await settle()
        assert bench.device.received == []

    run(scenario)


def test_until_there_is_a_key_the_hub_has_nothing_to_say_to_a_device():
    async def scenario(bench):
        await Device(bench, SUITE_2).join()
        for ask in (
            bench.hub.deliver_gbcs(PPMID, b"x", 1.0),
            bench.hub.read_attributes(PPMID, 0x0019, (2,), client_side=True, timeout_s=1.0),
        ):
            with pytest.raises(DeviceSilent, match="has established no link key with hub smets2"):
                await ask
        assert [message for message in bench.radio.sent if message.profile == 0x0109] == []

    run(scenario)


def test_a_question_may_go_unsecured_on_purpose():
    async def scenario(bench):
        device = Device(bench, SUITE_2)
        await device.establish()
        with pytest.raises(DeviceSilent, match="no answer"):
            await bench.hub.read_attributes(
                PPMID, 0x0019, (2,), client_side=True, timeout_s=0.05, secured=False
            )
        assert bench.radio.sent[-1].cluster == 0x0019
        assert not bench.radio.sent[-1].link_key_secured

    run(scenario)


def another(command):
    return ConfirmKey(mac=bytes(16)) if isinstance(command, ConfirmKey) else command


def of_suite_1(command):
    return (
        Initiate(suite=1, ephemeral_data_time=2, confirm_key_time=2, certificate=bytes(48))
        if isinstance(command, Initiate)
        else command
    )


def unasked(command):
    return EphemeralData(ephemeral_key=bytes(37)) if isinstance(command, Initiate) else command


@pytest.mark.parametrize(
    ("spoil", "credentials", "status"),
    [
        (another, None, TerminateStatus.BAD_KEY_CONFIRM),
        (of_suite_1, None, TerminateStatus.UNSUPPORTED_SUITE),
        (unasked, None, TerminateStatus.BAD_MESSAGE),
        (None, AUTHORITY.credentials(HUB, SUITE_2), TerminateStatus.BAD_MESSAGE),
        (None, BenchAuthority("another").credentials(PPMID, SUITE_2), TerminateStatus.BAD_KEY_CONFIRM),
    ],
    ids=["wrong confirmation", "suite not offered", "unasked", "another's certificate", "another authority"],
)
def test_a_wrong_conversation_ends_without_a_key(spoil, credentials, status):
    async def scenario(bench):
        device = Device(bench, SUITE_2, credentials=credentials, spoil=spoil or (lambda command: command))
        outcome = await device.establish()
        assert outcome.status is status
        assert bench.radio.link_keys == {}
        assert not bench.hub.device_log()[0].established
        assert HubEventKind.KEY_ESTABLISHED not in kinds(bench)
        if spoil is not unasked:  # of a conversation that never began nothing is told
            assert bench.hub.events[-1].kind is HubEventKind.KEY_NOT_ESTABLISHED

    run(scenario)


def test_a_device_that_falls_silent_is_given_up(monkeypatch):
    async def scenario(bench):
        device = Device(bench, SUITE_2, spoil=lambda c: None if isinstance(c, EphemeralData) else c)
        await device.join()
        device.say(device.exchange.start(0.0))
        async with asyncio.timeout(5.0):
            while HubEventKind.KEY_NOT_ESTABLISHED not in kinds(bench):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert "did not send its EphemeralData in time" in bench.hub.events[-1].note

    monkeypatch.setattr("harness.zigbee.cbke.exchange.EPHEMERAL_DATA_S", 0)
    monkeypatch.setattr("harness.zigbee.cbke.exchange._NETWORK_S", 0.05)
    run(scenario)


def test_a_device_that_begins_anew_gets_its_key():
    async def scenario(bench):
        first = Device(bench, SUITE_2, spoil=lambda c: None if isinstance(c, EphemeralData) else c)
        await first.join()
        first.say(first.exchange.start(0.0))
        async with asyncio.timeout(5.0):
            while not first.heard:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        second = Device(bench, SUITE_2)
        second.say(second.exchange.start(0.0))
        await second.done.wait()
        assert bench.radio.link_keys == {PPMID: second.exchange.outcome.link_key}

    run(scenario)


def test_a_stranger_and_a_device_that_has_left_get_no_answer_to_a_certificate():
    async def scenario(bench):
        device = Device(bench, SUITE_2)
        device.say(device.exchange.start(0.0))
        await settle()
        assert all(not isinstance(command, Initiate) for command in device.heard)
        await device.join()
        bench.radio.notice(JoinKind.LEFT, PPMID, 0x1234)
        device.say(device.exchange.start(0.0))
        await settle()
        assert all(not isinstance(command, Initiate) for command in device.heard)
        assert bench.hub.device_log()[0].state is DeviceState.REMOVED

    run(scenario)


def test_a_radio_that_does_not_take_the_key_is_at_fault_and_the_device_is_told_that_there_is_none():
    async def scenario(bench):
        async def full(eui64, link_key):
            raise RigFault("its key table is full", remedy="remove devices")

        takes, bench.radio.set_link_key = bench.radio.set_link_key, full
        device = Device(bench, SUITE_2)
        await device.establish()
        assert device.heard[-1] == Terminate(status=TerminateStatus.NO_RESOURCES, suite=2)
        assert not bench.hub.device_log()[0].established
        told = {event.kind: event.note for event in bench.hub.events}
        assert told[HubEventKind.KEY_NOT_TAKEN] == "its key table is full"
        assert "its key table is full" in told[HubEventKind.KEY_NOT_ESTABLISHED]
        assert HubEventKind.KEY_ESTABLISHED not in told
        faults = []
        for _ in range(2):
            with pytest.raises(RigFault, match="its key table is full; remove devices") as raised:
                await bench.hub.ping()
            faults.append(raised.value)
        assert faults[0] is not faults[1]
        bench.radio.set_link_key = takes
        await bench.hub.start(NetworkSettings(channel=20))
        await bench.hub.ping()

    run(scenario)


def test_an_answer_that_the_hub_has_not_asked_for_is_passed_over():
    async def scenario(bench):
        device = Device(bench, SUITE_2, initiator=False)
        await device.join()
        device.say(Device(bench, SUITE_2).exchange.start(0.0))
        await settle()
        assert device.heard == []
        assert HubEventKind.KEY_NOT_ESTABLISHED not in kinds(bench)

    run(scenario)


def test_a_fresh_join_has_to_establish_a_key_again_and_a_rejoin_has_not():
    async def scenario(bench):
        device = Device(bench, SUITE_2)
        await device.establish()
        bench.radio.notice(JoinKind.SECURED_REJOIN, PPMID, 0x1234)
        bench.device.announce()
        assert bench.hub.device_log()[0].established
        bench.radio.notice(JoinKind.TRUST_CENTRE_REJOIN, PPMID, 0x1234)
        bench.device.announce()
        assert bench.hub.device_log()[0].established
        bench.radio.notice(JoinKind.UNSECURED_JOIN, PPMID, 0x1234)
        bench.device.announce()
        assert not bench.hub.device_log()[0].established

    run(scenario)


def test_a_listener_hears_of_the_key_and_may_stop_listening():
    async def scenario(bench):
        heard = []
        stop = bench.hub.listen(heard.append)
        await Device(bench, SUITE_2).establish()
        assert heard[-1].kind is HubEventKind.KEY_ESTABLISHED
        stop()
        stop()
        before = len(heard)
        bench.radio.notice(JoinKind.LEFT, PPMID, 0x1234)
        assert len(heard) == before

    run(scenario)


def test_a_hub_without_a_certificate_for_its_dongle_does_not_start():
    bench = HubBench("smets2", ())
    files = {(PPMID, SUITE_2): AUTHORITY.credentials(PPMID, SUITE_2)}
    bench.hub._credentials = CertificateFiles(files=files, otherwise=AUTHORITY)
    with pytest.raises(RigFault, match="hub smets2 has no suite 2 certificate for its dongle"):
        asyncio.run(bench.hub.start(NetworkSettings(channel=20)))
    assert not bench.radio.opened


def test_a_hub_that_accepts_what_is_not_secured_answers_it():
    async def scenario(bench):
        await Device(bench, SUITE_2).join()
        (answer,) = await said(bench, METERING, link_key_secured=False)
        assert answer[2:3] == b"\x01"

    run(scenario, defects=[HubDefect.ACCEPTS_UNSECURED])


def test_a_terminate_out_of_the_blue_is_passed_over():
    async def scenario(bench):
        device = Device(bench, SUITE_2)
        await device.join()
        device.say(Terminate(status=TerminateStatus.NO_RESOURCES))
        await settle()
        assert device.heard == []

    run(scenario)
