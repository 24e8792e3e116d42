"""COSEM date-time: 12 octets, any part of which may be left open.

::

    year (2) | month | day | day of week | hour | minute | second | hundredths | deviation (2) | status

FF (FFFF, 8000 for the deviation) leaves a part open. Months FD and FE and days FD and FE have the meanings
that DLMS gives them (daylight saving; last days of a month); such a pattern is no moment.
Source: DLMS UA 1000-1 (Blue Book) date_time; facts gb-domain §3.4 (the RTDS forms).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from harness.gbcs.octets import Reader

LENGTH = 12
OPEN = 0xFF
OPEN_YEAR = 0xFFFF
OPEN_DEVIATION = -0x8000


@dataclass(frozen=True, slots=True, kw_only=True)
class CosemTime:
    """A date-time as its parts stand on the wire. `deviation` is minutes from local time to UTC.

    Raises ValueError when a part does not fit its octets.
    """

    year: int = OPEN_YEAR
    month: int = OPEN
    day: int = OPEN
    weekday: int = OPEN
    hour: int = OPEN
    minute: int = OPEN
    second: int = OPEN
    hundredths: int = OPEN
    deviation: int = OPEN_DEVIATION
    status: int = OPEN

    def __post_init__(self) -> None:
        _ = self.to_bytes()

    @classmethod
    def of(cls, moment: datetime) -> CosemTime:
        """Return a moment as devices in GB send it: UTC, deviation and weekday open, hundredths 0.

        A moment without a zone is UTC.
        """
        utc = moment.astimezone(UTC) if moment.tzinfo else moment
        return cls(
            year=utc.year,
            month=utc.month,
            day=utc.day,
            hour=utc.hour,
            minute=utc.minute,
            second=utc.second,
            hundredths=0,
        )

    @property
    def moment(self) -> datetime | None:
        """The moment in UTC, or None when a part that it needs is open."""
        hundredths = 0 if self.hundredths == OPEN else self.hundredths
        try:
            return datetime(
                self.year,
                self.month,
                self.day,
                self.hour,
                self.minute,
                self.second,
                hundredths * 10_000,
                tzinfo=UTC,
            )
        except ValueError:
            return None

    def to_bytes(self) -> bytes:
        """Return the 12 octets."""
        try:
            return b"".join(
                (
                    self.year.to_bytes(2, "big"),
                    bytes((self.month, self.day, self.weekday)),
                    bytes((self.hour, self.minute, self.second, self.hundredths)),
                    self.deviation.to_bytes(2, "big", signed=True),
                    bytes((self.status,)),
                )
            )
        except (OverflowError, ValueError):
            raise ValueError(f"a part of {self} does not fit") from None

    @classmethod
    def from_bytes(cls, octets: bytes, field: str = "date-time", *, base: int = 0) -> CosemTime:
        """Read the 12 octets; raises DecodeError naming `field` when there are more or fewer."""
        reader = Reader(octets, base=base)
        year = reader.number(2, field)
        month, day, weekday, hour, minute, second, hundredths = reader.take(7, field)
        deviation = int.from_bytes(reader.take(2, field), "big", signed=True)
        status = reader.number(1, field)
        reader.end(field)
        return cls(
            year=year,
            month=month,
            day=day,
            weekday=weekday,
            hour=hour,
            minute=minute,
            second=second,
            hundredths=hundredths,
            deviation=deviation,
            status=status,
        )
