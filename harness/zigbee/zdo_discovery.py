"""ZDO discovery: addresses, descriptors, endpoints, services, and announcements.

Source: 05-3474-22 §2.4.3.1 (requests), §2.4.4.2 (responses).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.eui64 import Eui64
from harness.zigbee.fields import EUI64, U8, U16, Codec, Cursor, Eui, IfAny, Many, Number, Record
from harness.zigbee.mac import Capability
from harness.zigbee.zdo_descriptors import CLUSTERS, STATUS, NodeDescriptor, SimpleDescriptor, SizedDescriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociatedDevices:
    """The end of an extended address response; without a start index when there are none."""

    start_index: int | None
    addresses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Associated(Codec):
    """Count, start index, addresses."""

    def write(self, value: AssociatedDevices) -> bytes:
        octets = Number(1).write(len(value.addresses))
        if value.start_index is None:
            if value.addresses:
                raise ValueError("addresses need a start index")
            return octets
        octets += Number(1).write(value.start_index)
        return octets + b"".join(Number(2).write(address) for address in value.addresses)

    def read(self, cursor: Cursor, field: str, control: int) -> AssociatedDevices:  # noqa: ARG002
        count = cursor.number(1, field)
        if not count and not cursor.remaining:
            return AssociatedDevices(start_index=None)
        start = cursor.number(1, field)
        return AssociatedDevices(
            start_index=start, addresses=tuple(cursor.number(2, field) for _ in range(count))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NwkAddrReq(Record):
    """NWK_addr_req, §2.4.3.1.1. `request_type` 0: single, 1: extended."""

    CLUSTER: ClassVar[int] = 0x0000

    ieee_address: EUI64
    request_type: U8 = 0
    start_index: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NwkAddrRsp(Record):
    """NWK_addr_rsp, §2.4.4.2.1."""

    CLUSTER: ClassVar[int] = 0x8000

    status: STATUS
    ieee_address: EUI64
    nwk_address: U16
    associated: Annotated[AssociatedDevices | None, _Associated(), IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IeeeAddrReq(Record):
    """IEEE_addr_req, §2.4.3.1.2."""

    CLUSTER: ClassVar[int] = 0x0001

    nwk_address: U16
    request_type: U8 = 0
    start_index: U8 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IeeeAddrRsp(Record):
    """IEEE_addr_rsp, §2.4.4.2.2."""

    CLUSTER: ClassVar[int] = 0x8001

    status: STATUS
    ieee_address: EUI64
    nwk_address: U16
    associated: Annotated[AssociatedDevices | None, _Associated(), IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAnnce(Record):
    """Device_annce, §2.4.3.1.11."""

    CLUSTER: ClassVar[int] = 0x0013

    nwk_address: U16
    ieee_address: EUI64
    capability: Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentAnnce(Record):
    """Parent_annce, §2.4.3.1.12: a router's children."""

    CLUSTER: ClassVar[int] = 0x001F

    children: Annotated[tuple[Eui64, ...], Many(Eui(), count=Number(1))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentAnnceRsp(Record):
    """Parent_annce_rsp, §2.4.4.2.23: the children that moved to the sender."""

    CLUSTER: ClassVar[int] = 0x801F

    status: STATUS
    children: Annotated[tuple[Eui64, ...], Many(Eui(), count=Number(1))] = ()


# --- description ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDescReq(Record):
    """Node_Desc_req, §2.4.3.1.3."""

    CLUSTER: ClassVar[int] = 0x0002

    nwk_address: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDescRsp(Record):
    """Node_Desc_rsp, §2.4.4.2.3; the descriptor only when SUCCESS."""

    CLUSTER: ClassVar[int] = 0x8002

    status: STATUS
    nwk_address: U16
    descriptor: Annotated[NodeDescriptor | None, IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDescReq(Record):
    """Power_Desc_req, §2.4.3.1.4."""

    CLUSTER: ClassVar[int] = 0x0003

    nwk_address: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDescRsp(Record):
    """Power_Desc_rsp, §2.4.4.2.4. `descriptor`: mode, available and present source, level; 4 bits each."""

    CLUSTER: ClassVar[int] = 0x8003

    status: STATUS
    nwk_address: U16
    descriptor: Annotated[int | None, Number(2), IfAny()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleDescReq(Record):
    """Simple_Desc_req, §2.4.3.1.5."""

    CLUSTER: ClassVar[int] = 0x0004

    nwk_address: U16
    endpoint: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleDescRsp(Record):
    """Simple_Desc_rsp, §2.4.4.2.5; `descriptor` None goes as length 0."""

    CLUSTER: ClassVar[int] = 0x8004

    status: STATUS
    nwk_address: U16
    descriptor: Annotated[SimpleDescriptor | None, SizedDescriptor()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveEpReq(Record):
    """Active_EP_req, §2.4.3.1.6."""

    CLUSTER: ClassVar[int] = 0x0005

    nwk_address: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveEpRsp(Record):
    """Active_EP_rsp, §2.4.4.2.6."""

    CLUSTER: ClassVar[int] = 0x8005

    status: STATUS
    nwk_address: U16
    endpoints: Annotated[tuple[int, ...], Many(Number(1), count=Number(1))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchDescReq(Record):
    """Match_Desc_req, §2.4.3.1.7: asks who serves (input) or uses (output) one of these clusters."""

    CLUSTER: ClassVar[int] = 0x0006

    nwk_address: U16
    profile: U16
    input_clusters: CLUSTERS = ()
    output_clusters: CLUSTERS = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchDescRsp(Record):
    """Match_Desc_rsp, §2.4.4.2.7."""

    CLUSTER: ClassVar[int] = 0x8006

    status: STATUS
    nwk_address: U16
    endpoints: Annotated[tuple[int, ...], Many(Number(1), count=Number(1))] = ()
