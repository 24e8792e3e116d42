"""The hub as CHF: what it obeys, what it answers and tells, and what it refuses without a change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from harness.errors import DeviceSilent, RadioUndelivered, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, Cra, OwnKeys, parse
from harness.gbcs.acceptance import Refusal
from harness.gbcs.access import AccessResult
from harness.gbcs.builder import secure
from harness.gbcs.use_cases import cs08
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CCS02,
    CCS03,
    AddDevice,
    AddDeviceResult,
    LoggedDevice,
    RegisteredType,
    RestoreDeviceLog,
)
from harness.gbcs.use_cases.device_log_reads import CCS06, CCS07
from harness.hub.defects import HubDefect
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import BY_HASHED_KEY, HubEventKind
from harness.rig.faces import ApsMessage, JoinKind, NetworkSettings
from harness.zigbee.cbke.suites import SUITES
from harness.zigbee.security import mmo_hash
from tests.hub.fake_radio import CODE, HUB, PPMID
from tests.hub.gbcs_bench import ACB_KEYS, PKI, add, heading, logs_told, run
from tests.hub.hub_bench import run as run_plain

OTHER = Eui64.parse("00-DB-12-34-56-78-90-FF")
ANOTHER = {"device": OTHER, "install_code": CODE, "device_type": RegisteredType.ESME, "join_timeout_s": 90}


async def told(bench, use_case, fields, counter):
    """Send a command and return what the CHF's response says."""
    command = use_case.build_command(fields, ACB_KEYS, **heading(counter))
    response = await bench.hub.command_chf(command, 1.0)
    return use_case.read_response(response, ACB_KEYS, command=command)


def test_ccs01_whitelists_is_answered_and_told_of():
    async def scenario(bench):
        command = add()
        response = await bench.hub.command_chf(command, 1.0)
        assert CCS01.read_response(response, ACB_KEYS, command=command).ok
        (entry,) = bench.hub.device_log()
        assert (entry.eui64, entry.install_code, entry.window_s) == (PPMID, CODE, 90.0)
        assert bench.device.join()
        assert logs_told(bench) == [{PPMID: b""}], "no hash before a key is established"

    run(scenario)


def test_a_link_key_that_is_established_is_told_of_by_its_hash_alone():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert bench.device.join()
        key = bytes(range(16))
        await bench.hub._key_established(PPMID, key, SUITES[2])
        assert logs_told(bench)[-1] == {PPMID: mmo_hash(key)}
        assert not any(key in message for _, message in bench.alerts)
        logs = await told(bench, CCS07, None, 2)
        assert [one.link_key_hash for one in logs.device_log.devices] == [mmo_hash(key)]

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "part"),
    [({"install_code": bytes(5)}, "register"), ({"enable_joining": False}, "enable_joining")],
)
def test_what_cannot_be_registered_is_answered_so_and_changes_nothing(fields, part):
    async def scenario(bench):
        command = add(**fields)
        result = CCS01.read_response(await bench.hub.command_chf(command, 1.0), ACB_KEYS, command=command)
        assert getattr(result, part) is not AccessResult.SUCCESS
        assert not result.ok
        assert bench.hub.device_log() == ()
        assert bench.alerts == []

    run(scenario)


def test_ccs02_takes_a_device_off_and_into_the_history():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert bench.device.join()
        assert await told(bench, CCS02, PPMID, 2) is AccessResult.SUCCESS
        assert bench.hub.device_log() == ()
        assert bench.radio.forgotten == [PPMID]
        logs = await told(bench, CCS07, None, 3)
        assert [one.device for one in logs.historic_log.devices] == [PPMID]
        assert logs.device_log.devices == ()
        assert logs.device_log.extended_pan_id == HUB.to_bytes_be()
        assert await told(bench, CCS02, PPMID, 4) is AccessResult.OBJECT_UNAVAILABLE

    run(scenario)


def test_a_removal_is_told_of_by_the_log_that_is_left():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        await told(bench, CCS01, AddDevice(**ANOTHER), 2)
        assert logs_told(bench) == [{PPMID: b""}, {PPMID: b"", OTHER: b""}]
        assert await told(bench, CCS02, PPMID, 3) is AccessResult.SUCCESS
        assert logs_told(bench)[2:] == [{OTHER: b""}]
        assert await told(bench, CCS02, PPMID, 4) is AccessResult.OBJECT_UNAVAILABLE
        assert len(bench.alerts) == 3, "what was not in the log has not been removed from it"

    run(scenario)


def test_a_whitelisting_that_the_radio_refuses_is_told_of_and_then_that_it_is_undone():
    async def scenario(bench):
        bench.radio.fault = RigFault("the dongle is gone")
        with pytest.raises(RigFault, match="the dongle is gone"):
            await bench.hub.command_chf(add(), 1.0)
        assert bench.hub.device_log() == ()
        assert logs_told(bench) == [{PPMID: b""}, {}]
        assert bench.hub.historic_device_log() == ()

    run(scenario)


def test_a_whitelisting_given_up_in_the_middle_leaves_no_entry_and_no_key():
    async def scenario(bench):
        async def never(*_):
            await asyncio.Event().wait()

        bench.radio.permit = never
        with pytest.raises(DeviceSilent, match="has not answered"):
            await bench.hub.command_chf(add(), 0.01)
        assert bench.hub.device_log() == ()
        assert bench.radio.forgotten == [PPMID]
        assert logs_told(bench)[-1] == {}

    run(scenario)


def test_a_case_that_begins_afresh_is_told_to_nobody():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert bench.device.join()
        before = len(bench.alerts)
        await bench.hub.begin_afresh()
        assert bench.hub.device_log() == bench.hub.historic_device_log() == ()
        assert bench.radio.forgotten == [PPMID]
        assert len(bench.alerts) == before
        await bench.hub.command_chf(add(2), 1.0)
        assert len(bench.alerts) == before + 1

    run(scenario)


def test_ccs06_says_when_a_device_was_heard_last():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        (link,) = (await told(bench, CCS06, None, 2)).devices
        assert (link.device, link.last_communication.moment) == (PPMID, None)
        assert bench.device.join()
        bench.device.say(cluster=0, payload=b"\x00\x01\x00\x00\x00")
        (link,) = (await told(bench, CCS06, None, 3)).devices
        assert link.last_communication.moment.timestamp() == 1_800_000_000

    run(scenario)


def test_ccs06_says_how_well_a_device_is_heard_and_reached():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        (link,) = (await told(bench, CCS06, None, 2)).devices
        assert (link.status, link.hops, link.max_rssi, link.max_lqi) == ("10000000", 0, 0, 0)
        assert bench.device.join()
        for rssi, lqi in ((-40, 200), (-61, 90), (-50, 160)):
            bench.device.say(cluster=0, payload=b"\x00\x01\x00\x00\x00", rssi_dbm=rssi, lqi=lqi)
        bench.hub._log.sent(bench.device.short_address, ok=False)
        for _ in range(300):
            bench.hub._log.sent(bench.device.short_address, ok=True)
        (link,) = (await told(bench, CCS06, None, 3)).devices
        assert (link.status, link.hops) == ("11001000", 1), "as in the published response"
        assert (link.max_rssi, link.average_rssi, link.min_rssi) == (-40, -50, -61)
        assert (link.max_lqi, link.average_lqi, link.min_lqi) == (200, 150, 90)
        assert (link.transmission_failures, link.transmission_successes) == (1, 255)
        bench.hub._log.joined(PPMID, bench.device.short_address, now=0.0, afresh=True)
        (link,) = (await told(bench, CCS06, None, 4)).devices
        assert link.status == "11000000", "without a link key established"

    run(scenario)


def test_what_the_radio_delivers_and_does_not_is_counted():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert bench.device.join()
        message = ApsMessage(
            peer=bench.device.short_address,
            profile=0,
            cluster=0x8000,
            source_endpoint=0,
            destination_endpoint=0,
            payload=b"",
        )
        before = bench.hub.device_log()[0].link
        await bench.hub._send(message, 1.0)
        bench.radio.devices.clear()
        with pytest.raises(RadioUndelivered):
            await bench.hub._send(message, 1.0)
        after = bench.hub.device_log()[0].link
        assert (after.delivered, after.undelivered) == (before.delivered + 1, before.undelivered + 1)

    run(scenario)


OLD_HUB = Eui64.parse("00-DB-12-34-56-78-92-02")
HASH = mmo_hash(bytes(range(16)))
BACKUP = RestoreDeviceLog(
    extended_pan_id=OLD_HUB.to_bytes_be(), devices=(LoggedDevice(PPMID, HASH), LoggedDevice(OTHER))
)


def test_ccs03_takes_in_the_log_of_another_hub_and_tells_of_it():
    async def scenario(bench):
        assert await told(bench, CCS03, BACKUP, 1) is AccessResult.SUCCESS
        assert [(entry.eui64, entry.state) for entry in bench.hub.device_log()] == [
            (PPMID, DeviceState.RESTORED),
            (OTHER, DeviceState.RESTORED),
        ]
        assert logs_told(bench)[-1] == {PPMID: HASH, OTHER: b""}
        logs = await told(bench, CCS07, None, 2)
        assert logs.device_log.extended_pan_id == OLD_HUB.to_bytes_be()

    run(scenario)


def test_a_hub_that_takes_anothers_place_forms_its_network_and_has_the_hashed_keys():
    async def scenario(bench):
        before = bench.radio.formed
        assert await told(bench, CCS03, BACKUP, 1) is AccessResult.SUCCESS
        assert bench.radio.formed == before + 1
        assert bench.radio.settings.extended_pan_id == bench.hub.network.extended_pan_id == OLD_HUB
        assert bench.radio.link_keys == {PPMID: HASH}, "whoever has no hash cannot come back"
        await bench.hub.start(NetworkSettings(channel=20))
        assert bench.hub.network.extended_pan_id == OLD_HUB, "after a restart too"
        await bench.hub.begin_afresh()
        assert bench.hub.network.extended_pan_id == HUB

    run(scenario)


def test_a_device_comes_to_it_by_a_trust_centre_rejoin_and_has_no_link_key_until_it_establishes_one():
    async def scenario(bench):
        await told(bench, CCS03, BACKUP, 1)
        bench.radio.notice(JoinKind.TRUST_CENTRE_REJOIN, PPMID, bench.device.short_address)
        bench.radio.devices[bench.device.short_address] = bench.device
        bench.device.announce()
        assert [event.kind for event in bench.hub.events[-2:]] == [
            HubEventKind.KEY_SENT,
            HubEventKind.REJOINED,
        ]
        assert bench.hub.events[-1].note == BY_HASHED_KEY
        entry = bench.hub.device_log()[0]
        assert (entry.state, entry.established) == (DeviceState.JOINED, False)
        with pytest.raises(DeviceSilent, match="has established no link key"):
            await bench.hub.deliver_gbcs(PPMID, b"", 1.0)
        await bench.hub._key_established(PPMID, bytes(range(50, 66)), SUITES[2])
        assert bench.hub.device_log()[0].established
        assert bench.radio.link_keys[PPMID] == bytes(range(50, 66))
        assert logs_told(bench)[-1][PPMID] == mmo_hash(bytes(range(50, 66)))

    run(scenario)


def test_a_device_that_is_taken_off_before_it_has_come_cannot_come_any_more():
    async def scenario(bench):
        await told(bench, CCS03, BACKUP, 1)
        assert await told(bench, CCS02, PPMID, 2) is AccessResult.SUCCESS
        assert bench.radio.forgotten == [PPMID]
        assert [entry.eui64 for entry in bench.hub.device_log()] == [OTHER]

    run(scenario)


def test_a_device_of_a_restored_log_that_the_radio_keeps_out_is_denied_by_it():
    async def scenario(bench):
        await told(bench, CCS03, BACKUP, 1)
        bench.radio.notice(JoinKind.TRUST_CENTRE_REJOIN, PPMID, 0x1234, admitted=False)
        assert bench.refusals() == ["denied-by-radio"]

    run(scenario)


def test_a_window_that_is_open_stays_so_when_the_hub_takes_anothers_place():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        bench.radio.windows.clear()  # as a dongle does that forms a network
        fields = replace(BACKUP, devices=(LoggedDevice(OTHER, HASH),))
        assert await told(bench, CCS03, fields, 2) is AccessResult.SUCCESS
        assert bench.device.join()

    run(scenario)


def test_a_hub_with_a_device_on_its_own_han_takes_nobodys_place():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert bench.device.join()
        before = bench.hub.device_log()
        assert await told(bench, CCS03, BACKUP, 2) is AccessResult.OTHER_REASON
        assert bench.hub.device_log() == before
        assert bench.hub.network.extended_pan_id == HUB

    run(scenario)


@pytest.mark.parametrize(
    ("defect", "shows"),
    [
        (HubDefect.FORGETS_RESTORED, lambda hub: PPMID not in [one.eui64 for one in hub.device_log()]),
        (HubDefect.KEEPS_OWN_NETWORK, lambda hub: hub.network.extended_pan_id == HUB),
    ],
)
def test_a_hub_can_be_made_to_restore_wrongly(defect, shows):
    async def scenario(bench):
        fields = replace(BACKUP, devices=BACKUP.devices[:1])
        assert await told(bench, CCS03, fields, 1) is AccessResult.SUCCESS
        assert shows(bench.hub)

    run(scenario, defects=(defect,))


def test_a_hub_can_be_made_to_tell_link_keys_themselves():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert bench.device.join()
        await bench.hub._key_established(PPMID, bytes(range(16)), SUITES[2])
        assert logs_told(bench)[-1] == {PPMID: bytes(range(16))}

    run(scenario, defects=(HubDefect.CHF_TELLS_LINK_KEYS,))


def test_a_hub_is_off_the_air_until_it_is_started_again():
    async def scenario(bench):
        await bench.hub.switch_off()
        assert not bench.radio.opened
        assert bench.radio.opens == 2, "a dongle is reset: one that is let go of stays on its network"
        assert bench.hub.network.extended_pan_id == HUB
        await bench.hub.start(NetworkSettings(channel=20))
        assert bench.radio.opened

    run(scenario)


# --- what it refuses --------------------------------------------------------------------------------------


def forged(counter, **changes):
    """Return CCS01 with a header changed and a right MAC of the ACB's to whoever it says."""
    message = replace(parse(add(counter)), **changes)
    return secure(message, PKI, CCS01.command)


def response_of(counter):
    return CCS01.build_response(parse(add(counter)), AddDeviceResult(), OwnKeys(HUB, PKI))


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda: b"", Refusal.MALFORMED),
        (lambda: add(9)[:-1], Refusal.MALFORMED),
        (lambda: add(9) + b"\0", Refusal.MALFORMED),
        (lambda: response_of(9), Refusal.NOT_A_COMMAND),
        (lambda: add(9, device=OTHER), Refusal.WRONG_TARGET),
        (lambda: forged(9, originator=SUPPLIER), Refusal.WRONG_ORIGINATOR),
        (lambda: cs08.command(keys=ACB_KEYS, **heading(9)), Refusal.UNSUPPORTED),
        (lambda: parse(add(9)).with_signature(b"").to_bytes(), Refusal.BAD_MAC),
        (lambda: forged(9, content=b"\x05\x00"), Refusal.MALFORMED),
        (lambda: add(8), Refusal.REPLAYED),
        (lambda: add(7), Refusal.REPLAYED),
    ],
    ids=[
        "nothing", "cut short", "too long", "a response", "to another", "from a user", "another use case",
        "without a MAC", "wrong content", "the same counter", "an older counter",
    ],
)  # fmt: skip
def test_a_message_that_it_must_not_obey_is_refused_and_changes_nothing(make, refusal):
    async def scenario(bench):
        await told(bench, CCS06, None, 8)
        with pytest.raises(DeviceSilent, match=refusal.value):
            await bench.hub.command_chf(make(), 1.0)
        (kept,) = bench.hub.chf.refused
        assert kept.refusal is refusal
        assert kept.reason
        assert any(refusal.value in summary for _, summary, _ in bench.tap.events)
        assert bench.hub.device_log() == ()
        assert bench.alerts == []

    run(scenario)


def test_one_flipped_bit_anywhere_is_noticed_and_the_message_itself_still_counts():
    async def scenario(bench):
        good = add(9)
        for place in range(len(good)):
            bad = good[:place] + bytes([good[place] ^ 0x40]) + good[place + 1 :]
            with pytest.raises(DeviceSilent):
                await bench.hub.command_chf(bad, 1.0)
        assert bench.hub.device_log() == ()
        assert bench.alerts == []
        await bench.hub.command_chf(good, 1.0)
        assert len(bench.hub.device_log()) == 1

    run(scenario)


def test_a_smets1_hub_has_no_chf():
    async def scenario(bench):
        with pytest.raises(StimulusImpossible, match="knows no GBCS"):
            await bench.hub.command_chf(add(), 1.0)

    run_plain(scenario, profile="smets1")


# --- defects ----------------------------------------------------------------------------------------------


def test_a_chf_that_ignores_macs_can_be_had():
    async def scenario(bench):
        bad = add()[:-1] + bytes([add()[-1] ^ 1])
        await bench.hub.command_chf(bad, 1.0)
        assert len(bench.hub.device_log()) == 1

    run(scenario, defects=[HubDefect.CHF_IGNORES_MAC])


def test_a_chf_that_accepts_replays_can_be_had():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        await bench.hub.command_chf(add(), 1.0)

    run(scenario, defects=[HubDefect.CHF_ACCEPTS_REPLAY])


def test_a_chf_that_keeps_who_was_removed_or_raises_no_alert_can_be_had():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert await told(bench, CCS02, PPMID, 2) is AccessResult.SUCCESS
        assert len(bench.hub.device_log()) == 1
        assert bench.alerts == []

    run(scenario, defects=[HubDefect.CHF_KEEPS_REMOVED, HubDefect.CHF_RAISES_NO_ALERT])


def test_a_chf_that_tells_of_no_removal_can_be_had():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert await told(bench, CCS02, PPMID, 2) is AccessResult.SUCCESS
        assert bench.hub.device_log() == ()
        assert logs_told(bench) == [{PPMID: b""}]

    run(scenario, defects=[HubDefect.CHF_TELLS_NO_REMOVAL])


def test_the_response_is_to_the_acb_under_the_commands_counters():
    async def scenario(bench):
        message = parse(await bench.hub.command_chf(add(5), 1.0))
        assert (message.cra, message.originator, message.recipient) == (Cra.RESPONSE, HUB, ACB)
        assert (message.counter, message.supplementary_party) == (5, SUPPLIER)

    run(scenario)
