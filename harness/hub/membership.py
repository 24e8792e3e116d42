"""The commands that say who may be on the HAN: whitelist, remove, restore, unjoin.

Each changes the device log through the trust centre and brings the radio in step with it.
Source: GBCS use cases CCS01 to CCS03; facts gb-domain §3.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from harness.errors import BenchError
from harness.eui64 import Eui64
from harness.hub.admission import Admission
from harness.hub.device_log import DeviceLog, DeviceLogEntry, DeviceState
from harness.hub.link_keys import LinkKeys
from harness.hub.switchboard import Switchboard
from harness.hub.trust_centre import TrustCentre
from harness.rig.faces import Radio
from harness.zigbee.swap_out import TrustCentreBackup

_LEAVE_WITHIN_S = 5.0
_FOR_EVER_S = 24 * 3600.0  # the window of a hub that ignores windows


class Membership:
    """Who may be on the HAN of hub `name`. `clock` gives seconds; `wake` is called when deadlines change.

    With `ignores_window` a device once whitelisted may join for ever, and with `forgets_restored` the last
    device of a log restored is left out: wrongly, both.
    """

    def __init__(
        self,
        name: str,
        radio: Radio,
        log: DeviceLog,
        *,
        trust: TrustCentre,
        admission: Admission,
        link_keys: LinkKeys,
        board: Switchboard,
        clock: Callable[[], float],
        wake: Callable[[], None],
        ignores_window: bool,
        forgets_restored: bool,
    ) -> None:
        self._name = name
        self._radio = radio
        self._log = log
        self._trust = trust
        self._admission = admission
        self._link_keys = link_keys
        self._board = board
        self._clock = clock
        self._wake = wake
        self._ignores_window = ignores_window
        self._forgets_restored = forgets_restored

    async def whitelist(
        self, eui64: Eui64, install_code: bytes, join_time_s: float, *, in_clear: bool = False
    ) -> DeviceLogEntry:
        """Add a device: it may join for `join_time_s` with its install code (without CRC).

        With `in_clear` it is sent the network key unprotected, until it is removed. Raises ValueError for a
        bad install code, RigFault, StimulusImpossible when the radio cannot play that or the hub's defect;
        then, or given up, the device is off the log again.
        """
        window_s = _FOR_EVER_S if self._ignores_window else join_time_s
        entry = self._trust.whitelist(eui64, install_code, window_s=window_s, now=self._clock())
        if entry.state is DeviceState.JOINED:
            return entry
        self._link_keys.add(eui64, entry.link_key)
        if entry.historic_key is not None:
            self._link_keys.add(eui64, entry.historic_key)
        self._wake()
        try:
            await self._admission.open(entry, in_clear=in_clear)
        except (BenchError, asyncio.CancelledError):
            self._trust.unlist(eui64, now=self._clock())
            with suppress(BenchError):
                await self._radio.forget_key(eui64)
                await self._admission.shut_to_anybody()
            raise
        return entry

    async def remove(self, eui64: Eui64) -> bool:
        """Take a device out of the log, off the HAN when it is on it; False when it was not in it."""
        entry = self._trust.unlist(eui64, now=self._clock())
        if entry is not None:
            await self._send_off(entry)
            await self._admission.shut_to_anybody()
        return entry is not None

    def restore(self, backup: TrustCentreBackup) -> Eui64:
        """Take in the devices of the hub that this one replaces; return the extended PAN id to take over.

        Raises ValueError while a device is on this hub's own HAN.
        """
        joined = [entry.eui64 for entry in self._log.entries if entry.state is DeviceState.JOINED]
        if joined:
            raise ValueError(f"{joined[0]} is on its own HAN, which would end")
        hashes = dict(backup.link_key_hashes)
        if self._forgets_restored and hashes:
            hashes.popitem()
        for eui64, link_key in hashes.items():
            self._trust.restore(eui64, link_key, now=self._clock())
            if link_key:
                self._link_keys.add(eui64, link_key)
        return backup.extended_pan_id

    async def unjoin(self, eui64: Eui64) -> None:
        """Have a device leave the HAN and wait until it has; it stays in the log as removed.

        Raises DeviceSilent when it is not seen leaving. Nothing happens when it is not on the HAN.
        """
        entry = self._log.get(eui64)
        if entry is None or entry.state is not DeviceState.JOINED:
            return
        await self._board.exchanges.ask(
            ("left", eui64),
            lambda: self._send_off(entry),
            what=f"{eui64} was told to leave hub {self._name}",
            timeout_s=_LEAVE_WITHIN_S,
        )

    async def _send_off(self, entry: DeviceLogEntry) -> None:
        self._board.forget(entry.eui64, entry.short_address)
        if entry.short_address is not None:
            await self._radio.remove(entry.eui64, entry.short_address)
        else:
            await self._radio.forget_key(entry.eui64)
