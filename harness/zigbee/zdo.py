"""Zigbee Device Objects: profile 0x0000, endpoint 0.

A ZDO message is a transaction sequence number and a body; the cluster says which body. A response's
cluster is its request's with bit 15 set. The bodies are in `zdo_discovery` and `zdo_management` and can
be had from here too. Source: 05-3474-22 §2.4.2.8 (frame format), §2.4.5 (unsupported requests).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.zigbee.fields import REST, Cursor, Record
from harness.zigbee.zdo_descriptors import STATUS, LogicalType, NodeDescriptor, SimpleDescriptor, ZdoStatus
from harness.zigbee.zdo_discovery import (
    ActiveEpReq,
    ActiveEpRsp,
    AssociatedDevices,
    DeviceAnnce,
    IeeeAddrReq,
    IeeeAddrRsp,
    MatchDescReq,
    MatchDescRsp,
    NodeDescReq,
    NodeDescRsp,
    NwkAddrReq,
    NwkAddrRsp,
    ParentAnnce,
    ParentAnnceRsp,
    PowerDescReq,
    PowerDescRsp,
    SimpleDescReq,
    SimpleDescRsp,
)
from harness.zigbee.zdo_management import (
    BindReq,
    BindRsp,
    BindTarget,
    MgmtLeaveReq,
    MgmtLeaveRsp,
    MgmtLqiReq,
    MgmtLqiRsp,
    MgmtPermitJoiningReq,
    MgmtPermitJoiningRsp,
    Neighbour,
    NeighbourList,
    Relationship,
    UnbindReq,
    UnbindRsp,
)

__all__ = [
    "BODIES",
    "ENDPOINT",
    "RESPONSE",
    "ActiveEpReq",
    "ActiveEpRsp",
    "AssociatedDevices",
    "BindReq",
    "BindRsp",
    "BindTarget",
    "DeviceAnnce",
    "IeeeAddrReq",
    "IeeeAddrRsp",
    "LogicalType",
    "MatchDescReq",
    "MatchDescRsp",
    "MgmtLeaveReq",
    "MgmtLeaveRsp",
    "MgmtLqiReq",
    "MgmtLqiRsp",
    "MgmtPermitJoiningReq",
    "MgmtPermitJoiningRsp",
    "Neighbour",
    "NeighbourList",
    "NodeDescReq",
    "NodeDescRsp",
    "NodeDescriptor",
    "NwkAddrReq",
    "NwkAddrRsp",
    "ParentAnnce",
    "ParentAnnceRsp",
    "PowerDescReq",
    "PowerDescRsp",
    "Relationship",
    "SimpleDescReq",
    "SimpleDescRsp",
    "SimpleDescriptor",
    "StatusRsp",
    "UnbindReq",
    "UnbindRsp",
    "UnknownZdo",
    "ZdoBody",
    "ZdoStatus",
    "decode",
    "encode",
    "not_supported",
]

ENDPOINT = 0
RESPONSE = 0x8000
"""The bit that turns a request's cluster into its response's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownZdo(Record):
    """A request without a table here, as it came."""

    octets: REST = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRsp(Record):
    """A response without a table here: its status, and the rest as it came."""

    status: STATUS
    octets: REST = b""


ZdoBody = (
    NwkAddrReq
    | NwkAddrRsp
    | IeeeAddrReq
    | IeeeAddrRsp
    | NodeDescReq
    | NodeDescRsp
    | PowerDescReq
    | PowerDescRsp
    | SimpleDescReq
    | SimpleDescRsp
    | ActiveEpReq
    | ActiveEpRsp
    | MatchDescReq
    | MatchDescRsp
    | DeviceAnnce
    | ParentAnnce
    | ParentAnnceRsp
    | BindReq
    | BindRsp
    | UnbindReq
    | UnbindRsp
    | MgmtLqiReq
    | MgmtLqiRsp
    | MgmtLeaveReq
    | MgmtLeaveRsp
    | MgmtPermitJoiningReq
    | MgmtPermitJoiningRsp
    | StatusRsp
    | UnknownZdo
)

BODIES: Mapping[int, type[ZdoBody]] = {
    body.CLUSTER: body
    for body in (
        NwkAddrReq,
        NwkAddrRsp,
        IeeeAddrReq,
        IeeeAddrRsp,
        NodeDescReq,
        NodeDescRsp,
        PowerDescReq,
        PowerDescRsp,
        SimpleDescReq,
        SimpleDescRsp,
        ActiveEpReq,
        ActiveEpRsp,
        MatchDescReq,
        MatchDescRsp,
        DeviceAnnce,
        ParentAnnce,
        ParentAnnceRsp,
        BindReq,
        BindRsp,
        UnbindReq,
        UnbindRsp,
        MgmtLqiReq,
        MgmtLqiRsp,
        MgmtLeaveReq,
        MgmtLeaveRsp,
        MgmtPermitJoiningReq,
        MgmtPermitJoiningRsp,
    )
}
"""Bodies by cluster."""


def encode(sequence: int, body: ZdoBody) -> bytes:
    """Return the APS payload of a ZDO message. Raises ValueError."""
    return bytes([sequence]) + body.to_bytes()


def decode(cluster: int, payload: bytes) -> tuple[int, ZdoBody]:
    """Return sequence number and body of a ZDO message. Raises DecodeError.

    Octets after the body are passed over: later revisions append TLVs, and an older device ignores them.
    """
    cursor = Cursor(payload)
    sequence = cursor.number(1, "transaction sequence number")
    unknown = StatusRsp if cluster & RESPONSE else UnknownZdo
    return sequence, BODIES.get(cluster, unknown).read(cursor)


def not_supported(sequence: int) -> bytes:
    """Return the APS payload that answers a unicast request which is not supported, §2.4.5."""
    return encode(sequence, StatusRsp(status=ZdoStatus.NOT_SUPPORTED))
