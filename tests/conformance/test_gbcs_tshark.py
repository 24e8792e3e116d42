"""GBCS messages before tshark: the published ones as we read them, the rebuilt ones, and the bench's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from harness.eui64 import Eui64
from harness.gbcs import block_transfer
from harness.gbcs.alert_codes import ALERTS
from harness.gbcs.codes import USE_CASES
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyUsage
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.use_cases.cs08 import CS08, Cs08Result
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CS14,
    AddDevice,
    AddDeviceResult,
    DeviceLogAlert,
    DeviceLogCopy,
    LoggedDevice,
    RegisteredType,
)
from harness.gbcs.use_cases.firmware import CS09, PpmidActivation
from harness.gbcs.use_cases.gas_proxy import GCS59, GCS62, GpfLogBackup, RestoredDevice
from harness.gbcs.use_cases.joining import (
    CS03B,
    CS03C,
    DeviceType,
    Join,
    JoinedDevice,
    JoinMethod,
    JoinResult,
)
from harness.gbcs.use_cases.prepayment import PCS01
from tests.conformance.oracles import tshark_pdus, tshark_values
from tests.dcc_data import DCC_DATA
from tests.gbcs import rebuilt
from tests.gbcs.vectors import CHF, GPF, GSME, PPMID, vector, vectors

pytestmark = pytest.mark.tshark

HEADER = "gbcs_message.grouping_header."
FIELDS = [
    f"{HEADER}message_code",
    f"{HEADER}cra_flag",
    f"{HEADER}originator_counter",
    f"{HEADER}business_originator_id",
    f"{HEADER}business_target_id",
    f"{HEADER}supplementary_remote_party_id",
    f"{HEADER}supplementary_remote_party_counter",
    f"{HEADER}supplementary_remote_party_originator_counter",
    "gbcs_message.krp",
    "gbcs_message.mac",
    "_ws.malformed",
]
PKI = BenchPki("test")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def eui(value: Eui64 | None) -> str:
    return "" if value is None else value.to_bytes_be().hex(":")


def number(value: int | None) -> str:
    return "" if value is None else str(value)


def as_tshark_says(message: GbcsMessage) -> list[str]:
    # tshark has a certificate only after a supplementary originator counter. In the three published messages
    # with one there is none, and it takes the certificate's first octets for it.
    counter = message.supplementary_originator_counter
    if message.certificate and counter is None:
        counter = int.from_bytes(message.certificate[:8], "big")
    return [
        f"0x{message.message_code:04x}",
        f"0x{message.cra:02x}",
        number(message.counter),
        eui(message.originator),
        eui(message.recipient),
        eui(message.supplementary_party),
        number(message.supplementary_counter),
        number(counter),
        (message.signature or b"").hex(),
        (message.mac or b"").hex(),
        "",
    ]


def bench_messages() -> dict[str, bytes]:
    """One message of each kind, made with the bench's own keys."""
    of_acb = {
        "originator": ACB,
        "counter": 5,
        "supplementary_party": SUPPLIER,
        "supplementary_counter": 1000,
    }
    adding = AddDevice(
        device=PPMID, install_code=bytes(16), device_type=RegisteredType.PPMID, join_timeout_s=3600
    )
    joining = Join(
        method=JoinMethod.METHOD_C,
        device=GSME,
        device_type=DeviceType.GSME,
        certificate=PKI.certificate(GSME, KeyUsage.KEY_AGREEMENT),
    )
    log = DeviceLogCopy(
        time=CosemTime.of(NOON), extended_pan_id=CHF.to_bytes_be(), devices=(LoggedDevice(PPMID, bytes(16)),)
    )
    ccs01 = CCS01.build_command(adding, PKI, device=CHF, **of_acb)
    cs03c = CS03C.build_command(joining, PKI, device=PPMID, **of_acb)
    served = JoinedDevice(PPMID, DeviceType.PPMID)
    by_b = Join(method=JoinMethod.METHOD_B, device=PPMID, device_type=DeviceType.PPMID)
    cs03b = CS03B.build_command(by_b, PKI, device=GPF, **of_acb)
    gcs59 = GCS59.build_command((served,), PKI, device=GPF, **of_acb)
    cs08 = CS08.build_command(None, PKI, device=PPMID, **of_acb)
    return {
        "CCS01": ccs01,
        "CCS01 response": CCS01.build_response(ccs01, AddDeviceResult(), PKI),
        "CS03C": cs03c,
        "CS03C response": CS03C.build_response(cs03c, JoinResult.SUCCESS, PKI),
        "CS08": cs08,
        "CS08 response": CS08.build_response(cs08, Cs08Result(b"\x01\x02\x03\x04", True), PKI),
        "CS09": CS09.build_alert(
            PpmidActivation(time=NOON, firmware=bytes(4)), PKI, originator=PPMID, recipient=ACB, counter=6
        ),
        "CS14": CS14.build_alert(
            DeviceLogAlert(time=CosemTime.of(NOON), log=log), PKI, originator=CHF, recipient=ACB, counter=7
        ),
        "CS03B": cs03b,
        "CS03B response": CS03B.build_response(cs03b, JoinResult.SUCCESS, PKI),
        "GCS59": gcs59,
        "GCS59 response": GCS59.build_response(gcs59, (RestoredDevice(served),), PKI),
        "GCS62": GCS62.build_alert(
            GpfLogBackup(time=NOON, devices=(served,)), PKI, originator=GPF, recipient=ACB, counter=8
        ),
        "PCS01": PCS01.build_command(
            "73946144332040217315", PKI, originator=PPMID, device=GSME, counter=1 << 63
        ),
    }


def test_tshark_reads_the_benchs_own_messages_as_we_do(tmp_path):
    messages = list(bench_messages().values())
    seen = tshark_pdus(tmp_path, "gbcs_message", messages, FIELDS)
    assert seen == [as_tshark_says(parse(octets)) for octets in messages]


def test_tshark_puts_blocks_together_to_the_message_that_was_cut(tmp_path):
    message = bench_messages()["CS03C"]
    blocks = [block.to_bytes() for block in block_transfer.cut(message, 100)]
    routing = "gbcs_message.routing_header."
    fields = [f"{HEADER}message_code", "gbcs_message.mac", "gbcs_message.gbt.reassembled.length"]
    more = [f"{routing}message_code", f"{routing}business_target_id", "gbcs_message.gbt_header.block_number"]
    seen = tshark_pdus(tmp_path, "gbcs_message", blocks, [*fields, *more, "_ws.malformed"])
    assert [line[3:] for line in seen] == [
        ["0x00af", eui(PPMID), str(place), ""] for place in range(1, len(blocks) + 1)
    ]
    assert [line[:3] for line in seen[:-1]] == [["", "", ""]] * (len(blocks) - 1)
    assert seen[-1][:3] == ["0x00af", parse(message).mac.hex(), str(len(message))]


def test_a_message_with_one_octet_missing_is_malformed_to_tshark_too(tmp_path):
    short = [octets[:-1] for octets in bench_messages().values()]
    seen = tshark_pdus(tmp_path, "gbcs_message", short, ["_ws.malformed"])
    assert all(line != [""] for line in seen)


@pytest.mark.dcc_data
def test_tshark_reads_all_published_messages_with_a_signature_field_as_we_do(tmp_path):
    # The 178 pre-commands end before the signature field, which tshark looks for.
    parsed = {name: parse(octets) for name, octets in vectors().items()}
    whole = {name: message for name, message in parsed.items() if message.signature is not None}
    assert len(whole) == 1275 - 178
    assert sum(bool(message.certificate) for message in whole.values()) == 3
    seen = tshark_pdus(tmp_path, "gbcs_message", [one.to_bytes() for one in whole.values()], FIELDS)
    wrong = {
        name: (line, as_tshark_says(message))
        for (name, message), line in zip(whole.items(), seen, strict=True)
        if line != as_tshark_says(message)
    }
    assert wrong == {}


@pytest.mark.dcc_data
def test_tshark_reads_every_rebuilt_message(tmp_path):
    cases = [
        (one, kind) for one in (rebuilt.exchanges() if DCC_DATA else []) for kind in ("COMMAND", "RESPONSE")
    ]
    built = []
    for exchange, kind in cases:
        expected = parse(vector(f"{exchange.vector}_{kind}"))
        composed = (
            exchange.case.compose_command(exchange.command, **exchange.heading)
            if kind == "COMMAND"
            else exchange.case.compose_response(
                vector(f"{exchange.vector}_COMMAND"), exchange.response, time=exchange.time
            )
        ).with_signature(expected.signature)
        built.append(composed if expected.mac is None else composed.with_mac(expected.mac))
    seen = tshark_pdus(tmp_path, "gbcs_message", [message.to_bytes() for message in built], FIELDS)
    assert seen == [as_tshark_says(message) for message in built]


# What our names of message codes begin with where tshark has a description and no use case.
DESCRIBED = {
    0x0004: "CCS05/CCS04",
    0x00CA: "Futured Dated Firmware Activation",
    0x00CB: "Futured Dated Updated Security Credentials",
    0x00CC: "Future Dated Execution Of Instruction Alert (DLMS",
    0x00CD: "Future Dated Execution Of Instruction Alert (GBZ",
    0x00CE: "Firmware Distribution Receipt Alert (ESME",
    0x00CF: "Firmware Distribution Receipt Alert (GSME",
    0x00D5: "Failure to Deliver Remote Party Message",
    0x00F0: "Meter Integrity Issue Warning Alert - ESME",
    0x00F2: "Meter Integrity Issue Warning Alert - GSME",
    0x1000: "Generic Critical Alert",
    0x1001: "Generic Non Critical Alert",
}
NEWER_THAN_TSHARK = (
    "ECS35g CCS07 ECS46d ECS61d ECS61e ECS47a ECS47e ECS100 ECS101 ECS102 ECS200 CCS08 CS08 GCS60a CS09"
)


def test_message_codes_have_the_names_that_tshark_gives_them():
    theirs = tshark_values("gbcs_message.grouping_header.message_code")
    assert len(theirs) == 221
    for code, text in theirs.items():
        name = USE_CASES[code]
        assert text.lower().startswith(DESCRIBED.get(code, name.split()[0]).lower()), (hex(code), name, text)
    unknown = {name for code, name in USE_CASES.items() if code not in theirs}
    assert {name for name in unknown if not name.startswith(("CS02f", "CS02g"))} == set(
        NEWER_THAN_TSHARK.split()
    )


def words(text: str) -> list[str]:
    """The words of a name, without what stands in brackets."""
    return re.findall(r"[a-z0-9]+", re.sub(r"\([^)]*\)", "", text.lower()))


def test_alert_codes_have_the_names_that_tshark_gives_them():
    theirs = tshark_values("gbcs_gbz.alert_code")
    assert len(theirs) == 183
    differ = {code for code, text in theirs.items() if words(ALERTS[code]) != words(text)}
    assert differ == set()
    assert set(ALERTS) - set(theirs) == {0x8F85, 0x8F89, 0x8F8A, 0x8F8B}
    assert len(set(ALERTS.values())) == len(ALERTS)
