"""ZDO, ZCL and the tunnel, octet by octet as their specifications print them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import key_establishment, tunnel, zcl_clusters, zcl_general, zdo
from harness.zigbee.fields import Cursor
from harness.zigbee.key_establishment import KeyEstablishmentSuites
from harness.zigbee.mac import Capability
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_types import CODECS, Array, DataType, TypedValue, take_typed
from tests.zigbee.conversation import PPMID

OK = zdo.ZdoStatus.SUCCESS


# --- ZDO --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "octets"),
    [
        (
            zdo.DeviceAnnce(nwk_address=0x3F4C, ieee_address=PPMID, capability=Capability()),
            "4c3f a49078563412db00 80",
        ),
        (
            zdo.MatchDescReq(
                nwk_address=0, profile=0x0109, input_clusters=(0x0800,), output_clusters=(0x0704,)
            ),
            "0000 0901 01 0008 01 0407",
        ),
        (zdo.MatchDescRsp(status=OK, nwk_address=0, endpoints=(1, 10)), "00 0000 02 01 0a"),
        (zdo.SimpleDescRsp(status=zdo.ZdoStatus.NOT_ACTIVE, nwk_address=0), "83 0000 00"),
        (zdo.NodeDescRsp(status=zdo.ZdoStatus.DEVICE_NOT_FOUND, nwk_address=5), "81 0500"),
        (zdo.NwkAddrRsp(status=OK, ieee_address=PPMID, nwk_address=1), "00 a49078563412db00 0100"),
        (
            zdo.IeeeAddrRsp(
                status=OK,
                ieee_address=PPMID,
                nwk_address=1,
                associated=zdo.AssociatedDevices(start_index=0, addresses=(2, 3)),
            ),
            "00 a49078563412db00 0100 02 00 0200 0300",
        ),
        (
            zdo.IeeeAddrRsp(
                status=OK,
                ieee_address=PPMID,
                nwk_address=1,
                associated=zdo.AssociatedDevices(start_index=None),
            ),
            "00 a49078563412db00 0100 00",
        ),
        (
            zdo.BindReq(
                source=PPMID, source_endpoint=1, cluster=6, target=zdo.BindTarget.GROUP, group=0x1234
            ),
            "a49078563412db00 01 0600 01 3412",
        ),
        (zdo.MgmtLeaveReq(device=PPMID, rejoin=True), "a49078563412db00 80"),
        (zdo.MgmtPermitJoiningReq(duration=180), "b4 01"),
        (zdo.MgmtLqiRsp(status=zdo.ZdoStatus.NOT_SUPPORTED), "84"),
        (zdo.ParentAnnce(children=(PPMID,)), "01 a49078563412db00"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_zdo_messages_are_laid_out_as_specified(body, octets):
    payload = zdo.encode(0x42, body)
    assert payload.hex() == "42" + octets.replace(" ", "")
    assert zdo.decode(body.CLUSTER, payload) == (0x42, body)


def test_an_unsupported_request_is_answered_so():
    assert zdo.not_supported(0x42) == b"\x42\x84"
    assert zdo.decode(0x8038, b"\x42\x84")[1] == zdo.StatusRsp(status=zdo.ZdoStatus.NOT_SUPPORTED)


def test_an_unknown_request_is_kept():
    assert zdo.decode(0x0038, b"\x01\x02\x03") == (1, zdo.UnknownZdo(octets=b"\x02\x03"))


def test_octets_that_a_later_revision_appends_are_passed_over():
    payload = zdo.encode(1, zdo.ActiveEpReq(nwk_address=7)) + b"\x01\x02\x03"
    assert zdo.decode(5, payload) == (1, zdo.ActiveEpReq(nwk_address=7))


def test_a_binding_to_a_group_has_no_endpoint():
    wrong = zdo.BindReq(
        source=PPMID, source_endpoint=1, cluster=6, target=zdo.BindTarget.GROUP, destination=PPMID, group=1
    )
    with pytest.raises(ValueError, match="destination"):
        wrong.to_bytes()


# --- ZCL --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (TypedValue(DataType.BOOLEAN, 1), "10 01"),
        (TypedValue(DataType.BITMAP16, 0x0102), "19 0201"),
        (TypedValue(DataType.UINT24, 0x010203), "22 030201"),
        (TypedValue(DataType.UINT48, 1), "25 010000000000"),
        (TypedValue(DataType.UINT64, (1 << 64) - 1), "27 ffffffffffffffff"),
        (TypedValue(DataType.INT24, -2), "2a feffff"),
        (TypedValue(DataType.INT64, -1), "2f ffffffffffffffff"),
        (TypedValue(DataType.ENUM8, 5), "30 05"),
        (TypedValue(DataType.SINGLE, 1.5), "39 0000c03f"),
        (TypedValue(DataType.OCTET_STRING, b"\x01\x02"), "41 02 0102"),
        (TypedValue(DataType.OCTET_STRING, None), "41 ff"),
        (TypedValue(DataType.CHARACTER_STRING, "£1"), "42 03 c2a331"),
        (TypedValue(DataType.CHARACTER_STRING, "\udcff"), "42 01 ff"),
        (TypedValue(DataType.LONG_OCTET_STRING, b"\x07"), "43 0100 07"),
        (TypedValue(DataType.UTC_TIME, 0x01020304), "e2 04030201"),
        (TypedValue(DataType.EUI64, PPMID), "f0 a49078563412db00"),
        (TypedValue(DataType.KEY128, bytes(16)), "f1" + "00" * 16),
        (TypedValue(DataType.ARRAY, Array(DataType.UINT8, (1, 2))), "48 20 0200 01 02"),
        (
            TypedValue(DataType.STRUCTURE, (TypedValue(DataType.UINT8, 1), TypedValue(DataType.BOOLEAN, 0))),
            "4c 0200 20 01 10 00",
        ),
        (TypedValue(DataType.NO_DATA, None), "00"),
    ],
    ids=lambda value: value.type.name if isinstance(value, TypedValue) else "",
)
def test_typed_values_travel_as_specified(value, octets):
    assert value.to_bytes().hex() == octets.replace(" ", "")
    assert take_typed(Cursor(value.to_bytes())) == value


@given(st.sampled_from([kind for kind in CODECS if 0x08 <= kind <= 0x31]), st.data())
def test_numbers_of_every_width_round_trip(kind, data):
    width = 8 * CODECS[kind].octets
    low = -(1 << width - 1) if CODECS[kind].signed else 0
    value = TypedValue(kind, data.draw(st.integers(low, low + (1 << width) - 1)))
    assert take_typed(Cursor(value.to_bytes())) == value
    with pytest.raises(ValueError, match="does not fit"):
        TypedValue(kind, low - 1).to_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        TypedValue(DataType.UINT8, "text"),
        TypedValue(DataType.EUI64, 5),
        TypedValue(DataType.OCTET_STRING, bytes(255)),
        TypedValue(DataType.KEY128, bytes(3)),
        TypedValue(DataType(0x77), 1),
        TypedValue(DataType.SINGLE, "x"),
    ],
    ids=str,
)
def test_values_that_are_not_of_their_type_are_refused(wrong):
    with pytest.raises(ValueError):  # noqa: PT011 - each has a text of its own
        wrong.to_bytes()


def test_an_unknown_type_is_a_decode_error():
    with pytest.raises(DecodeError, match="unknown type 0x77"):
        take_typed(Cursor(b"\x77\x00"))


@pytest.mark.parametrize(
    ("body", "octets"),
    [
        (zcl_general.ReadAttributes(attributes=(0, 0x0102)), "00 07 00 0000 0201"),
        (
            zcl_general.ReadAttributesResponse(
                records=(
                    zcl_general.ReadRecord(attribute=2, value=TypedValue(DataType.UINT32, 0x01020304)),
                    zcl_general.ReadRecord(attribute=3, status=ZclStatus.UNSUPPORTED_ATTRIBUTE),
                )
            ),
            "00 07 01 0200 00 23 04030201 0300 86",
        ),
        (
            zcl_general.WriteAttributes(
                records=(zcl_general.AttributeValue(attribute=1, value=TypedValue(DataType.UINT8, 9)),)
            ),
            "00 07 02 0100 20 09",
        ),
        (
            zcl_general.WriteAttributesResponse(records=(zcl_general.WriteRecord(status=ZclStatus.SUCCESS),)),
            "00 07 04 00",
        ),
        (
            zcl_general.WriteAttributesResponse(
                records=(zcl_general.WriteRecord(status=ZclStatus.READ_ONLY, attribute=5),)
            ),
            "00 07 04 88 0500",
        ),
        (zcl_general.DefaultResponse(command=2, status=ZclStatus.UNSUP_CLUSTER_COMMAND), "00 07 0b 02 81"),
        (
            zcl_general.ReportAttributes(
                records=(zcl_general.AttributeValue(attribute=1, value=TypedValue(DataType.BOOLEAN, 1)),)
            ),
            "00 07 0a 0100 10 01",
        ),
        (
            zcl_general.ConfigureReporting(
                records=(
                    zcl_general.ReportingRecord(
                        attribute=3,
                        schedule=zcl_general.ReportSchedule(
                            data_type=DataType.UINT16,
                            minimum_interval=1,
                            maximum_interval=2,
                            change=TypedValue(DataType.UINT16, 5),
                        ),
                    ),
                    zcl_general.ReportingRecord(
                        attribute=4,
                        schedule=zcl_general.ReportSchedule(
                            data_type=DataType.ENUM8, minimum_interval=1, maximum_interval=2
                        ),
                    ),
                    zcl_general.ReportingRecord(direction=1, attribute=5, timeout=60),
                )
            ),
            "00 07 06 00 0300 21 0100 0200 0500 00 0400 30 0100 0200 01 0500 3c00",
        ),
        (
            zcl_general.ConfigureReportingResponse(
                records=(zcl_general.ReportingStatus(status=ZclStatus.SUCCESS),)
            ),
            "00 07 07 00",
        ),
        (zcl_general.DiscoverAttributes(start=1, maximum=9), "00 07 0c 0100 09"),
        (
            zcl_general.DiscoverAttributesResponse(
                complete=1, attributes=(zcl_general.AttributeInfo(attribute=1, data_type=DataType.UINT8),)
            ),
            "00 07 0d 01 0100 20",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_global_commands_are_laid_out_as_specified(body, octets):
    frame = zcl_general.frame(body, 7, disable_default_response=False)
    assert frame.to_bytes().hex() == octets.replace(" ", "")
    assert zcl_general.parse(ZclFrame.from_bytes(frame.to_bytes())) == body


def test_a_response_finds_its_attribute():
    value = key_establishment.suites_value(KeyEstablishmentSuites.SUITE_1)
    response = zcl_general.ReadAttributesResponse(records=(zcl_general.ReadRecord(attribute=0, value=value),))
    assert response.value(0) == TypedValue(DataType.BITMAP16, 1)
    assert response.value(1) is None


def test_suites_keep_bits_that_have_no_name():
    assert int(KeyEstablishmentSuites(0x8002)) == 0x8002
    assert KeyEstablishmentSuites.SUITE_2 in KeyEstablishmentSuites(0x8003)


def test_a_manufacturer_s_frame_carries_its_code_and_is_not_taken_for_the_cluster_s_own():
    octets = bytes.fromhex("1d") + b"\x34\x12" + b"\x07\x01\x00\x00\x03"
    frame = ZclFrame.from_bytes(octets)
    assert (frame.manufacturer, frame.direction, frame.sequence) == (0x1234, Direction.TO_CLIENT, 7)
    assert frame.disable_default_response
    assert frame.to_bytes() == octets
    assert zcl_clusters.parse(tunnel.CLUSTER, frame) is None


def test_an_unknown_global_command_is_kept_but_not_sent():
    body = zcl_general.parse(ZclFrame.from_bytes(b"\x00\x01\x77\x05"))
    assert body == zcl_general.UnknownGlobal(octets=b"\x05")
    with pytest.raises(ValueError, match="number"):
        zcl_general.frame(body, 1)


# --- tunnel -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "direction", "octets"),
    [
        (tunnel.RequestTunnel(), Direction.TO_SERVER, "11 05 00 06 ffff 00 dc05"),
        (tunnel.RequestTunnelResponse(tunnel=1), Direction.TO_CLIENT, "19 05 00 0100 00 dc05"),
        (tunnel.TransferData(tunnel=1, data=b"\x03\xdd"), Direction.TO_SERVER, "11 05 02 0100 03dd"),
        (tunnel.TransferData(tunnel=1, data=b"\x03\xdd"), Direction.TO_CLIENT, "19 05 01 0100 03dd"),
        (tunnel.CloseTunnel(tunnel=1), Direction.TO_SERVER, "11 05 01 0100"),
        (tunnel.TunnelClosureNotification(tunnel=1), Direction.TO_CLIENT, "19 05 06 0100"),
    ],
)
def test_tunnel_commands_are_numbered_by_direction(command, direction, octets):
    frame = tunnel.frame(command, 5, direction=direction)
    assert frame.to_bytes().hex() == octets.replace(" ", "")
    assert zcl_clusters.parse(tunnel.CLUSTER, ZclFrame.from_bytes(frame.to_bytes())) == command


def test_a_command_does_not_go_the_wrong_way():
    with pytest.raises(ValueError, match="RequestTunnel does not go to client"):
        tunnel.frame(tunnel.RequestTunnel(), 1, direction=Direction.TO_CLIENT)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("03dd", tunnel.HrgpMessage(verb=tunnel.Verb.PUT, message=b"\xdd")),
        ("01", tunnel.HrgpMessage(verb=tunnel.Verb.GET)),
        ("0204dd", tunnel.HrgpMessage(verb=tunnel.Verb.GET_RESPONSE, remaining=4, message=b"\xdd")),
    ],
)
def test_the_first_octet_in_a_gb_tunnel_is_the_verb(octets, message):
    assert tunnel.HrgpMessage.from_bytes(bytes.fromhex(octets)) == message
    assert message.to_bytes().hex() == octets


def test_a_command_without_a_table_is_nobody_s():
    frame = ZclFrame(frame_type=ZclFrameType.CLUSTER, sequence=1, command=0x55)
    assert zcl_clusters.parse(tunnel.CLUSTER, frame) is None
    assert zcl_clusters.parse(0x0702, frame) is None


def test_an_eui_64_in_a_value_is_an_eui_64():
    value = take_typed(Cursor(b"\xf0" + PPMID.to_bytes_le())).value
    assert isinstance(value, Eui64)
