"""What the DSP still has to do at some time: an agenda, kept where the SMI is and as safe as that.

An entry is put and taken out with the changes to the SMI that belong to it: a crash leaves both or neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Matter(Enum):
    """What an entry is about."""

    LOG_UPDATE = "log-update"  # an 8.11 whose result the hub has not told of yet; the key is the device
    REQUEST = "request"  # a request for later; the key is its request id
    DISTRIBUTION = "distribution"  # an 11.1 or 11.4 whose image is not sent yet; the key is its request id
    PRE_COMMAND = "pre-command"  # a pre-command that its sender has to sign; the key is its request id
    LOCAL_COMMAND = "local-command"  # a command for local delivery; the key is its request id
    IMAGE = "image"  # firmware on its way to a device; the key is the device


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something to come back to at `due` (UTC). There is one of a matter and key."""

    matter: Matter
    key: str
    due: datetime
    content: bytes


class Agenda(Protocol):
    """Entries, those due first in front."""

    def put(self, entry: Entry) -> None:
        """Add an entry, in the place of one of the same matter and key."""

    def take(self, matter: Matter, key: str) -> Entry | None:
        """Take an entry out and return it."""

    def entries(self, matter: Matter, prefix: str = "") -> tuple[Entry, ...]:
        """Return the entries of a matter whose keys begin so."""

    def get(self, matter: Matter, key: str) -> Entry | None:
        """Return an entry."""

    def expire(self, matter: Matter, now: datetime) -> None:
        """Take out the entries of a matter that are due by now."""

    def next_due(self) -> datetime | None:
        """Return when the first entry of all is due."""

    def clear(self) -> None:
        """Take everything out."""


class MemoryAgenda:
    """An agenda in memory."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Matter, str], Entry] = {}

    def put(self, entry: Entry) -> None:
        """Add an entry, in the place of one of the same matter and key."""
        self._entries[(entry.matter, entry.key)] = entry

    def take(self, matter: Matter, key: str) -> Entry | None:
        """Take an entry out and return it."""
        return self._entries.pop((matter, key), None)

    def entries(self, matter: Matter, prefix: str = "") -> tuple[Entry, ...]:
        """Return the entries of a matter whose keys begin so."""
        mine = (entry for entry in self._entries.values() if entry.matter is matter)
        return _in_order(entry for entry in mine if entry.key.startswith(prefix))

    def get(self, matter: Matter, key: str) -> Entry | None:
        """Return an entry."""
        return self._entries.get((matter, key))

    def expire(self, matter: Matter, now: datetime) -> None:
        """Take out the entries of a matter that are due by now."""
        for entry in self.entries(matter):
            if entry.due <= now:
                self.take(matter, entry.key)

    def next_due(self) -> datetime | None:
        """Return when the first entry of all is due."""
        return min((entry.due for entry in self._entries.values()), default=None)

    def clear(self) -> None:
        """Take everything out."""
        self._entries.clear()


def _in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.due))
