"""A Zigbee node on the virtual medium: one stack core, in the coordinator's or an end device's role."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from drivers.virtual.medium import Medium
from drivers.virtual.stack.coordinator import Coordinator
from drivers.virtual.stack.core import NodeCore
from drivers.virtual.stack.end_device import EndDevice
from drivers.virtual.stack.faces import (
    ApsIndication,
    ApsRequest,
    Delivery,
    JoinResult,
    NetworkParameters,
    StackListener,
    TrustCentre,
)
from drivers.virtual.stack.timings import Timings
from harness.eui64 import Eui64
from harness.zigbee.zdo import LogicalType, SimpleDescriptor

_TIMINGS = Timings()


class Node:
    """Implements CoordinatorStack with `coordinator` (and then a `trust_centre`), else DeviceStack.

    It is off until `power(True)`. `reassemble=False` hands blocks up one by one, for a host to acknowledge.
    """

    def __init__(
        self,
        medium: Medium,
        eui64: Eui64,
        listener: StackListener,
        *,
        coordinator: bool = False,
        trust_centre: TrustCentre | None = None,
        reassemble: bool = True,
        always_on: bool = True,
        rng: random.Random,
        timings: Timings = _TIMINGS,
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        self._core = NodeCore(
            medium,
            eui64,
            listener,
            logical_type=LogicalType.COORDINATOR if coordinator else LogicalType.END_DEVICE,
            reassemble=reassemble,
            rng=rng,
            timings=timings,
        )
        self._coordinator: Coordinator | None = None
        self._device: EndDevice | None = None
        if coordinator:
            if trust_centre is None:
                raise ValueError("a coordinator needs a trust centre")
            self._core.role = self._coordinator = Coordinator(self._core, trust_centre)
        else:
            self._core.role = self._device = EndDevice(self._core, always_on=always_on)
        self._on = False
        self._kept = dict(saved) if saved is not None else None

    # What it is.

    @property
    def eui64(self) -> Eui64:
        """The node's EUI-64."""
        return self._core.eui64

    @property
    def network(self) -> NetworkParameters | None:
        """The network that the node is on."""
        return self._core.network

    @property
    def short_address(self) -> int | None:
        """The node's address there."""
        return self._core.mac.short_address

    def children(self) -> tuple[tuple[Eui64, int], ...]:
        """Return EUI-64 and short address of the children that have the network key."""
        found = self._as_coordinator().children()
        return tuple((child.eui64, child.short_address) for child in found if child.authenticated)

    def short_address_of(self, eui64: Eui64) -> int | None:
        """Return the short address of a node of the network."""
        return self._core.short_address_of(eui64)

    def eui64_of(self, short_address: int) -> Eui64 | None:
        """Return the EUI-64 of a node of the network."""
        return self._core.eui64_of(short_address)

    def add_endpoint(self, descriptor: SimpleDescriptor) -> None:
        """Show an endpoint, in place of one of the same number."""
        others = [entry for entry in self._core.zdo.endpoints if entry.endpoint != descriptor.endpoint]
        self._core.zdo.endpoints = [*others, descriptor]

    def clear_endpoints(self) -> None:
        """Show no endpoint any more."""
        self._core.zdo.endpoints = []

    def frame_counters(self) -> tuple[int, int]:
        """Return the outgoing frame counters, network and APS."""
        return self._core.material.nwk_counter, self._core.material.aps_counter

    def set_frame_counters(self, *, network: int | None = None, aps: int | None = None) -> None:
        """Set outgoing frame counters; ValueError on a network."""
        if self._core.network is not None:
            raise ValueError("frame counters can be set off a network only")
        if network is not None:
            self._core.material.nwk_counter = network
        if aps is not None:
            self._core.material.aps_counter = aps

    # Supply, and what is kept without.

    def power(self, on: bool) -> None:
        """Switch the node; on a network it goes on from what it kept."""
        if on == self._on:
            return
        self._on = on
        if on:
            self._core.mac.power(True)
            if self._kept is not None:
                self.restore(self._kept)
            if self._device is not None:
                self._core.spawn(self._device.live())
            return
        self._kept = self.save() if self._core.network is not None else None
        self._core.cancel_tasks()
        self._core.mac.power(False)

    async def close(self) -> None:
        """Switch the node off and leave no task behind; may be called twice."""
        self.power(False)
        await self._core.wait_for_tasks()

    def save(self) -> dict[str, Any]:
        """Return, as plain json values, what the stack keeps without power."""
        network = self._core.network
        if network is None:
            return {"network": None, "security": self._core.material.save()}
        role = self._coordinator.save() if self._coordinator is not None else self._as_device().save()
        return {
            "network": {
                "channel": network.channel,
                "pan_id": network.pan_id,
                "extended_pan_id": str(network.extended_pan_id),
                "network_key": network.network_key.hex(),
                "key_sequence": network.key_sequence,
                "update_id": network.update_id,
            },
            "security": self._core.material.save(),
            "role": role,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Be where `save` said, frame counters moved on by their margin."""
        self._core.material.restore(saved["security"])
        if saved["network"] is None:
            return
        fields = saved["network"]
        network = NetworkParameters(
            channel=fields["channel"],
            pan_id=fields["pan_id"],
            extended_pan_id=Eui64.parse(fields["extended_pan_id"]),
            network_key=bytes.fromhex(fields["network_key"]),
            key_sequence=fields["key_sequence"],
            update_id=fields["update_id"],
        )
        if self._coordinator is not None:
            self._coordinator.restore(network, saved["role"])
        else:
            self._as_device().restore(network, saved["role"])

    # The coordinator's.

    def form(self, network: NetworkParameters) -> None:
        """Begin a network. Raises ValueError when the node is on one."""
        self._as_coordinator().form(network)

    def abandon(self) -> None:
        """Leave the network without a word on the air."""
        self._as_coordinator().abandon()

    def permit_joining(self, duration_s: int) -> None:
        """Set the beacon's association permit for so many seconds; 0 ends it, 255 lasts."""
        self._as_coordinator().permit_joining(duration_s)

    async def distribute_network_key(self, key: bytes) -> bool:
        """Broadcast the next network key (16 octets)."""
        return await self._as_coordinator().distribute_network_key(key)

    async def switch_network_key(self) -> bool:
        """Have everybody use the key distributed before; False when none was."""
        return await self._as_coordinator().switch_network_key()

    async def remove_device(self, eui64: Eui64) -> Delivery:
        """Tell a child to leave."""
        return await self._as_coordinator().remove_device(eui64)

    async def acknowledge_block(self, block: ApsIndication, received: int) -> None:
        """Acknowledge a block that its host reassembles; `received` is the bitmap of its window."""
        await self._core.aps.acknowledge_block(block, received)

    # The end device's.

    @property
    def accepts_clear_key(self) -> bool:
        """Whether the device takes a network key that nothing protects, which none should."""
        return self._as_device().admission.accepts_clear_key

    @accepts_clear_key.setter
    def accepts_clear_key(self, accepts: bool) -> None:
        self._as_device().admission.accepts_clear_key = accepts

    @property
    def ignores_network_key(self) -> bool:
        """Whether the device takes no other network key than it joined under, which no device should."""
        return self._as_device().ignores_network_key

    @ignores_network_key.setter
    def ignores_network_key(self, ignores: bool) -> None:
        self._as_device().ignores_network_key = ignores

    def misjudge_trust_centres(self, *, keeps: bool, takes_any: bool) -> None:
        """Take no other trust centre in the place of the one of before, or any that has the link key."""
        admission = self._as_device().admission
        admission.keeps_trust_centre, admission.takes_any_trust_centre = keeps, takes_any

    def set_link_key(self, key: bytes | None) -> None:
        """Share another key (16 octets) with the trust centre from now on."""
        self._as_device().set_link_key(key)

    async def join(
        self,
        channels: tuple[int, ...],
        link_key: bytes,
        timeout_s: float,
        extended_pan_id: Eui64 | None = None,
    ) -> JoinResult:
        """Find a network that lets devices join, and join it."""
        return await self._as_device().join(channels, link_key, timeout_s, extended_pan_id)

    async def rejoin(self, channels: tuple[int, ...] = ()) -> JoinResult:
        """Come back to the network that the node is on, looking for it on its channel, or on `channels`."""
        return await self._as_device().rejoin(channels)

    async def leave(self) -> None:
        """Leave the network, and say so on the air."""
        await self._as_device().leave()

    # Everybody's.

    def next_counter(self) -> int:
        """Return the APS counter of the next message, for one whose sender must know it beforehand."""
        return self._core.aps.next_counter()

    async def send(self, request: ApsRequest) -> Delivery:
        """Send an APS message, cut into blocks unless `request.fragment` is set, and wait for its end."""
        if not self._on:
            return Delivery.NOT_JOINED
        return await self._core.send(request)

    def _as_coordinator(self) -> Coordinator:
        if self._coordinator is None:
            raise TypeError("an end device cannot do what a coordinator does")
        return self._coordinator

    def _as_device(self) -> EndDevice:
        if self._device is None:
            raise TypeError("a coordinator cannot do what an end device does")
        return self._device
