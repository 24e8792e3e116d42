"""Questions waiting for their answers: matched by a key, bounded by a deadline, failed with the radio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from harness.errors import BenchError, DeviceSilent


class Exchanges:
    """Who waits for what."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, asyncio.Future[Any]] = {}

    async def ask(
        self, key: Hashable, send: Callable[[], Awaitable[object]], *, what: str, timeout_s: float
    ) -> Any:
        """Send, and return the answer given for `key`; raises DeviceSilent, or what `send` raises.

        The answer may come before `send` has returned: its acknowledgement can be slower.
        """
        with self.expect(key) as answer:
            try:
                async with asyncio.timeout(timeout_s):
                    await send()
                    return await answer
            except TimeoutError:
                raise DeviceSilent(f"{what}: no answer within {timeout_s:g} s") from None

    @contextmanager
    def expect(self, key: Hashable) -> Iterator[asyncio.Future[Any]]:
        """Wait for an answer within a `with` block; ValueError when somebody waits for the same."""
        if key in self._waiting:
            raise ValueError(f"already waiting for {key}")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        try:
            yield future
        finally:
            del self._waiting[key]
            if not future.cancel() and not future.cancelled():
                future.exception()  # an error that nobody waited for any more is not a stray one

    def answer(self, key: Hashable, value: object) -> bool:
        """Hand over an answer; False when nobody waits for it."""
        future = self._waiting.get(key)
        if future is None or future.done():
            return False
        future.set_result(value)
        return True

    def fail(self, fault: Callable[[], BenchError]) -> None:
        """Fail everybody who waits, each with a fault of its own."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(fault())
