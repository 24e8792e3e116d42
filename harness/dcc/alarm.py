"""Wakes the DSP when something on its agenda is due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from harness.dcc.agenda import Agenda
from harness.dcc.counters import Clock

_PAUSE_S = 0.5  # what could not be done is tried again, not without end at once
_LONGEST_S = 3600.0  # a clock that is set is noticed that soon


class Alarm:
    """Calls `ring` when the first entry of an agenda is due by `clock`."""

    def __init__(self, agenda: Agenda, clock: Clock, ring: Callable[[], Awaitable[None]]) -> None:
        self._agenda = agenda
        self._clock = clock
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._ringing: asyncio.Task[None] | None = None

    def set(self, *, after_s: float = 0.0) -> None:
        """Look at the agenda again; in a running loop. It rings in `after_s` at the earliest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._agenda.next_due()
        if due is None:
            return
        wait_s = min(max(after_s, (due - self._clock()).total_seconds()), _LONGEST_S)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._look)

    async def close(self) -> None:
        """Ring no more; what is under way is given up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)

    def _look(self) -> None:
        if self._ringing is not None and not self._ringing.done():
            return  # it looks again when it ends
        due = self._agenda.next_due()
        if due is None or due > self._clock():
            self.set()
            return
        self._ringing = asyncio.ensure_future(self._rung())

    async def _rung(self) -> None:
        await self._ring()
        self.set(after_s=_PAUSE_S)
