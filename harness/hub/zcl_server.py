"""What the hub's ZCL servers answer: attribute reads, and a status for everything that they do not have.

A cluster that needs commands of its own (Tunneling) is served elsewhere and falls back to this.
Source: ZCL (07-5123) §2.5 global commands; Basic §3.2, Time §3.12; ZSE Annex C for key establishment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.errors import DecodeError
from harness.hub.profile import HubProfile
from harness.zigbee import key_establishment, tunnel, zcl_general
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_general import GlobalCommand
from harness.zigbee.zcl_types import DataType, TypedValue

_BASIC = 0x0000
_TIME = 0x000A
_ZIGBEE_EPOCH_S = 946_684_800  # 2000-01-01T00:00:00Z as Unix time
_MASTER_AND_AUTHORITATIVE = 0x09  # TimeStatus: bit 0 master, bit 3 master for zone and daylight saving

Attributes = Mapping[int, Callable[[], TypedValue]]

_NEEDS_NO_ANSWER = {
    GlobalCommand.READ_ATTRIBUTES_RESPONSE,
    GlobalCommand.WRITE_ATTRIBUTES_RESPONSE,
    GlobalCommand.WRITE_ATTRIBUTES_NO_RESPONSE,
    GlobalCommand.CONFIGURE_REPORTING_RESPONSE,
    GlobalCommand.REPORT_ATTRIBUTES,
    GlobalCommand.DEFAULT_RESPONSE,
    GlobalCommand.DISCOVER_ATTRIBUTES_RESPONSE,
}


class ZclServer:
    """Answers for all clusters of a hub. `suites` is the key-establishment suite bitmap that it shows."""

    def __init__(self, profile: HubProfile, *, suites: int, wall_clock: Callable[[], float]) -> None:
        basic = profile.basic
        shown = key_establishment.KeyEstablishmentSuites(suites)
        tunnel_profile = profile.tunnel
        self._clusters: dict[int, Attributes] = {
            _BASIC: {
                0x0000: lambda: TypedValue(DataType.UINT8, basic.zcl_version),
                0x0001: lambda: TypedValue(DataType.UINT8, basic.application_version),
                0x0004: lambda: TypedValue(DataType.CHARACTER_STRING, basic.manufacturer_name),
                0x0005: lambda: TypedValue(DataType.CHARACTER_STRING, basic.model_identifier),
                0x0007: lambda: TypedValue(DataType.ENUM8, basic.power_source),
                0x0011: lambda: TypedValue(DataType.ENUM8, basic.physical_environment),
            },
            _TIME: {
                0x0000: lambda: TypedValue(DataType.UTC_TIME, int(wall_clock()) - _ZIGBEE_EPOCH_S),
                0x0001: lambda: TypedValue(DataType.BITMAP8, _MASTER_AND_AUTHORITATIVE),
            },
            key_establishment.CLUSTER: {
                key_establishment.KEY_ESTABLISHMENT_SUITE: lambda: key_establishment.suites_value(shown),
            },
        }
        if tunnel_profile is not None:
            timeout = TypedValue(DataType.UINT16, tunnel_profile.close_after_s)
            self._clusters |= {tunnel.CLUSTER: {tunnel.CLOSE_TUNNEL_TIMEOUT: lambda: timeout}}

    def answer(self, cluster: int, request: ZclFrame) -> ZclFrame | None:
        """Return the answer to a frame, None when it asks for none."""
        if request.frame_type is not ZclFrameType.GLOBAL:
            return default_response(request, _unsupported(request))
        if request.command in _NEEDS_NO_ANSWER:
            return None
        if request.manufacturer is not None or request.direction is not Direction.TO_SERVER:
            return default_response(request, _unsupported(request))
        try:
            body = self._global(self._clusters.get(cluster, {}), request)
        except DecodeError:
            return default_response(request, ZclStatus.MALFORMED_COMMAND)
        if body is None:
            return default_response(request, ZclStatus.UNSUP_GENERAL_COMMAND)
        return zcl_general.frame(body, request.sequence, direction=Direction.TO_CLIENT)

    def _global(self, attributes: Attributes, request: ZclFrame) -> zcl_general.GlobalBody | None:
        body = zcl_general.parse(request)
        if isinstance(body, zcl_general.ReadAttributes):
            records = tuple(_read(attributes, number) for number in body.attributes)
            return zcl_general.ReadAttributesResponse(records=records)
        if isinstance(body, zcl_general.WriteAttributes):
            outcomes = tuple(
                zcl_general.WriteRecord(
                    status=_write_status(attributes, entry.attribute), attribute=entry.attribute
                )
                for entry in body.records
            )
            return zcl_general.WriteAttributesResponse(records=outcomes)
        if isinstance(body, zcl_general.DiscoverAttributes):
            return _discover(attributes, body)
        return None


def default_response(request: ZclFrame, status: ZclStatus) -> ZclFrame:
    """Return the Default Response to a frame."""
    back = Direction.TO_CLIENT if request.direction is Direction.TO_SERVER else Direction.TO_SERVER
    return zcl_general.frame(
        zcl_general.DefaultResponse(command=request.command, status=status),
        request.sequence,
        direction=back,
        manufacturer=request.manufacturer,
    )


def _read(attributes: Attributes, number: int) -> zcl_general.ReadRecord:
    value = attributes.get(number)
    if value is None:
        return zcl_general.ReadRecord(attribute=number, status=ZclStatus.UNSUPPORTED_ATTRIBUTE)
    return zcl_general.ReadRecord(attribute=number, value=value())


def _write_status(attributes: Attributes, number: int) -> ZclStatus:
    return ZclStatus.READ_ONLY if number in attributes else ZclStatus.UNSUPPORTED_ATTRIBUTE


def _discover(
    attributes: Attributes, request: zcl_general.DiscoverAttributes
) -> zcl_general.DiscoverAttributesResponse:
    known = sorted(number for number in attributes if number >= request.start)
    shown = known[: request.maximum]
    return zcl_general.DiscoverAttributesResponse(
        complete=int(len(shown) == len(known)),
        attributes=tuple(
            zcl_general.AttributeInfo(attribute=number, data_type=attributes[number]().type)
            for number in shown
        ),
    )


def _unsupported(request: ZclFrame) -> ZclStatus:
    if request.frame_type is ZclFrameType.GLOBAL:
        own, other = ZclStatus.UNSUP_MANUF_GENERAL_COMMAND, ZclStatus.UNSUP_GENERAL_COMMAND
    else:
        own, other = ZclStatus.UNSUP_MANUF_CLUSTER_COMMAND, ZclStatus.UNSUP_CLUSTER_COMMAND
    return own if request.manufacturer is not None else other
