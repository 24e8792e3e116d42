"""The door between a synchronous main thread (pytest's) and the harness's one event loop in another.

Source: DESIGN "Threads": anyio's BlockingPortal is the door.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")
_CLEANS_UP_WITHIN_S = 10.0


class Door:
    """Opens with the first call and is shut once; between them one thread runs one loop."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def call(self, work: Callable[..., Coroutine[Any, Any, T]], *arguments: Any, **named: Any) -> T:
        """Run a coroutine function on the loop and wait for it; Ctrl-C meanwhile cancels it."""
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
        ended = threading.Event()

        async def watched() -> T:
            try:
                return await work(*arguments, **named)
            finally:
                ended.set()

        future = self._portal.start_task_soon(watched)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                ended.wait(_CLEANS_UP_WITHIN_S)
            raise

    def shut(self) -> None:
        """End the loop and its thread; may be called twice."""
        self._portal = None
        self._stack.close()


class Blocking:
    """Anything of the harness as a synchronous test uses it: methods run on the loop and are waited for."""

    def __init__(self, door: Door, target: object) -> None:
        self._door = door
        self._target = target

    @property
    def unwrapped(self) -> Any:
        """The thing itself, for use on the loop."""
        return self._target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if inspect.iscoroutinefunction(found):
            return partial(self._door.call, found)
        if inspect.ismethod(found):
            return partial(self._door.call, _on_the_loop, found)
        return found


async def _on_the_loop(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return work(*arguments, **named)
