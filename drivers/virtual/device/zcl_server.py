"""What a device answers to plain ZCL: attributes of its server and client clusters, and statuses.

Source: 07-5123 (ZCL) §2.5 (global commands, when a Default Response is due).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from drivers.virtual.stack.faces import ApsIndication, DeliveryMode
from harness.errors import DecodeError
from harness.zigbee import zcl_general
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_general import GlobalCommand
from harness.zigbee.zcl_types import TypedValue

_NEVER_ANSWERED = (
    GlobalCommand.READ_ATTRIBUTES_RESPONSE,
    GlobalCommand.WRITE_ATTRIBUTES_RESPONSE,
    GlobalCommand.WRITE_ATTRIBUTES_NO_RESPONSE,
    GlobalCommand.CONFIGURE_REPORTING_RESPONSE,
    GlobalCommand.DEFAULT_RESPONSE,
    GlobalCommand.DISCOVER_ATTRIBUTES_RESPONSE,
)

Attributes = Mapping[int, TypedValue]
Note = Callable[[int, ZclFrame, tuple[int, ...]], None]


class ZclServer:
    """Answers ZCL frames from anybody, for these server and client clusters and their attributes.

    `note` is told of requests that it takes: cluster, frame and attributes.
    """

    def __init__(
        self,
        *,
        serves: Collection[int],
        uses: Collection[int],
        attributes: Mapping[tuple[Direction, int], Attributes],
        note: Note = lambda _, __, ___: None,
    ) -> None:
        self._serves = serves
        self._uses = uses
        self._attributes = attributes
        self._note = note

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
        sides = self._serves if request.direction is Direction.TO_SERVER else self._uses
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
