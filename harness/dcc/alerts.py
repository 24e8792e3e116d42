"""Alerts of hubs and devices: verified, kept, and what they mean for the DSP.

An alert counts when it is a known one, to the ACB, rightly protected by who is named in it, and newer than
any before it from there. One that does not is kept too, with the reason, and changes nothing.
Source: facts gb-domain §3.2 to §3.4 (CS14, CS09, CCS08), sec-cpl-testing §5.1; RTDS NA_GCS62.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.dcc.counters import Clock
from harness.dcc.inventory import SmiStore
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import ACB, KeyStore, parse
from harness.gbcs.use_case import AlertCase
from harness.gbcs.use_cases.device_log import CS14, DEVICE_LOG_CHANGED, DeviceLogAlert, LoggedDevice
from harness.gbcs.use_cases.firmware import (
    CCS08,
    CS09,
    PPMID_FIRMWARE_ACTIVATION,
    FirmwareTransfer,
    PpmidActivation,
)
from harness.gbcs.use_cases.gas_proxy import GCS62, GPF_DEVICE_LOG_CHANGED, GpfLogBackup
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import DeviceType
from harness.tap import Boundary, Tap

_KNOWN: Mapping[int, AlertCase[Any]] = {case.code: case for case in (CS14, CS09, CCS08, GCS62)}
_MOST_ALERTS = 10_000  # of a case; a DCC that serves for long forgets the oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAlert:
    """One alert. `via` is the hub that it came through, `refused` why it does not count (empty: it does).

    `content` is what the use case's alert carries, None for one that does not count.
    """

    when: datetime
    via: Eui64
    octets: bytes
    originator: Eui64 | None = None
    use_case: str | None = None
    alert_code: int | None = None
    content: DeviceLogAlert | PpmidActivation | FirmwareTransfer | GpfLogBackup | None = None
    refused: str = ""
    told: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        name = self.use_case or "an alert"
        code = f" {self.alert_code:04X}" if self.alert_code is not None else ""
        fields = "".join(f", {key} {value}" for key, value in self.told.items())
        why = f" refused: {self.refused}" if self.refused else ""
        return f"{name}{code} of {self.originator or 'nobody'}{fields}{why}"


class AlertDesk:
    """Takes alerts. `meant` is called with each one that counts; `store` says which GPF is of which hub."""

    def __init__(
        self, keys: KeyStore, store: SmiStore, tap: Tap, clock: Clock, meant: Callable[[DeviceAlert], None]
    ) -> None:
        self._keys = keys
        self._store = store
        self._tap = tap
        self._clock = clock
        self._meant = meant
        self._counters: dict[Eui64, int] = {}
        self._alerts: deque[DeviceAlert] = deque(maxlen=_MOST_ALERTS)
        self._logs: dict[Eui64, tuple[LoggedDevice, ...]] = {}
        self._gpf_logs: dict[Eui64, tuple[JoinedDevice, ...]] = {}
        self._networks: dict[Eui64, bytes] = {}

    @property
    def alerts(self) -> tuple[DeviceAlert, ...]:
        """Every alert since the case began, in order, those refused too."""
        return tuple(self._alerts)

    def forget(self) -> None:
        """Begin afresh; counters stay, as an old alert must not count again."""
        self._alerts.clear()
        self._logs.clear()
        self._gpf_logs.clear()
        self._networks.clear()

    def device_log_of(self, hub: Eui64) -> tuple[LoggedDevice, ...]:
        """Return the device log that a hub has told of last, empty when it has told of none."""
        return self._logs.get(hub, ())

    def extended_pan_id_of(self, hub: Eui64) -> bytes:
        """Return the extended PAN id (8 octets) that a hub has told of last, else its EUI-64."""
        return self._networks.get(hub, hub.to_bytes_be())

    def know(self, hub: Eui64, devices: tuple[LoggedDevice, ...]) -> None:
        """Take a hub's device log as told, for a hub that the bench does not have."""
        self._logs[hub] = devices

    def gpf_log_of(self, gpf: Eui64) -> tuple[JoinedDevice, ...]:
        """Return the device log that a GPF has backed up last, empty when it never has."""
        return self._gpf_logs.get(gpf, ())

    def know_gpf(self, gpf: Eui64, devices: tuple[JoinedDevice, ...]) -> None:
        """Take a GPF's device log as backed up, for a GPF that the bench does not have."""
        self._gpf_logs[gpf] = devices

    def take(self, via: Eui64, octets: bytes) -> DeviceAlert:
        """Take an alert as it came through a hub."""
        try:
            alert = self._read(via, octets)
        except DecodeError as error:
            alert = DeviceAlert(when=self._clock(), via=via, octets=octets, refused=str(error))
        self._alerts.append(alert)
        self._tap.record(
            Boundary.GBCS, str(via), "dsp", str(alert), octets, refused=alert.refused, told=dict(alert.told)
        )
        if not alert.refused:
            if isinstance(alert.content, DeviceLogAlert):
                self._logs[via] = alert.content.log.devices
                self._networks[via] = alert.content.log.extended_pan_id
            if isinstance(alert.content, GpfLogBackup) and alert.originator is not None:
                self._gpf_logs[alert.originator] = alert.content.devices
            self._meant(alert)
        return alert

    def _read(self, via: Eui64, octets: bytes) -> DeviceAlert:
        message = parse(octets)
        case = _KNOWN.get(message.message_code)
        if case is None:
            raise DecodeError("message code", f"{message.message_code:04X} is no alert that the DSP knows")
        if message.recipient != ACB:
            raise DecodeError("business target", f"is {message.recipient}, not the ACB")
        case.open_alert(message, self._keys)
        if case in (CS14, CCS08) and message.originator != via:
            raise DecodeError("business originator", f"is {message.originator}, and the hub is {via}")
        if case is GCS62 and not self._is_gpf_of(message.originator, via):
            raise DecodeError("business originator", f"is {message.originator}, no GPF of the hub {via}")
        last = self._counters.get(message.originator, -1)
        if message.counter <= last:
            raise DecodeError("originator counter", f"is {message.counter} after {last}: a replay")
        content = case.alert_fields(message)
        self._counters[message.originator] = message.counter
        code, told = _meaning(content)
        return DeviceAlert(
            when=self._clock(),
            via=via,
            octets=octets,
            originator=message.originator,
            use_case=case.name,
            alert_code=code,
            content=content,
            told=told,
        )

    def _is_gpf_of(self, device: Eui64, hub: Eui64) -> bool:
        record = self._store.get(device)
        return record is not None and record.device_type is DeviceType.GPF and record.hub == hub


def _meaning(content: object) -> tuple[int, Mapping[str, str]]:
    if isinstance(content, PpmidActivation):
        told = {"FirmwareVersion": content.firmware.hex().upper(), "Activation": content.result.text}
        return PPMID_FIRMWARE_ACTIVATION, told
    if isinstance(content, FirmwareTransfer):
        version = content.firmware.hex().upper()
        told = {
            "DeviceID": str(content.device),
            "FirmwareVersion": version,
            "Transfer": content.result.text,
        }
        return content.alert_code, told
    if isinstance(content, GpfLogBackup):
        devices = ", ".join(f"{one.device} {one.device_type.name}" for one in content.devices)
        return GPF_DEVICE_LOG_CHANGED, {"DeviceLog": devices}
    assert isinstance(content, DeviceLogAlert)
    devices = ", ".join(
        f"{one.device} {one.link_key_hash.hex().upper() or 'no key'}" for one in content.log.devices
    )
    return DEVICE_LOG_CHANGED, {"DeviceLog": devices}
