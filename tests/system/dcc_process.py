"""``ppmid-bench dcc serve`` in a process of its own, as another program finds it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading

from tests.system.runs import CHECKOUT, command, environment


class DccProcess:
    """The process, its URL, and its lines so far, read as json."""

    def __init__(self, *options: object) -> None:
        self.process = subprocess.Popen(
            command("dcc", "serve", "--port", "0", "--json", *options),
            cwd=CHECKOUT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict] = []
        self.news = threading.Condition()
        for line in self.process.stdout:
            told = json.loads(line)
            if told.get("event") == "serving":
                self.url = told["url"]
                break
        else:
            raise AssertionError(self.process.communicate()[1])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self.news:
                with contextlib.suppress(ValueError):  # the last line of one that was killed
                    self.lines.append(json.loads(line))
                self.news.notify_all()

    def line(self, is_it, within_s: float = 20.0) -> dict:
        """Wait for a line of which this is true."""
        with self.news:
            found = self.news.wait_for(lambda: next(filter(is_it, self.lines), None), within_s)
            assert found, self.lines[-5:]
            return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            assert self.process.wait(20) in (0, -9)
        finally:
            self.process.kill()
            self.process.wait(10)
            self._reader.join(10)
            self.process.stdout.close()
            self.process.stderr.close()


@contextlib.contextmanager
def dcc_process(*options: object):
    """Run it; it must end by itself when it is asked to."""
    found = DccProcess(*options)
    try:
        yield found
    finally:
        found.end()
