from __future__ import annotations

import asyncio

from harness.hub.timekeeper import Timekeeper


class Part:
    """Ticks once at `due`, and notes when."""

    def __init__(self, due):
        self.due = due
        self.ticks = []
        self.ticked = asyncio.Queue()

    def tick(self, now):
        self.ticks.append(now)
        self.ticked.put_nowait(now)
        if self.due is not None and self.due <= now:
            self.due = None

    def next_deadline(self):
        return self.due


class SlowPart(Part):
    async def tick(self, now):
        await asyncio.sleep(0)
        super().tick(now)


def test_each_part_is_ticked_at_its_time_and_everybody_when_one_wakes_it():
    async def scenario():
        clock = asyncio.get_running_loop().time
        soon, never = SlowPart(clock() + 0.02), Part(None)
        timekeeper = Timekeeper(clock, soon, never)
        running = asyncio.create_task(timekeeper.run())
        async with asyncio.timeout(5.0):
            for _ in range(2):
                await soon.ticked.get()
            await asyncio.sleep(0)  # everybody is ticked in one go
        assert soon.due is None
        assert len(soon.ticks) == len(never.ticks) == 2  # at the start, and when it was due
        timekeeper.wake()
        async with asyncio.timeout(5.0):
            while len(never.ticks) < 3:
                await never.ticked.get()
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()

    asyncio.run(scenario())
