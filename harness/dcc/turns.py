"""Requests about one device wait for each other; about different devices they do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.eui64 import Eui64


class Turns:
    """Who waits for whom; nothing is kept of a device that nobody waits for."""

    def __init__(self) -> None:
        self._turns: dict[Eui64, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, device: Eui64) -> AsyncIterator[None]:
        """Wait for the requests about a device that came before."""
        lock, waiting = self._turns.get(device, (asyncio.Lock(), 0))
        self._turns[device] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns[device]
            self._turns[device] = (lock, waiting - 1)
            if waiting == 1:
                del self._turns[device]
