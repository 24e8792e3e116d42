"""Lines of output that nobody has to wait for: whoever reads them may be slow, stuck or gone."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

_MOST = 10_000
_STDOUT = 1
_GATHER_S = 0.02  # waking a thread for every line costs as much as making the line


class LineWriter:
    """Writes lines to a file descriptor, in a thread of its own, in order.

    A line is written within 20 ms, with those that come in that time. At most `most` lines wait to be
    written, and as many are being written; what comes on top is dropped and counted, and when there is room
    again the line that `dropped` makes of the count stands in its place.
    """

    def __init__(
        self, dropped: Callable[[int], str], *, descriptor: int = _STDOUT, most: int = _MOST
    ) -> None:
        self._dropped = dropped
        self._descriptor = descriptor
        self._most = most
        self._lines: deque[str] = deque()
        self._news = Condition()
        self._untold = self._lost = 0
        self._closing = self._broken = self._idle = False
        self._thread: Thread | None = None

    @property
    def lost(self) -> int:
        """How many lines were dropped so far."""
        return self._lost

    def write(self, line: str) -> None:
        """Have a line written; never waits, never raises."""
        with self._news:
            if self._broken or self._closing or len(self._lines) >= self._most:
                self._lost += 1
                self._untold += 1
                return
            self._lines.append(line)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="lines", daemon=True)
                self._thread.start()
            if self._idle:
                self._news.notify()

    def close(self, within_s: float = 2.0) -> None:
        """Write what waits, if that can be done in time; what cannot is given up with the process."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join(within_s)

    def _run(self) -> None:
        while True:
            with self._news:
                self._idle = True
                self._news.wait_for(lambda: self._lines or self._untold or self._closing)
                self._idle = False
                self._news.wait_for(lambda: self._closing, _GATHER_S)
                if not self._lines and not self._untold:
                    return
                batch = list(self._lines)
                self._lines.clear()
                if self._untold:
                    batch.append(self._dropped(self._untold))
                    self._untold = 0
            if not self._written("".join(f"{line}\n" for line in batch).encode()):
                with self._news:
                    self._broken = True
                    self._lost += len(batch) + len(self._lines)
                    self._lines.clear()
                return

    def _written(self, octets: bytes) -> bool:
        """Write all of it; False when there is nobody any more to write to."""
        view = memoryview(octets)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:
                return False
        return True
