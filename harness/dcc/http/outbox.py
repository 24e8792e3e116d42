"""What the DSP still owes its users: responses that were not taken yet, and requests that were acknowledged.

In SQLite, so that nothing of it is lost when the service ends, however it ends. A request that was under way
then is known when it starts again, and can be answered. Source: facts gb-domain §7.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.dcc.documents import RequestId
from harness.errors import ConfigError, RigFault
from harness.eui64 import Eui64

_LOCKED_MS = 2000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS owed (request TEXT PRIMARY KEY, srv TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letter (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    document BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS letter_of ON letter (user, seq);
CREATE TABLE IF NOT EXISTS given_up (
    seq INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    document BLOB NOT NULL,
    reason TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A document for a user, and how often it was tried to be delivered."""

    number: int
    user: Eui64
    document: bytes
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """How many documents for a user are not sent any more, and why the last of them is not."""

    count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A request that was acknowledged and not answered yet."""

    request_id: RequestId
    srv: str


class Outbox:
    """In a file, or in memory without one. Every method is safe on the disk when it returns.

    Raises ConfigError for a file that is none or that another service has open, RigFault when it fails later.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        try:
            self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        try:
            self._file.execute(f"PRAGMA busy_timeout = {_LOCKED_MS}")
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._file.close()
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> ConfigError:
        return ConfigError(f"cannot be used as an outbox: {error}", file=self._path)

    def owe(self, owed: Owed) -> None:
        """Note that a request is about to be acknowledged."""
        with self._transaction():
            self._file.execute("INSERT OR REPLACE INTO owed VALUES (?, ?)", (str(owed.request_id), owed.srv))

    def put(self, user: Eui64, document: bytes, answers: RequestId | None = None) -> None:
        """Add a document; what it `answers` is no longer owed."""
        with self._transaction():
            self._file.execute("INSERT INTO letter (user, document) VALUES (?, ?)", (str(user), document))
            if answers is not None:
                self._file.execute("DELETE FROM owed WHERE request = ?", (str(answers),))

    def first(self, user: Eui64) -> Letter | None:
        """Return the oldest document for a user."""
        with self._reading():
            row = self._file.execute(
                "SELECT seq, document, tries FROM letter WHERE user = ? ORDER BY seq LIMIT 1", (str(user),)
            ).fetchone()
        return Letter(number=row[0], user=user, document=bytes(row[1]), tries=row[2]) if row else None

    def delivered(self, letter: Letter) -> None:
        """Take a document out."""
        with self._transaction():
            self._file.execute("DELETE FROM letter WHERE seq = ?", (letter.number,))

    def failed(self, letter: Letter) -> None:
        """Note that a document could not be delivered."""
        with self._transaction():
            self._file.execute("UPDATE letter SET tries = tries + 1 WHERE seq = ?", (letter.number,))

    def give_up(self, letter: Letter, reason: str) -> None:
        """Keep a document, and do not have it delivered any more: later ones are not to wait behind it."""
        with self._transaction():
            self._file.execute(
                "INSERT OR REPLACE INTO given_up VALUES (?, ?, ?, ?)",
                (letter.number, str(letter.user), letter.document, reason),
            )
            self._file.execute("DELETE FROM letter WHERE seq = ?", (letter.number,))

    def given_up(self) -> dict[Eui64, GivenUp]:
        """Return what is not sent any more, by user."""
        with self._reading():
            # with max(seq), `reason` is that of the last one
            rows = self._file.execute(
                "SELECT user, count(*), reason, max(seq) FROM given_up GROUP BY user"
            ).fetchall()
        return {Eui64.parse(user): GivenUp(count=count, reason=reason) for user, count, reason, _ in rows}

    def take_up_again(self, user: Eui64) -> int:
        """Have what was given up for a user delivered after all, behind what waits; return how many."""
        with self._transaction():
            taken = self._file.execute(
                "INSERT INTO letter (user, document) SELECT user, document FROM given_up"
                " WHERE user = ? ORDER BY seq",
                (str(user),),
            ).rowcount
            self._file.execute("DELETE FROM given_up WHERE user = ?", (str(user),))
        return taken

    def owed(self) -> tuple[Owed, ...]:
        """Return every request that was acknowledged and not answered."""
        with self._reading():
            rows = self._file.execute("SELECT request, srv FROM owed").fetchall()
        return tuple(Owed(request_id=RequestId.parse(request), srv=srv) for request, srv in rows)

    def waiting(self) -> dict[Eui64, int]:
        """Return how many documents wait for whom."""
        with self._reading():
            rows = self._file.execute("SELECT user, count(*) FROM letter GROUP BY user").fetchall()
        return {Eui64.parse(user): count for user, count in rows}

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._file.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._reading():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RigFault(
                f"the outbox {self._path or 'in memory'} fails: {error}", remedy="is the disk full?"
            ) from error
