"""What coordinator and end device have in common: MAC, NWK with its security, APS, ZDO, addresses.

The role (`coordinator`, `end_device`) is told of what only it understands.
Source: 05-3474-22 §3.6 (NWK), §4.3.1 (NWK security).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Protocol

from drivers.virtual.medium import Medium
from drivers.virtual.stack.aps_layer import ApsLayer, Arrival
from drivers.virtual.stack.faces import (
    ApsIndication,
    ApsRequest,
    Delivery,
    DeliveryMode,
    NetworkParameters,
    StackListener,
)
from drivers.virtual.stack.mac_layer import MacLayer, Reception
from drivers.virtual.stack.recent import Recent
from drivers.virtual.stack.security_material import Refused, SecurityMaterial
from drivers.virtual.stack.timings import Timings
from drivers.virtual.stack.zdo_server import ZdoServer
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps_commands, mac, nwk, nwk_commands
from harness.zigbee.aps import ApsFrame
from harness.zigbee.mac import Capability, MacFrameType
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.nwk_commands import NwkCommand
from harness.zigbee.zdo import LogicalType

_BROADCASTS_S = 9.0


class Role(Protocol):
    """What differs between kinds of node."""

    @property
    def capability(self) -> Capability:
        """What the node says of itself."""

    def mac_received(self, reception: Reception) -> None:
        """Take a beacon or a MAC command."""

    def nwk_command(self, command: NwkCommand, frame: NwkFrame, *, secured: bool) -> None:
        """Take a NWK command."""

    def aps_command(self, command: aps_commands.ApsCommand, source: int, *, nwk_secured: bool) -> None:
        """Take an APS command in clear."""

    def unsecured(self, frame: NwkFrame) -> None:
        """Take an APS frame that came without NWK security."""

    def heard_of(self, eui64: Eui64, short_address: int) -> None:
        """Note a node that has just proved that it has the network key."""

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the link key shared with a node."""

    def next_hop(self, destination: int) -> int:
        """Return the MAC destination of a NWK destination."""

    def sleeps(self, short_address: int) -> bool:
        """Whether frames for a neighbour are kept until it polls."""

    def relay(self, frame: NwkFrame) -> None:
        """Pass a broadcast on, if that is the node's to do; `frame` is in clear."""

    def unicast_ended(self, arrived: bool) -> None:
        """Note whether a neighbour acknowledged a unicast."""


class NodeCore:
    """One node's layers."""

    role: Role

    def __init__(
        self,
        medium: Medium,
        eui64: Eui64,
        listener: StackListener,
        *,
        logical_type: LogicalType,
        reassemble: bool,
        rng: random.Random,
        timings: Timings,
    ) -> None:
        self.eui64 = eui64
        self.listener = listener
        self.timings = timings
        self.rng = rng
        self.material = SecurityMaterial(eui64)
        self.mac = MacLayer(medium, eui64, self._mac_received, rng=rng, timings=timings)
        self.aps = ApsLayer(
            self, self.material, self.deliver, self.spawn, timings=timings, reassemble=reassemble
        )
        self.zdo = ZdoServer(self, logical_type)
        self.network: NetworkParameters | None = None
        self._addresses: dict[int, Eui64] = {}
        self._nwk_sequence = rng.randrange(256)
        self._broadcasts: Recent[tuple[int, int]] = Recent(_BROADCASTS_S)
        self._tasks: set[asyncio.Task[object]] = set()

    # Tasks.

    def spawn(self, work: Awaitable[object]) -> asyncio.Task[object]:
        """Run something beside, until the node is switched off."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": f"the virtual node {self.eui64} failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    def cancel_tasks(self) -> None:
        """End everything that runs beside."""
        for task in tuple(self._tasks):
            task.cancel()

    async def wait_for_tasks(self) -> None:
        """Return when everything that ran beside has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Addresses.

    def learn(self, short_address: int, eui64: Eui64) -> None:
        """Note who goes by a short address."""
        for known in [known for known, owner in self._addresses.items() if owner == eui64]:
            del self._addresses[known]
        self._addresses[short_address] = eui64

    def forget(self, eui64: Eui64) -> None:
        """Forget a node's short address."""
        self._addresses = {short: owner for short, owner in self._addresses.items() if owner != eui64}

    def forget_everybody(self) -> None:
        """Forget all short addresses."""
        self._addresses.clear()

    def eui64_of(self, short_address: int) -> Eui64 | None:
        """Return a node's EUI-64."""
        return self.eui64 if short_address == self.mac.short_address else self._addresses.get(short_address)

    def short_address_of(self, eui64: Eui64) -> int | None:
        """Return a node's short address."""
        if eui64 == self.eui64:
            return self.mac.short_address
        return next((short for short, owner in self._addresses.items() if owner == eui64), None)

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the link key shared with a node."""
        return self.role.link_key(eui64)

    # Sending.

    def nwk_frame(
        self, frame_type: NwkFrameType, destination: int, payload: bytes, **fields: object
    ) -> NwkFrame:
        """Return a NWK frame with the next sequence number."""
        self._nwk_sequence = (self._nwk_sequence + 1) & 0xFF
        source = self.mac.short_address
        values: dict[str, object] = {
            "radius": 30,
            **fields,
            "frame_type": frame_type,
            "destination": destination,
            "source": nwk.UNKNOWN_ADDRESS if source is None else source,
            "sequence": self._nwk_sequence,
            "payload": payload,
        }
        return NwkFrame(**values)  # type: ignore[arg-type]

    async def send(self, request: ApsRequest) -> Delivery:
        """Send an APS message and wait for its end; one to this node itself comes straight back."""
        if self.network is None:
            return Delivery.NOT_JOINED
        if request.mode is DeliveryMode.UNICAST and request.destination == self.mac.short_address:
            asyncio.get_running_loop().call_soon(self.deliver, self._looped_back(request))
            return Delivery.DELIVERED
        if request.mode is DeliveryMode.BROADCAST and not nwk.is_broadcast(request.destination):
            return Delivery.NO_ROUTE
        return await self.aps.send(request)

    def _looped_back(self, request: ApsRequest) -> ApsIndication:
        return ApsIndication(
            source=request.destination,
            source_eui64=self.eui64,
            profile=request.profile,
            cluster=request.cluster,
            source_endpoint=request.source_endpoint,
            destination_endpoint=request.destination_endpoint,
            payload=request.payload,
            counter=self.aps.next_counter() if request.counter is None else request.counter,
            mode=DeliveryMode.UNICAST,
            acknowledged=request.acknowledged,
            link_key_secured=request.link_key_secured,
            lqi=255,
            rssi_dbm=0,
        )

    async def send_nwk(self, destination: int, payload: bytes, *, radius: int = 30) -> bool:
        """Send a secured NWK data frame; whether the next hop took it."""
        frame = self.nwk_frame(NwkFrameType.DATA, destination, payload, radius=radius)
        if nwk.is_broadcast(destination):
            self._broadcasts.again((frame.source, frame.sequence), self.now())
        return await self.send_frame(frame)

    async def send_command(
        self, destination: int, command: NwkCommand, *, hop: int | None = None, **fields: object
    ) -> bool:
        """Send a secured NWK command."""
        frame = self.nwk_frame(NwkFrameType.COMMAND, destination, command.to_bytes(), **fields)
        return await self.send_frame(frame, hop=hop)

    async def send_frame(self, frame: NwkFrame, *, secured: bool = True, hop: int | None = None) -> bool:
        """Send a NWK frame to its next hop; whether that took it."""
        if self.network is None and secured:
            return False
        if hop is None:
            hop = self.role.next_hop(frame.destination)
        protected = self.material.protect_nwk(frame) if secured else frame
        sent = self.mac.frame(
            MacFrameType.DATA, hop, protected.to_bytes(), source=self.mac.short_address, source_pan=None
        )
        if hop != mac.BROADCAST and self.role.sleeps(hop):
            return await self.mac.keep_for(hop, sent)
        arrived = await self.mac.send(sent)
        if hop != mac.BROADCAST:
            self.role.unicast_ended(arrived)
        return arrived

    # Receiving.

    def now(self) -> float:
        """Return the loop's time in seconds."""
        return asyncio.get_running_loop().time()

    def _mac_received(self, reception: Reception) -> None:
        if reception.frame.frame_type is not MacFrameType.DATA:
            self.role.mac_received(reception)
            return
        try:
            self._nwk_received(NwkFrame.from_bytes(reception.frame.payload), reception)
        except DecodeError:
            return  # what cannot be read or opened does not exist for a node

    def _nwk_received(self, frame: NwkFrame, reception: Reception) -> None:
        broadcast = nwk.is_broadcast(frame.destination)
        if not broadcast and frame.destination != self.mac.short_address:
            return
        if frame.source == self.mac.short_address:
            return  # an own broadcast, passed on by a neighbour
        secured = frame.security
        if secured:
            frame = self._opened(frame, reception)
        if broadcast:
            if self._broadcasts.again((frame.source, frame.sequence), self.now()):
                return
            if secured:
                self.role.relay(frame)
        if frame.frame_type is NwkFrameType.COMMAND:
            self.role.nwk_command(nwk_commands.parse_command(frame.payload), frame, secured=secured)
        elif not secured:
            self.role.unsecured(frame)
        elif frame.frame_type is NwkFrameType.DATA:
            self._aps_received(frame, reception)

    def _opened(self, frame: NwkFrame, reception: Reception) -> NwkFrame:
        if self.network is None:
            raise Refused("network key", "this node has none")
        clear, aux = self.material.unprotect_nwk(frame)
        hop = reception.frame.source
        if aux.source is not None and isinstance(hop, int):
            self.learn(hop, aux.source)
            self.role.heard_of(aux.source, hop)
        return clear

    def _aps_received(self, frame: NwkFrame, reception: Reception) -> None:
        arrival = Arrival(
            frame=ApsFrame.from_bytes(frame.payload),
            source=frame.source,
            source_eui64=self.eui64_of(frame.source),
            broadcast=nwk.is_broadcast(frame.destination),
            lqi=reception.lqi,
            rssi_dbm=reception.rssi_dbm,
        )
        command = self.aps.receive(arrival)
        if command is not None:
            parsed = aps_commands.parse_command(command.payload)
            self.role.aps_command(parsed, frame.source, nwk_secured=True)

    def deliver(self, message: ApsIndication) -> None:
        """Answer a ZDO request, and hand the message up."""
        if message.profile == 0 and message.destination_endpoint == 0:
            self.zdo.take(message)
        self.listener.aps_received(message)
