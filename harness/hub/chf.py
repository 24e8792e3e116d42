"""The hub as Communications Hub Function: GBCS commands to itself, and the alerts that it raises.

Its device log is the hub's own: CCS01 whitelists as a hub without GBCS is told to in plain words, CCS02 takes
off, CCS03 restores the log of a hub that this one replaces, CCS06 and CCS07 read. A change of the log or of a
link key is told to the ACB by CS14 (8F12). What is refused is recorded, changes nothing, and is not answered.
Source: facts gb-domain §3.2 to §3.4, sec-cpl-testing §5.1; GBCS use cases CCS01 to CCS07, CS14.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CCS02,
    CCS03,
    CS14,
    AddDevice,
    AddDeviceResult,
    DeviceLogAlert,
    DeviceLogCopy,
    LoggedDevice,
    RestoreDeviceLog,
)
from harness.gbcs.use_cases.device_log_reads import CCS06, CCS07, DeviceLink, DeviceLinks, DeviceLogs
from harness.gbcs.use_cases.firmware import CCS08, FirmwareTransfer, TransferResult
from harness.hub.defects import HubDefect, checks_left_out
from harness.hub.device_log import DeviceLogEntry, DeviceState
from harness.hub.logical_device import HubNow, LogicalDevice, RefusedMessage
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.rig.faces import NetworkState
from harness.tap import Tap
from harness.zigbee.swap_out import TrustCentreBackup

_LOG = logging.getLogger(__name__)
_UINT8 = 0xFF
_CHANGES = frozenset(
    {
        HubEventKind.WHITELISTED,
        HubEventKind.ALREADY_JOINED,
        HubEventKind.REMOVED,
        HubEventKind.KEY_ESTABLISHED,
    }
)


class LogKeeper(Protocol):
    """The hub, as far as its CHF needs it."""

    name: str

    @property
    def eui64(self) -> Eui64:
        """The hub's EUI-64."""

    def device_log(self) -> tuple[DeviceLogEntry, ...]:
        """Return the device log."""

    def historic_device_log(self) -> tuple[DeviceLogEntry, ...]:
        """Return what was removed from it, the oldest first."""

    async def add_to_device_log(
        self, eui64: Eui64, install_code: bytes, join_time_s: float
    ) -> DeviceLogEntry:
        """Whitelist a device."""

    async def remove_from_device_log(self, eui64: Eui64) -> bool:
        """Take a device out of the log; whether it was in it."""

    @property
    def network(self) -> NetworkState:
        """The HAN."""

    async def restore_device_log(self, backup: TrustCentreBackup) -> None:
        """Take another hub's place; ValueError when it cannot."""


class Chf:
    """The CHF of a SMETS2+ hub. `utc` gives the time; for `keys` and `alert` see `LogicalDevice`."""

    def __init__(
        self,
        hub: LogKeeper,
        keys: KeyStore,
        tap: Tap,
        *,
        utc: Callable[[], datetime],
        alert: Callable[[bytes], None],
        defects: Collection[HubDefect] = (),
    ) -> None:
        self._hub = hub
        self._defects = defects
        self._silent = HubDefect.CHF_RAISES_NO_ALERT in defects
        self._utc = utc
        self._device = LogicalDevice(
            "CHF",
            hub.eui64,
            HubNow(name=hub.name, tap=tap, utc=utc),
            keys,
            {
                CCS01: self._add,
                CCS02: self._remove,
                CCS03: self._restore,
                CCS06: self._links,
                CCS07: self._logs,
            },
            alert=alert,
            leaves_out=checks_left_out(defects),
        )

    @property
    def eui64(self) -> Eui64:
        """The CHF's EUI-64, which is the hub's."""
        return self._device.eui64

    @property
    def obeyed(self) -> tuple[bytes, ...]:
        """The commands that were obeyed so far."""
        return self._device.obeyed

    @property
    def refused(self) -> tuple[RefusedMessage, ...]:
        """What was not obeyed so far, and why."""
        return self._device.refused

    async def command(self, octets: bytes) -> bytes:
        """Obey a command and return the response.

        Raises DeviceSilent when there is none: it was refused. Raises RigFault when the radio is at fault.
        """
        return await self._device.command(octets)

    # --- commands -----------------------------------------------------------------------------------------

    async def _add(self, fields: AddDevice) -> AddDeviceResult:
        if not fields.enable_joining:
            return AddDeviceResult(enable_joining=AccessResult.OTHER_REASON)
        try:
            await self._hub.add_to_device_log(
                fields.device, fields.install_code, float(fields.join_timeout_s)
            )
        except ValueError as error:
            _LOG.info("hub %s: cannot register %s: %s", self._hub.name, fields.device, error)
            return AddDeviceResult(register=AccessResult.OTHER_REASON)
        return AddDeviceResult()

    async def _remove(self, device: Eui64) -> AccessResult:
        if HubDefect.CHF_KEEPS_REMOVED in self._defects:
            return AccessResult.SUCCESS
        removed = await self._hub.remove_from_device_log(device)
        return AccessResult.SUCCESS if removed else AccessResult.OBJECT_UNAVAILABLE

    async def _restore(self, fields: RestoreDeviceLog) -> AccessResult:
        backup = TrustCentreBackup(
            extended_pan_id=Eui64.from_bytes_be(fields.extended_pan_id),
            link_key_hashes={one.device: one.link_key_hash for one in fields.devices},
        )
        try:
            await self._hub.restore_device_log(backup)
        except ValueError as error:
            _LOG.info("hub %s: cannot take another's place: %s", self._hub.name, error)
            return AccessResult.OTHER_REASON
        self._tell_log()
        return AccessResult.SUCCESS

    async def _links(self, _: None) -> DeviceLinks:
        return DeviceLinks(devices=tuple(map(device_link, self._hub.device_log())))

    async def _logs(self, _: None) -> DeviceLogs:
        return DeviceLogs(
            device_log=self._copy(self._hub.device_log()),
            historic_log=self._copy(self._hub.historic_device_log()),
        )

    # --- alerts -------------------------------------------------------------------------------------------

    def hub_event(self, event: HubEvent) -> None:
        """Take an event of the hub: what changes the device log or a link key is told to the ACB."""
        withheld = event.kind is HubEventKind.REMOVED and HubDefect.CHF_TELLS_NO_REMOVAL in self._defects
        if event.kind in _CHANGES and not withheld and not self._silent:
            self._tell_log()

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Raise no alert of what happens within a `with` block, as no CHF in the field does."""
        before, self._silent = self._silent, True
        try:
            yield
        finally:
            self._silent = before

    def tell_transfer(self, device: Eui64, file_version: int, result: TransferResult) -> None:
        """Tell the ACB how the transfer of an image to a device has ended (CCS08)."""
        if self._silent:
            return
        firmware = file_version.to_bytes(4, "big")
        fields = FirmwareTransfer(time=self._utc(), device=device, firmware=firmware, result=result)
        self._device.raise_alert(CCS08, fields)

    def _tell_log(self) -> None:
        log = self._copy(self._hub.device_log())
        self._device.raise_alert(CS14, DeviceLogAlert(time=log.time, log=log))

    def _copy(self, entries: tuple[DeviceLogEntry, ...]) -> DeviceLogCopy:
        return DeviceLogCopy(
            time=CosemTime.of(self._utc()),
            extended_pan_id=self._hub.network.extended_pan_id.to_bytes_be(),
            devices=tuple(LoggedDevice(entry.eui64, self._shown(entry)) for entry in entries),
        )

    def _shown(self, entry: DeviceLogEntry) -> bytes:
        """Return what the log shows of a device's link key: nothing before one is established.

        Source: CS14 (a zero-length hash on whitelisting); Zigbee SE 1.4 §5.4.2.2 (AES-MMO). Basis: inferred.
        """
        if HubDefect.CHF_TELLS_LINK_KEYS in self._defects and entry.derived_key is not None:
            return entry.derived_key
        return entry.link_key_hash


def device_link(entry: DeviceLogEntry) -> DeviceLink:
    """Return what CCS06 says of a device (HUB-014 of the hub profile)."""
    link, joined = entry.link, entry.state is DeviceState.JOINED
    return DeviceLink(
        device=entry.eui64,
        status="".join(
            "01"[bit] for bit in (True, joined, False, False, entry.established, False, False, False)
        ),
        max_rssi=_int8(link.rssi.greatest),
        average_rssi=_int8(link.rssi.mean),
        min_rssi=_int8(link.rssi.least),
        max_lqi=link.lqi.greatest,
        average_lqi=link.lqi.mean,
        min_lqi=link.lqi.least,
        last_communication=_last_heard(entry),
        hops=1 if joined else 0,
        transmission_failures=min(link.undelivered, _UINT8),
        transmission_successes=min(link.delivered, _UINT8),
    )


def _int8(number: int) -> int:
    return max(-0x80, min(number, 0x7F))


def _last_heard(entry: DeviceLogEntry) -> CosemTime:
    if entry.heard_at is None:
        return CosemTime()
    return CosemTime.of(datetime.fromtimestamp(entry.heard_at, UTC))
