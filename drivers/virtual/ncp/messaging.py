"""Messages from the host to the air and back, the blocks of long ones included.

A host cuts and reassembles: a block is a message with the FRAGMENT option whose group is the number of blocks
and the block's index; the host acknowledges a block received with `sendReply`. Source: UG100 `EmberApsFrame`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from drivers.virtual.ncp.core import Answer, NcpCore, outcome
from drivers.virtual.ncp.state import APPLICATION_ZDO_FLAGS, UNICAST_MESSAGE_COUNT
from drivers.virtual.ncp.status import Status
from drivers.virtual.stack.faces import ApsIndication, ApsRequest, Delivery, DeliveryMode, Fragment
from harness.eui64 import Eui64
from harness.zigbee import zdo

ENCRYPTION, RETRY, FRAGMENT = 0x0020, 0x0040, 0x8000
_DIRECT, _VIA_ADDRESS_TABLE, _MULTICAST, _BROADCAST = 0, 1, 3, 6
_IN_UNICAST, _IN_MULTICAST, _IN_BROADCAST = 0, 2, 4
_APP_RECEIVES_ZDO_REQUESTS = 0x01
_LONGEST_PAYLOAD = 82
_UNKNOWN_INDEX = 0xFF
_ALL_ROUTERS_AND_MORE = 0xFFFD
_REMEMBERED_BLOCKS = 32

_ENDED = {
    Delivery.DELIVERED: Status.OK,
    Delivery.NO_ACK: Status.DELIVERY_FAILED,
    Delivery.NO_ROUTE: Status.DELIVERY_FAILED,
    Delivery.NO_KEY: Status.NO_KEY,
    Delivery.NOT_JOINED: Status.NETWORK_DOWN,
    Delivery.TOO_LONG: Status.MESSAGE_TOO_LONG,
}


class Messaging:
    """Handlers are found by name: ``on_`` and the command's."""

    def __init__(self, core: NcpCore) -> None:
        self._core = core
        self._under_way = 0
        self._blocks: deque[ApsIndication] = deque(maxlen=_REMEMBERED_BLOCKS)

    def on_maximumPayloadLength(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Octets of an APS payload in one frame."""
        return {"octets": _LONGEST_PAYLOAD}

    def on_sendUnicast(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Send to one node."""
        destination = fields["destination"]
        if fields["kind"] == _VIA_ADDRESS_TABLE:
            entry = self._core.volatile.addresses.get(destination)
            if entry is None:
                return outcome(Status.BAD_ARGUMENT)
            destination = entry[1]
        elif fields["kind"] != _DIRECT:
            return outcome(Status.BAD_ARGUMENT)
        refusal = self._refusal()
        if refusal is not None:
            return outcome(refusal)
        return self._send(fields, _DIRECT, fields["destination"], _request(fields, destination))

    def _refusal(self) -> Status | None:
        if not self._core.up:
            return Status.NETWORK_DOWN
        if self._core.mishaps.refusals:
            self._core.mishaps.refusals -= 1
            return Status.BUSY
        if self._under_way >= self._core.volatile.configuration[UNICAST_MESSAGE_COUNT]:
            return Status.BUSY
        return None

    def on_sendBroadcast(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Send to everybody of a kind."""
        if not self._core.up:
            return outcome(Status.NETWORK_DOWN)
        request = _request(fields, fields["destination"], mode=DeliveryMode.BROADCAST)
        return self._send(fields, _BROADCAST, fields["destination"], request)

    def on_sendMulticast(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Send to a group."""
        if not self._core.up:
            return outcome(Status.NETWORK_DOWN)
        group = fields["aps"]["group"]
        request = _request(fields, _ALL_ROUTERS_AND_MORE, mode=DeliveryMode.BROADCAST)
        return self._send(fields, _MULTICAST, group, request)

    def _send(self, fields: Mapping[str, Any], kind: int, index: int, request: ApsRequest) -> Answer:
        if len(request.payload) > _LONGEST_PAYLOAD:
            return outcome(Status.MESSAGE_TOO_LONG)
        sequence = request.counter if request.counter is not None else self._core.stack.next_counter()
        aps = {**fields["aps"], "sequence": sequence}
        told = {"kind": kind, "destination": index, "aps": aps, "tag": fields["tag"], "message": b""}
        self._under_way += 1
        self._core.spawn(self._sent(request, sequence, told))
        return {"status": Status.OK, "sequence": sequence}

    async def _sent(self, request: ApsRequest, sequence: int, told: dict[str, Any]) -> None:
        mishaps = self._core.mishaps
        try:
            if mishaps.failures and request.mode is DeliveryMode.UNICAST:
                mishaps.failures -= 1
                ended = Delivery.NO_ACK
            else:
                ended = await self._core.stack.send(replace(request, counter=sequence))
        finally:
            self._under_way -= 1
        times = 1
        if mishaps.repeats:
            mishaps.repeats -= 1
            times = 2
        for _ in range(times):
            self._core.callback("messageSentHandler", {**told, "status": _ENDED[ended]})

    def on_sendReply(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Acknowledge a block, or answer a message without asking for an acknowledgement."""
        if not self._core.up:
            return outcome(Status.NETWORK_DOWN)
        aps = fields["aps"]
        if aps["options"] & FRAGMENT:
            return self._acknowledge(fields["destination"], aps)
        request = _request({**fields, "radius": 30}, fields["destination"], acknowledged=False)
        self._core.spawn(self._core.stack.send(request))
        return outcome(Status.OK)

    def _acknowledge(self, destination: int, aps: Mapping[str, int]) -> Answer:
        index, received = aps["group"] & 0xFF, aps["group"] >> 8
        for block in reversed(self._blocks):
            known = (block.source, block.counter, block.fragment.index if block.fragment else None)
            if known == (destination, aps["sequence"], index):
                self._core.spawn(self._core.stack.acknowledge_block(block, received))
                return outcome(Status.OK)
        return outcome(Status.BAD_ARGUMENT)

    def received(self, message: ApsIndication) -> None:
        """Hand a message off the air to the host."""
        if self._is_ours_alone(message):
            return
        options, group = ENCRYPTION if message.link_key_secured else 0, 0
        if message.acknowledged:
            options |= RETRY
        if message.fragment is not None:
            options |= FRAGMENT
            group = (message.fragment.total or 0) << 8 | message.fragment.index
            self._blocks.append(message)
        kinds = {DeliveryMode.UNICAST: _IN_UNICAST, DeliveryMode.GROUP: _IN_MULTICAST}
        self._core.callback(
            "incomingMessageHandler",
            {
                "kind": kinds.get(message.mode, _IN_BROADCAST),
                "aps": {
                    "profile": message.profile,
                    "cluster": message.cluster,
                    "source_endpoint": message.source_endpoint,
                    "destination_endpoint": message.destination_endpoint,
                    "options": options,
                    "group": group,
                    "sequence": message.counter,
                },
                "lqi": message.lqi,
                "rssi": max(-128, min(127, message.rssi_dbm)),
                "source": message.source,
                "source_eui64": message.source_eui64 or Eui64(0),
                "binding": _UNKNOWN_INDEX,
                "address": _UNKNOWN_INDEX,
                "message": message.payload,
            },
        )

    def _is_ours_alone(self, message: ApsIndication) -> bool:
        """A ZDO request that the stack has answered is the host's too only if it asked for that."""
        flags = self._core.volatile.configuration[APPLICATION_ZDO_FLAGS]
        return (
            message.profile == 0
            and not message.cluster & zdo.RESPONSE
            and not flags & _APP_RECEIVES_ZDO_REQUESTS
        )


def _request(
    fields: Mapping[str, Any],
    destination: int,
    *,
    mode: DeliveryMode = DeliveryMode.UNICAST,
    acknowledged: bool = True,
) -> ApsRequest:
    aps = fields["aps"]
    fragment = counter = None
    if aps["options"] & FRAGMENT and mode is DeliveryMode.UNICAST:
        index = aps["group"] & 0xFF
        fragment = Fragment(index=index, total=None if index else aps["group"] >> 8)
        counter = aps["sequence"] if index else None
    return ApsRequest(
        destination=destination,
        profile=aps["profile"],
        cluster=aps["cluster"],
        source_endpoint=aps["source_endpoint"],
        destination_endpoint=aps["destination_endpoint"],
        payload=fields["message"],
        mode=mode,
        acknowledged=acknowledged and bool(aps["options"] & (RETRY | FRAGMENT)),
        link_key_secured=bool(aps["options"] & ENCRYPTION),
        fragment=fragment,
        counter=counter,
        radius=fields.get("radius") or 30,
    )
