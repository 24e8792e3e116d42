"""Waiting for something to become so: every wait of a plan has an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_EVERY_S = 0.02
_LONGEST_PAUSE_S = 0.25


async def until(condition: Callable[[], bool], within_s: float) -> bool:
    """Look again and again until it is so; return whether it was in time."""

    async def look() -> bool:
        return condition()

    return await eventually(look, within_s)


async def eventually(condition: Callable[[], Awaitable[bool]], within_s: float) -> bool:
    """Ask again and again, with longer and longer pauses, until it is so; return whether it was in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    pause_s = _EVERY_S
    while not await condition():
        left_s = deadline - loop.time()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)
    return True
