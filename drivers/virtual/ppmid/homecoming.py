"""How a PPMID that has lost its network comes back, to the same hub or to one that has taken its place.

It looks on the channel that it knows first, then on all of its own. Another hub is a new trust centre: with
that one the mode is chosen and a link key established anew. Until that is done nothing of it is kept; when it
fails, the PPMID is where it was, and looks on. Source: SE 1.4 §5.4.2.2; 05-3474-23 §4.7.4.1.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.nonvolatile import NonVolatile
from drivers.virtual.ppmid.surroundings import PpmidStack
from drivers.virtual.stack.faces import JoinResult


async def come_back(
    stack: PpmidStack,
    kept: NonVolatile,
    config: PpmidConfig,
    *,
    lost: Callable[[], bool],
    settle_in: Callable[[JoinResult], Awaitable[str | None]],
) -> JoinResult | None:
    """Rejoin until it works; None when the PPMID is no longer `lost` but told that it is out.

    `settle_in` is what there is to do with another trust centre; it says why it came to nothing.
    """
    pause_s, channels = config.timings.first_pause_s, tuple[int, ...]()
    while lost():
        result = await stack.rejoin(channels)
        if result.failure is None and (not result.swapped or await _settled(stack, kept, result, settle_in)):
            return result
        channels = config.channels
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, config.timings.longest_pause_s)
    return None


async def _settled(
    stack: PpmidStack,
    kept: NonVolatile,
    result: JoinResult,
    settle_in: Callable[[JoinResult], Awaitable[str | None]],
) -> bool:
    before = kept.mode, kept.suites, kept.suite_used, kept.old_network
    kept.suite_used = 0
    if await settle_in(result) is None:
        return True
    kept.mode, kept.suites, kept.suite_used, kept.old_network = before
    if kept.stack is not None:
        stack.restore(kept.stack)
    return False
