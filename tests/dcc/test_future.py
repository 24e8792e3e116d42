"""Requests for a later time: held, carried out when it has come, taken back; over a restart too."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from harness.dcc.documents import Stage
from harness.dcc.duis.requests import (
    ActivateFirmware,
    CommandVariant,
    LogAction,
    ReadDeviceLog,
    ReadFirmwareVersion,
    ServiceRequest,
    UpdateHanDeviceLog,
)
from harness.dcc.duis.responses import GbcsPayload, ResponseMessage
from harness.dcc.duis.xml.request import read_request
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from harness.gbcs import parse
from harness.gbcs.use_cases.firmware import CANCELLATION, CS06
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_2, INSTALL_CODE, PPMID, S1, S2, Estate
from tests.dcc.test_dcc_alerts import START, Clock
from tests.dcc_data import dcc_data
from tests.smets.rules import changed

LATER = START + timedelta(hours=1)
CANCEL = datetime(3000, 12, 31, tzinfo=UTC)


def run(work, family=S2, **how):
    """Whitelist the PPMID and let `work` go on."""

    async def whole():
        clock = Clock()
        estate = Estate(clock=clock, **how)
        try:
            await estate.prenotify(S1)
            assert (await estate.whitelist(family)).ok
            return await work(estate, clock)
        finally:
            await estate.dcc.close()

    return asyncio.run(whole())


def read(estate, execution=LATER, kind=ReadFirmwareVersion, **fields):
    return estate.dcc.send(kind, PPMID, execution=execution, **fields)


async def comes(estate, clock, at=LATER):
    """Let the time come; return the answers that the sender has got since."""
    clock.now = at
    await estate.dcc.initiative.see_to_agenda()
    return [sent for sent in estate.dcc.told[estate.dcc.user] if isinstance(sent.body, ResponseMessage)]


def asked(estate, family=S2):
    return [what for what, *_ in estate.hubs[family].asked if what in ("gbcs", "read")]


@pytest.mark.parametrize("family", [S1, S2])
def test_a_request_for_later_is_acknowledged_and_sent_when_its_time_has_come(family):
    async def work(estate, clock):
        accepted = await read(estate)
        early = await comes(estate, clock, LATER - timedelta(seconds=1)), asked(estate, family)
        clock.now = LATER
        await estate.dcc.initiative.see_to_agenda()
        answers = list(estate.dcc.told[estate.dcc.user])
        await estate.dcc.initiative.see_to_agenda()
        return accepted, early, answers, asked(estate, family), len(estate.dcc.told[estate.dcc.user])

    accepted, early, answers, went, count = run(work, family)
    assert (accepted.ok, accepted.code, accepted.later, accepted.body) == (True, "I99", True, None)
    assert early == ([], [])
    assert len(went) == 1
    (answer,) = [one for one in answers if one.request_id == accepted.request_id]
    assert (answer.code, answer.response_id) == ("I0", accepted.request_id.response_id)
    assert isinstance(getattr(answer.body, "payload", None), GbcsPayload) is (family is S2)
    assert count == len(answers)


def test_the_dcc_notices_by_itself_that_a_time_has_come():
    async def work():
        estate = Estate()
        await estate.row(S1, S2)
        soon = datetime.now(UTC) + timedelta(seconds=0.3)
        accepted = await read(estate, soon)
        before = len(asked(estate))
        for _ in range(500):
            if estate.dcc.told[estate.dcc.user]:
                break
            await asyncio.sleep(0.02)
        answers = estate.dcc.told[estate.dcc.user]
        await estate.dcc.close()
        return accepted, before, answers, asked(estate)

    accepted, before, (answer,), went = asyncio.run(work())
    assert answer.request_id == accepted.request_id
    assert len(went) == before + 1


def test_what_has_changed_until_then_counts():
    async def work(estate, clock):
        accepted = await read(estate)
        estate.force(PPMID, status=DeviceStatus.SUSPENDED)
        return accepted, await comes(estate, clock), asked(estate)

    accepted, (answer,), went = run(work)
    assert accepted.ok
    assert (answer.request_id, answer.code, went) == (accepted.request_id, "E5", [])


def test_a_request_that_is_refused_is_not_held():
    async def work(estate, clock):
        estate.force(PPMID, status=DeviceStatus.SUSPENDED)
        refused = await read(estate)
        estate.force(PPMID, status=DeviceStatus.WHITELISTED)
        return refused, await comes(estate, clock)

    refused, answers = run(work)
    assert (refused.code, refused.stage, refused.later, answers) == ("E5", Stage.STATUS, False, [])


def test_a_whitelisting_for_later_changes_the_smi_then():
    async def work(estate, clock):
        await estate.dcc.unwhitelist(HUB_2, PPMID)
        accepted = await estate.dcc.send(
            UpdateHanDeviceLog,
            HUB_2,
            device=PPMID,
            action=LogAction.ADD,
            install_code=INSTALL_CODE,
            join_time_s=60,
            execution=LATER,
        )
        before = await estate.dcc.read_inventory(PPMID)
        await comes(estate, clock)
        return accepted, before, await estate.dcc.read_inventory(PPMID), estate.dcc.history(PPMID)[-1].by

    accepted, before, after, by = run(work)
    assert accepted.ok
    assert (before.status, after.status) == (DeviceStatus.DECOMMISSIONED, DeviceStatus.WHITELISTED)
    assert by == accepted.request_id


def test_a_request_for_a_time_that_is_over_is_refused():
    async def work(estate, clock):
        return await read(estate, START - timedelta(seconds=1)), await comes(estate, clock)

    refused, answers = run(work)
    assert (refused.ok, refused.code, refused.stage) == (False, "E58", Stage.EXECUTION)
    assert answers == []
    other = changed("RESPONSE-EXECUTION-PAST", {"code": "E60"})
    assert run(work, rules=other)[0].code == "E60"


@pytest.mark.parametrize("variant", [CommandVariant.LOCAL, CommandVariant.SEND_AND_LOCAL])
def test_a_command_to_hand_back_is_not_for_later(variant):
    async def work(estate, clock):
        return await read(estate, command_variant=variant)

    refused = run(work)
    assert (refused.code, refused.stage) == ("E12", Stage.EXECUTION)


# --- taking one back ----------------------------------------------------------------------------------------


def test_a_cancellation_takes_back_what_its_sender_asked_of_the_device_in_the_same_way():
    async def work(estate, clock):
        await read(estate)
        await read(estate, LATER + timedelta(hours=1))
        log = await read(estate, kind=ReadDeviceLog)
        taken_back = await read(estate, CANCEL)
        return log, taken_back, await comes(estate, clock, LATER + timedelta(hours=2))

    log, taken_back, (answer,) = run(work)
    assert (taken_back.ok, taken_back.code, taken_back.later) == (True, "I99", True)
    assert answer.request_id == log.request_id


def test_a_cancellation_by_somebody_else_or_of_nothing_is_refused():
    async def work(estate, clock):
        nothing = await read(estate, CANCEL)
        await read(estate)
        estate.dcc.act_as("supplier2")
        others = await read(estate, CANCEL)
        estate.dcc.act_as("supplier")
        return nothing, others, await comes(estate, clock)

    nothing, others, answers = run(work)
    for refused in (nothing, others):
        assert (refused.ok, refused.code, refused.stage) == (False, "E59", Stage.EXECUTION)
    assert len(answers) == 1


# --- what a device holds ------------------------------------------------------------------------------------

ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")


@pytest.mark.parametrize(("execution", "in_gbcs"), [(None, None), (LATER, LATER), (CANCEL, CANCELLATION)])
def test_the_time_of_what_a_device_holds_goes_into_the_gbcs_command(execution, in_gbcs):
    async def work(estate, clock):
        meter = estate.dcc.provision_meter(DeviceType.ESME, HUB_2)
        return await estate.dcc.send(
            ActivateFirmware, meter, execution=execution, firmware_hash=bytes(range(32))
        )

    made = run(work, rules=changed("CPL-REQUEST", {"require": "nothing", "code": "E5"}))
    assert made.ok, made.reason
    content = CS06.command_fields(parse(made.body.message))
    assert content.execution_time == in_gbcs


def test_that_is_how_the_published_messages_have_it():
    request = read_request(
        dcc_data("duis", "templates", "CS06_11.3_CANCELLATION_SUCCESS_REQUEST_DUIS.XML").read_bytes()
    )
    vector = dcc_data("gbcs", "rtds-4.5.0", "11.3_CS06", "CS06_11.3_CANCELLATION_SUCCESS_COMMAND_GBCS.HEX")
    content = CS06.command_fields(parse(bytes.fromhex(vector.read_text())))
    assert (request.execution, content.execution_time) == (CANCEL, CANCELLATION)


def test_what_a_device_would_hold_is_not_for_a_time_that_is_over_either():
    async def work(estate, clock):
        meter = estate.dcc.provision_meter(DeviceType.ESME, HUB_2)
        over = START - timedelta(days=1)
        return await estate.dcc.send(ActivateFirmware, meter, execution=over, firmware_hash=bytes(32))

    refused = run(work)
    assert (refused.code, refused.stage) == ("E58", Stage.EXECUTION)


# --- over a restart -----------------------------------------------------------------------------------------


def test_what_is_held_outlasts_a_restart_and_so_does_its_cancellation(tmp_path):
    clock = Clock()

    async def begun():
        estate = Estate(store=SqliteSmiStore(tmp_path / "smi"), clock=clock)
        await estate.prenotify(S1)
        await estate.whitelist(S2)
        log = await read(estate, kind=ReadDeviceLog)
        kept = await read(estate)
        await read(estate, CANCEL, kind=ReadDeviceLog)
        estate.store._file.close()  # nothing is closed in order: what was acknowledged is safe
        estate.store._threads.shutdown()
        return log, kept

    async def again():
        estate = Estate(store=SqliteSmiStore(tmp_path / "smi"), clock=clock)
        answers = await comes(estate, clock)
        left = estate.store.agenda.next_due()
        await estate.dcc.close()
        estate.store.close()
        return answers, asked(estate), left

    _, kept = asyncio.run(begun())
    answers, went, left = asyncio.run(again())
    assert [answer.request_id for answer in answers] == [kept.request_id]
    assert went == ["gbcs"]
    assert left is None or left > LATER


def test_what_a_crash_interrupts_is_carried_out_again_rather_than_never(tmp_path):
    clock = Clock()

    async def dies(estate):
        def answer(request, response):
            raise KeyboardInterrupt

        clock.now = LATER
        with pytest.raises(KeyboardInterrupt):
            await estate.dcc._dsp.carry_out_due(answer)

    async def work(estate, _):
        clock.now = START
        accepted = await read(estate)
        await dies(estate)
        return accepted, await comes(estate, clock), asked(estate)

    async def whole():
        estate = Estate(clock=clock)
        await estate.prenotify(S1)
        await estate.whitelist(S2)
        return await work(estate, clock)

    accepted, answers, went = asyncio.run(whole())
    assert [answer.request_id for answer in answers] == [accepted.request_id]
    assert went == ["gbcs", "gbcs"]


def test_a_new_case_forgets_what_is_held():
    async def work(estate, clock):
        await read(estate)
        estate.dcc.forget_devices()
        return await comes(estate, clock), asked(estate)

    assert run(work) == ([], [])


def test_a_request_that_is_never_for_later_has_no_room_for_a_time():
    assert not hasattr(ServiceRequest, "execution")
