"""The network of a hub: under the hub's own extended PAN id, or that of the hub whose place it has taken.

A hub that takes another's place forms a network anew: with the extended PAN id of that one, by which its
devices look for it, and a PAN id and network key of its own. Source: 05-3474-23 §4.7.4.1.2 (trust centre
swap-out).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.rig.faces import Endpoint, NetworkSettings, NetworkState, Radio, RadioInfo, RadioListener


class Han:
    """The network of hub `name`. `formed` is awaited each time that it was not one of before."""

    def __init__(self, name: str, radio: Radio, formed: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._radio = radio
        self._formed = formed
        self._info: RadioInfo | None = None
        self._network: NetworkState | None = None
        self._settings: NetworkSettings | None = None
        self._taken: Eui64 | None = None

    @property
    def info(self) -> RadioInfo:
        """What the radio says of itself; RigFault before `open`."""
        if self._info is None:
            raise self._not_started()
        return self._info

    @property
    def network(self) -> NetworkState:
        """The network; RigFault before `form`."""
        if self._network is None:
            raise self._not_started()
        return self._network

    async def open(self, endpoints: tuple[Endpoint, ...], listener: RadioListener) -> None:
        """Open the radio; raises RigFault."""
        self._info = await self._radio.open(endpoints, listener)

    async def form(self, settings: NetworkSettings) -> NetworkState:
        """Form the network or resume it; raises RigFault.

        The extended PAN id is that of the hub whose place this one has taken; else, when the settings leave
        it open, the hub's EUI-64, as GBCS wants it.
        """
        self._settings = settings
        if settings.extended_pan_id is None or self._taken is not None:
            settings = replace(settings, extended_pan_id=self._taken or self.info.eui64)
        self._network = network = await self._radio.form(settings)
        if not network.resumed:
            await self._formed()
        return network

    async def take_over(self, extended_pan_id: Eui64) -> None:
        """Form the network anew under another hub's extended PAN id, and stay with that; raises RigFault."""
        self._taken = extended_pan_id
        await self._again()

    async def give_back(self) -> None:
        """Give up the place of another hub, if it was taken."""
        if self._taken is not None:
            self._taken = None
            await self._again()

    async def update_network_key(self, key: bytes) -> NetworkState:
        """Give the network another network key (16 octets)."""
        self._network = await self._radio.update_network_key(key)
        return self._network

    async def _again(self) -> None:
        if self._settings is None:
            raise self._not_started()
        await self.form(self._settings)

    def _not_started(self) -> RigFault:
        return RigFault(f"hub {self._name} has not been started")
