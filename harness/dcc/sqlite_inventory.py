"""The SMI in SQLite: one file, safe from a crash at any moment.

A request's changes are one `apply`, and a commit falls only between two of them, so that none is ever there
by half. A commit goes to the write-ahead log; what makes it safe is a sync of that log, in a thread of its
own. Both are dear, a sync as much as three signatures: requests that wait in `durable` at the same time share
them, and where one follows another they are a few milliseconds apart. One DCC at a time has the file open.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from harness.dcc.documents import RequestId
from harness.dcc.inventory import Change, Lookup, Transaction, changes_between
from harness.dcc.record_text import read_record, record_text
from harness.dcc.replay_memory import SCHEMA as REPLAYS
from harness.dcc.replay_memory import ReplayMemory
from harness.dcc.sqlite_agenda import SCHEMA as AGENDA
from harness.dcc.sqlite_agenda import SqliteAgenda
from harness.errors import ConfigError, RigFault
from harness.eui64 import Eui64
from harness.smets.smi import DeviceRecord

_VERSION = 1  # of the schema below; in the file as `user_version`
_LOCKED_MS = 2000
_APART_S = 0.006  # one sync from the next; a request that comes alone has its own at once
_CHECKPOINT_PAGES = 1000  # some 3 ms in which nobody is answered; with 4000 it is as much in all, in 7 ms
_SCHEMA = """
CREATE TABLE device (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    eui64 TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL,
    first TEXT NOT NULL
);
CREATE TABLE history (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    eui64 TEXT NOT NULL,
    what TEXT NOT NULL,
    was TEXT,
    now TEXT,
    at TEXT NOT NULL,
    by TEXT
);
CREATE INDEX history_of ON history (eui64);
"""


def _field(what: Lookup) -> str:
    return f"json_extract(record, '$.{what.value}')"


class SqliteSmiStore:
    """An SmiStore in a file, made when it is not there; give it to one event loop.

    Raises ConfigError for a file that is no SMI or that another DCC has open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="smi")
        self._next: asyncio.Future[None] | None = None  # the sync that has yet to begin
        self._syncing: asyncio.Future[None] | None = None  # the one that began last
        self._synced_at = 0.0
        self._written = self._safe = 0  # commits so far, and how many of them are safe
        self._lost: RigFault | None = None
        self._open = True
        try:
            self._file = sqlite3.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._file.close()
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> ConfigError:
        return ConfigError(
            f"cannot be used as an SMI: {error}",
            file=self._path,
            remedy="name a file of this bench, or a new one; one DCC at a time has it open",
        )

    def _prepare(self) -> None:
        execute = self._file.execute
        execute(f"PRAGMA busy_timeout = {_LOCKED_MS}")
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")  # for the schema; from then on `_sync` does it
        execute("BEGIN IMMEDIATE")
        (version,) = execute("PRAGMA user_version").fetchone()
        if version == 0 and not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for statement in _SCHEMA.split(";"):
                execute(statement)
            for what in Lookup:
                execute(f"CREATE INDEX device_{what.value} ON device ({_field(what)})")
            execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"its schema is {version}, this bench has {_VERSION}")
        for statement in (*AGENDA.split(";"), *REPLAYS.split(";")):  # a file need not have all of it yet
            execute(statement)
        execute("COMMIT")
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._log = os.open(f"{self._path}-wal", os.O_RDWR)
        self.agenda = SqliteAgenda(self._file.execute, self._rows, self._writing)
        self._replays = ReplayMemory(self._file)

    # --- reading -------------------------------------------------------------------------------------------

    def get(self, device: Eui64) -> DeviceRecord | None:
        """Return a record."""
        return self._one("SELECT record FROM device WHERE eui64 = ?", device)

    def first(self, device: Eui64) -> DeviceRecord | None:
        """Return a record as it was when it was made, None when it is not there now."""
        return self._one("SELECT first FROM device WHERE eui64 = ?", device)

    def records(self) -> Iterator[DeviceRecord]:
        """Return all records, in the order in which they were made."""
        for (text,) in self._rows("SELECT record FROM device ORDER BY seq"):
            yield read_record(text)

    def having(self, what: Lookup, value: str) -> tuple[DeviceRecord, ...]:
        """Return the records with this value, in the order in which they were made."""
        found = self._rows(f"SELECT record FROM device WHERE {_field(what)} = ? ORDER BY seq", value)  # noqa: S608
        return tuple(read_record(text) for (text,) in found)

    def history(self, device: Eui64) -> tuple[Change, ...]:
        """Return everything that ever changed of a device, the oldest first."""
        query = "SELECT what, was, now, at, by FROM history WHERE eui64 = ? ORDER BY seq"
        return tuple(
            Change(
                device=device,
                what=what,
                before=was,
                after=now,
                when=datetime.fromisoformat(at),
                by=RequestId.parse(by) if by else None,
            )
            for what, was, now, at, by in self._rows(query, str(device))
        )

    def last_counter(self, originator: Eui64) -> int | None:
        """Return the highest counter noted of an originator."""
        with self._faults():
            return self._replays.last(originator)

    # --- writing -------------------------------------------------------------------------------------------

    def apply(self, transaction: Transaction) -> tuple[Change, ...]:
        """Make, replace and delete records; return what changed."""
        with self._writing():
            made = [self._put(record, transaction) for record in transaction.put]
            gone = [self._delete(device, transaction) for device in transaction.delete]
        return tuple(change for changes in (*made, *gone) for change in changes)

    def note_request(self, originator: Eui64, counter: int, step: str) -> bool:
        """Note that an originator's counter was used for a step; False when it was used for it before."""
        with self._writing():
            return self._replays.note(originator, counter, step)

    async def durable(self) -> None:
        """Wait until everything up to now is safe; callers that wait together share a commit."""
        if self._lost is not None:
            raise self._lost
        if self._next is None or self._next.done():
            if not self._file.in_transaction and self._safe == self._written:
                return
            self._next = asyncio.ensure_future(self._sync_together(self._syncing))
        await asyncio.shield(self._next)

    def flush(self) -> None:
        """Make everything up to now safe at once."""
        self._commit()
        if self._safe < self._written:
            self._safe = self._sync(self._written)

    def close(self) -> None:
        """Make everything safe and let go of it. May be called twice."""
        if self._open and self._lost is None:
            self.flush()
        self._threads.shutdown()
        if self._open:
            os.close(self._log)
        self._open = False
        self._file.close()

    def _commit(self) -> None:
        if self._lost is not None:
            raise self._lost
        if self._file.in_transaction:
            with self._faults():
                self._file.execute("COMMIT")
            self._written += 1

    def _sync(self, written: int) -> int:
        """Sync the write-ahead log, in which all commits up to `written` are; return that."""
        try:
            os.fdatasync(self._log)
        except OSError as error:
            self._lost = self._fault(error)
            raise self._lost from error
        return written

    async def _sync_together(self, before: asyncio.Future[None] | None) -> None:
        """Commit what came while the sync `before` was under way, and a little longer, and sync it."""
        if before is not None and not before.done():
            await asyncio.wait((before,))
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._synced_at + _APART_S - loop.time())
        self._syncing, self._next = self._next, None
        self._synced_at = loop.time()
        if self._open:
            self._commit()
        if self._safe < self._written:
            safe = await loop.run_in_executor(self._threads, self._sync, self._written)
            self._safe = max(self._safe, safe)

    def _put(self, record: DeviceRecord, transaction: Transaction) -> tuple[Change, ...]:
        before = self.get(record.device)
        text = record_text(record)
        if before is None:
            self._file.execute(
                "INSERT INTO device (eui64, record, first) VALUES (?, ?, ?)", (str(record.device), text, text)
            )
        else:
            self._file.execute("UPDATE device SET record = ? WHERE eui64 = ?", (text, str(record.device)))
        return self._note(changes_between(before, record, transaction))

    def _delete(self, device: Eui64, transaction: Transaction) -> tuple[Change, ...]:
        before = self.get(device)
        self._file.execute("DELETE FROM device WHERE eui64 = ?", (str(device),))
        return self._note(changes_between(before, None, transaction))

    def _note(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        self._file.executemany(
            "INSERT INTO history (eui64, what, was, now, at, by) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    str(change.device),
                    change.what,
                    change.before,
                    change.after,
                    change.when.isoformat(),
                    str(change.by) if change.by else None,
                )
                for change in changes
            ],
        )
        return changes

    # --- the file ------------------------------------------------------------------------------------------

    def _one(self, query: str, device: Eui64) -> DeviceRecord | None:
        found = self._rows(query, str(device))
        return read_record(found[0][0]) if found else None

    def _rows(self, query: str, *values: str) -> list[tuple[str, ...]]:
        with self._faults():
            return self._file.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write as part of the transaction that the next commit ends; begin it when there is none."""
        if self._lost is not None:
            raise self._lost
        with self._faults():
            if not self._file.in_transaction:
                self._file.execute("BEGIN IMMEDIATE")
            self._file.execute("SAVEPOINT one")
            try:
                yield
            except BaseException:
                self._file.execute("ROLLBACK TO one")
                raise
            finally:
                self._file.execute("RELEASE one")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            self._lost = self._fault(error)
            raise self._lost from error

    def _fault(self, error: Exception) -> RigFault:
        return RigFault(
            f"the SMI in {self._path} cannot be read or written: {error}",
            remedy="look at its disk; what was acknowledged is in the file",
        )
