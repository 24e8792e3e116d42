"""The GPF's device log: GCS62 backs it up to the ACB whenever it changes, GCS59 restores it on another GPF.

::

    GCS62 alert     SEQUENCE { 8071, time, SEQUENCE OF SEQUENCE { device, type } }
    GCS59 command   SEQUENCE { SEQUENCE OF SEQUENCE { device, type } }
    GCS59 response  SEQUENCE { SEQUENCE OF SEQUENCE { SEQUENCE { device, type }, join result } }

Both are MAC only. Entries are those of CS07, and the result of each is that of a join.
Source: RTDS 4.5.0 8.12.2_GCS59, NA_GCS62; GBCS mapping table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.gbcs import der
from harness.gbcs.builder import Protection
from harness.gbcs.der import DerReader
from harness.gbcs.use_case import AlertCase, UseCase, der_content
from harness.gbcs.use_cases.joining import (
    JoinedDevice,
    JoinResult,
    read_joined,
    read_joined_devices,
    read_number,
    write_joined,
    write_joined_devices,
)

GPF_DEVICE_LOG_CHANGED = 0x8071


@dataclass(frozen=True, slots=True, kw_only=True)
class GpfLogBackup:
    """GCS62: when the GPF's device log changed, and the whole of it."""

    time: datetime
    devices: tuple[JoinedDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class RestoredDevice:
    """What became of one entry of GCS59."""

    joined: JoinedDevice
    result: JoinResult = JoinResult.SUCCESS


def _write_backup(backup: GpfLogBackup) -> bytes:
    return der.sequence(
        der.integer(GPF_DEVICE_LOG_CHANGED),
        der.generalized_time(backup.time),
        write_joined_devices(backup.devices),
    )


def _read_backup(reader: DerReader) -> GpfLogBackup:
    fields = reader.sequence("GCS62 alert")
    code = read_number(fields, "alert code")
    if code != GPF_DEVICE_LOG_CHANGED:
        raise fields.error("alert code", f"is {code:04X}, expected {GPF_DEVICE_LOG_CHANGED:04X}")
    backup = GpfLogBackup(
        time=fields.generalized_time("time of the device log"), devices=read_joined_devices(fields)
    )
    fields.end("GCS62 alert")
    return backup


def _write_restore(devices: tuple[JoinedDevice, ...]) -> bytes:
    return der.sequence(write_joined_devices(devices))


def _read_restore(reader: DerReader) -> tuple[JoinedDevice, ...]:
    fields = reader.sequence("GCS59 command")
    devices = read_joined_devices(fields)
    fields.end("GCS59 command")
    return devices


def _write_outcomes(outcomes: tuple[RestoredDevice, ...]) -> bytes:
    written = (der.sequence(write_joined(one.joined), der.integer(one.result)) for one in outcomes)
    return der.sequence(der.sequence(*written))


def _read_outcomes(reader: DerReader) -> tuple[RestoredDevice, ...]:
    fields = reader.sequence("GCS59 response")
    entries = fields.sequence("restore outcomes")
    outcomes = []
    while not entries.done:
        entry = entries.sequence("restore outcome")
        joined = read_joined(entry)
        outcomes.append(RestoredDevice(joined, JoinResult(read_number(entry, "join response"))))
        entry.end("restore outcome")
    fields.end("GCS59 response")
    return tuple(outcomes)


GCS59 = UseCase(
    name="GCS59",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=der_content("GCS59 command", _write_restore, _read_restore),
    response_content=der_content("GCS59 response", _write_outcomes, _read_outcomes),
)
GCS62 = AlertCase(
    name="GCS62",
    alert=Protection.MACED,
    content=der_content("GCS62 alert", _write_backup, _read_backup),
)
