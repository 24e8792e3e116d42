"""How well a hub hears a device and reaches it, counted since the device was taken into the log."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Span:
    """The least, the greatest and the mean of numbers; all 0 before the first."""

    least: int = 0
    greatest: int = 0
    total: int = 0
    count: int = 0

    @property
    def mean(self) -> int:
        """The mean, rounded."""
        return round(self.total / self.count) if self.count else 0

    def with_one(self, number: int | None) -> Span:
        """Return the span with another number in it; None is no number."""
        if number is None:
            return self
        first = self.count == 0
        return Span(
            least=number if first else min(self.least, number),
            greatest=number if first else max(self.greatest, number),
            total=self.total + number,
            count=self.count + 1,
        )


_NONE = Span()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkQuality:
    """RSSI (dBm) and LQI of what was heard, as the radio says them, and how sending went."""

    rssi: Span = _NONE
    lqi: Span = _NONE
    delivered: int = 0
    undelivered: int = 0

    def heard(self, rssi_dbm: int | None, lqi: int | None) -> LinkQuality:
        """Return it after a message was heard."""
        return replace(self, rssi=self.rssi.with_one(rssi_dbm), lqi=self.lqi.with_one(lqi))

    def sent(self, *, ok: bool) -> LinkQuality:
        """Return it after a message was delivered, or was not."""
        if ok:
            return replace(self, delivered=self.delivered + 1)
        return replace(self, undelivered=self.undelivered + 1)


UNHEARD = LinkQuality()
"""Of a device that was never heard, and to which nothing was sent."""
