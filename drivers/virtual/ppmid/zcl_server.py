"""What the PPMID answers to plain ZCL: attributes of its server and client clusters, and statuses.

Source: 07-5123 (ZCL) §2.5 (global commands, when a Default Response is due), §11 (OTA Upgrade attributes).
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.questions import ENDPOINT, PROFILE
from drivers.virtual.ppmid.received import ReceivedLog
from drivers.virtual.stack.faces import ApsIndication, DeliveryMode
from harness.errors import DecodeError
from harness.zigbee import key_establishment, tunnel, zcl_general
from harness.zigbee.key_establishment import KeyEstablishmentSuites
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_general import GlobalCommand
from harness.zigbee.zcl_types import DataType, TypedValue
from harness.zigbee.zdo import SimpleDescriptor

BASIC = 0x0000
OTA = 0x0019
CURRENT_FILE_VERSION = 0x0002
SERVES = (BASIC, key_establishment.CLUSTER)
USES = (
    key_establishment.CLUSTER,
    0x0700,  # Price
    0x0702,  # Metering
    0x0705,  # Prepayment
    0x0703,  # Messaging
    tunnel.CLUSTER,
    OTA,
    0x000A,  # Time
)

DESCRIPTOR = SimpleDescriptor(
    endpoint=ENDPOINT,
    profile=PROFILE,
    device_id=0x0502,  # In-Home Display
    input_clusters=SERVES,
    output_clusters=USES,
)

_BOTH_SUITES = KeyEstablishmentSuites.SUITE_1 | KeyEstablishmentSuites.SUITE_2
_NEVER_ANSWERED = (
    GlobalCommand.READ_ATTRIBUTES_RESPONSE,
    GlobalCommand.WRITE_ATTRIBUTES_RESPONSE,
    GlobalCommand.WRITE_ATTRIBUTES_NO_RESPONSE,
    GlobalCommand.CONFIGURE_REPORTING_RESPONSE,
    GlobalCommand.DEFAULT_RESPONSE,
    GlobalCommand.DISCOVER_ATTRIBUTES_RESPONSE,
)

Attributes = Mapping[int, TypedValue]


class ZclServer:
    """Answers ZCL frames from anybody; requests that it takes are noted in `received`."""

    def __init__(self, config: PpmidConfig, received: ReceivedLog) -> None:
        self._received = received
        firmware = int.from_bytes(config.reported_firmware, "big")
        suites = {key_establishment.KEY_ESTABLISHMENT_SUITE: key_establishment.suites_value(_BOTH_SUITES)}
        self._attributes: Mapping[tuple[Direction, int], Attributes] = {
            (Direction.TO_SERVER, BASIC): {
                0x0000: TypedValue(DataType.UINT8, 3),  # ZCLVersion
                0x0004: TypedValue(DataType.CHARACTER_STRING, config.manufacturer),
                0x0005: TypedValue(DataType.CHARACTER_STRING, config.model),
                0x0007: TypedValue(DataType.ENUM8, 0x01),  # PowerSource: mains, single phase
            },
            (Direction.TO_SERVER, key_establishment.CLUSTER): suites,
            (Direction.TO_CLIENT, key_establishment.CLUSTER): suites,
            (Direction.TO_CLIENT, OTA): {
                CURRENT_FILE_VERSION: TypedValue(DataType.UINT32, firmware),
                0x0006: TypedValue(DataType.ENUM8, 0x00),  # ImageUpgradeStatus: normal
                0x0007: TypedValue(DataType.UINT16, int(config.manufacturer, 16)),
            },
        }

    def answer(self, message: ApsIndication, request: ZclFrame) -> ZclFrame | None:
        """Return the answer to a frame, None when there is to be none."""
        if request.frame_type is ZclFrameType.GLOBAL and request.command in _NEVER_ANSWERED:
            return None
        answer = self._judge(message, request)
        if isinstance(answer, ZclStatus):
            return default_response(message, request, answer)
        body = answer
        return zcl_general.frame(body, request.sequence, direction=_back(request))

    def _judge(self, message: ApsIndication, request: ZclFrame) -> zcl_general.GlobalBody | ZclStatus:
        sides = SERVES if request.direction is Direction.TO_SERVER else USES
        general = request.frame_type is ZclFrameType.GLOBAL
        if message.cluster not in sides:
            return ZclStatus.UNSUPPORTED_CLUSTER
        if request.manufacturer is not None:
            own = ZclStatus.UNSUP_MANUF_GENERAL_COMMAND, ZclStatus.UNSUP_MANUF_CLUSTER_COMMAND
            return own[0] if general else own[1]
        if not general:
            return ZclStatus.UNSUP_CLUSTER_COMMAND
        return self._general(message.cluster, request)

    def _general(self, cluster: int, request: ZclFrame) -> zcl_general.GlobalBody | ZclStatus:
        attributes = self._attributes.get((request.direction, cluster), {})
        try:
            body = zcl_general.parse(request)
        except DecodeError:
            return ZclStatus.MALFORMED_COMMAND
        if isinstance(body, zcl_general.ReadAttributes):
            self._note(cluster, request, body.attributes)
            return zcl_general.ReadAttributesResponse(
                records=tuple(_read(attributes, number) for number in body.attributes)
            )
        if isinstance(body, zcl_general.WriteAttributes):
            self._note(cluster, request, tuple(entry.attribute for entry in body.records))
            return zcl_general.WriteAttributesResponse(
                records=tuple(_refuse_write(attributes, entry.attribute) for entry in body.records)
            )
        if isinstance(body, zcl_general.DiscoverAttributes):
            self._note(cluster, request, ())
            return _discover(attributes, body)
        if isinstance(body, zcl_general.ReportAttributes):
            self._note(cluster, request, tuple(entry.attribute for entry in body.records))
            return ZclStatus.SUCCESS
        return ZclStatus.UNSUP_GENERAL_COMMAND

    def _note(self, cluster: int, request: ZclFrame, attributes: tuple[int, ...]) -> None:
        self._received.add(
            "zcl",
            cluster=f"{cluster:04X}",
            command=f"{request.command:02X}",
            attribute=",".join(f"{number:04X}" for number in attributes),
            side="server" if request.direction is Direction.TO_SERVER else "client",
        )


def default_response(message: ApsIndication, request: ZclFrame, status: ZclStatus) -> ZclFrame | None:
    """Return the Default Response to a frame, None when none is due: broadcast, or success unasked for."""
    if message.mode is not DeliveryMode.UNICAST:
        return None
    if status is ZclStatus.SUCCESS and request.disable_default_response:
        return None
    return zcl_general.frame(
        zcl_general.DefaultResponse(command=request.command, status=status),
        request.sequence,
        direction=_back(request),
        manufacturer=request.manufacturer,
    )


def _back(request: ZclFrame) -> Direction:
    return Direction.TO_CLIENT if request.direction is Direction.TO_SERVER else Direction.TO_SERVER


def _read(attributes: Attributes, number: int) -> zcl_general.ReadRecord:
    value = attributes.get(number)
    if value is None:
        return zcl_general.ReadRecord(attribute=number, status=ZclStatus.UNSUPPORTED_ATTRIBUTE)
    return zcl_general.ReadRecord(attribute=number, value=value)


def _refuse_write(attributes: Attributes, number: int) -> zcl_general.WriteRecord:
    status = ZclStatus.READ_ONLY if number in attributes else ZclStatus.UNSUPPORTED_ATTRIBUTE
    return zcl_general.WriteRecord(status=status, attribute=number)


def _discover(
    attributes: Attributes, request: zcl_general.DiscoverAttributes
) -> zcl_general.DiscoverAttributesResponse:
    known = sorted(number for number in attributes if number >= request.start)
    shown = known[: request.maximum]
    return zcl_general.DiscoverAttributesResponse(
        complete=int(len(shown) == len(known)),
        attributes=tuple(
            zcl_general.AttributeInfo(attribute=number, data_type=attributes[number].type) for number in shown
        ),
    )
