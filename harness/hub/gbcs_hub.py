"""A SMETS2+ hub: one that is a CHF, spoken to in GBCS itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from harness.errors import DeviceSilent, RigFault
from harness.gbcs import KeyStore
from harness.hub.chf import Chf
from harness.hub.core import CommunicationsHub
from harness.rig.faces import NetworkSettings, NetworkState


class GbcsHub(CommunicationsHub):
    """A hub with a CHF, which is there from `start` on. `be_chf` gives it its keys, before that."""

    _keys: KeyStore | None = None
    _utc: Callable[[], datetime]
    _chf: Chf | None = None

    def be_chf(self, keys: KeyStore, utc: Callable[[], datetime]) -> None:
        """Take the keys of the CHF and of those whom it trusts, and the clock of its messages."""
        self._keys, self._utc = keys, utc

    async def start(self, settings: NetworkSettings) -> NetworkState:
        """Bring the HAN up and the CHF with it; raises RigFault."""
        network = await super().start(settings)
        if self._chf is None and self._keys is not None:
            self._chf = Chf(
                self,
                self._keys,
                self._tap,
                utc=self._utc,
                alert=lambda message: self._unsolicited(self.eui64, message),
                defects=self._defects,
            )
            self.listen(self._chf.hub_event)
        return network

    @property
    def chf(self) -> Chf:
        """The CHF; RigFault before `start`, or without keys."""
        if self._chf is None:
            raise RigFault(f"hub {self.name} has no CHF yet: it needs its keys and a start")
        return self._chf

    async def command_chf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own CHF and return its response.

        Raises DeviceSilent when the CHF refuses or takes too long, RigFault.
        """
        self._check()
        try:
            async with asyncio.timeout(timeout_s):
                return await self.chf.command(message)
        except TimeoutError:
            raise DeviceSilent(
                f"the CHF of hub {self.name} has not answered within {timeout_s:g} s"
            ) from None
