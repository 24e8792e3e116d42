"""How a device that has lost its network comes back, to the same hub or to one that has taken its place.

It looks on the channel that it knows first, then on all of its own. Another hub is a new trust centre, with
which it has to settle in anew before it is at home. Source: SE 1.4 §5.4.2.2; 05-3474-23 §4.7.4.1.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.device.timings import FirmwareTimings
from drivers.virtual.stack.faces import JoinResult


async def come_back(
    stack: DeviceStack,
    own_channels: tuple[int, ...],
    timings: FirmwareTimings,
    *,
    lost: Callable[[], bool],
    settle_in: Callable[[JoinResult], Awaitable[bool]],
) -> JoinResult | None:
    """Rejoin until it works; None when the device is no longer `lost` but told that it is out.

    `settle_in` does what there is to do with another trust centre; where it says that this came to nothing,
    it has put everything back as it was before.
    """
    pause_s, channels = timings.first_pause_s, tuple[int, ...]()
    while lost():
        result = await stack.rejoin(channels)
        if result.failure is None and (not result.swapped or await settle_in(result)):
            return result
        channels = own_channels
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, timings.longest_pause_s)
    return None
