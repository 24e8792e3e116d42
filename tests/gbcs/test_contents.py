"""Contents of use cases: octets that the facts give, and fields that contradict each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.gbz import (
    PREPAYMENT_CLUSTER,
    GbzAlert,
    GbzComponent,
    GbzPayload,
    ZclStatus,
    default_response,
    moment_of,
    read_default_response,
    seconds_of,
)
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, OwnKeys
from harness.gbcs.message import parse
from harness.gbcs.use_cases import ALERT_CASES, USE_CASES, alert_case_of, use_case_of
from harness.gbcs.use_cases.cs08 import CS08
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CCS02,
    CS14,
    AddDevice,
    DeviceLogAlert,
    DeviceLogCopy,
    LoggedDevice,
    RegisteredType,
)
from harness.gbcs.use_cases.firmware import CCS08, CS06, CS09, Activate, FirmwareTransfer, PpmidActivation
from harness.gbcs.use_cases.joining import (
    CS03C,
    CS07,
    DeviceType,
    Join,
    JoinDetails,
    JoinedDevice,
    JoinMethod,
    ReadResult,
)
from harness.gbcs.use_cases.prepayment import CS01A, CS01B, PCS01
from tests.gbcs.vectors import CHF, ESME, GSME, PPMID

PKI = BenchPki("test")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
UTRN = "73946144332040217315"
HEADING = {"originator": ACB, "counter": 5, "supplementary_party": SUPPLIER, "supplementary_counter": 9}
ACTIVATION = PpmidActivation(time=NOON, firmware=bytes(4))


def alert(**changes) -> bytes:
    heading = {"originator": PPMID, "recipient": ACB, "counter": 6} | changes
    return CS09.build_alert(ACTIVATION, PKI, **heading)


@pytest.mark.parametrize(
    ("device_type", "last"),
    [("ESME", 0x00), ("GSME", 0x01), ("HCALCS", 0x0D), ("IHD", 0x80), ("PPMID", 0x84)],
)
def test_a_whitelisting_names_the_kind_of_device_by_the_number_of_register_device(device_type, last):
    fields = AddDevice(
        device=PPMID,
        install_code=bytes(range(16)),
        device_type=RegisteredType[device_type],
        join_timeout_s=3600,
    )
    content = CCS01.compose_command(fields, device=CHF, **HEADING).content
    expected = f"0204090800DB1234567890A416010910{bytes(range(16)).hex()}16{last:02X}120E1003FF"
    assert content.hex().upper().endswith(expected.upper())


@pytest.mark.parametrize("number", range(7))
def test_a_join_names_the_kind_of_device_by_the_number_of_the_asn1_messages(number):
    join = Join(method=JoinMethod.METHOD_C, device=ESME, device_type=DeviceType(number))
    content = CS03C.compose_command(join, device=PPMID, **HEADING).content
    assert content.hex() == f"3010020103040800db1234567890a00201{number:02x}"
    assert [one.name for one in DeviceType] == ["GSME", "ESME", "CHF", "GPF", "HCALCS", "PPMID", "TYPE_2"]


def test_an_alert_from_another_device_is_refused():
    octets = alert()
    assert CS09.read_alert(octets, OwnKeys(ACB, PKI), originator=PPMID) == ACTIVATION
    with pytest.raises(DecodeError, match="business originator"):
        CS09.read_alert(octets, OwnKeys(ACB, PKI), originator=ESME)


def test_an_alert_that_is_readdressed_or_signed_by_another_is_refused():
    with pytest.raises(DecodeError, match="signature"):
        CS09.read_alert(replace(parse(alert()), originator=ESME), PKI)
    with pytest.raises(DecodeError, match="signature: does not verify"):
        CS09.read_alert(replace(parse(alert()), counter=7), PKI)
    with pytest.raises(DecodeError, match="signature: is missing"):
        CS09.read_alert(parse(alert()).with_signature(b""), PKI)


def test_a_command_is_no_alert_and_an_alert_no_command():
    with pytest.raises(DecodeError, match="CRA flag"):
        CS08.read_command(replace(parse(alert()), message_code=CS08.code), PKI)
    command = CS08.build_command(None, PKI, device=PPMID, **HEADING)
    with pytest.raises(DecodeError, match="CRA flag"):
        CS09.read_alert(replace(parse(command), message_code=CS09.code), PKI)
    with pytest.raises(DecodeError, match="message code"):
        CS14.read_alert(alert(), PKI)


def test_a_transfer_alert_whose_code_and_result_disagree_is_refused():
    fields = FirmwareTransfer(time=NOON, device=PPMID, firmware=bytes(4))
    message = parse(CCS08.build_alert(fields, PKI, originator=CHF, recipient=ACB, counter=1))
    wrong = replace(message, content=message.content.replace(b"\x8f\x8a", b"\x8f\x89"))
    with pytest.raises(DecodeError, match="is 8F89 with the result success"):
        CCS08.alert_fields(wrong)
    with pytest.raises(DecodeError, match="expected 8F89 or 8F8A, found 8F8B"):
        CCS08.alert_fields(replace(message, content=message.content.replace(b"\x8f\x8a", b"\x8f\x8b")))


def test_a_top_up_of_the_dsp_is_none_of_a_ppmids():
    remote = CS01B.compose_command(UTRN, originator=SUPPLIER, device=GSME, counter=1)
    local = PCS01.compose_command(UTRN, originator=PPMID, device=GSME, counter=1)
    assert (CS01B.command_fields(remote), PCS01.command_fields(local)) == (UTRN, UTRN)
    with pytest.raises(DecodeError, match="originating device"):
        PCS01.command_fields(remote)
    with pytest.raises(DecodeError, match="originating device"):
        CS01B.command_fields(local)


@pytest.mark.parametrize("wrong", ["", "1" * 19, "1" * 21, "1234567890123456789x"])
def test_what_is_no_utrn_is_not_sent(wrong):
    for case in (CS01A, CS01B):
        with pytest.raises(ValueError, match="20 digits"):
            case.compose_command(wrong, originator=SUPPLIER, device=GSME, counter=1)


def test_a_command_for_another_method_of_the_device_log_is_refused():
    removal = CCS02.compose_command(PPMID, device=CHF, **HEADING)
    with pytest.raises(DecodeError, match="access specifications"):
        CCS01.command_fields(removal)


def test_a_hashed_link_key_has_16_octets_or_none():
    def log(key_hash):
        copy = DeviceLogCopy(
            time=CosemTime.of(NOON),
            extended_pan_id=bytes(8),
            devices=(LoggedDevice(PPMID, key_hash),),
        )
        fields = DeviceLogAlert(time=CosemTime.of(NOON), log=copy)
        return CS14.build_alert(fields, PKI, originator=CHF, recipient=ACB, counter=1)

    for length in (0, 16):
        assert CS14.read_alert(log(bytes(length)), PKI).log.devices[0].link_key_hash == bytes(length)
    with pytest.raises(DecodeError, match="hashed link key"):
        CS14.read_alert(log(bytes(15)), PKI)


def test_join_details_that_could_not_be_read_have_no_entries():
    request = CS07.build_command(None, PKI, device=PPMID, **HEADING)
    details = JoinDetails(devices=(JoinedDevice(ESME, DeviceType.ESME),), result=ReadResult.READ_FAILURE)
    read = CS07.read_response(CS07.build_response(request, details, PKI), PKI, command=request)
    assert read == JoinDetails(result=ReadResult.READ_FAILURE)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_of_an_image_has_32_octets(length):
    with pytest.raises(ValueError, match="32 octets"):
        CS06.compose_command(Activate(image_hash=bytes(length), originator_counter=1), device=ESME, **HEADING)


def test_gbz_marks_its_last_component_and_no_other():
    one = GbzComponent(cluster=PREPAYMENT_CLUSTER, frame_control=1, command=4, payload=b"\x00")
    octets = GbzPayload((one, one)).to_bytes()
    assert octets.hex() == "010902000705000401000400010705000401000400"
    for place, control in ((3, 0x01), (12, 0x00), (3, 0x20)):
        wrong = bytearray(octets)
        wrong[place] = control
        with pytest.raises(DecodeError, match="GBZ control"):
            GbzPayload.from_bytes(bytes(wrong))


def test_a_component_with_a_from_time_and_encrypted_reads_back():
    one = GbzComponent(
        cluster=0x0702,
        frame_control=0x18,
        command=1,
        payload=bytes(20),
        from_time=0x1C35F900,
        encrypted=True,
        frame_counter=3,
    )
    assert GbzPayload.from_bytes(GbzPayload((one,)).to_bytes()) == GbzPayload((one,))


def test_an_alert_of_gbz_says_whether_it_has_a_body():
    right = GbzAlert(alert_code=0x810E, time=5, body=b"\x01").to_bytes()
    assert GbzAlert.from_bytes(right).body == b"\x01"
    with pytest.raises(DecodeError, match="number of GBZ components"):
        GbzAlert.from_bytes(right[:-1])


def test_a_default_response_is_to_its_command():
    octets = default_response(PREPAYMENT_CLUSTER, 0, ZclStatus.FAILURE)
    assert read_default_response(octets, PREPAYMENT_CLUSTER, 0) is ZclStatus.FAILURE
    with pytest.raises(DecodeError, match="command of the default response"):
        read_default_response(octets, PREPAYMENT_CLUSTER, 1)
    with pytest.raises(DecodeError, match="GBZ component"):
        read_default_response(octets, 0x0709, 0)


def test_zcl_times_count_from_2000():
    assert moment_of(0) == datetime(2000, 1, 1, tzinfo=UTC)
    assert seconds_of(moment_of(0xFFFFFFFF)) == 0xFFFFFFFF
    with pytest.raises(ValueError, match="no ZCL time"):
        seconds_of(datetime(1999, 12, 31, tzinfo=UTC))


def test_use_cases_are_found_by_message_code_and_others_are_none():
    assert use_case_of(0x0129) is CS08
    assert alert_case_of(0x012B) is CS09
    assert use_case_of(0x0019) is None
    assert alert_case_of(0x1000) is None
    assert all(case.code == code for code, case in (*USE_CASES.items(), *ALERT_CASES.items()))


def test_a_message_of_a_use_case_that_is_not_built_here_keeps_its_content():
    unknown = replace(parse(alert()), message_code=0x0FFF, content=b"anything")
    assert parse(unknown.to_bytes()).content == b"anything"
    assert parse(unknown.to_bytes()).use_case is None
    assert Eui64.parse("00DB1234567890A4") == PPMID
