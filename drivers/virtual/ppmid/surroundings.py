"""What a virtual PPMID has beside its radio: a serial port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class ConsolePort(Protocol):
    """A serial port as the device has it."""

    received: Callable[[bytes], None] | None

    @property
    def path(self) -> str:
        """Where a host opens it."""

    async def open(self) -> None:
        """Make it appear."""

    async def close(self) -> None:
        """Make it disappear; may be called twice."""

    def write(self, octets: bytes) -> None:
        """Put octets on it."""
