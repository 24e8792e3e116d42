"""Getting in: association with a parent, and the network key that the trust centre sends.

Source: IEEE 802.15.4-2006 §7.5.3.1 (association); 05-3474-22 §4.6.3.2 (the joiner's side); 05-3474-23 §4.7.4
(another trust centre in the place of the one of before).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from drivers.virtual.stack.core import NodeCore
from drivers.virtual.stack.faces import JoinFailure
from drivers.virtual.stack.scan import FoundNetwork
from harness.eui64 import Eui64
from harness.zigbee import aps, aps_commands, mac
from harness.zigbee.aps import ApsFrame, ApsFrameType
from harness.zigbee.aps_commands import KeyType, TransportKey
from harness.zigbee.mac import (
    AssociationRequest,
    AssociationResponse,
    AssociationStatus,
    Capability,
    MacFrameType,
)
from harness.zigbee.nwk import NwkFrame
from harness.zigbee.security import AuthenticationFailed, KeyId
from harness.zigbee.swap_out import swap_out_key


class Poll(Protocol):
    """Asks the parent for what it keeps."""

    async def __call__(self, parent: int, *, by: Eui64 | None = None) -> None:
        """Poll by the short address, or by the EUI-64 while there is none."""


class Admission:
    """Gets the network key. `trust_centre` is, during a rejoin, the one that the node has had.

    `accepts_clear_key` makes it take a network key that nothing protects, `takes_any_trust_centre` one from
    another trust centre that has its link key itself, which no device should; with `keeps_trust_centre` it
    takes none from another one at all.
    """

    def __init__(self, core: NodeCore, poll: Poll) -> None:
        self._core = core
        self._poll = poll
        self.link_key: bytes | None = None
        self.trust_centre: Eui64 | None = None
        self.accepts_clear_key = False
        self.takes_any_trust_centre = False
        self.keeps_trust_centre = False
        self._associated: asyncio.Future[AssociationResponse] | None = None
        self._keyed: asyncio.Future[TransportKey | JoinFailure] | None = None

    async def associate(self, found: FoundNetwork, capability: Capability) -> TransportKey | JoinFailure:
        """Associate with a parent and wait for the network key."""
        radio = self._core.mac
        radio.channel, radio.pan_id, radio.short_address = found.channel, found.pan_id, None
        self._associated = asyncio.get_running_loop().create_future()
        try:
            return await self.expect_key(lambda: self._ask_in(found, capability))
        finally:
            self._associated = None

    async def _ask_in(self, found: FoundNetwork, capability: Capability) -> bool:
        core = self._core
        request = AssociationRequest(capability=capability).to_bytes()
        frame = core.mac.frame(
            MacFrameType.COMMAND, found.parent, request, source=core.eui64, source_pan=mac.BROADCAST
        )
        if not await core.mac.send(frame):
            return False
        assert self._associated is not None
        await asyncio.sleep(core.timings.response_wait_s)
        try:
            async with asyncio.timeout(core.timings.association_s):
                while not self._associated.done():
                    await self._poll(found.parent, by=core.eui64)
                    await asyncio.wait({self._associated}, timeout=core.timings.poll_wait_s)
        except TimeoutError:
            return False
        return self._associated.result().status is AssociationStatus.SUCCESS

    async def expect_key(self, ask: Callable[[], Awaitable[bool]]) -> TransportKey | JoinFailure:
        """Ask to be let in, and wait for the network key; `ask` says whether the parent agreed."""
        self._keyed = asyncio.get_running_loop().create_future()
        polling: asyncio.Task[object] | None = None
        try:
            if not await ask():
                return JoinFailure.REFUSED
            if not self._core.mac.always_on:
                polling = self._core.spawn(self._poll_often())
            async with asyncio.timeout(self._core.timings.key_s):
                return await self._keyed
        except TimeoutError:
            return JoinFailure.NO_KEY
        finally:
            self._keyed = None
            if polling is not None:
                polling.cancel()

    async def _poll_often(self) -> None:
        while True:
            await self._poll(0)
            await asyncio.sleep(self._core.timings.poll_wait_s)

    def answered(self, response: AssociationResponse) -> None:
        """Take an association response."""
        waiting = self._associated
        if waiting is None or waiting.done():
            return
        if response.status is AssociationStatus.SUCCESS:
            # At once: the network key may follow before anybody who waits gets to run.
            self._core.mac.short_address = response.short_address
        waiting.set_result(response)

    def unsecured(self, frame: NwkFrame) -> None:
        """Take a network key, for which alone NWK security is left out."""
        waiting = self._keyed
        if waiting is None or waiting.done():
            return
        command = ApsFrame.from_bytes(frame.payload)
        if command.frame_type is not ApsFrameType.COMMAND:
            return
        found = self._opened(command)
        if found is not None:
            waiting.set_result(found)

    def _opened(self, frame: ApsFrame) -> TransportKey | JoinFailure | None:
        by = self.link_key
        if frame.security:
            if by is None or aps.auxiliary_header(frame).key_id is not KeyId.KEY_TRANSPORT:
                return None
            keys = (by, swap_out_key(by)) if self._may_swap() else (by,)
            clear = next((found for key in keys if (found := _unprotected(frame, key)) is not None), None)
            if clear is None:
                return JoinFailure.WRONG_KEY
            frame, by = clear
        elif not self.accepts_clear_key:
            return None
        command = aps_commands.parse_command(frame.payload)
        if not isinstance(command, TransportKey) or command.key_type is not KeyType.STANDARD_NETWORK_KEY:
            return None
        if command.destination != self._core.eui64:
            return None
        if self._is_impostor(command.source, swapped=by != self.link_key):
            return JoinFailure.WRONG_KEY
        self.link_key = by
        return command

    def _may_swap(self) -> bool:
        return self.trust_centre is not None and not self.keeps_trust_centre

    def _is_impostor(self, source: Eui64 | None, *, swapped: bool) -> bool:
        """Whether another trust centre has the link key itself, of which it can know a hash only."""
        other = self.trust_centre is not None and source not in (None, self.trust_centre)
        return other and not swapped and not self.takes_any_trust_centre


def _unprotected(frame: ApsFrame, key: bytes) -> tuple[ApsFrame, bytes] | None:
    try:
        return aps.unprotect(frame, key)[0], key
    except AuthenticationFailed:
        return None
