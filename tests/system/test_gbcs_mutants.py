"""Mutated messages at those who take them: the PPMID, a hub's CHF, and the DSP for responses and alerts.

Whatever comes, each either obeys or refuses in the way that it has for it. What was changed without a key is
never obeyed and changes nothing; what is wrong under a right MAC changes nothing where it is refused.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from functools import partial

import pytest

from drivers.virtual.ppmid.gbcs_client import GbcsClient
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.received import ReceivedLog
from harness.errors import DecodeError, DeviceSilent
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, KeyUsage, parse
from harness.gbcs.builder import expect_answer
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.use_cases.cs08 import CS08
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CCS02,
    CCS03,
    CS14,
    AddDevice,
    DeviceLogAlert,
    DeviceLogCopy,
    LoggedDevice,
    RegisteredType,
    RestoreDeviceLog,
)
from harness.gbcs.use_cases.device_log_reads import CCS06, CCS07
from harness.gbcs.use_cases.firmware import CS09, PpmidActivation
from harness.gbcs.use_cases.joining import (
    CS03A2,
    CS03B,
    CS03C,
    CS04AC,
    CS07,
    DeviceType,
    Join,
    JoinMethod,
)
from tests.dcc.estate import HUB_2, INSTALL_CODE, PKI, PPMID, S2, Estate
from tests.drivers.virtual.ppmid.bench_of_one import config
from tests.gbcs.mutants import forged, misbuilt, mutants

FEW, MANY = 400, 20_000
ESME, GSME, GPF = (Eui64.parse(f"00-DB-12-34-56-78-90-A{digit}") for digit in (0, 1, 3))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EACH = pytest.mark.parametrize(
    "count",
    [FEW, pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.timeout(120)])],
)


def commands(device, *cases):
    """Return what makes a command of each use case with these fields, under a counter."""

    def command(case, fields, counter):
        return case.build_command(
            fields,
            PKI,
            originator=ACB,
            device=device,
            counter=counter,
            supplementary_party=SUPPLIER,
            supplementary_counter=1000 + counter,
        )

    return [partial(command, case, fields) for case, fields in cases]


@EACH
def test_a_ppmid_obeys_or_refuses_and_what_it_refuses_changes_nothing(count):
    certificate = PKI.certificate(GSME, KeyUsage.KEY_AGREEMENT)
    by_a = Join(method=JoinMethod.METHOD_A_RESPONDER, device=ESME, device_type=DeviceType.ESME)
    by_b = Join(method=JoinMethod.METHOD_B, device=GPF, device_type=DeviceType.GPF)
    by_c = Join(method=JoinMethod.METHOD_C, device=GSME, device_type=DeviceType.GSME, certificate=certificate)
    messages = commands(
        PPMID, (CS03A2, by_a), (CS03B, by_b), (CS03C, by_c), (CS04AC, ESME), (CS07, None), (CS08, None)
    )
    kept = NonVolatile(install_code=bytes(16))
    client = GbcsClient(config(credentials=PKI.seed), kept, Memory(kept), received := ReceivedLog())
    obeyed = refused = 0
    for mutant in mutants(messages, random.Random(1), PKI, count, (ESME, SUPPLIER, HUB_2)):
        before = dict(kept.joined), dict(kept.counters), kept.counter
        answer = client.handle(mutant.octets)
        (told,) = received.take()
        if answer is None:
            assert (kept.joined, kept.counters, kept.counter) == before
            assert told["result"] != "answered"
            assert told["reason"]
            refused += 1
        else:
            assert mutant.protected or not mutant.changed
            assert parse(mutant.octets).recipient == PPMID
            assert parse(answer).counter == parse(mutant.octets).counter
            obeyed += 1
    assert obeyed > count // 100
    assert refused > count // 2


@EACH
def test_a_chf_obeys_or_refuses_and_what_it_refuses_changes_nothing(count):
    adding = AddDevice(
        device=PPMID, install_code=INSTALL_CODE, device_type=RegisteredType.PPMID, join_timeout_s=90
    )
    restoring = RestoreDeviceLog(
        extended_pan_id=HUB_2.to_bytes_be(), devices=(LoggedDevice(PPMID, bytes(16)),)
    )
    messages = commands(
        HUB_2, (CCS01, adding), (CCS02, PPMID), (CCS03, restoring), (CCS06, None), (CCS07, None)
    )
    hub = Estate().hubs[S2]
    done = {"obeyed": 0, "refused": 0}

    async def run():
        for mutant in mutants(messages, random.Random(2), PKI, count, (ESME, SUPPLIER, PPMID)):
            before = len(hub.asked), len(hub.chf.obeyed)
            try:
                answer = await hub.chf.command(mutant.octets)
            except DeviceSilent:
                assert (len(hub.asked), len(hub.chf.obeyed)) == before
                assert hub.chf.refused[-1].octets == mutant.octets
                assert hub.chf.refused[-1].reason
                done["refused"] += 1
            else:
                assert mutant.protected or not mutant.changed
                assert parse(mutant.octets).recipient == HUB_2
                assert parse(answer).counter == parse(mutant.octets).counter
                done["obeyed"] += 1

    asyncio.run(run())
    assert done["obeyed"] > count // 100
    assert done["refused"] > count // 2


@pytest.mark.parametrize(
    ("count", "seed"),
    [
        (FEW, 3),
        *(
            pytest.param(MANY // 4, seed, marks=[pytest.mark.slow, pytest.mark.timeout(120)])
            for seed in range(4, 8)
        ),
    ],
)
def test_the_dsp_believes_or_refuses_a_response_and_what_it_refuses_changes_nothing(count, seed):
    estate = Estate()
    hub = estate.hubs[S2]
    rng = random.Random(seed)
    done = {"believed": 0, "refused": 0}
    sent = []

    def answer(command):
        honest = hub.honest_answer(command)
        if len(sent) % 2:
            mutant = misbuilt(honest, rng, PKI, others=(ESME, SUPPLIER, HUB_2))
        else:
            mutant = forged(honest, rng)
        sent.append((command, mutant))
        return mutant.octets

    async def run():
        await estate.row(S2, S2)
        hub.answer = answer
        for _ in range(count):
            before = estate.store.get(PPMID)
            response = await estate.dcc.request("11.2", PPMID)
            command, mutant = sent[-1]
            if response.ok:
                assert mutant.protected or not mutant.changed
                expect_answer(parse(mutant.octets), parse(command))
                done["believed"] += 1
            else:
                assert isinstance(response.cause, DecodeError) or "failed" in response.reason, response
                assert estate.store.get(PPMID) == before
                done["refused"] += 1
        await estate.dcc.close()

    asyncio.run(run())
    assert done["believed"] > count // 100
    assert done["refused"] > count // 2


@EACH
def test_the_dsp_counts_or_refuses_an_alert_and_what_it_refuses_changes_nothing(count):
    log = DeviceLogCopy(
        time=CosemTime.of(NOON), extended_pan_id=HUB_2.to_bytes_be(), devices=(LoggedDevice(PPMID, b""),)
    )
    activation = PpmidActivation(time=NOON, firmware=bytes(4))
    messages = [
        lambda counter: CS09.build_alert(activation, PKI, originator=PPMID, recipient=ACB, counter=counter),
        lambda counter: CS14.build_alert(
            DeviceLogAlert(time=log.time, log=log), PKI, originator=HUB_2, recipient=ACB, counter=counter
        ),
    ]
    estate = Estate()
    counted = refused = 0

    async def run():
        nonlocal counted, refused
        for mutant in mutants(messages, random.Random(4), PKI, count, (ESME, SUPPLIER, HUB_2)):
            before = estate.dcc.inventory()
            alert = estate.dcc.take_alert(HUB_2, mutant.octets)
            if alert.refused:
                assert alert.content is None
                assert estate.dcc.inventory() == before
                refused += 1
            else:
                assert mutant.protected or not mutant.changed
                counted += 1
        await estate.dcc.close()

    asyncio.run(run())
    assert counted > count // 100
    assert refused > count // 2
