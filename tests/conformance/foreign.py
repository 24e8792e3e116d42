"""Programs by other hands as hosts of the virtual dongle, which `ppmid-bench virtual serve` gives them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.ppmid.test_port import DRIVER
from harness.rig.faces import DriverContext, JoinOutcome, PpmidStatus
from harness.tap import NullTap

VERSIONS = (8, 13, 14, 19)
PPMID = "00-DB-12-34-56-78-90-A4"
INSTALL_CODE = "83FED3407A939723A5C639B26916D505C3B5"
CHANNEL = 15
_WITHIN_S = 40
_JOIN_WITHIN_S = 8.0
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """The virtual bench, served. `dongle` is where a host opens it."""

    process: subprocess.Popen[str]
    dongle: str
    ppmid: str

    def join(self) -> JoinOutcome:
        """Tell the virtual PPMID by its test port to join, and wait until it says how that ended."""
        return asyncio.run(self._told(lambda port: port.join(_JOIN_WITHIN_S)))

    def status(self) -> PpmidStatus:
        """Ask the virtual PPMID where it is."""
        return asyncio.run(self._told(lambda port: port.status()))

    async def _told(self, verb):
        port = DRIVER.create(DRIVER.options(path=self.ppmid), DriverContext(name="ppmid", tap=NullTap()))
        await port.open()
        try:
            return await verb(port)
        finally:
            await port.close()


@contextlib.contextmanager
def served(*options: object) -> Iterator[Served]:
    """Serve the virtual bench; it must end cleanly when it is told to."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "harness.cli",
            "virtual",
            "serve",
            "--json",
            "--ppmids-stay",
            *map(str, options),
        ],
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = json.loads(process.stdout.readline() or "{}")
        assert told, process.communicate(timeout=_WITHIN_S)
        yield Served(process, told["smets2"], told["ppmid"])
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=_WITHIN_S) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            pipe.close()


class Program:
    """A client's process; its lines can be waited for while it runs."""

    def __init__(self, *command: object, folder: Path, told: str | None = None) -> None:
        self.text = ""
        self._seen = threading.Condition()
        self._process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._process.stdin.write(told or "")
        self._process.stdin.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            with self._seen:
                self.text += line
                self._seen.notify_all()

    def wait_for(self, pattern: str) -> str:
        """Wait until it has written something; return what the pattern's first group found."""
        with self._seen:
            found = self._seen.wait_for(lambda: re.search(pattern, self.text), _WITHIN_S)
        assert found, f"no {pattern!r} in:\n{self.text}"
        return found[1] if found.groups() else found[0]

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def ended(self) -> str:
        """Wait until it ends, well; return what it wrote."""
        with self:
            code = self._process.wait(_WITHIN_S)
        assert code == 0, self.text
        assert "Traceback" not in self.text, self.text
        return self.text
