"""How much a pack may hold: an event, a file, a run; so that a device that babbles fills no disk.

What is beyond a limit is left out and marked where it is missing; a verdict never depends on it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Octets of an event's data, characters of its texts and details, octets of a file and of a run."""

    data: int = 16 * _KIB
    text: int = 2000
    details: int = 64 * _KIB
    file: int = 64 * _MIB
    run: int = 2 * _GIB


class Allowance:
    """What a run may still record, over all its files. Safe to use from several threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._left = self.limits.run
        self._lock = threading.Lock()

    def take(self, octets: int) -> bool:
        """Take room for this much; False, and nothing is taken, when there is not enough left."""
        with self._lock:
            if octets > self._left:
                return False
            self._left -= octets
            return True
