"""ZDO management and binding: leave, permit joining, neighbour tables, bind and unbind.

Source: 05-3474-22 §2.4.3.2 and §2.4.4.3 (bind), §2.4.3.3 and §2.4.4.4 (management).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.eui64 import Eui64
from harness.zigbee.fields import EUI64, U8, U16, Bits, Eui, IfAny, Many, Number, OpenEnum, Record, When
from harness.zigbee.zdo_descriptors import STATUS, LogicalType


class BindTarget(OpenEnum):
    """Kind of a binding's destination, Table 2-55."""

    GROUP = 1
    ENDPOINT = 3


def _to_group(mode: int) -> bool:
    return mode == BindTarget.GROUP


def _to_endpoint(mode: int) -> bool:
    return mode == BindTarget.ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReq(Record):
    """Bind_req, §2.4.3.2.2."""

    CLUSTER: ClassVar[int] = 0x0021

    source: EUI64
    source_endpoint: U8
    cluster: U16
    target: Annotated[BindTarget, Bits(0, 8)] = BindTarget.ENDPOINT
    group: Annotated[int | None, Number(2), When(_to_group)] = None
    destination: Annotated[Eui64 | None, Eui(), When(_to_endpoint)] = None
    destination_endpoint: Annotated[int | None, Number(1), When(_to_endpoint)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BindRsp(Record):
    """Bind_rsp, §2.4.4.3.2."""

    CLUSTER: ClassVar[int] = 0x8021

    status: STATUS


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindReq(BindReq):
    """Unbind_req, §2.4.3.2.3: the same fields as Bind_req."""

    CLUSTER: ClassVar[int] = 0x0022


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindRsp(Record):
    """Unbind_rsp, §2.4.4.3.3."""

    CLUSTER: ClassVar[int] = 0x8022

    status: STATUS


class Relationship(OpenEnum):
    """What a neighbour is to the sender, Table 2-127."""

    PARENT = 0
    CHILD = 1
    SIBLING = 2
    NONE = 3
    PREVIOUS_CHILD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour(Record):
    """One entry of a neighbour table, Table 2-127. Two-bit flags: 0 no, 1 yes, 2 unknown."""

    CONTROL_OCTETS: ClassVar[int] = 2

    extended_pan_id: EUI64
    ieee_address: EUI64
    nwk_address: U16
    device_type: Annotated[LogicalType, Bits(0, 2)]
    receiver_on_when_idle: Annotated[int, Bits(2, 2)] = 2
    relationship: Annotated[Relationship, Bits(4, 3)]
    reserved: Annotated[int, Bits(7)] = 0
    permit_joining: Annotated[int, Bits(8, 2)] = 2
    reserved_high: Annotated[int, Bits(10, 6)] = 0
    depth: U8 = 0
    lqi: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourList(Record):
    """The part of a neighbour table in one Mgmt_Lqi_rsp; `total` entries in all."""

    total: U8
    start_index: U8
    neighbours: Annotated[tuple[Neighbour, ...], Many(Neighbour, count=Number(1))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MgmtLqiReq(Record):
    """Mgmt_Lqi_req, §2.4.3.3.2."""

    CLUSTER: ClassVar[int] = 0x0031

    start_index: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MgmtLqiRsp(Record):
    """Mgmt_Lqi_rsp, §2.4.4.4.2; the table only when SUCCESS."""

    CLUSTER: ClassVar[int] = 0x8031

    status: STATUS
    table: Annotated[NeighbourList | None, IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MgmtLeaveReq(Record):
    """Mgmt_Leave_req, §2.4.3.3.5. Device 0: the receiver itself."""

    CLUSTER: ClassVar[int] = 0x0034

    device: EUI64
    reserved: Annotated[int, Bits(0, 6)] = 0
    remove_children: Annotated[bool, Bits(6)] = False
    rejoin: Annotated[bool, Bits(7)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MgmtLeaveRsp(Record):
    """Mgmt_Leave_rsp, §2.4.4.4.5."""

    CLUSTER: ClassVar[int] = 0x8034

    status: STATUS


@dataclass(frozen=True, slots=True, kw_only=True)
class MgmtPermitJoiningReq(Record):
    """Mgmt_Permit_Joining_req, §2.4.3.3.7. `duration` in seconds; FF: as long as this revision allows."""

    CLUSTER: ClassVar[int] = 0x0036

    duration: U8
    trust_centre_significance: U8 = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MgmtPermitJoiningRsp(Record):
    """Mgmt_Permit_Joining_rsp, §2.4.4.4.7."""

    CLUSTER: ClassVar[int] = 0x8036

    status: STATUS
