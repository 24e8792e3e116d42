"""What a virtual device's firmware stands on: a Zigbee stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from drivers.virtual.stack.faces import ApsRequest, Delivery, JoinResult, NetworkParameters
from harness.eui64 import Eui64
from harness.zigbee.zdo import SimpleDescriptor


class DeviceStack(Protocol):
    """What the firmware needs of the Zigbee stack."""

    @property
    def network(self) -> NetworkParameters | None:
        """The network that the node is on."""

    @property
    def short_address(self) -> int | None:
        """The node's address there."""

    async def join(
        self,
        channels: tuple[int, ...],
        link_key: bytes,
        timeout_s: float,
        extended_pan_id: Eui64 | None = None,
    ) -> JoinResult:
        """Find a network that lets devices join, and join it."""

    async def rejoin(self, channels: tuple[int, ...] = ()) -> JoinResult:
        """Come back to the network that the node is on, looking for it on its channel, or on `channels`."""

    async def leave(self) -> None:
        """Leave the network, and say so on the air."""

    async def send(self, request: ApsRequest) -> Delivery:
        """Send an APS message, in blocks when it is long."""

    def set_link_key(self, key: bytes | None) -> None:
        """Share another key (16 octets) with the trust centre from now on."""

    def save(self) -> dict[str, Any]:
        """Return what the stack keeps without power."""

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Be where `save` said."""

    def add_endpoint(self, descriptor: SimpleDescriptor) -> None:
        """Show an endpoint."""

    def power(self, on: bool) -> None:
        """Switch the node; what it saves it keeps."""
