"""Which tunnels of a hub are open, whose they are, and when one has been silent for too long.

Sans-I/O: times are arguments, in seconds. A device may have several tunnels; the last one that it opened is
the one that it is reached by.
Source: ZSE 1.4 Annex D.6.2.1 (CloseTunnelTimeout), D.6.2.4.1 (RequestTunnel).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.eui64 import Eui64
from harness.zigbee import tunnel as codec


@dataclass(slots=True, kw_only=True)
class Tunnel:
    """An open tunnel. `max_incoming` is how many octets the device takes at once, `room` how many now.

    `asked_by` is the ZCL sequence number of the request that opened it.
    """

    number: int
    eui64: Eui64
    peer: int
    endpoint: int
    own_endpoint: int
    max_incoming: int
    flow_control: bool
    asked_by: int
    used_at: float
    room: int

    def is_of(self, peer: int, endpoint: int) -> bool:
        """Whether this is the tunnel of that short address and endpoint."""
        return (self.peer, self.endpoint) == (peer, endpoint)


class TunnelTable:
    """The open tunnels: `most` of them, each closed after `close_after_s` of silence."""

    def __init__(self, *, most: int, close_after_s: float) -> None:
        self._most = most
        self._close_after_s = close_after_s
        self._open: dict[int, Tunnel] = {}  # in the order of opening
        self._last = -1

    @property
    def all(self) -> tuple[Tunnel, ...]:
        """The open tunnels, the oldest first."""
        return tuple(self._open.values())

    def get(self, number: int) -> Tunnel | None:
        """Return a tunnel by its number."""
        return self._open.get(number)

    def of(self, eui64: Eui64) -> Tunnel | None:
        """Return the tunnel that a device opened last."""
        return next((entry for entry in reversed(self.all) if entry.eui64 == eui64), None)

    def asked_again(self, eui64: Eui64, endpoint: int, sequence: int) -> Tunnel | None:
        """Return the tunnel that this very request has opened already: its answer was lost."""
        last = self.of(eui64)
        return last if last and (last.endpoint, last.asked_by) == (endpoint, sequence) else None

    def free_number(self) -> int | None:
        """Return the number of the next tunnel, None when there are as many as there may be."""
        if len(self._open) >= self._most:
            return None
        self._last = (self._last + 1) % codec.NO_TUNNEL
        while self._last in self._open:
            self._last = (self._last + 1) % codec.NO_TUNNEL
        return self._last

    def add(self, entry: Tunnel) -> None:
        """Take a tunnel as open."""
        self._open[entry.number] = entry

    def close(self, number: int) -> Tunnel | None:
        """Close a tunnel; None when it is not open."""
        return self._open.pop(number, None)

    def forget(self, eui64: Eui64) -> None:
        """Drop the tunnels of a device that is gone."""
        self._open = {number: entry for number, entry in self._open.items() if entry.eui64 != eui64}

    def overdue(self, now: float) -> tuple[Tunnel, ...]:
        """Return the tunnels that have been silent for too long."""
        return tuple(entry for entry in self.all if entry.used_at + self._close_after_s <= now)

    def next_deadline(self) -> float | None:
        """Return when a tunnel will have been silent for too long."""
        return min((entry.used_at + self._close_after_s for entry in self.all), default=None)
