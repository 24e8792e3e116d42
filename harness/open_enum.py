"""An enum that keeps a number it does not know: evidence never loses what a device said.

Standards grow by versions, and a device may say what no list here has.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class OpenEnum(IntEnum):
    """Named numbers; any other number that is not negative becomes a member ``UNKNOWN_…`` of its own."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{cls._written(value)}"
        member._value_ = value
        return member

    @staticmethod
    def _written(value: int) -> str:
        return str(value)
