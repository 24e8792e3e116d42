"""Setting a meter's clock (ECS70, GCS28): what commissions a meter (8.1.1) and what synchronises it (6.11).

::

    ECS70  to an ESME, DLMS on the clock (class 8, 0-0:1.0.0.255): set 9 clock_base (5, by radio),
           action 5 preset_adjusting_time { time left open, interval's start, interval's end },
           action 4 adjust_to_preset_time (0), get 2 time, get 4 status
    GCS28  to a GSME, DER: SEQUENCE { start, end }; answered SEQUENCE { time, status }

The command carries no time to set: the meter takes the Communications Hub's, if that lies in the interval.
Commands are signed by the supplier and MACed, responses signed.
Source: RTDS 8.1.1_ECS70Commission, 8.1.1_GCS28Commission, 6.11; IEC 62056-6-2 Clock (class 8: members, bits
of the status); MMC schema SynchroniseClockRsp (statuses in words).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from harness.errors import DecodeError
from harness.gbcs import der, dlms
from harness.gbcs.access import Access, AccessRequest, AccessResponse, AccessResult, Specification
from harness.gbcs.builder import Protection
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.der import DerReader
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.open_enum import OpenEnum
from harness.gbcs.use_case import Content, UseCase, der_content
from harness.gbcs.use_cases.device_log import expect_accesses, expect_results
from harness.gbcs.use_cases.joining import read_number

_CLOCK_CLASS, _CLOCK = 0x0008, bytes.fromhex("0000010000FF")
_CLOCK_BASE = Specification(Access.SET, _CLOCK_CLASS, _CLOCK, 9)
_PRESET = Specification(Access.ACTION, _CLOCK_CLASS, _CLOCK, 5)
_ADJUST = Specification(Access.ACTION, _CLOCK_CLASS, _CLOCK, 4)
_TIME = Specification(Access.GET, _CLOCK_CLASS, _CLOCK, 2)
_STATUS = Specification(Access.GET, _CLOCK_CLASS, _CLOCK, 4)
_ACCESSES = (_CLOCK_BASE, _PRESET, _ADJUST, _TIME, _STATUS)
_BY_RADIO = 5
_INVALID_BITS = 0x0F  # invalid, doubtful, other base, invalid status; the rest is daylight saving

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock:
    """Take the Communications Hub's time if it is from `start` to `end` (UTC, whole seconds)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EsmeClock:
    """An ESME's answer: how each of the five accesses went, and its time and clock status if readable.

    `status` is 0 for a clock that is right.
    """

    clock_base: AccessResult = AccessResult.SUCCESS
    preset: AccessResult = AccessResult.SUCCESS
    adjusted: AccessResult = AccessResult.SUCCESS
    time: CosemTime | AccessResult
    status: int | AccessResult

    @property
    def ok(self) -> bool:
        """Whether the clock is set and right."""
        if isinstance(self.time, AccessResult) or isinstance(self.status, AccessResult):
            return False
        done = {self.clock_base, self.preset, self.adjusted} == {AccessResult.SUCCESS}
        return done and self.status & _INVALID_BITS == 0


class ClockStatus(OpenEnum):
    """A GSME's word on its clock."""

    RELIABLE = 0
    INVALID = 1
    UNRELIABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GsmeClock:
    """A GSME's answer: its time, and how far it trusts it."""

    time: datetime
    status: ClockStatus = ClockStatus.RELIABLE

    @property
    def ok(self) -> bool:
        """Whether the clock is set and right."""
        return self.status is ClockStatus.RELIABLE


def _write_esme_command(fields: SetClock, counter: int) -> bytes:
    interval = (dlms.date_time(CosemTime.of(moment)) for moment in (fields.start, fields.end))
    data = (
        dlms.enum(_BY_RADIO),
        dlms.structure(dlms.date_time(CosemTime()), *interval),
        dlms.integer(0),
        dlms.NULL,
        dlms.NULL,
    )
    return AccessRequest(_ACCESSES, data).to_bytes(counter)


def _read_esme_command(octets: bytes, counter: int) -> SetClock:
    request = AccessRequest.from_bytes(octets, counter)
    base, preset, adjust, time, status = expect_accesses(request, *_ACCESSES)
    if (base, adjust, time, status) != (dlms.enum(_BY_RADIO), dlms.integer(0), dlms.NULL, dlms.NULL):
        raise DecodeError("data", "is not that of a clock to be set by radio")
    return dlms.read_whole(preset, "preset adjusting time", _read_interval)


def _read_interval(reader: DlmsReader) -> SetClock:
    reader.structure("preset adjusting time", 3)
    if reader.date_time("preset time") != CosemTime():
        raise reader.octets.error("preset time", "is not left open")
    start = _moment(reader, "start of the interval")
    return SetClock(start=start, end=_moment(reader, "end of the interval"))


def _moment(reader: DlmsReader, field: str) -> datetime:
    moment = reader.date_time(field).moment
    if moment is None:
        raise reader.octets.error(field, "is no moment")
    return moment


def _write_esme_response(fields: EsmeClock, counter: int) -> bytes:
    time, status = fields.time, fields.status
    read = (
        dlms.date_time(time) if isinstance(time, CosemTime) else dlms.NULL,
        dlms.NULL if isinstance(status, AccessResult) else dlms.unsigned(status),
    )
    results = (
        fields.clock_base,
        fields.preset,
        fields.adjusted,
        time if isinstance(time, AccessResult) else AccessResult.SUCCESS,
        status if isinstance(status, AccessResult) else AccessResult.SUCCESS,
    )
    accesses = (one.access for one in _ACCESSES)
    response = AccessResponse((dlms.NULL,) * 3 + read, tuple(zip(accesses, results, strict=True)))
    return response.to_bytes(counter)


def _read_esme_response(octets: bytes, counter: int) -> EsmeClock:
    response = AccessResponse.from_bytes(octets, counter)
    base, preset, adjusted, time, status = expect_results(response, *(one.access for one in _ACCESSES))
    if response.data[:3] != (dlms.NULL,) * 3:
        raise DecodeError("data", "has no place before the time")
    return EsmeClock(
        clock_base=base,
        preset=preset,
        adjusted=adjusted,
        time=_value(response.data[3], time, "time", lambda reader: reader.date_time("time")),
        status=_value(
            response.data[4], status, "clock status", lambda reader: reader.unsigned("clock status")
        ),
    )


def _value(
    data: bytes, result: AccessResult, field: str, read: Callable[[DlmsReader], T]
) -> T | AccessResult:
    """Return what was read, or why it was not; raises DecodeError when data and result do not agree."""
    if result is AccessResult.SUCCESS:
        return dlms.read_whole(data, field, read)
    if data != dlms.NULL:
        raise DecodeError(field, f"is there, and the result is {result.text}")
    return result


def _read_gsme_command(reader: DerReader) -> SetClock:
    inner = reader.sequence("interval")
    start = inner.generalized_time("start of the interval")
    end = inner.generalized_time("end of the interval")
    inner.end("interval")
    return SetClock(start=start, end=end)


def _write_gsme_command(fields: SetClock) -> bytes:
    return der.sequence(der.generalized_time(fields.start), der.generalized_time(fields.end))


def _write_gsme_response(fields: GsmeClock) -> bytes:
    return der.sequence(der.generalized_time(fields.time), der.integer(fields.status))


def _read_gsme_response(reader: DerReader) -> GsmeClock:
    inner = reader.sequence("clock")
    time = inner.generalized_time("time")
    status = ClockStatus(read_number(inner, "clock status"))
    inner.end("clock")
    return GsmeClock(time=time, status=status)


ECS70 = UseCase(
    name="ECS70",
    command=Protection.SIGNED_AND_MACED,
    response=Protection.SIGNED,
    command_content=Content(_write_esme_command, _read_esme_command),
    response_content=Content(_write_esme_response, _read_esme_response),
)
GCS28 = UseCase(
    name="GCS28",
    command=Protection.SIGNED_AND_MACED,
    response=Protection.SIGNED,
    command_content=der_content("interval", _write_gsme_command, _read_gsme_command),
    response_content=der_content("clock", _write_gsme_response, _read_gsme_response),
)
