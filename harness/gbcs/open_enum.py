"""An enum that keeps a number it does not know: what a device answered is never lost.

GBCS grows by versions, and a device may answer what no list here has.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class OpenEnum(IntEnum):
    """Named numbers; any other number that is not negative becomes ``UNKNOWN_n``, and `known` is False."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """Whether this number has a name."""
        return not self._name_.startswith("UNKNOWN_")

    @property
    def text(self) -> str:
        """The name in words, such as ``device log full``."""
        return self._name_.lower().replace("_", " ")
