"""The PPMID's use cases beside CS08: joins, unjoins, what it is joined to, alerts; and their defects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.gbcs_client import GbcsClient
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.received import ReceivedLog
from harness.errors import DecodeError, DutFault
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, KeyUsage, OwnKeys, parse
from harness.gbcs.builder import secure
from harness.gbcs.use_cases import cs08
from harness.gbcs.use_cases.firmware import CS09
from harness.gbcs.use_cases.joining import (
    CS03A2,
    CS03B,
    CS03C,
    CS04AC,
    CS04B,
    CS07,
    DeviceType,
    Join,
    JoinMethod,
    JoinResult,
    UnjoinResult,
)
from harness.zigbee import tunnel
from tests.drivers.virtual.ppmid.bench_of_one import config, run, until
from tests.drivers.virtual.ppmid.fake_air import PPMID, SEED, command, within

PKI = BenchPki(SEED)
KEYS = OwnKeys(ACB, PKI)
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
ESME_2 = Eui64.parse("00-DB-12-34-56-78-90-93")
GSME = Eui64.parse("00-DB-12-34-56-78-90-A1")
BY_A = Join(method=JoinMethod.METHOD_A_RESPONDER, device=ESME, device_type=DeviceType.ESME)

GPF = Eui64.parse("02-DB-12-34-56-78-91-02")
BY_B = Join(method=JoinMethod.METHOD_B, device=GPF, device_type=DeviceType.GPF)


def heading(counter, **changes):
    return {
        "originator": ACB,
        "device": PPMID,
        "counter": counter,
        "supplementary_party": SUPPLIER,
        "supplementary_counter": counter + 1000,
        **changes,
    }


async def tunnelled(bench):
    await bench.join()
    await within(bench.hub.tunnel_opened.wait())
    await until(lambda: bench.hub.tunnels)


async def told(bench, use_case, fields, counter):
    """Send a command and return what the response says, verified as the ACB does."""
    sent = use_case.build_command(fields, KEYS, **heading(counter))
    return use_case.read_response(await bench.hub.exchange(sent), KEYS, command=sent)


async def joined(bench, counter):
    return [(one.device, one.device_type) for one in (await told(bench, CS07, None, counter)).devices]


def test_it_joins_the_hubs_gpf_by_method_b_beside_an_esme_and_unjoins_it():
    async def scenario(bench):
        await tunnelled(bench)
        await told(bench, CS03A2, BY_A, 1)
        assert await told(bench, CS03B, BY_B, 2) is JoinResult.SUCCESS
        assert await joined(bench, 3) == [(ESME, DeviceType.ESME), (GPF, DeviceType.GPF)]
        assert await told(bench, CS04B, GPF, 4) is UnjoinResult.SUCCESS
        assert await told(bench, CS04B, GPF, 5) is UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG
        assert await joined(bench, 6) == [(ESME, DeviceType.ESME)]

    run(scenario)


def test_it_joins_an_esme_says_so_and_unjoins():
    async def scenario(bench):
        await tunnelled(bench)
        assert await joined(bench, 1) == []
        assert await told(bench, CS03A2, BY_A, 2) is JoinResult.SUCCESS
        assert await joined(bench, 3) == [(ESME, DeviceType.ESME)]
        assert await told(bench, CS03A2, BY_A, 4) is JoinResult.SUCCESS, "again"
        assert await told(bench, CS04AC, ESME, 5) is UnjoinResult.SUCCESS
        assert await told(bench, CS04AC, ESME, 6) is UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG
        assert await joined(bench, 7) == []

    run(scenario)


def by_c(certificate=None, **changes):
    der = PKI.certificate(GSME, KeyUsage.KEY_AGREEMENT) if certificate is None else certificate
    join = Join(method=JoinMethod.METHOD_C, device=GSME, device_type=DeviceType.GSME, certificate=der)
    return replace(join, **changes)


def test_it_joins_a_gsme_whose_certificate_is_good():
    async def scenario(bench):
        await tunnelled(bench)
        assert await told(bench, CS03C, by_c(), 1) is JoinResult.SUCCESS
        assert await joined(bench, 2) == [(GSME, DeviceType.GSME)]

    run(scenario)


@pytest.mark.parametrize(
    ("use_case", "join", "result"),
    [
        (CS03A2, replace(BY_A, device=ESME_2), JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY),
        (CS03A2, replace(BY_A, device_type=DeviceType.GSME), JoinResult.INVALID_METHOD_AND_ROLE),
        (CS03A2, replace(BY_A, method=JoinMethod.METHOD_A_INITIATOR), JoinResult.INVALID_METHOD_AND_ROLE),
        (CS03B, replace(BY_B, device_type=DeviceType.ESME), JoinResult.INVALID_METHOD_AND_ROLE),
        (
            CS03A2,
            replace(BY_A, method=JoinMethod.METHOD_B),
            JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE,
        ),
        (
            CS03A2,
            replace(BY_A, method=JoinMethod.METHOD_C),
            JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE,
        ),
        *(
            (CS03C, by_c(certificate), JoinResult.INVALID_OR_MISSING_CERTIFICATE)
            for certificate in (
                b"",
                PKI.certificate(ESME, KeyUsage.KEY_AGREEMENT),
                PKI.certificate(GSME, KeyUsage.DIGITAL_SIGNATURE),
                BenchPki("another").certificate(GSME, KeyUsage.KEY_AGREEMENT),
            )
        ),
    ],
    ids=[
        "another ESME",
        "not an ESME",
        "the meter's part",
        "not a GPF",
        "method B",
        "method C",
        "no certificate",
        "another's",
        "for signing",
        "of no trusted authority",
    ],
)
def test_a_join_that_it_must_not_make_is_answered_with_a_code_and_not_made(use_case, join, result):
    async def scenario(bench):
        await tunnelled(bench)
        await told(bench, CS03A2, BY_A, 1)
        assert await told(bench, use_case, join, 2) is result
        assert await joined(bench, 3) == [(ESME, DeviceType.ESME)]

    run(scenario)


def test_it_is_joined_over_a_power_cut_and_no_longer_after_leaving():
    async def scenario(bench):
        await tunnelled(bench)
        await told(bench, CS03A2, BY_A, 1)
        bench.hub.tunnel_opened.clear()
        await bench.device.power(on=False)
        await bench.device.power(on=True)
        await within(bench.hub.tunnel_opened.wait())
        assert await joined(bench, 2) == [(ESME, DeviceType.ESME)]
        await bench.port.leave()
        bench.hub.tunnel_opened.clear()
        await tunnelled(bench)
        assert await joined(bench, 3) == []

    run(scenario)


def spoilt(message, *, signature=False):
    """Turn a bit of the signature under a MAC that is right, or of the MAC."""
    if not signature:
        return message[:-1] + bytes([message[-1] ^ 1])
    parsed = parse(message)
    forged = bytes([parsed.signature[0] ^ 1]) + parsed.signature[1:]
    return secure(parsed, PKI, CS03A2.command, signature=forged)


def join_command(counter, **changes):
    return CS03A2.build_command(BY_A, PKI, **heading(counter, **changes))


REFUSED = [
    (lambda: spoilt(join_command(9)), "bad-mac"),
    (lambda: spoilt(join_command(9), signature=True), "bad-signature"),
    (lambda: secure(parse(join_command(9)), PKI, cs08.CS08.command), "bad-signature"),
    (lambda: join_command(9, device=ESME), "wrong-target"),
    (lambda: join_command(9, originator=SUPPLIER), "not-from-acb"),
    (lambda: join_command(1), "replayed"),
]
DEFECTS = [
    Defect.IGNORES_MAC,
    Defect.IGNORES_SIGNATURE,
    Defect.IGNORES_SIGNATURE,
    Defect.ANSWERS_FOR_OTHERS,
    Defect.OBEYS_ANYBODY,
    Defect.ACCEPTS_REPLAY,
]


@pytest.mark.parametrize(("make", "result"), REFUSED, ids=[result for _, result in REFUSED])
def test_a_join_that_does_not_hold_is_refused_and_not_made(make, result):
    async def scenario(bench):
        await tunnelled(bench)
        await bench.hub.exchange(command(1))
        await bench.port.received()
        bench.hub.put(make())
        assert await joined(bench, 10) == []
        refused, read = await bench.port.received()
        assert refused.fields["result"] == result
        assert refused.fields["reason"]
        assert read.fields["result"] == "answered"

    run(scenario)


@pytest.mark.parametrize(
    ("make", "defect"),
    [(make, defect) for (make, _), defect in zip(REFUSED, DEFECTS, strict=True)],
    ids=[defect.value + str(place) for place, defect in enumerate(DEFECTS)],
)
def test_a_ppmid_that_does_not_check_can_be_had(make, defect):
    async def scenario(bench):
        await tunnelled(bench)
        await bench.hub.exchange(command(1))
        await bench.hub.exchange(make())
        assert await joined(bench, 10) == [(ESME, DeviceType.ESME)]

    run(scenario, defect)


def test_one_flipped_bit_anywhere_in_a_join_is_noticed_and_the_join_itself_still_counts():
    kept = NonVolatile(install_code=bytes(16))
    client = GbcsClient(config(), kept, Memory(kept), ReceivedLog())
    good = join_command(9)
    for place in range(len(good)):
        assert client.handle(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :]) is None, place
    assert (kept.joined, kept.counters) == ({}, {})
    assert client.handle(good) is not None
    assert list(kept.joined) == [ESME]


# --- alerts -----------------------------------------------------------------------------------------------


async def alerted(bench):
    bench.hub.put_arrived.clear()
    await bench.port.raise_alert(0x8F8B)
    await within(bench.hub.put_arrived.wait())
    return tunnel.HrgpMessage.from_bytes(bench.hub.puts[-1].data).message


def test_it_alerts_an_activation_signed_and_counted():
    async def scenario(bench):
        await tunnelled(bench)
        first, second = await alerted(bench), await alerted(bench)
        assert CS09.read_alert(first, KEYS, originator=PPMID).firmware.hex() == "01020304"
        assert parse(first).counter < parse(second).counter

    run(scenario)


def test_an_alert_without_a_signature_can_be_had():
    async def scenario(bench):
        await tunnelled(bench)
        with pytest.raises(DecodeError, match="signature"):
            CS09.read_alert(await alerted(bench), KEYS)

    run(scenario, Defect.ALERTS_WITHOUT_SIGNATURE)


def test_an_alert_that_it_has_not_or_cannot_send_is_refused():
    async def scenario(bench):
        with pytest.raises(DutFault, match="bad-state"):
            await bench.port.raise_alert(0x8F8B)
        await tunnelled(bench)
        with pytest.raises(DutFault, match="bad-argument"):
            await bench.port.raise_alert(0x8F12)

    run(scenario)


# --- defects ----------------------------------------------------------------------------------------------


def test_a_wrong_join_response_can_be_had():
    async def scenario(bench):
        await tunnelled(bench)
        assert await told(bench, CS03A2, BY_A, 1) is JoinResult.DEVICE_LOG_FULL
        assert await joined(bench, 2) == [(ESME, DeviceType.ESME)]

    run(scenario, Defect.WRONG_JOIN_RESPONSE)


def test_a_join_without_a_look_at_the_certificate_can_be_had():
    async def scenario(bench):
        await tunnelled(bench)
        assert await told(bench, CS03C, by_c(b""), 1) is JoinResult.SUCCESS

    run(scenario, Defect.JOINS_WITHOUT_CERTIFICATE_CHECK)


def test_joins_forgotten_over_a_power_cut_and_unjoins_not_made_can_be_had():
    async def scenario(bench):
        await tunnelled(bench)
        await told(bench, CS03A2, BY_A, 1)
        assert await told(bench, CS04AC, ESME, 2) is UnjoinResult.SUCCESS
        assert await joined(bench, 3) == [(ESME, DeviceType.ESME)]
        bench.hub.tunnel_opened.clear()
        await bench.device.power(on=False)
        await bench.device.power(on=True)
        await within(bench.hub.tunnel_opened.wait())
        assert await joined(bench, 4) == []

    run(scenario, Defect.KEEPS_UNJOINED, Defect.FORGETS_JOINS_ON_POWER_CYCLE)
