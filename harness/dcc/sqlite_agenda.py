"""The agenda in the SMI's own file: what is put there is as safe as the changes that it came with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from harness.dcc.agenda import Entry, Matter

SCHEMA = """
CREATE TABLE IF NOT EXISTS agenda (
    matter TEXT NOT NULL,
    key TEXT NOT NULL,
    due TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (matter, key)
);
CREATE INDEX IF NOT EXISTS agenda_due ON agenda (due);
"""
_BEHIND_ALL = "\U0010ffff"
_COLUMNS = "matter, key, due, content"


class _Execute(Protocol):
    def __call__(self, query: str, values: Sequence[Any] = (), /) -> object:
        """Run a statement."""


class SqliteAgenda:
    """An Agenda. `writing` opens a transaction of the store, `rows` reads."""

    def __init__(
        self,
        execute: _Execute,
        rows: Callable[..., list[tuple[Any, ...]]],
        writing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._execute = execute
        self._rows = rows
        self._writing = writing

    def put(self, entry: Entry) -> None:
        """Add an entry, in the place of one of the same matter and key."""
        with self._writing():
            self._execute(
                f"INSERT OR REPLACE INTO agenda ({_COLUMNS}) VALUES (?, ?, ?, ?)",  # noqa: S608
                (entry.matter.value, entry.key, _text(entry.due), entry.content),
            )

    def take(self, matter: Matter, key: str) -> Entry | None:
        """Take an entry out and return it."""
        entry = self.get(matter, key)
        if entry is not None:
            with self._writing():
                self._execute("DELETE FROM agenda WHERE matter = ? AND key = ?", (matter.value, key))
        return entry

    def entries(self, matter: Matter, prefix: str = "") -> tuple[Entry, ...]:
        """Return the entries of a matter whose keys begin so."""
        query = (
            f"SELECT {_COLUMNS} FROM agenda "  # noqa: S608
            "WHERE matter = ? AND key >= ? AND key < ? ORDER BY due"
        )
        return tuple(map(_entry, self._rows(query, matter.value, prefix, prefix + _BEHIND_ALL)))

    def get(self, matter: Matter, key: str) -> Entry | None:
        """Return an entry."""
        query = f"SELECT {_COLUMNS} FROM agenda WHERE matter = ? AND key = ?"  # noqa: S608
        found = self._rows(query, matter.value, key)
        return _entry(found[0]) if found else None

    def expire(self, matter: Matter, now: datetime) -> None:
        """Take out the entries of a matter that are due by now."""
        with self._writing():
            self._execute("DELETE FROM agenda WHERE matter = ? AND due <= ?", (matter.value, _text(now)))

    def next_due(self) -> datetime | None:
        """Return when the first entry of all is due."""
        ((due,),) = self._rows("SELECT min(due) FROM agenda")
        return datetime.fromisoformat(due) if due is not None else None

    def clear(self) -> None:
        """Take everything out."""
        with self._writing():
            self._execute("DELETE FROM agenda")


def _text(due: datetime) -> str:
    return due.astimezone(UTC).isoformat(timespec="microseconds")


def _entry(row: tuple[Any, ...]) -> Entry:
    matter, key, due, content = row
    return Entry(matter=Matter(matter), key=key, due=datetime.fromisoformat(due), content=bytes(content))
