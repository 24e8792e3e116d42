"""Which request ids were used: an originator's counters, each for one step, in SQLite.

So many of an originator's are remembered one by one. When there are more, the lowest are forgotten, and
everything up to the highest of these counts as used: a request that comes twice is never let through, one
that comes very late may be refused.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

from harness.eui64 import Eui64

MOST, MOST_IN_MEMORY = 1_000_000, 100_000  # of an originator
_AT_ONCE = 1_000  # that are forgotten
_U64_DIGITS = 20
SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    originator TEXT NOT NULL,
    counter TEXT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (originator, counter, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (originator TEXT PRIMARY KEY, up_to TEXT NOT NULL) WITHOUT ROWID;
"""


class ReplayMemory:
    """In the tables of SCHEMA; `note` is to be called in a transaction."""

    def __init__(self, file: sqlite3.Connection, *, most: int = MOST) -> None:
        self._file = file
        self._most = most
        self._forgotten: dict[str, str] = dict(file.execute("SELECT originator, up_to FROM forgotten"))
        rows = file.execute("SELECT originator, count(*) FROM request GROUP BY originator")
        self._counts = Counter(dict(rows))

    def note(self, originator: Eui64, counter: int, step: str) -> bool:
        """Note that a counter was used for a step; False when it was before, or may have been."""
        owner, number = str(originator), str(counter).zfill(_U64_DIGITS)
        if number <= self._forgotten.get(owner, ""):
            return False
        noted = self._file.execute("INSERT OR IGNORE INTO request VALUES (?, ?, ?)", (owner, number, step))
        if noted.rowcount != 1:
            return False
        self._counts[owner] += 1
        if self._counts[owner] > self._most:
            self._forget(owner)
        return True

    def last(self, originator: Eui64) -> int | None:
        """Return the highest counter noted of an originator."""
        query = "SELECT max(counter) FROM request WHERE originator = ?"
        (counter,) = self._file.execute(query, (str(originator),)).fetchone()
        return None if counter is None else int(counter)

    def _forget(self, owner: str) -> None:
        """Forget the lowest; the count goes wrong if the transaction is undone, by no more than one."""
        query = "SELECT counter FROM request WHERE originator = ? ORDER BY counter LIMIT 1 OFFSET ?"
        at = min(_AT_ONCE, self._most // 2)
        (up_to,) = self._file.execute(query, (owner, at)).fetchone()
        gone = self._file.execute(
            "DELETE FROM request WHERE originator = ? AND counter <= ?", (owner, up_to)
        ).rowcount
        self._file.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (owner, up_to))
        self._forgotten[owner] = up_to
        self._counts[owner] -= gone


class MemoryReplays:
    """The same in memory."""

    def __init__(self, *, most: int = MOST_IN_MEMORY) -> None:
        self._most = most
        self._used: dict[Eui64, dict[int, set[str]]] = {}
        self._forgotten: dict[Eui64, int] = {}
        self._last: dict[Eui64, int] = {}

    def note(self, originator: Eui64, counter: int, step: str) -> bool:
        """Note that a counter was used for a step; False when it was before, or may have been."""
        used = self._used.setdefault(originator, {})
        if counter <= self._forgotten.get(originator, -1) or step in used.get(counter, ()):
            return False
        used.setdefault(counter, set()).add(step)
        self._last[originator] = max(counter, self._last.get(originator, counter))
        if len(used) > self._most:
            lowest = sorted(used)[: min(_AT_ONCE, self._most // 2) + 1]
            for one in lowest:
                del used[one]
            self._forgotten[originator] = lowest[-1]
        return True

    def last(self, originator: Eui64) -> int | None:
        """Return the highest counter noted of an originator."""
        return self._last.get(originator)
