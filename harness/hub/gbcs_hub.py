"""A SMETS2+ hub: one that is a CHF and a GPF, each of them spoken to in GBCS itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import datetime
from functools import partial

from harness.errors import DeviceSilent, RigFault
from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.gbcs.use_cases.firmware import TransferResult
from harness.hub.chf import Chf
from harness.hub.core import CommunicationsHub
from harness.hub.gpf import Gpf, gpf_of
from harness.hub.logical_device import HubNow
from harness.rig.faces import NetworkSettings, NetworkState
from harness.zigbee.ota import OtaHeader


class GbcsHub(CommunicationsHub):
    """A hub with a CHF and a GPF, there from `start` on. `be_chf` gives them their keys, before that."""

    _keys: KeyStore | None = None
    _utc: Callable[[], datetime]
    _gpf_eui64: Eui64 | None = None
    _chf: Chf | None = None
    _gpf: Gpf | None = None

    def be_chf(self, keys: KeyStore, utc: Callable[[], datetime], gpf: Eui64 | None = None) -> None:
        """Take the keys of CHF and GPF and of those whom they trust, and the clock of their messages.

        `gpf` is the GPF's EUI-64; left out, it is made from the hub's.
        """
        self._keys, self._utc, self._gpf_eui64 = keys, utc, gpf

    async def start(self, settings: NetworkSettings) -> NetworkState:
        """Bring the HAN up, and CHF and GPF with it; raises RigFault."""
        network = await super().start(settings)
        if self._chf is None and self._keys is not None:
            self._chf = Chf(
                self,
                self._keys,
                self._tap,
                utc=self._utc,
                alert=partial(self._unsolicited, self.eui64),
                defects=self._defects,
            )
            self.listen(self._chf.hub_event)
            eui64 = self._gpf_eui64 or gpf_of(self.eui64)
            self._gpf = Gpf(
                eui64,
                HubNow(name=self.name, tap=self._tap, utc=self._utc),
                self._keys,
                chf=self.eui64,
                alert=partial(self._unsolicited, eui64),
                defects=self._defects,
            )
        return network

    @property
    def chf(self) -> Chf:
        """The CHF; RigFault before `start`, or without keys."""
        if self._chf is None:
            raise RigFault(f"hub {self.name} has no CHF yet: it needs its keys and a start")
        return self._chf

    @property
    def gpf(self) -> Gpf:
        """The GPF; RigFault before `start`, or without keys."""
        if self._gpf is None:
            raise RigFault(f"hub {self.name} has no GPF yet: it needs its keys and a start")
        return self._gpf

    async def command_chf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own CHF and return its response.

        Raises DeviceSilent when the CHF refuses or takes too long, RigFault.
        """
        self._check()
        return await self._answer("CHF", self.chf.command(message), timeout_s)

    async def command_gpf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own GPF and return its response; raises as `command_chf` does."""
        self._check()
        return await self._answer("GPF", self.gpf.command(message), timeout_s)

    async def begin_afresh(self) -> None:
        """Forget the GPF's log too; the CHF raises no alert of it."""
        with self._chf.silence() if self._chf is not None else nullcontext():
            await super().begin_afresh()
        if self._gpf is not None:
            self._gpf.forget()

    def _image_ended(self, eui64: Eui64, header: OtaHeader, result: TransferResult) -> None:
        super()._image_ended(eui64, header, result)
        self.chf.tell_transfer(eui64, header.file_version, result)

    async def _answer(self, what: str, obeying: Awaitable[bytes], timeout_s: float) -> bytes:
        try:
            async with asyncio.timeout(timeout_s):
                return await obeying
        except TimeoutError:
            raise DeviceSilent(
                f"the {what} of hub {self.name} has not answered within {timeout_s:g} s"
            ) from None
