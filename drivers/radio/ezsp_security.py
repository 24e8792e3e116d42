"""The trust centre on an EZSP dongle: security state, policies, and who may join when.

A Smart Energy trust centre knows each device's own link key beforehand, from its install code. So:

* No global link key. With TRUST_CENTER_GLOBAL_LINK_KEY (as home-automation hosts form) the dongle would
  offer one key to every joiner; without it a joiner is served under the key held for it, or not at all.
* The preconfigured key that EZSP asks for is random and thrown away: nothing may ever join with it,
  "ZigBeeAlliance09" least of all.
* Outside a join window the trust-centre policy lets nobody join; a device that has a link key of its own may
  come back without the network key, which it is sent under that (0x02). Inside one ALLOW_JOINS and
  JOINS_USE_INSTALL_CODE_KEY come to it (0x13): only a device that has a transient key of its own is let in.
* Requests for link keys are denied: Smart Energy renews keys by key establishment.

Source: UG100 `setInitialSecurityState`, `EzspDecisionBitmask`; facts zigbee-ezsp §7.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass
from typing import Any

from drivers.radio.ezsp_link import EzspLink
from drivers.radio.ezsp_surface import eui64_to, t
from harness.errors import RigFault
from harness.eui64 import Eui64

_NO_ENTRY = 0xFF
_LONGEST_PERMIT_S = 254  # 255 would mean: until told otherwise
_RENEW_S = 240.0
_IMPORTS_BY_INDEX = 13  # from EZSP 13 on a link key is written to a slot that the host names

TC_REJOINS_ONLY = 0x02
TC_INSTALL_CODE_ONLY = 0x13
TC_ANYBODY_IN_CLEAR = 0x07


def initial_security(network_key: bytes, discarded_key: bytes) -> Any:
    """Return the EZSP security state of a Smart Energy trust centre (keys of 16 octets)."""
    mask = t.EmberInitialSecurityBitmask
    return t.EmberInitialSecurityState(
        bitmask=mask.HAVE_PRECONFIGURED_KEY | mask.REQUIRE_ENCRYPTED_KEY | mask.HAVE_NETWORK_KEY,
        preconfiguredKey=t.KeyData(discarded_key),
        networkKey=t.KeyData(network_key),
        networkKeySequenceNumber=t.uint8_t(0),
        preconfiguredTrustCenterEui64=t.EUI64.convert("00:00:00:00:00:00:00:00"),
    )


async def deny_by_default(link: EzspLink) -> None:
    """Set the policies of a network that nobody may join and that hands out no keys."""
    policy, decision = t.EzspPolicyId, t.EzspDecisionId
    await set_trust_centre_policy(link, TC_REJOINS_ONLY)
    await link.succeed("setPolicy", policy.TC_KEY_REQUEST_POLICY, decision.DENY_TC_KEY_REQUESTS)
    await link.succeed("setPolicy", policy.APP_KEY_REQUEST_POLICY, decision.DENY_APP_KEY_REQUESTS)
    await link.succeed(
        "setPolicy", policy.MESSAGE_CONTENTS_IN_CALLBACK_POLICY, decision.MESSAGE_TAG_ONLY_IN_CALLBACK
    )


async def set_trust_centre_policy(link: EzspLink, bits: int) -> None:
    """Set the trust-centre policy (EzspDecisionBitmask)."""
    await link.succeed("setPolicy", t.EzspPolicyId.TRUST_CENTER_POLICY, t.EzspDecisionBitmask(bits))


class KeyTable:
    """The dongle's key table; changes go one after the other, lest two take the same free slot."""

    def __init__(self, link: EzspLink) -> None:
        self._link = link
        self._lock = asyncio.Lock()

    async def write(self, eui64: Eui64, key: bytes) -> None:
        """Keep a device's link key (16 octets) in place of the one before."""
        async with self._lock:
            await _write_link_key(self._link, eui64, key)

    async def clear(self) -> None:
        """Erase every link key."""
        async with self._lock:
            await self._link.succeed("clearKeyTable")

    async def erase(self, eui64: Eui64) -> None:
        """Erase a device's link key; no error when it has none."""
        async with self._lock:
            await _erase_link_key(self._link, eui64)


async def _write_link_key(link: EzspLink, eui64: Eui64, key: bytes) -> None:
    """Write into the slot that the device has or the first free one."""
    address, data = eui64_to(eui64), t.KeyData(key)
    if link.version < _IMPORTS_BY_INDEX:
        await link.succeed("addOrUpdateKeyTableEntry", address=address, linkKey=True, keyData=data)
        return
    index = await find_link_key(link, eui64)
    if index is None:
        index = await _free_slot(link)
    await link.succeed("importLinkKey", index=index, address=address, key=data)


async def find_link_key(link: EzspLink, eui64: Eui64) -> int | None:
    """Return the key-table slot of a device, None when it has none."""
    (index,) = await link.command("findKeyTableEntry", address=eui64_to(eui64), linkKey=True)
    return None if index == _NO_ENTRY else int(index)


async def _erase_link_key(link: EzspLink, eui64: Eui64) -> None:
    index = await find_link_key(link, eui64)
    if index is not None:
        await link.succeed("eraseKeyTableEntry", index=index)


async def _free_slot(link: EzspLink) -> int:
    # An all-zero address finds the first unused entry.
    index = await find_link_key(link, Eui64(0))
    if index is None:
        raise RigFault(
            f"radio on {link.path}: its key table is full", remedy="remove devices from the hub's device log"
        )
    return index


@dataclass(slots=True)
class _Window:
    key: bytes
    deadline: float


class JoinWindows:
    """Who may join until when; keeps the dongle's permit, policy and transient keys in step with that."""

    def __init__(self, link: EzspLink) -> None:
        self._link = link
        self._open: dict[Eui64, _Window] = {}
        self._anybody_until = 0.0
        self._lock = asyncio.Lock()  # commands of two changes must not mix
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def key_of(self, eui64: Eui64) -> bytes | None:
        """Return the link key of a device whose window is open."""
        window = self._open.get(eui64)
        return window.key if window else None

    async def permit(self, eui64: Eui64, key: bytes, window_s: float) -> None:
        """Open a window for one device."""
        async with self._lock:
            self._open[eui64] = _Window(key, _now() + window_s)
            await self._add_transient_key(eui64, key)
            await self._apply()
        self._keep_time()

    async def permit_anybody(self, window_s: float) -> None:
        """Open the network to anybody, the network key sent in the clear: what a defective hub does."""
        async with self._lock:
            self._anybody_until = _now() + window_s
            await self._apply()
        self._keep_time()

    async def close(self, eui64: Eui64) -> None:
        """Close one device's window, if it has one."""
        async with self._lock:
            if self._open.pop(eui64, None) is not None:
                await self._forget_and_apply()
        self._changed.set()

    async def close_all(self) -> None:
        """Close every window and forget every transient key."""
        async with self._lock:
            self._open.clear()
            self._anybody_until = 0.0
            await self._forget_and_apply()
        self._changed.set()

    async def stop(self) -> None:
        """Stop the timer; the dongle stays as it is."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _add_transient_key(self, eui64: Eui64, key: bytes) -> None:
        await self._link.succeed("add_transient_link_key", eui64_to(eui64), t.KeyData(key))

    async def _forget_and_apply(self) -> None:
        await self._link.command("clearTransientLinkKeys")
        for eui64, window in self._open.items():
            await self._add_transient_key(eui64, window.key)
        await self._apply()

    async def _apply(self) -> None:
        remaining_s = max(self._ends(), default=0.0) - _now()
        bits = TC_ANYBODY_IN_CLEAR if self._anybody_until > _now() else TC_INSTALL_CODE_ONLY
        await set_trust_centre_policy(self._link, bits if remaining_s > 0 else TC_REJOINS_ONLY)
        duration = max(0, min(math.ceil(remaining_s), _LONGEST_PERMIT_S))
        await self._link.succeed("permitJoining", duration=duration)

    def _ends(self) -> list[float]:
        ends = [window.deadline for window in self._open.values()]
        return [*ends, self._anybody_until] if self._anybody_until else ends

    def _keep_time(self) -> None:
        self._changed.set()
        if self._task is None or self._task.done():
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._keep(), name=f"join windows of {self._link.path}")

    async def _keep(self) -> None:
        """Close windows as they end, and renew a permit that the dongle would end too early."""
        try:
            while ends := self._ends():
                self._changed.clear()
                wait_s = min(min(ends) - _now(), _RENEW_S)
                try:
                    async with asyncio.timeout(max(0.0, wait_s)):
                        await self._changed.wait()
                except TimeoutError:
                    async with self._lock:
                        await self._close_what_ended()
        except RigFault:
            return  # whoever uses the radio next learns of its loss

    async def _close_what_ended(self) -> None:
        over = [eui64 for eui64, window in self._open.items() if window.deadline <= _now()]
        for eui64 in over:
            del self._open[eui64]
        if self._anybody_until <= _now():
            self._anybody_until = 0.0
        if over:
            await self._forget_and_apply()
        else:
            await self._apply()


def _now() -> float:
    return asyncio.get_running_loop().time()
