"""The APS of a node: data with acknowledgements and retries, link-key security, fragments, duplicates.

Source: 05-3474-22 §2.2.8.4 (transmission, reception, acknowledgements), §2.2.8.4.5 (fragmentation).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.virtual.stack.faces import ApsIndication, ApsRequest, Delivery, DeliveryMode, Fragment
from drivers.virtual.stack.recent import Recent
from drivers.virtual.stack.security_material import SecurityMaterial
from drivers.virtual.stack.timings import Timings
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps
from harness.zigbee.aps import ApsFrame, ApsFrameType, ExtendedHeader, Fragmentation
from harness.zigbee.reassembly import Reassembler

LONGEST_PAYLOAD = 82  # in one frame under NWK security
SECURITY_OCTETS = 9  # auxiliary header and MIC
BLOCK_OCTETS = 64
_DUPLICATES_S = 4.0

_MODES = {
    DeliveryMode.UNICAST: aps.DeliveryMode.UNICAST,
    DeliveryMode.BROADCAST: aps.DeliveryMode.BROADCAST,
    DeliveryMode.GROUP: aps.DeliveryMode.GROUP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An APS frame as the NWK layer hands it up."""

    frame: ApsFrame
    source: int
    source_eui64: Eui64 | None
    broadcast: bool
    lqi: int
    rssi_dbm: float


class ApsBelow(Protocol):
    """What the APS needs of the node."""

    async def send_nwk(self, destination: int, payload: bytes, *, radius: int = 30) -> bool:
        """Send a secured NWK data frame; whether the next hop took it."""

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the link key shared with a node."""

    def eui64_of(self, short_address: int) -> Eui64 | None:
        """Return a node's EUI-64."""


@dataclass(frozen=True, slots=True)
class _AckName:
    peer: int
    counter: int
    block: int | None


class ApsLayer:
    """`deliver` is given every message that arrives, or every block when the host reassembles."""

    def __init__(
        self,
        below: ApsBelow,
        material: SecurityMaterial,
        deliver: Callable[[ApsIndication], None],
        spawn: Callable[[Awaitable[object]], object],
        *,
        timings: Timings,
        reassemble: bool,
    ) -> None:
        self._below = below
        self._material = material
        self._deliver = deliver
        self._spawn = spawn
        self._timings = timings
        self._reassemble = reassemble
        self._counter = 0
        self._awaited: dict[_AckName, asyncio.Future[None]] = {}
        self._seen: Recent[tuple[int, int, int | None, bytes]] = Recent(_DUPLICATES_S)
        self._blocks = Reassembler()
        self._arrivals = 0

    def next_counter(self) -> int:
        """Return the next APS counter."""
        self._counter = (self._counter + 1) & 0xFF
        return self._counter

    # Sending.

    async def send(self, request: ApsRequest) -> Delivery:
        """Send a message and wait for its end."""
        key = None
        if request.link_key_secured:
            peer = self._below.eui64_of(request.destination)
            key = self._below.link_key(peer) if peer is not None else None
            if key is None:
                return Delivery.NO_KEY
        room = LONGEST_PAYLOAD - (SECURITY_OCTETS if key is not None else 0)
        counter = self.next_counter() if request.counter is None else request.counter
        if request.fragment is not None or len(request.payload) <= room:
            if len(request.payload) > room:
                return Delivery.TOO_LONG
            return await self._send_frame(request, _data_frame(request, counter), key)
        if request.mode is not DeliveryMode.UNICAST:
            return Delivery.TOO_LONG
        return await self._send_blocks(request, counter, key)

    async def _send_blocks(self, request: ApsRequest, counter: int, key: bytes | None) -> Delivery:
        starts = range(0, len(request.payload), BLOCK_OCTETS)
        for index, start in enumerate(starts):
            block = dataclasses.replace(
                request,
                payload=request.payload[start : start + BLOCK_OCTETS],
                fragment=Fragment(index=index, total=len(starts)),
                acknowledged=True,
            )
            ended = await self._send_frame(block, _data_frame(block, counter), key)
            if ended is not Delivery.DELIVERED:
                return ended
        return Delivery.DELIVERED

    async def _send_frame(self, request: ApsRequest, frame: ApsFrame, key: bytes | None) -> Delivery:
        tries = self._timings.aps_tries if frame.ack_request else 1
        index = request.fragment.index if request.fragment is not None else None
        name = _AckName(request.destination, frame.counter, index)
        for _ in range(tries):
            secured = frame if key is None else self._material.protect_aps(frame, key)
            acknowledged = asyncio.get_running_loop().create_future()
            self._awaited[name] = acknowledged
            try:
                arrived = await self._below.send_nwk(
                    request.destination, secured.to_bytes(), radius=request.radius
                )
                if not frame.ack_request:
                    return Delivery.DELIVERED if arrived else Delivery.NO_ACK
                if arrived and await self._answered(acknowledged):
                    return Delivery.DELIVERED
            finally:
                self._awaited.pop(name, None)
        return Delivery.NO_ACK

    async def _answered(self, acknowledged: asyncio.Future[None]) -> bool:
        try:
            async with asyncio.timeout(self._timings.aps_ack_s):
                await acknowledged
        except TimeoutError:
            return False
        return True

    async def acknowledge_block(self, block: ApsIndication, received: int) -> None:
        """Acknowledge a block in its host's place."""
        assert block.fragment is not None
        frame = ApsFrame(
            frame_type=ApsFrameType.DATA,
            destination_endpoint=block.destination_endpoint,
            cluster=block.cluster,
            profile=block.profile,
            source_endpoint=block.source_endpoint,
            counter=block.counter,
        )
        extended = _acknowledging(block.fragment.index, received)
        await self._send_ack(
            block.source, aps.acknowledgement(frame, extended=extended), block.link_key_secured
        )

    async def _send_ack(self, destination: int, frame: ApsFrame, secured: bool) -> None:
        if secured:
            peer = self._below.eui64_of(destination)
            key = self._below.link_key(peer) if peer is not None else None
            if key is not None:
                frame = self._material.protect_aps(frame, key)
        await self._below.send_nwk(destination, frame.to_bytes())

    # Receiving.

    def receive(self, arrival: Arrival) -> ApsFrame | None:
        """Take a frame off the NWK layer; return it in clear when it is a command, which is the node's.

        Raises DecodeError for one that cannot be opened.
        """
        frame, secured = arrival.frame, arrival.frame.security
        if secured:
            frame = self._opened(arrival)
        if frame.frame_type is ApsFrameType.ACK:
            self._acknowledged(arrival.source, frame)
        elif frame.frame_type is ApsFrameType.DATA:
            self._data(arrival, frame, secured)
        elif frame.frame_type is ApsFrameType.COMMAND:
            return frame
        return None

    def _opened(self, arrival: Arrival) -> ApsFrame:
        source = aps.auxiliary_header(arrival.frame).source or arrival.source_eui64
        key = self._below.link_key(source) if source is not None else None
        if source is None or key is None:
            raise DecodeError("link key", f"there is none with 0x{arrival.source:04X}")
        return self._material.unprotect_aps(arrival.frame, key, source)[0]

    def _acknowledged(self, peer: int, frame: ApsFrame) -> None:
        block = frame.extended.block if frame.extended is not None else None
        if block is not None and not (frame.extended and (frame.extended.ack_bitfield or 0) & 1):
            return
        waiting = self._awaited.get(_AckName(peer, frame.counter, block))
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _data(self, arrival: Arrival, frame: ApsFrame, secured: bool) -> None:
        fragment = _fragment_of(frame)
        if fragment is not None and not self._reassemble:
            # Duplicates too: the host's acknowledgement may have been lost, and only it can send another.
            self._deliver(_indication(arrival, frame, secured, frame.payload, fragment))
            return
        if frame.ack_request and not arrival.broadcast:
            extended = _acknowledging(fragment.index, 0xFF) if fragment is not None else None
            acknowledgement = aps.acknowledgement(frame, extended=extended)
            self._spawn(self._send_ack(arrival.source, acknowledgement, secured))
        name = (arrival.source, frame.counter, fragment.index if fragment else None, frame.payload)
        if self._seen.again(name, asyncio.get_running_loop().time()):
            return
        if fragment is None:
            self._deliver(_indication(arrival, frame, secured, frame.payload, None))
            return
        assert frame.extended is not None
        message = (arrival.source, frame.counter, frame.cluster, frame.source_endpoint)
        self._arrivals += 1
        whole = self._blocks.add(message, frame.extended, frame.payload, self._arrivals)
        if whole is not None:
            self._deliver(_indication(arrival, frame, secured, whole.payload, None))


def _data_frame(request: ApsRequest, counter: int) -> ApsFrame:
    extended = None
    if request.fragment is not None:
        first = request.fragment.index == 0
        extended = ExtendedHeader(
            fragmentation=Fragmentation.FIRST if first else Fragmentation.SUBSEQUENT,
            block=request.fragment.total if first else request.fragment.index,
        )
    group = request.mode is DeliveryMode.GROUP
    return ApsFrame(
        frame_type=ApsFrameType.DATA,
        delivery_mode=_MODES[request.mode],
        ack_request=request.acknowledged and request.mode is DeliveryMode.UNICAST,
        destination_endpoint=None if group else request.destination_endpoint,
        group=request.destination if group else None,
        cluster=request.cluster,
        profile=request.profile,
        source_endpoint=request.source_endpoint,
        counter=counter,
        extended=extended,
        payload=request.payload,
    )


def _fragment_of(frame: ApsFrame) -> Fragment | None:
    if frame.extended is None or frame.extended.block is None:
        return None
    if frame.extended.fragmentation is Fragmentation.FIRST:
        return Fragment(index=0, total=frame.extended.block)
    return Fragment(index=frame.extended.block)


def _acknowledging(index: int, received: int) -> ExtendedHeader:
    kind = Fragmentation.SUBSEQUENT if index else Fragmentation.FIRST
    return ExtendedHeader(fragmentation=kind, block=index, ack_bitfield=received)


def _indication(
    arrival: Arrival, frame: ApsFrame, secured: bool, payload: bytes, fragment: Fragment | None
) -> ApsIndication:
    mode = DeliveryMode.UNICAST
    if frame.delivery_mode is aps.DeliveryMode.GROUP:
        mode = DeliveryMode.GROUP
    elif arrival.broadcast:
        mode = DeliveryMode.BROADCAST
    return ApsIndication(
        source=arrival.source,
        source_eui64=arrival.source_eui64,
        profile=frame.profile or 0,
        cluster=frame.cluster or 0,
        source_endpoint=frame.source_endpoint or 0,
        destination_endpoint=0 if frame.destination_endpoint is None else frame.destination_endpoint,
        payload=payload,
        counter=frame.counter,
        mode=mode,
        acknowledged=frame.ack_request,
        link_key_secured=secured,
        lqi=arrival.lqi,
        rssi_dbm=round(arrival.rssi_dbm),
        fragment=fragment,
    )
