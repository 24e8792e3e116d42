"""A node's answers to ZDO requests. Source: 05-3474-22 §2.4.4 (server responses)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from drivers.virtual.stack.faces import ApsIndication, ApsRequest, Delivery, DeliveryMode
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import zdo
from harness.zigbee.mac import Capability
from harness.zigbee.zdo import LogicalType, NodeDescriptor, SimpleDescriptor, ZdoBody, ZdoStatus

_ANY_PROFILE = 0xFFFF
_TRUST_CENTRE = 0x0001  # server mask, bit 0: primary trust centre


class _Node(Protocol):
    @property
    def eui64(self) -> Eui64: ...
    @property
    def role(self) -> Any: ...
    def spawn(self, work: Awaitable[object]) -> object: ...
    async def send(self, request: ApsRequest) -> Delivery: ...
    def learn(self, short_address: int, eui64: Eui64) -> None: ...
    def short_address_of(self, eui64: Eui64) -> int | None: ...
    def eui64_of(self, short_address: int) -> Eui64 | None: ...


class ZdoServer:
    """`on_leave` and `on_permit` are set by a role that does what Mgmt_Leave and Mgmt_Permit_Joining ask."""

    def __init__(self, node: _Node, logical_type: LogicalType) -> None:
        self._node = node
        self._type = logical_type
        self.endpoints: list[SimpleDescriptor] = []
        self.on_leave: Callable[[], None] | None = None
        self.on_permit: Callable[[int], None] | None = None
        self.neighbours: Callable[[], tuple[zdo.Neighbour, ...]] = tuple

    def take(self, message: ApsIndication) -> None:
        """Answer a request; responses and announcements are noted or left to the listener."""
        try:
            sequence, body = zdo.decode(message.cluster, message.payload)
        except DecodeError:
            return
        if isinstance(body, zdo.DeviceAnnce):
            self._node.learn(body.nwk_address, body.ieee_address)
            return
        if message.cluster & zdo.RESPONSE or message.cluster == zdo.ParentAnnce.CLUSTER:
            return
        answer = self._answer(body, broadcast=message.mode is not DeliveryMode.UNICAST)
        if answer is not None:
            self._reply(message, zdo.encode(sequence, answer))
        elif message.mode is DeliveryMode.UNICAST:
            self._reply(message, zdo.not_supported(sequence))
        if isinstance(body, zdo.MgmtLeaveReq) and self._is_us(body.device) and self.on_leave is not None:
            self.on_leave()

    def _reply(self, message: ApsIndication, payload: bytes) -> None:
        self._node.spawn(
            self._node.send(
                ApsRequest(
                    destination=message.source,
                    profile=0,
                    cluster=message.cluster | zdo.RESPONSE,
                    source_endpoint=0,
                    destination_endpoint=message.source_endpoint,
                    payload=payload,
                    acknowledged=message.acknowledged,
                )
            )
        )

    def _is_us(self, eui64: Eui64) -> bool:
        return eui64 in (self._node.eui64, Eui64(0))

    @property
    def _short(self) -> int:
        return self._node.short_address_of(self._node.eui64) or 0

    def _answer(self, body: ZdoBody, *, broadcast: bool) -> ZdoBody | None:
        answers: dict[type[Any], Callable[[Any], ZdoBody | None]] = {
            zdo.NwkAddrReq: self._nwk_address,
            zdo.IeeeAddrReq: self._ieee_address,
            zdo.NodeDescReq: self._node_descriptor,
            zdo.SimpleDescReq: self._simple_descriptor,
            zdo.ActiveEpReq: self._active_endpoints,
            zdo.MatchDescReq: self._match,
            zdo.MgmtLqiReq: self._lqi,
            zdo.MgmtLeaveReq: self._leave,
            zdo.MgmtPermitJoiningReq: self._permit,
        }
        make = answers.get(type(body))
        answer = make(body) if make is not None else None
        if broadcast and getattr(answer, "status", None) is not ZdoStatus.SUCCESS:
            return None  # to a broadcast only those answer that have something to say
        return answer

    def _nwk_address(self, request: zdo.NwkAddrReq) -> ZdoBody:
        short = self._node.short_address_of(request.ieee_address)
        return zdo.NwkAddrRsp(
            status=ZdoStatus.SUCCESS if short is not None else ZdoStatus.DEVICE_NOT_FOUND,
            ieee_address=request.ieee_address,
            nwk_address=0xFFFF if short is None else short,
        )

    def _ieee_address(self, request: zdo.IeeeAddrReq) -> ZdoBody:
        eui64 = self._node.eui64_of(request.nwk_address)
        return zdo.IeeeAddrRsp(
            status=ZdoStatus.SUCCESS if eui64 is not None else ZdoStatus.DEVICE_NOT_FOUND,
            ieee_address=eui64 or Eui64(0xFFFFFFFFFFFFFFFF),
            nwk_address=request.nwk_address,
        )

    def _node_descriptor(self, request: zdo.NodeDescReq) -> ZdoBody:
        if request.nwk_address != self._short:
            return zdo.NodeDescRsp(status=ZdoStatus.DEVICE_NOT_FOUND, nwk_address=request.nwk_address)
        capability: Capability = self._node.role.capability
        coordinator = self._type is LogicalType.COORDINATOR
        descriptor = NodeDescriptor(
            logical_type=self._type, capability=capability, server_mask=_TRUST_CENTRE if coordinator else 0
        )
        return zdo.NodeDescRsp(
            status=ZdoStatus.SUCCESS, nwk_address=request.nwk_address, descriptor=descriptor
        )

    def _simple_descriptor(self, request: zdo.SimpleDescReq) -> ZdoBody:
        found = next((entry for entry in self.endpoints if entry.endpoint == request.endpoint), None)
        status = ZdoStatus.SUCCESS if found else ZdoStatus.NOT_ACTIVE
        return zdo.SimpleDescRsp(status=status, nwk_address=request.nwk_address, descriptor=found)

    def _active_endpoints(self, request: zdo.ActiveEpReq) -> ZdoBody:
        numbers = tuple(entry.endpoint for entry in self.endpoints)
        return zdo.ActiveEpRsp(status=ZdoStatus.SUCCESS, nwk_address=request.nwk_address, endpoints=numbers)

    def _match(self, request: zdo.MatchDescReq) -> ZdoBody:
        found = tuple(entry.endpoint for entry in self.endpoints if _matches(entry, request))
        status = ZdoStatus.SUCCESS if found else ZdoStatus.NO_MATCH
        return zdo.MatchDescRsp(status=status, nwk_address=self._short, endpoints=found)

    def _lqi(self, request: zdo.MgmtLqiReq) -> ZdoBody:
        everybody = self.neighbours()
        part = everybody[request.start_index : request.start_index + 2]
        table = zdo.NeighbourList(total=len(everybody), start_index=request.start_index, neighbours=part)
        return zdo.MgmtLqiRsp(status=ZdoStatus.SUCCESS, table=table)

    def _leave(self, request: zdo.MgmtLeaveReq) -> ZdoBody:
        able = self._is_us(request.device) and self.on_leave is not None
        return zdo.MgmtLeaveRsp(status=ZdoStatus.SUCCESS if able else ZdoStatus.NOT_SUPPORTED)

    def _permit(self, request: zdo.MgmtPermitJoiningReq) -> ZdoBody | None:
        if self.on_permit is None:
            return None
        self.on_permit(request.duration)
        return zdo.MgmtPermitJoiningRsp(status=ZdoStatus.SUCCESS)


def _matches(entry: SimpleDescriptor, request: zdo.MatchDescReq) -> bool:
    return request.profile in (entry.profile, _ANY_PROFILE) and (
        not set(entry.input_clusters).isdisjoint(request.input_clusters)
        or not set(entry.output_clusters).isdisjoint(request.output_clusters)
    )
