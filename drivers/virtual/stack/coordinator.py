"""The coordinator's role: beacons, association, the trust centre's key transport, rejoins, leaves.

Source: 05-3474-22 §3.6.1 (joining), §4.6.3 (trust centre); IEEE 802.15.4-2006 §7.5.3 (association).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from drivers.virtual.stack.core import NodeCore
from drivers.virtual.stack.faces import Delivery, JoinStatus, NetworkParameters, TrustCentre
from drivers.virtual.stack.mac_layer import Reception
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps_commands, mac, nwk
from harness.zigbee.aps import ApsFrame, ApsFrameType, DeliveryMode
from harness.zigbee.aps_commands import KeyType, SwitchKey, TransportKey
from harness.zigbee.mac import (
    AssociationRequest,
    AssociationResponse,
    AssociationStatus,
    Beacon,
    BeaconRequest,
    Capability,
    MacFrameType,
    ZigbeeBeacon,
)
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.nwk_commands import Leave, NwkCommand, RejoinRequest, RejoinResponse
from harness.zigbee.security import KeyId
from harness.zigbee.zdo import LogicalType, Neighbour, Relationship

_FOR_EVER = 255
_ASSOCIATED, _DENIED = 0, 2


@dataclass(slots=True)
class Child:
    """A device that has this node as its parent."""

    eui64: Eui64
    short_address: int
    capability: Capability
    authenticated: bool = False


class Coordinator:
    """Role of the node that formed the network."""

    capability = Capability(
        full_function_device=True,
        mains_powered=True,
        receiver_on_when_idle=True,
        alternate_pan_coordinator=True,
    )

    def __init__(self, core: NodeCore, trust_centre: TrustCentre) -> None:
        self._core = core
        self._trust_centre = trust_centre
        self._children: dict[Eui64, Child] = {}
        self._permit_until: float | None = 0.0  # None: for ever
        core.zdo.on_permit = self.permit_joining
        core.zdo.neighbours = self._neighbours

    # The network.

    def form(self, network: NetworkParameters) -> None:
        """Begin a network."""
        if self._core.network is not None:
            raise ValueError("the node is on a network already")
        core = self._core
        core.material.network_keys = {network.key_sequence: network.network_key}
        core.material.active_sequence = network.key_sequence
        self._be_on(network)

    def _be_on(self, network: NetworkParameters) -> None:
        core = self._core
        core.network = network
        core.mac.channel, core.mac.pan_id, core.mac.short_address = network.channel, network.pan_id, 0

    def abandon(self) -> None:
        """Be on no network any more."""
        core = self._core
        core.network = core.mac.channel = core.mac.pan_id = core.mac.short_address = None
        core.material.forget_network()
        core.forget_everybody()
        self._children.clear()
        self._permit_until = 0.0

    def permit_joining(self, duration_s: int) -> None:
        """Let devices associate for so many seconds; 255 for ever."""
        self._permit_until = None if duration_s == _FOR_EVER else self._core.now() + duration_s

    @property
    def permits(self) -> bool:
        """Whether devices may associate."""
        return self._permit_until is None or self._core.now() < self._permit_until

    def save(self) -> list[dict[str, Any]]:
        """Return the children, as plain json values."""
        return [
            {
                "eui64": str(child.eui64),
                "short_address": child.short_address,
                "capability": child.capability.to_bytes().hex(),
            }
            for child in self._children.values()
            if child.authenticated
        ]

    def restore(self, network: NetworkParameters, children: list[dict[str, Any]]) -> None:
        """Be on a network again, with the children that were on it."""
        self._be_on(network)
        for saved in children:
            child = Child(
                Eui64.parse(saved["eui64"]),
                saved["short_address"],
                Capability.from_bytes(bytes.fromhex(saved["capability"])),
                authenticated=True,
            )
            self._children[child.eui64] = child
            self._core.learn(child.short_address, child.eui64)

    def children(self) -> tuple[Child, ...]:
        """Return the children, those without the network key too."""
        return tuple(self._children.values())

    # MAC: beacons and association.

    def mac_received(self, reception: Reception) -> None:
        """Take a MAC command."""
        if reception.frame.frame_type is not MacFrameType.COMMAND or self._core.network is None:
            return
        try:
            command = mac.parse_command(reception.frame.payload)
        except DecodeError:
            return
        if isinstance(command, BeaconRequest):
            self._core.spawn(self._beacon(self._core.network))
        elif isinstance(command, AssociationRequest) and isinstance(reception.frame.source, Eui64):
            self._core.spawn(self._associate(reception.frame.source, command.capability))

    async def _beacon(self, network: NetworkParameters) -> None:
        payload = ZigbeeBeacon(
            router_capacity=True,
            end_device_capacity=True,
            extended_pan_id=network.extended_pan_id,
            update_id=network.update_id,
        )
        beacon = Beacon(pan_coordinator=True, association_permit=self.permits, payload=payload.to_bytes())
        core = self._core
        await core.mac.send(core.mac.frame(MacFrameType.BEACON, None, beacon.to_bytes(), source=0))

    async def _associate(self, eui64: Eui64, capability: Capability) -> None:
        core = self._core
        if not self.permits:
            refusal = AssociationResponse(
                short_address=mac.BROADCAST, status=AssociationStatus.PAN_ACCESS_DENIED
            )
            await self._answer_association(eui64, refusal)
            return
        child = Child(eui64, self._short_address_for(eui64), capability)
        core.material.forget_peer(eui64)
        self._children[eui64] = child
        core.learn(child.short_address, eui64)
        if not await self._answer_association(eui64, AssociationResponse(short_address=child.short_address)):
            self._forget(child)
            return
        core.listener.child_update(child.short_address, eui64, joining=True)
        await self._authenticate(child, JoinStatus.UNSECURED_JOIN)

    async def _answer_association(self, eui64: Eui64, response: AssociationResponse) -> bool:
        core = self._core
        core.mac.forget_mail(eui64)
        frame = core.mac.frame(MacFrameType.COMMAND, eui64, response.to_bytes(), source=core.eui64)
        return await core.mac.keep_for(eui64, frame)

    def _short_address_for(self, eui64: Eui64) -> int:
        known = self._children.get(eui64)
        if known is not None:
            return known.short_address
        while True:
            address = self._core.rng.randrange(1, 0xFFF8)
            if self._core.eui64_of(address) is None:
                return address

    def _forget(self, child: Child) -> None:
        if self._children.get(child.eui64) is child:
            del self._children[child.eui64]
            self._core.forget(child.eui64)
            self._core.mac.forget_mail(child.short_address)

    # The trust centre.

    async def _authenticate(self, child: Child, status: JoinStatus) -> None:
        """Ask the trust centre, give the key if it says so, and put out who does not prove that it has it."""
        core = self._core
        decision = self._trust_centre.decide(child.eui64, status)
        core.listener.device_update(child.eui64, child.short_address, status, decision, parent=0)
        if not decision.admit:
            self._forget(child)
            return
        await self._transport_key(child, decision.link_key)
        await asyncio.sleep(core.timings.authentication_s)
        if not child.authenticated:
            self._forget(child)

    async def _transport_key(self, child: Child, link_key: bytes | None) -> None:
        core = self._core
        material = core.material
        command = TransportKey(
            key_type=KeyType.STANDARD_NETWORK_KEY,
            key=material.network_keys[material.active_sequence],
            key_sequence=material.active_sequence,
            destination=child.eui64,
            source=core.eui64,
        )
        frame = ApsFrame(
            frame_type=ApsFrameType.COMMAND, counter=core.aps.next_counter(), payload=command.to_bytes()
        )
        if link_key is not None:
            frame = material.protect_aps(frame, link_key, KeyId.KEY_TRANSPORT, named=True)
        packet = core.nwk_frame(NwkFrameType.DATA, child.short_address, frame.to_bytes())
        await core.send_frame(packet, secured=False)

    async def distribute_network_key(self, key: bytes) -> bool:
        """Broadcast the next network key, to be used when it is switched to."""
        core = self._core
        sequence = (core.material.active_sequence + 1) & 0xFF
        core.material.network_keys[sequence] = key
        command = TransportKey(
            key_type=KeyType.STANDARD_NETWORK_KEY,
            key=key,
            key_sequence=sequence,
            destination=Eui64(0),
            source=core.eui64,
        )
        return await self._broadcast(command)

    async def switch_network_key(self) -> bool:
        """Have everybody use the key distributed before, and use it; the old one opens nothing any more."""
        core, material = self._core, self._core.material
        sequence = (material.active_sequence + 1) & 0xFF
        if core.network is None or sequence not in material.network_keys:
            return False
        await self._broadcast(SwitchKey(key_sequence=sequence))
        material.switch_network_key(sequence)
        key = material.network_keys[sequence]
        core.network = replace(core.network, network_key=key, key_sequence=sequence)
        return True

    async def _broadcast(self, command: TransportKey | SwitchKey) -> bool:
        frame = ApsFrame(
            frame_type=ApsFrameType.COMMAND,
            delivery_mode=DeliveryMode.BROADCAST,
            counter=self._core.aps.next_counter(),
            payload=command.to_bytes(),
        )
        heard = await self._core.send_nwk(nwk.BROADCAST_RX_ON, frame.to_bytes())
        # A child that sleeps hears no broadcast: it finds its own when it polls.
        asleep = [child.short_address for child in self.children() if self.sleeps(child.short_address)]
        await asyncio.gather(*(self._core.send_nwk(short, frame.to_bytes()) for short in asleep))
        return heard

    async def remove_device(self, eui64: Eui64) -> Delivery:
        """Tell a child to leave."""
        child = self._children.get(eui64)
        if child is None:
            return Delivery.NO_ROUTE
        told = await self._core.send_command(child.short_address, Leave(request=True), radius=1)
        return Delivery.DELIVERED if told else Delivery.NO_ACK

    # NWK.

    def nwk_command(self, command: NwkCommand, frame: NwkFrame, *, secured: bool) -> None:
        """Take a rejoin or a leave."""
        if isinstance(command, RejoinRequest):
            self._core.spawn(self._rejoin(command.capability, frame, secured=secured))
        elif isinstance(command, Leave) and secured and not command.request:
            eui64 = frame.source_ieee or self._core.eui64_of(frame.source)
            child = self._children.get(eui64) if eui64 is not None else None
            if child is not None:
                self._left(child)

    def _left(self, child: Child) -> None:
        core = self._core
        self._forget(child)
        core.listener.child_update(child.short_address, child.eui64, joining=False)
        decision = self._trust_centre.decide(child.eui64, JoinStatus.LEFT)
        core.listener.device_update(child.eui64, child.short_address, JoinStatus.LEFT, decision, parent=0)

    async def _rejoin(self, capability: Capability, frame: NwkFrame, *, secured: bool) -> None:
        core = self._core
        eui64 = frame.source_ieee or core.eui64_of(frame.source)
        if eui64 is None:
            return
        status = JoinStatus.SECURED_REJOIN if secured else JoinStatus.UNSECURED_REJOIN
        child = Child(eui64, self._short_address_for(eui64), capability, authenticated=secured)
        if not secured:
            core.material.forget_peer(eui64)
        self._children[eui64] = child
        core.learn(frame.source, eui64)
        response = RejoinResponse(short_address=child.short_address, status=_ASSOCIATED)
        packet = core.nwk_frame(
            NwkFrameType.COMMAND,
            frame.source,
            response.to_bytes(),
            radius=1,
            destination_ieee=eui64,
            source_ieee=core.eui64,
        )
        arrived = await core.send_frame(packet, secured=secured, hop=frame.source)
        core.learn(child.short_address, eui64)
        if not arrived:
            return
        if secured:
            decision = self._trust_centre.decide(eui64, status)
            core.listener.device_update(eui64, child.short_address, status, decision, parent=0)
        else:
            await self._authenticate(child, status)

    def aps_command(self, command: aps_commands.ApsCommand, source: int, *, nwk_secured: bool) -> None:
        """Take no key requests: a Smart Energy trust centre gives out no keys that way."""

    def unsecured(self, frame: NwkFrame) -> None:
        """Take nothing without NWK security."""

    def heard_of(self, eui64: Eui64, short_address: int) -> None:
        """Note that a child has proved that it has the network key."""
        child = self._children.get(eui64)
        if child is not None and child.short_address == short_address:
            child.authenticated = True

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the link key that the trust centre shares with a device."""
        return self._trust_centre.link_key(eui64)

    def next_hop(self, destination: int) -> int:
        """Everybody is a neighbour."""
        return mac.BROADCAST if nwk.is_broadcast(destination) else destination

    def sleeps(self, short_address: int) -> bool:
        """Whether this child's receiver is off when idle."""
        return any(
            child.short_address == short_address and not child.capability.receiver_on_when_idle
            for child in self._children.values()
        )

    def relay(self, frame: NwkFrame) -> None:
        """Send a child's broadcast on to everybody in range."""
        if frame.radius > 1:
            again = NwkFrame(
                frame_type=frame.frame_type,
                destination=frame.destination,
                source=frame.source,
                radius=frame.radius - 1,
                sequence=frame.sequence,
                payload=frame.payload,
            )
            self._core.spawn(self._core.send_frame(again, hop=mac.BROADCAST))

    def unicast_ended(self, arrived: bool) -> None:
        """Take no notice: a child that does not answer may be back."""

    def _neighbours(self) -> tuple[Neighbour, ...]:
        network = self._core.network
        if network is None:
            return ()
        return tuple(
            Neighbour(
                extended_pan_id=network.extended_pan_id,
                ieee_address=child.eui64,
                nwk_address=child.short_address,
                device_type=LogicalType.END_DEVICE,
                receiver_on_when_idle=int(child.capability.receiver_on_when_idle),
                relationship=Relationship.CHILD,
                permit_joining=0,
                depth=1,
                lqi=255,
            )
            for child in self._children.values()
        )
