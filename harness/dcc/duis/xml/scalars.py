"""DUIS's simple types. Each reads a text and writes one; both raise ValueError for what is out of range."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Generic, TypeVar

from harness.dcc.duis.requests.request import RequestId
from harness.eui64 import Eui64

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

_EUI = re.compile(r"(?:[0-9A-Fa-f]{2}-){7}[0-9A-Fa-f]{2}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,20}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_BLANKS = re.compile(r"[ \t\r\n]+")


@dataclass(frozen=True, slots=True)
class Scalar(Generic[T]):
    """A simple type: its name, how a text is read and how a value is written."""

    name: str
    read: Callable[[str], T]
    show: Callable[[T], str]

    def write(self, value: T) -> str:
        """Return the text of a value, which reads as it again. Raises ValueError."""
        text = self.show(value)
        self.read(text)
        return text


def text(shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Scalar[str]:
    """Return xs:string of so many characters; `pattern` is the whole of it."""
    compiled = re.compile(pattern) if pattern else None

    def read(value: str) -> str:
        if len(value) < shortest or (longest is not None and len(value) > longest):
            most = "" if longest is None else f" to {longest}"
            raise ValueError(f"{len(value)} characters, expected {shortest}{most}")
        if compiled and not compiled.fullmatch(value):
            raise ValueError(f"{value[:40]!r} is not of the form {pattern}")
        return value

    return Scalar("text", read, str)


def integer(smallest: int, largest: int) -> Scalar[int]:
    """Return a whole number in a range."""

    def read(value: str) -> int:
        if not _INTEGER.fullmatch(value.strip(" \t\r\n")):
            raise ValueError(f"{value[:40]!r} is no whole number")
        number = int(value)
        if not smallest <= number <= largest:
            raise ValueError(f"{number} is not within {smallest} to {largest}")
        return number

    return Scalar("whole number", read, lambda number: str(int(number)))


def enumerated(members: type[E], among: tuple[E, ...] = ()) -> Scalar[E]:
    """Return the values of an enum, or some of them."""
    known = {str(member.value): member for member in among or tuple(members)}

    def read(value: str) -> E:
        try:
            return known[value]
        except KeyError:
            raise ValueError(f"{value[:40]!r} is none of {', '.join(known)}") from None

    return Scalar(members.__name__, read, lambda member: str(member.value))


def words(*allowed: str) -> Scalar[str]:
    """Return one of these texts."""

    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"{value[:40]!r} is none of {', '.join(allowed)}")
        return value

    return Scalar("word", read, str)


def base64_octets(longest: int | None = None) -> Scalar[bytes]:
    """Return xs:base64Binary of at most so many octets."""

    def read(value: str) -> bytes:
        try:
            octets = base64.b64decode(_BLANKS.sub("", value), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"no base64: {error}") from None
        if longest is not None and len(octets) > longest:
            raise ValueError(f"{len(octets)} octets, at most {longest}")
        return octets

    return Scalar("base64", read, lambda octets: base64.b64encode(octets).decode("ascii"))


def hex_octets(shortest: int = 0, longest: int | None = None) -> Scalar[bytes]:
    """Return xs:hexBinary of so many octets."""

    def read(value: str) -> bytes:
        digits = value.strip(" \t\r\n")
        if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", digits):
            raise ValueError(f"{value[:40]!r} is no hex")
        octets = bytes.fromhex(digits)
        if len(octets) < shortest or (longest is not None and len(octets) > longest):
            raise ValueError(f"{len(octets)} octets, expected {shortest} to {longest}")
        return octets

    return Scalar("hex", read, lambda octets: octets.hex().upper())


def _read_eui(value: str) -> Eui64:
    digits = value.strip(" \t\r\n")
    if not _EUI.fullmatch(digits):
        raise ValueError(f"{value[:40]!r} is no EUI-64 such as 00-DB-12-34-56-78-90-A4")
    return Eui64(int(digits.replace("-", ""), 16))


def _read_request_id(value: str) -> RequestId:
    parts = value.strip(" \t\r\n").split(":")
    if len(parts) != 3 or not re.fullmatch(r"0|[1-9][0-9]{0,19}", parts[2]):
        raise ValueError(f"{value[:80]!r} is not originator:target:counter")
    return RequestId(_read_eui(parts[0]), _read_eui(parts[1]), int(parts[2]))


def _read_boolean(value: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.strip(" \t\r\n")]
    except KeyError:
        raise ValueError(f"{value[:40]!r} is neither true nor false") from None


def _read_decimal(value: str) -> str:
    if not _DECIMAL.fullmatch(value.strip(" \t\r\n")):
        raise ValueError(f"{value[:40]!r} is no decimal number")
    return value.strip(" \t\r\n")


def _read_date(value: str) -> date:
    found = _DATE.fullmatch(value.strip(" \t\r\n"))
    if found is None:
        raise ValueError(f"{value[:40]!r} is no date such as 2026-06-30")
    return date(int(found[1]), int(found[2]), int(found[3]))


def _read_date_time(value: str) -> datetime:
    found = _DATE_TIME.fullmatch(value.strip(" \t\r\n"))
    if found is None:
        raise ValueError(f"{value[:40]!r} is no time such as 2026-06-30T12:00:00.000Z")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    microsecond = int((found[7] or "").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=_zone(found[8]))
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value} is out of range in UTC") from None


def _zone(zone: str | None) -> timezone:
    if zone is None or zone == "Z":  # without a zone: UTC, as all of DUIS is
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError(f"{zone} is no time zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)


def _show_date_time(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} says no time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_euis(value: str) -> tuple[Eui64, ...]:
    if not 23 <= len(value) <= 1_199_999:
        raise ValueError(f"{len(value)} characters of device ids, expected 23 to 1199999")
    parts = value.split(",")
    if any(len(part) != 23 for part in parts):
        raise ValueError("no list of EUI-64s with commas between")
    return tuple(_read_eui(part) for part in parts)


EUI = Scalar("EUI-64", _read_eui, str)
EUI_LIST = Scalar("list of EUI-64s", _read_euis, lambda euis: ",".join(str(eui) for eui in euis))
REQUEST_ID = Scalar("request id", _read_request_id, str)
BOOLEAN = Scalar("boolean", _read_boolean, lambda value: "true" if value else "false")
DECIMAL = Scalar("decimal", _read_decimal, str)
DATE = Scalar("date", _read_date, lambda day: day.isoformat())
DATE_TIME = Scalar("time", _read_date_time, _show_date_time)
UNSIGNED_INT = integer(0, (1 << 32) - 1)
COUNTER = integer(0, (1 << 64) - 1)
ANY_TEXT = text()
