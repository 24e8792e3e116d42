"""Runs the command as its users do, in a process of its own, and reads what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
RIGS = CHECKOUT / "rigs"
VIRTUAL = RIGS / "virtual.yaml"
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Run:
    """A finished command."""

    code: int
    out: str
    err: str
    pack: Path

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def run(self) -> dict:
        return json.loads((self.pack / "run.json").read_text())

    @property
    def verdicts(self) -> dict[str, str]:
        """The last attempt at each case counts."""
        return {case["id"]: case["verdict"] for case in self.run["cases"]}

    def reasons(self, verdict: str) -> list[str]:
        return [case["reason"] for case in self.run["cases"] if case["verdict"] == verdict]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "harness.cli", *map(str, arguments)]


def bench(*arguments: object, pack: Path, cwd: Path = CHECKOUT) -> Run:
    """Run ``ppmid-bench``."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr, pack)


def certify(pack: Path, *arguments: object, rig: Path = VIRTUAL) -> Run:
    return bench("certify", "--rig", rig, "--out", pack, *arguments, pack=pack)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1"}


def changed_rig(folder: Path, *changes: tuple[str, str], name: str = "rig.yaml") -> Path:
    """Write the virtual rig with texts replaced, its CPL beside it."""
    text = VIRTUAL.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (folder / "cpl-virtual.csv").write_bytes((RIGS / "cpl-virtual.csv").read_bytes())
    path = folder / name
    path.write_text(text)
    return path


def interrupt(process: subprocess.Popen) -> tuple[int, str]:
    """Press Ctrl-C and wait."""
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=_TIMEOUT_S)
    return process.returncode, out
