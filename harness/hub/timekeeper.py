"""A hub's one timer: whatever has something to do at a time is asked when, and told then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Timed(Protocol):
    """A part of the hub that does things at a time of the hub's clock."""

    def tick(self, now: float) -> Awaitable[None] | None:
        """Do what is due."""

    def next_deadline(self) -> float | None:
        """Return when `tick` is due next; None when never."""


class Timekeeper:
    """Ticks its parts when they are due. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], *parts: Timed) -> None:
        self._clock = clock
        self._parts = parts
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Tick at once, and ask for the deadlines anew."""
        self._awake.set()

    async def run(self) -> None:
        """Keep time until cancelled."""
        while True:
            self._awake.clear()
            for part in self._parts:
                work = part.tick(self._clock())
                if work is not None:
                    await work
            dues = (part.next_deadline() for part in self._parts)
            due = min((entry for entry in dues if entry is not None), default=None)
            wait_s = None if due is None else max(0.0, due - self._clock())
            try:
                async with asyncio.timeout(wait_s):
                    await self._awake.wait()
            except TimeoutError:
                continue
