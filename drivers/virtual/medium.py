"""The virtual 2.4 GHz medium: whoever listens on a channel hears what is sent on it.

Frames go out one after the other; each is stamped with the time it would take at 250 kbit/s, so that no two
overlap in a capture, though nobody waits for it. All of it runs on one event loop.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.eui64 import Eui64

_PHY_OCTETS = 6  # preamble, start of frame, length
_SECONDS_AN_OCTET = 32e-6
_STRONG_DBM, _WEAK_DBM = -35.0, -95.0  # between these the LQI falls from 255 to 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """One frame on the air: the PSDU with its FCS, as a listener amid the nodes hears it."""

    time_s: float  # Unix time
    channel: int
    psdu: bytes
    rssi_dbm: float
    lqi: int
    sender: Eui64


class Station(Protocol):
    """A radio on the medium."""

    @property
    def eui64(self) -> Eui64:
        """Whose radio it is."""

    @property
    def listens_on(self) -> int | None:
        """The channel that the receiver is on, None when it is off."""

    def hear(self, psdu: bytes, rssi_dbm: float, lqi: int) -> None:
        """Take a frame; called on the loop."""


def lqi_of(rssi_dbm: float) -> int:
    """Return the LQI (0 to 255) that goes with a signal strength in dBm."""
    share = (rssi_dbm - _WEAK_DBM) / (_STRONG_DBM - _WEAK_DBM)
    return round(255 * min(1.0, max(0.0, share)))


class Medium:
    """The air. `loss` is the share of frames that a listener misses, `latency_s` how late it hears them.

    Taps hear everything, at once, whatever listeners miss.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        loss: float = 0.0,
        latency_s: float = 0.0,
        rssi_dbm: float = -42.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.loss = loss
        self.latency_s = latency_s
        self._rng = rng
        self._rssi_dbm = rssi_dbm
        self._clock = clock
        self._free_at_s = 0.0
        self._stations: list[Station] = []
        self._taps: list[Callable[[Transmission], None]] = []
        self._links: dict[tuple[Eui64, Eui64], tuple[float | None, float | None]] = {}

    def attach(self, station: Station) -> None:
        """Put a radio on the medium."""
        self._stations.append(station)

    def detach(self, station: Station) -> None:
        """Take a radio off the medium; no error when it is not on it."""
        if station in self._stations:
            self._stations.remove(station)

    def add_tap(self, callback: Callable[[Transmission], None]) -> Callable[[], None]:
        """Hand every transmission to `callback`, in order; return what removes it."""
        self._taps.append(callback)

        def remove() -> None:
            if callback in self._taps:
                self._taps.remove(callback)

        return remove

    def set_link(
        self, sender: Eui64, receiver: Eui64, *, loss: float | None = None, rssi_dbm: float | None = None
    ) -> None:
        """Say how one radio hears another, in place of the medium's own loss and signal strength."""
        self._links[sender, receiver] = (loss, rssi_dbm)

    def transmit(self, sender: Station, channel: int, psdu: bytes) -> None:
        """Send a frame with its FCS; it is heard after this returns."""
        time_s = max(self._clock(), self._free_at_s)
        self._free_at_s = time_s + (_PHY_OCTETS + len(psdu)) * _SECONDS_AN_OCTET
        sent = Transmission(
            time_s=time_s,
            channel=channel,
            psdu=psdu,
            rssi_dbm=self._rssi_dbm,
            lqi=lqi_of(self._rssi_dbm),
            sender=sender.eui64,
        )
        for tap in tuple(self._taps):
            tap(sent)
        loop = asyncio.get_running_loop()
        for station in self._stations:
            if station is sender:
                continue
            loss, rssi_dbm = self._links.get((sender.eui64, station.eui64), (None, None))
            loss = self.loss if loss is None else loss
            if loss and self._rng.random() < loss:
                continue
            strength = self._rssi_dbm if rssi_dbm is None else rssi_dbm
            if self.latency_s:
                loop.call_later(self.latency_s, self._arrive, station, channel, psdu, strength)
            else:
                loop.call_soon(self._arrive, station, channel, psdu, strength)

    def _arrive(self, station: Station, channel: int, psdu: bytes, rssi_dbm: float) -> None:
        if station in self._stations and station.listens_on == channel:
            station.hear(psdu, rssi_dbm, lqi_of(rssi_dbm))
