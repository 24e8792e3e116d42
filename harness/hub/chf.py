"""The hub as Communications Hub Function: GBCS commands to itself, and the alerts that it raises.

Its device log is the hub's own: CCS01 whitelists as a hub without GBCS is told to in plain words, CCS02 takes
off, CCS03 restores the log of a hub that this one replaces, CCS06 and CCS07 read. A change of the log or of a
link key is told to the ACB by CS14 (8F12). What is refused is recorded, changes nothing, and is not answered.
Source: facts gb-domain §3.2 to §3.4, sec-cpl-testing §5.1; GBCS use cases CCS01 to CCS07, CS14.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from harness.errors import DeviceSilent
from harness.eui64 import Eui64
from harness.gbcs import ACB, KeyStore, OwnKeys
from harness.gbcs.acceptance import Acceptance, Accepted, Refusal, Refused
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.use_case import UseCase
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
from harness.hub.defects import HubDefect, checks_left_out
from harness.hub.device_log import DeviceLogEntry
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.tap import Boundary, Tap
from harness.zigbee.security import mmo_hash

_LOG = logging.getLogger(__name__)
_CHANGES = frozenset({HubEventKind.WHITELISTED, HubEventKind.ALREADY_JOINED, HubEventKind.KEY_ESTABLISHED})


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

    def restore_device_log(self, devices: Mapping[Eui64, bytes]) -> None:
        """Take devices into the log with the link keys that they will come back under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A message that the CHF did not obey, and why."""

    octets: bytes
    refusal: Refusal
    reason: str


class Chf:
    """The CHF of a SMETS2+ hub. `keys` has its own private and everybody's public keys.

    `alert` takes each alert on its way to the DSP; it is called on the loop and must not block. `utc` gives
    the time.
    """

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
        self._keys = OwnKeys(hub.eui64, keys)
        self._tap = tap
        self._utc = utc
        self._alert = alert
        self._counters: dict[Eui64, int] = {}
        self._last_counter = 0
        self._refused: list[RefusedMessage] = []
        self._obeyed: list[bytes] = []
        self._does: Mapping[str, Callable[[Any], Awaitable[object]]] = {
            CCS01.name: self._add,
            CCS02.name: self._remove,
            CCS03.name: self._restore,
            CCS06.name: self._links,
            CCS07.name: self._logs,
        }
        use_cases: tuple[UseCase[Any, Any], ...] = (CCS01, CCS02, CCS03, CCS06, CCS07)
        self._acceptance = Acceptance(
            device=hub.eui64,
            originators=(ACB,),
            use_cases={use_case.code: use_case for use_case in use_cases},
            keys=self._keys,
            leaves_out=checks_left_out(defects),
        )

    @property
    def eui64(self) -> Eui64:
        """The CHF's EUI-64, which is the hub's."""
        return self._hub.eui64

    @property
    def obeyed(self) -> tuple[bytes, ...]:
        """The commands that were obeyed so far."""
        return tuple(self._obeyed)

    @property
    def refused(self) -> tuple[RefusedMessage, ...]:
        """What was not obeyed so far, and why."""
        return tuple(self._refused)

    async def command(self, octets: bytes) -> bytes:
        """Obey a command and return the response.

        Raises DeviceSilent when there is none: it was refused. Raises RigFault when the radio is at fault.
        """
        try:
            accepted = self._acceptance.take(octets, self._counters)
        except Refused as refused:
            self._refuse(octets, refused)
            raise DeviceSilent(f"the CHF of hub {self._hub.name} does not answer ({refused})") from None
        self._counters[accepted.message.originator] = accepted.message.counter
        self._obeyed.append(octets)
        return await self._obey(accepted)

    async def _obey(self, accepted: Accepted) -> bytes:
        outcome = await self._does[accepted.use_case.name](accepted.fields)
        return accepted.use_case.build_response(accepted.message, outcome, self._keys)

    def _refuse(self, octets: bytes, refused: Refused) -> None:
        self._refused.append(RefusedMessage(octets=octets, refusal=refused.refusal, reason=refused.reason))
        _LOG.info("hub %s: the CHF refused a GBCS message: %s", self._hub.name, refused)
        self._tap.record(
            Boundary.HUB,
            "dsp",
            self._hub.name,
            f"the CHF refused a GBCS message ({refused})",
            octets,
            refusal=refused.refusal.value,
            reason=refused.reason,
        )

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
        self._hub.restore_device_log({one.device: one.link_key_hash for one in fields.devices})
        self._tell_log()
        return AccessResult.SUCCESS

    async def _links(self, _: None) -> DeviceLinks:
        return DeviceLinks(
            devices=tuple(
                DeviceLink(device=entry.eui64, last_communication=_last_heard(entry))
                for entry in self._hub.device_log()
            )
        )

    async def _logs(self, _: None) -> DeviceLogs:
        return DeviceLogs(
            device_log=self._copy(self._hub.device_log()),
            historic_log=self._copy(self._hub.historic_device_log()),
        )

    # --- alerts -------------------------------------------------------------------------------------------

    def hub_event(self, event: HubEvent) -> None:
        """Take an event of the hub: what changes the device log or a link key is told to the ACB."""
        if event.kind in _CHANGES and HubDefect.CHF_RAISES_NO_ALERT not in self._defects:
            self._tell_log()

    def _tell_log(self) -> None:
        fields = DeviceLogAlert(time=CosemTime.of(self._utc()), log=self._copy(self._hub.device_log()))
        self._last_counter = max(self._last_counter + 1, int(self._utc().timestamp() * 1000))
        self._alert(
            CS14.build_alert(
                fields, self._keys, originator=self.eui64, recipient=ACB, counter=self._last_counter
            )
        )

    def _copy(self, entries: tuple[DeviceLogEntry, ...]) -> DeviceLogCopy:
        return DeviceLogCopy(
            time=CosemTime.of(self._utc()),
            extended_pan_id=self.eui64.to_bytes_be(),
            devices=tuple(LoggedDevice(entry.eui64, key_hash(entry)) for entry in entries),
        )


def key_hash(entry: DeviceLogEntry) -> bytes:
    """Return what the log shows of a device's link key: nothing before one is established.

    Source: CS14 (a zero-length hash on whitelisting); Zigbee SE 1.4 §5.4.2.2 (AES-MMO). Basis: inferred.
    """
    return mmo_hash(entry.derived_key) if entry.derived_key is not None else b""


def _last_heard(entry: DeviceLogEntry) -> CosemTime:
    if entry.heard_at is None:
        return CosemTime()
    return CosemTime.of(datetime.fromtimestamp(entry.heard_at, UTC))
