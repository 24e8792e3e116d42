"""What reached the PPMID's application, kept until the test port asks for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

_KEPT = 100  # the oldest go first


class ReceivedLog:
    """Entries in order of arrival; each is the fields of one ``evt received``."""

    def __init__(self) -> None:
        self._entries: deque[Mapping[str, str]] = deque(maxlen=_KEPT)

    def add(self, kind: str, **fields: str) -> None:
        """Note one command."""
        self._entries.append({"kind": kind, **fields})

    def take(self) -> tuple[Mapping[str, str], ...]:
        """Return all entries and forget them."""
        entries = tuple(self._entries)
        self._entries.clear()
        return entries
