"""What a frame off the air has to do with what else was seen: the names that it has, and those it answers to.

A hub's radio hands over APS messages; the frame that carries one answers it on its way out and asks for it on
its way in. An APS acknowledgement names its frame by its counter, a response by the asker's sequence number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence.air import HeardFrame
from harness.zigbee.aps import ZDO_PROFILE, ApsFrameType
from harness.zigbee.mac import MacFrameType
from harness.zigbee.records import DecodedFrame

Key = tuple[str, object]
_RESPONSE = 0x8000  # of a ZDO cluster
_MANUFACTURER = 0b100  # of ZCL's frame control


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Names by which later events may refer to one, and those by which it refers, the surest first."""

    asks: tuple[Key, ...] = ()
    answers: tuple[Key, ...] = ()


def air_links(heard: HeardFrame) -> Links:
    """Return the links of a frame."""
    record = heard.record
    return Links(asks=tuple(_asks(heard.source, record)), answers=tuple(_answers(heard.destination, record)))


def radio_links(data: bytes, peer: str, profile: object, cluster: object, *, inwards: bool) -> Links:
    """Return the links of an APS message between a hub and its radio; `peer` is a short address, 0xHHHH."""
    carried: Key = ("up" if inwards else "down", (peer, data))
    asked = _transaction(data, peer, profile, cluster)
    if inwards:
        return Links(asks=(("asked hub", asked),), answers=(carried,))
    return Links(asks=(carried,), answers=(("asked hub", asked),))


def _asks(source: str, record: DecodedFrame) -> Iterator[Key]:
    if record.mac is not None and record.mac.frame_type is MacFrameType.COMMAND:
        yield "did", (source, type(record.mac_body).__name__)
    if record.nwk_command is not None:
        yield "did", (source, type(record.nwk_command).__name__)
    if record.aps is None or record.nwk is None:
        return
    if record.aps.frame_type is not ApsFrameType.ACK:
        yield "aps", (record.nwk.source, record.nwk.destination, record.aps.counter)
    if record.message is not None:
        yield "did", (source, type(record.zdo or record.zcl_body).__name__)
        yield "up", (f"0x{record.nwk.source:04X}", record.message)


def _answers(destination: str, record: DecodedFrame) -> Iterator[Key]:
    if type(record.mac_body).__name__ == "AssociationResponse":
        yield "did", (destination, "AssociationRequest")
    if record.aps is None or record.nwk is None:
        return
    if record.aps.frame_type is ApsFrameType.ACK:
        yield "aps", (record.nwk.destination, record.nwk.source, record.aps.counter)
    elif record.aps_command is not None and type(record.aps_command).__name__ == "TransportKey":
        yield "did", (destination, "AssociationRequest")
    elif record.message is not None:
        yield "down", (f"0x{record.nwk.destination:04X}", record.message)


def _transaction(data: bytes, peer: str, profile: object, cluster: object) -> object:
    """Return what a request and its response have in common."""
    if profile == ZDO_PROFILE:
        return peer, profile, cluster & ~_RESPONSE if isinstance(cluster, int) else cluster, data[:1]
    at = 3 if data[:1] and data[0] & _MANUFACTURER else 1
    return peer, profile, cluster, data[at : at + 1]
