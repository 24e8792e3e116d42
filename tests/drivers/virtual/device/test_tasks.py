"""What a firmware has under way ends with its supply, and does not fail in silence."""

from __future__ import annotations

import asyncio

from drivers.virtual.device.tasks import Tasks


async def forever() -> None:
    await asyncio.Event().wait()


def test_everything_under_way_ends_but_for_the_task_that_asks():
    async def scenario():
        tasks, ended = Tasks("a device's firmware"), []

        async def stops() -> None:
            await tasks.stop()
            ended.append("asker")

        waiting = tasks.spawn(forever())
        await asyncio.sleep(0)
        await tasks.spawn(stops())
        assert waiting.cancelled()
        assert ended == ["asker"]

    asyncio.run(scenario())


def test_a_failure_reaches_the_loops_handler_under_the_firmwares_name():
    async def fails() -> None:
        raise ValueError("no such thing")

    async def scenario():
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        tasks = Tasks("a device's firmware")
        await asyncio.wait({tasks.spawn(fails())})
        await asyncio.sleep(0)
        assert [context["message"] for context in told] == ["a device's firmware failed"]

    asyncio.run(scenario())
