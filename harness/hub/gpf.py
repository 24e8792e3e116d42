"""The hub as Gas Proxy Function: the second logical device of a SMETS2+ hub, with a device log of its own.

The CHF's log says who may be on the HAN; the GPF's says whom it serves: the gas meter that it stands in for,
and the PPMIDs and Type 2 devices that show its data. CS03B joins a device, CS04B unjoins it, CS07 reads the
log, GCS59 restores that of a GPF whose place this one takes. A change is told to the ACB by GCS62 (8071), so
that there is something to restore.
Source: RTDS 4.5.0 (CS03B, CS04B, GCS59, GCS62: methods, types, result codes); GBCS mapping table. What they
leave open is HUB-012 and HUB-013 of the hub profile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.gbcs.use_cases.gas_proxy import GCS59, GCS62, GpfLogBackup, RestoredDevice
from harness.gbcs.use_cases.joining import (
    CS03B,
    CS04B,
    CS07,
    DeviceType,
    Join,
    JoinDetails,
    JoinedDevice,
    JoinMethod,
    JoinResult,
    UnjoinResult,
)
from harness.hub.defects import HubDefect, gpf_checks_left_out
from harness.hub.logical_device import HubNow, LogicalDevice, RefusedMessage

_MOST = 16
_SERVED = frozenset({DeviceType.GSME, DeviceType.PPMID, DeviceType.TYPE_2})
_OF_ONE = frozenset({DeviceType.GSME})  # types of which there is one at most
_LOCAL_BIT = 0x02 << 56


def gpf_of(hub: Eui64) -> Eui64:
    """Return the EUI-64 of a hub's GPF where the rig names none: the hub's, its universal/local bit turned.

    No maker gives that to a device, so it cannot be the next dongle's.
    """
    return Eui64(hub.value ^ _LOCAL_BIT)


class GpfDeviceLog:
    """Whom the GPF serves, in the order of joining."""

    def __init__(self) -> None:
        self._types: dict[Eui64, DeviceType] = {}

    @property
    def entries(self) -> tuple[JoinedDevice, ...]:
        """The log."""
        return tuple(JoinedDevice(device, kind) for device, kind in self._types.items())

    def join(self, joined: JoinedDevice) -> JoinResult:
        """Take a device in; return what the response says."""
        known = self._types.get(joined.device)
        if joined.device_type not in _SERVED:
            return JoinResult.INVALID_METHOD_AND_ROLE
        if known is not None:
            same = known is joined.device_type
            return JoinResult.SUCCESS if same else JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY
        if joined.device_type in _OF_ONE and joined.device_type in self._types.values():
            return JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY
        if len(self._types) >= _MOST:
            return JoinResult.DEVICE_LOG_FULL
        self._types[joined.device] = joined.device_type
        return JoinResult.SUCCESS

    def unjoin(self, device: Eui64) -> UnjoinResult:
        """Forget a device; return what the response says."""
        gone = self._types.pop(device, None)
        return UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG if gone is None else UnjoinResult.SUCCESS

    def clear(self) -> None:
        """Forget all of them."""
        self._types.clear()


class Gpf:
    """The GPF of a SMETS2+ hub whose CHF is `chf`. For `keys` and `alert` see `LogicalDevice`."""

    def __init__(
        self,
        eui64: Eui64,
        hub: HubNow,
        keys: KeyStore,
        *,
        chf: Eui64,
        alert: Callable[[bytes], None],
        defects: Collection[HubDefect] = (),
    ) -> None:
        self._hub = hub
        self._defects = defects
        self._log = GpfDeviceLog()
        self._device = LogicalDevice(
            "GPF",
            eui64,
            hub,
            keys,
            {CS03B: self._join, CS04B: self._unjoin, CS07: self._details, GCS59: self._restore},
            alert=alert,
            leaves_out=gpf_checks_left_out(defects),
            answers_as=chf if HubDefect.GPF_ANSWERS_AS_CHF in defects else None,
        )

    @property
    def eui64(self) -> Eui64:
        """The GPF's EUI-64."""
        return self._device.eui64

    @property
    def obeyed(self) -> tuple[bytes, ...]:
        """The commands that were obeyed so far."""
        return self._device.obeyed

    @property
    def refused(self) -> tuple[RefusedMessage, ...]:
        """What was not obeyed so far, and why."""
        return self._device.refused

    def device_log(self) -> tuple[JoinedDevice, ...]:
        """Return the device log."""
        return self._log.entries

    def forget(self) -> None:
        """Empty the device log and tell nobody, as no GPF in the field does: a case begins afresh."""
        self._log.clear()

    async def command(self, octets: bytes) -> bytes:
        """Obey a command and return the response; raises DeviceSilent when it is refused."""
        return await self._device.command(octets)

    # --- commands -----------------------------------------------------------------------------------------

    async def _join(self, join: Join) -> JoinResult:
        if join.method is not JoinMethod.METHOD_B:
            return JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE
        if join.certificate:
            return JoinResult.INVALID_OR_MISSING_CERTIFICATE
        (outcome,) = self._take_in((JoinedDevice(join.device, join.device_type),))
        return outcome.result

    async def _unjoin(self, device: Eui64) -> UnjoinResult:
        if HubDefect.GPF_KEEPS_UNJOINED in self._defects:
            return UnjoinResult.SUCCESS
        before = self._log.entries
        result = self._log.unjoin(device)
        self._tell_change(before)
        return result

    async def _details(self, _: None) -> JoinDetails:
        return JoinDetails(devices=self._log.entries)

    async def _restore(self, devices: tuple[JoinedDevice, ...]) -> tuple[RestoredDevice, ...]:
        if HubDefect.GPF_FORGETS_RESTORED in self._defects:
            return tuple(map(RestoredDevice, devices))
        return self._take_in(devices)

    def _take_in(self, devices: Iterable[JoinedDevice]) -> tuple[RestoredDevice, ...]:
        before = self._log.entries
        outcomes = tuple(RestoredDevice(joined, self._log.join(joined)) for joined in devices)
        self._tell_change(before)
        return outcomes

    def _tell_change(self, before: tuple[JoinedDevice, ...]) -> None:
        if self._log.entries == before or HubDefect.GPF_RAISES_NO_ALERT in self._defects:
            return
        now = self._hub.utc().replace(microsecond=0)
        self._device.raise_alert(GCS62, GpfLogBackup(time=now, devices=self._log.entries))
