"""Alerts at the DSP: what counts is kept and acted on, what does not is kept with its reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.gbcs import ACB, SUPPLIER, OwnKeys, parse
from harness.gbcs.builder import secure
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.use_cases.device_log import CS14, DeviceLogAlert, DeviceLogCopy, LoggedDevice
from harness.gbcs.use_cases.firmware import (
    CCS08,
    CS09,
    FirmwareTransfer,
    PpmidActivation,
    PpmidActivationResult,
    TransferResult,
)
from harness.smets.smi import DeviceStatus
from harness.tap import Boundary
from tests.dcc.estate import FIRMWARE, HUB_1, HUB_2, PKI, PPMID, S1, S2, Estate
from tests.smets.rules import changed

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def log_told(counter, *, key_hash=b"", hub=HUB_2):
    time = CosemTime.of(NOW)
    log = DeviceLogCopy(
        time=time, extended_pan_id=hub.to_bytes_be(), devices=(LoggedDevice(PPMID, key_hash),)
    )
    alert = DeviceLogAlert(time=time, log=log)
    return CS14.build_alert(alert, OwnKeys(hub, PKI), originator=hub, recipient=ACB, counter=counter)


def activated(counter, *, originator=PPMID):
    fields = PpmidActivation(time=NOW, firmware=FIRMWARE)
    return CS09.build_alert(
        fields, OwnKeys(originator, PKI), originator=originator, recipient=ACB, counter=counter
    )


def transferred(counter):
    fields = FirmwareTransfer(
        time=NOW, device=PPMID, firmware=FIRMWARE, result=TransferResult.IMAGE_DISCARDED
    )
    return CCS08.build_alert(fields, OwnKeys(HUB_2, PKI), originator=HUB_2, recipient=ACB, counter=counter)


def test_a_device_log_with_a_key_says_that_its_device_is_on_the_han():
    async def run():
        estate = Estate()
        await estate.prenotify(S1)
        await estate.whitelist(S2)
        estate.dcc.take_alert(HUB_2, log_told(1))
        before = await estate.dcc.read_inventory(PPMID)
        alert = estate.dcc.take_alert(HUB_2, log_told(2, key_hash=bytes(16)))
        return before, alert, await estate.dcc.read_inventory(PPMID)

    before, alert, after = asyncio.run(run())
    assert before.status is DeviceStatus.WHITELISTED
    assert after.status is DeviceStatus.INSTALLED_NOT_COMMISSIONED
    assert (alert.use_case, alert.alert_code, alert.originator) == ("CS14", 0x8F12, HUB_2)
    assert alert.told == {"DeviceLog": f"{PPMID} {'00' * 16}"}


@pytest.mark.parametrize(
    ("message", "use_case", "code", "told"),
    [
        (activated(1), "CS09", 0x8F8B, {"FirmwareVersion": "01020304", "Activation": "success"}),
        (
            transferred(1),
            "CCS08",
            0x8F89,
            {"DeviceID": str(PPMID), "FirmwareVersion": "01020304", "Transfer": "image discarded"},
        ),
    ],
)
def test_firmware_alerts_are_kept_with_what_they_say(message, use_case, code, told):
    estate = Estate()
    alert = estate.dcc.take_alert(HUB_2, message)
    assert (alert.refused, alert.use_case, alert.alert_code) == ("", use_case, code)
    assert alert.told == told
    assert estate.dcc.alerts == (alert,)
    assert [event[4] for event in estate.tap.at(Boundary.GBCS)] == [message]


@pytest.mark.parametrize(
    ("fields", "rules", "shown"),
    [
        ({}, None, "01020305"),
        ({"result": PpmidActivationResult.FAILURE}, None, "01020304"),
        ({}, {"update": False}, "01020304"),
    ],
    ids=["activated", "failed", "as an overlay has it"],
)
def test_the_smi_takes_the_firmware_version_from_the_alert(fields, rules, shown):
    async def run():
        estate = Estate() if rules is None else Estate(rules=changed("FIRMWARE-ALERT", rules))
        await estate.prenotify(S2)
        alert = PpmidActivation(time=NOW, firmware=bytes.fromhex("01020305"), **fields)
        octets = CS09.build_alert(alert, OwnKeys(PPMID, PKI), originator=PPMID, recipient=ACB, counter=1)
        assert estate.dcc.take_alert(HUB_2, octets).refused == ""
        return await estate.dcc.read_inventory(PPMID)

    assert asyncio.run(run()).firmware == shown


def readdressed(message, **changes):
    return secure(replace(parse(message), **changes), PKI, CS14.alert)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (b"", "message"),
        (log_told(5)[:-1], "length"),
        (log_told(5)[:-1] + bytes([log_told(5)[-1] ^ 1]), "MAC"),
        (activated(5)[:-1] + bytes([activated(5)[-1] ^ 1]), "signature"),
        (readdressed(log_told(5), recipient=SUPPLIER), "business target"),
        (log_told(5, hub=HUB_1), "business originator"),
        (log_told(4), "replay"),
        (log_told(3), "replay"),
        (readdressed(log_told(5), message_code=0x0129), "no alert"),
    ],
    ids=[
        "nothing",
        "cut short",
        "MAC",
        "signature",
        "to another",
        "of another hub",
        "same counter",
        "older",
        "code",
    ],
)
def test_an_alert_that_does_not_hold_is_kept_with_the_reason_and_changes_nothing(message, field):
    async def run():
        estate = Estate()
        await estate.prenotify(S1)
        await estate.whitelist(S2)
        estate.dcc.take_alert(HUB_2, log_told(4))
        alert = estate.dcc.take_alert(HUB_2, message)
        return alert, await estate.dcc.read_inventory(PPMID)

    alert, shown = asyncio.run(run())
    assert field in alert.refused
    assert alert.content is None
    assert shown.status is DeviceStatus.WHITELISTED
