"""A capture radio that the environment itself provides: the virtual bench's ear on every channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.rig.faces import DriverContext, DriverSpec, Environment, Face, SniffedFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSnifferOptions:
    """Nothing to choose: it hears every channel."""


class EnvironmentSniffer:
    """`harness.rig.faces.Sniffer` over an environment's air, whose frames come from another thread."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._remove: Callable[[], None] | None = None

    async def start(self, callback: Callable[[SniffedFrame], None]) -> None:
        """Capture from now; a capture that goes on is given to `callback` instead."""
        await self.stop()
        loop = asyncio.get_running_loop()

        def heard(frame: SniffedFrame) -> None:
            loop.call_soon_threadsafe(callback, frame)

        self._remove = self._environment.add_sniffer(heard)

    async def drain(self) -> None:
        """Return when all frames heard so far were handed over: the loop keeps the order of its callers."""
        loop = asyncio.get_running_loop()
        passed = asyncio.Event()
        loop.call_soon_threadsafe(passed.set)
        await passed.wait()

    async def stop(self) -> None:
        """Stop capturing; may be called twice."""
        remove, self._remove = self._remove, None
        if remove is not None:
            remove()


def _create(_: EnvironmentSnifferOptions, context: DriverContext) -> EnvironmentSniffer:
    if context.environment is None:
        raise ConfigError("driver `environment-sniffer` needs an `environment` in the rig")
    return EnvironmentSniffer(context.environment)


DRIVER = DriverSpec(
    face=Face.SNIFFER,
    options=EnvironmentSnifferOptions,
    create=_create,
    summary="the environment's own capture of the air",
)
