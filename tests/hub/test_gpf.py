"""The hub as GPF: a device of its own beside the CHF, with a device log that joins, unjoins and restores."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from harness.errors import DecodeError, DeviceSilent, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyStores, KeyUsage, OwnKeys, parse
from harness.gbcs.acceptance import Refusal
from harness.gbcs.builder import secure
from harness.gbcs.certificates import read_certificate
from harness.gbcs.use_cases.gas_proxy import GCS59, GCS62, RestoredDevice
from harness.gbcs.use_cases.joining import (
    CS03B,
    CS04B,
    CS07,
    DeviceType,
    Join,
    JoinedDevice,
    JoinMethod,
    JoinResult,
    UnjoinResult,
)
from harness.hub.defects import HubDefect
from harness.hub.gpf import Gpf, gpf_of
from harness.hub.logical_device import HubNow
from harness.tap import NullTap
from tests.hub.fake_radio import HUB, PPMID
from tests.hub.gbcs_bench import ACB_KEYS, NOW, PKI, add, heading, run
from tests.hub.hub_bench import run as run_plain

GPF = gpf_of(HUB)
GSME = Eui64.parse("00-DB-12-34-56-78-90-A1")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-FF")
LOG = (JoinedDevice(GSME, DeviceType.GSME), JoinedDevice(PPMID, DeviceType.PPMID))


def join(device=PPMID, kind=DeviceType.PPMID, **changes):
    return Join(**{"method": JoinMethod.METHOD_B, "device": device, "device_type": kind, **changes})


def of_join(counter, fields=None, device=GPF):
    return CS03B.build_command(fields or join(), ACB_KEYS, **heading(counter, device))


async def told(bench, use_case, fields, counter):
    """Send the GPF a command and return what its response says, to the ACB and from the GPF."""
    command = use_case.build_command(fields, ACB_KEYS, **heading(counter, GPF))
    response = await bench.hub.command_gpf(command, 1.0)
    return use_case.read_response(response, ACB_KEYS, command=command)


def backups(bench):
    """Return the device logs of the GPF's alerts, verified as the ACB does."""
    return [GCS62.read_alert(message, ACB_KEYS, originator=GPF) for eui64, message in bench.alerts]


async def log_of(bench, counter):
    return (await told(bench, CS07, None, counter)).devices


def test_the_gpf_is_not_the_hub_and_no_other_dongle():
    assert str(GPF) != str(HUB)
    assert gpf_of(GPF) == HUB
    assert abs(GPF.value - HUB.value) >= 1 << 56


@pytest.mark.parametrize("usage", [KeyUsage.KEY_AGREEMENT, KeyUsage.DIGITAL_SIGNATURE])
def test_it_has_certificates_of_its_own_the_same_for_the_same_seed(usage):
    certificate = PKI.certificate(GPF, usage)
    assert read_certificate(certificate).subject == GPF
    assert certificate == BenchPki("test").certificate(GPF, usage)
    assert certificate not in (PKI.certificate(HUB, usage), BenchPki("another").certificate(GPF, usage))


class KeysOfTheGpf(BenchPki):
    """The keys of the GPF and nobody else's, as a folder of a user's own has them."""

    def private_key(self, eui, usage):
        return super().private_key(self.checked(eui, usage), usage)

    def public_key(self, eui, usage):
        return super().public_key(self.checked(eui, usage), usage)

    def checked(self, eui, usage):
        if eui != GPF:
            raise KeyNotFound(eui, usage)
        return eui


def test_keys_of_a_users_own_go_before_the_benchs():
    keys = KeyStores((KeysOfTheGpf("theirs"), PKI))
    hub = HubNow(name="smets2", tap=NullTap(), utc=lambda: NOW)
    gpf = Gpf(GPF, hub, keys, chf=HUB, alert=lambda _: None)
    command = CS03B.build_command(join(), OwnKeys(ACB, keys), **heading(1, GPF))
    response = asyncio.run(gpf.command(command))
    assert CS03B.read_response(response, OwnKeys(ACB, keys), command=command) is JoinResult.SUCCESS
    with pytest.raises(DecodeError, match="MAC"):
        CS03B.read_response(response, ACB_KEYS, command=command)
    with pytest.raises(DeviceSilent, match="bad-mac"):
        asyncio.run(gpf.command(of_join(2)))


def test_a_ppmid_is_joined_by_method_b_and_unjoined_and_each_change_is_backed_up():
    async def scenario(bench):
        assert await told(bench, CS03B, join(), 1) is JoinResult.SUCCESS
        assert await told(bench, CS03B, join(), 2) is JoinResult.SUCCESS
        assert await log_of(bench, 3) == (JoinedDevice(PPMID, DeviceType.PPMID),)
        assert await told(bench, CS04B, PPMID, 4) is UnjoinResult.SUCCESS
        assert await told(bench, CS04B, PPMID, 5) is UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG
        assert await log_of(bench, 6) == ()
        first, last = backups(bench)
        assert (first.devices, last.devices) == ((JoinedDevice(PPMID, DeviceType.PPMID),), ())
        assert first.time == NOW
        assert [eui64 for eui64, _ in bench.alerts] == [GPF, GPF]
        assert parse(bench.alerts[0][1]).counter < parse(bench.alerts[1][1]).counter

    run(scenario)


def test_the_chfs_device_log_is_another():
    async def scenario(bench):
        await bench.hub.command_chf(add(), 1.0)
        assert await log_of(bench, 1) == ()
        await told(bench, CS03B, join(GSME, DeviceType.GSME), 2)
        assert [entry.eui64 for entry in bench.hub.device_log()] == [PPMID]

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        (join(method=JoinMethod.METHOD_C), JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE),
        (join(kind=DeviceType.ESME), JoinResult.INVALID_METHOD_AND_ROLE),
        (join(kind=DeviceType.GPF), JoinResult.INVALID_METHOD_AND_ROLE),
        (join(certificate=b"\x30\x00"), JoinResult.INVALID_OR_MISSING_CERTIFICATE),
        (join(GSME, DeviceType.PPMID), JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY),
        (join(OTHER, DeviceType.GSME), JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY),
        (join(kind=DeviceType.TYPE_2), JoinResult.SUCCESS),
    ],
)
def test_what_cannot_be_joined_is_answered_so_and_changes_nothing(fields, result):
    async def scenario(bench):
        await told(bench, CS03B, join(GSME, DeviceType.GSME), 1)
        before = await log_of(bench, 2)
        assert await told(bench, CS03B, fields, 3) is result
        assert (await log_of(bench, 4) == before) is (result is not JoinResult.SUCCESS)

    run(scenario)


def test_its_device_log_holds_sixteen():
    async def scenario(bench):
        for number in range(16):
            assert await told(bench, CS03B, join(Eui64(number)), number) is JoinResult.SUCCESS
        assert await told(bench, CS03B, join(), 20) is JoinResult.DEVICE_LOG_FULL

    run(scenario)


def test_gcs59_restores_a_device_log_and_says_of_each_entry_what_became_of_it():
    async def scenario(bench):
        await told(bench, CS03B, join(OTHER, DeviceType.GSME), 1)
        outcomes = await told(bench, GCS59, LOG, 2)
        assert outcomes == (
            RestoredDevice(LOG[0], JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY),
            RestoredDevice(LOG[1], JoinResult.SUCCESS),
        )
        kept = (JoinedDevice(OTHER, DeviceType.GSME), LOG[1])
        assert await log_of(bench, 3) == kept
        assert backups(bench)[-1].devices == kept
        assert len(bench.alerts) == 2, "one alert for the whole log"

    run(scenario)


def test_a_hub_that_starts_again_keeps_the_log_and_a_case_that_begins_does_not():
    async def scenario(bench):
        await told(bench, CS03B, join(), 1)
        await bench.hub.stop()
        await bench.hub.start(bench.radio.settings)
        assert await log_of(bench, 2) == (JoinedDevice(PPMID, DeviceType.PPMID),)
        await bench.hub.begin_afresh()
        assert bench.hub.gpf.device_log() == ()
        assert len(bench.alerts) == 1

    run(scenario)


# --- what it refuses --------------------------------------------------------------------------------------


def forged(counter, **changes):
    """Return CS03B with a header changed and a right MAC of the ACB's to whoever it says."""
    return secure(replace(parse(of_join(counter)), **changes), PKI, CS03B.command)


def with_the_chfs_mac(counter):
    """Return a command to the GPF, its MAC made with the key of the CHF."""
    return parse(of_join(counter)).with_mac(parse(of_join(counter, device=HUB)).mac).to_bytes()


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda: of_join(9)[:-1], Refusal.MALFORMED),
        (lambda: of_join(9, device=HUB), Refusal.WRONG_TARGET),
        (lambda: of_join(9, device=OTHER), Refusal.WRONG_TARGET),
        (lambda: forged(9, originator=SUPPLIER), Refusal.WRONG_ORIGINATOR),
        (lambda: with_the_chfs_mac(9), Refusal.BAD_MAC),
        (lambda: parse(of_join(9)).with_signature(b"").to_bytes(), Refusal.BAD_MAC),
        (lambda: forged(9, message_code=0x00AF), Refusal.UNSUPPORTED),
        (lambda: of_join(8), Refusal.REPLAYED),
    ],
    ids=[
        "cut short", "to the CHF", "to another", "from a user", "under the CHF's key", "without a MAC",
        "another use case", "replayed",
    ],
)  # fmt: skip
def test_a_message_that_it_must_not_obey_is_refused_and_changes_nothing(make, refusal):
    async def scenario(bench):
        await told(bench, CS07, None, 8)
        with pytest.raises(DeviceSilent, match=refusal.value):
            await bench.hub.command_gpf(make(), 1.0)
        (kept,) = bench.hub.gpf.refused
        assert kept.refusal is refusal
        assert any("the GPF refused" in summary for _, summary, _ in bench.tap.events)
        assert bench.hub.gpf.device_log() == ()
        assert (bench.alerts, bench.hub.chf.refused) == ([], ())

    run(scenario)


def test_the_chf_obeys_no_command_that_is_the_gpfs():
    async def scenario(bench):
        for command in (of_join(1), of_join(1, device=HUB)):
            with pytest.raises(DeviceSilent):
                await bench.hub.command_chf(command, 1.0)

    run(scenario)


def test_counters_of_chf_and_gpf_are_two():
    async def scenario(bench):
        await bench.hub.command_chf(add(9), 1.0)
        assert await told(bench, CS03B, join(), 3) is JoinResult.SUCCESS

    run(scenario)


def test_a_smets1_hub_has_no_gpf():
    async def scenario(bench):
        with pytest.raises(StimulusImpossible, match="has no GPF"):
            await bench.hub.command_gpf(of_join(1), 1.0)
        assert not hasattr(bench.hub, "gpf")

    run_plain(scenario, profile="smets1")


# --- and what a defective one does ------------------------------------------------------------------------


def test_one_that_answers_as_the_chf_does_so_under_its_name_and_key():
    async def scenario(bench):
        command = of_join(1)
        response = await bench.hub.command_gpf(command, 1.0)
        assert parse(response).originator == HUB
        with pytest.raises(DecodeError, match="originator"):
            CS03B.read_response(response, ACB_KEYS, command=command)
        assert CS03B.read_response(response, OwnKeys(ACB, PKI)) is JoinResult.SUCCESS

    run(scenario, defects=[HubDefect.GPF_ANSWERS_AS_CHF])


@pytest.mark.parametrize(
    ("defect", "make"),
    [
        (HubDefect.GPF_IGNORES_MAC, lambda: with_the_chfs_mac(9)),
        (HubDefect.GPF_ACCEPTS_REPLAY, lambda: of_join(8)),
        (HubDefect.GPF_OBEYS_FOR_OTHERS, lambda: of_join(9, device=OTHER)),
    ],
)
def test_one_that_leaves_a_check_out_joins(defect, make):
    async def scenario(bench):
        await told(bench, CS07, None, 8)
        await bench.hub.command_gpf(make(), 1.0)
        assert bench.hub.gpf.device_log() == (JoinedDevice(PPMID, DeviceType.PPMID),)

    run(scenario, defects=[defect])


def test_one_that_forgets_what_it_restored_says_otherwise():
    async def scenario(bench):
        outcomes = await told(bench, GCS59, LOG, 1)
        assert {outcome.result for outcome in outcomes} == {JoinResult.SUCCESS}
        assert await log_of(bench, 2) == ()

    run(scenario, defects=[HubDefect.GPF_FORGETS_RESTORED])


def test_one_that_keeps_what_it_unjoined_says_otherwise():
    async def scenario(bench):
        await told(bench, CS03B, join(), 1)
        assert await told(bench, CS04B, PPMID, 2) is UnjoinResult.SUCCESS
        assert len(await log_of(bench, 3)) == 1

    run(scenario, defects=[HubDefect.GPF_KEEPS_UNJOINED])


def test_one_that_tells_nobody_of_a_change_joins_all_the_same():
    async def scenario(bench):
        await told(bench, CS03B, join(), 1)
        assert (len(await log_of(bench, 2)), bench.alerts) == (1, [])

    run(scenario, defects=[HubDefect.GPF_RAISES_NO_ALERT])
