"""Remembering for a while, against duplicates."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Recent(Generic[T]):
    """Names seen within the last `for_s` seconds; times are arguments."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._seen: OrderedDict[T, float] = OrderedDict()

    def again(self, name: T, now: float) -> bool:
        """Say whether a name was seen of late, and remember it."""
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if name in self._seen:
            return True
        self._seen[name] = now + self._for_s
        return False
