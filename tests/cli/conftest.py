"""A folder with a rig of fakes in it, and the command line to run there."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness.cli
from tests.plan.fake_bench import CPL_FILE
from tests.plan.fake_drivers import RIG, install

CHECKOUT = Path(__file__).parents[2]


@dataclass
class Ended:
    code: int
    out: str
    err: str


class Shell:
    """Runs `ppmid-bench` in a folder."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self.capsys = capsys

    def __call__(self, *arguments):
        self.capsys.readouterr()
        code = harness.cli.run([str(argument) for argument in arguments])
        told = self.capsys.readouterr()
        assert "Traceback" not in told.err
        return Ended(code, told.out, told.err)

    def rig(self, *changes, name="rig.yaml"):
        text = RIG
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (self.folder / name).write_text(text)
        return name

    def plan(self, *steps, name="plan.yaml", head=""):
        lines = "".join(f"      - {step}\n" for step in steps)
        text = "schema: ppmid-bench/plan@1\ntitle: t\ncases:\n  - id: C\n    title: t\n"
        (self.folder / name).write_text(f"{text}{head}    steps:\n{lines}")
        return name

    def process(self, *arguments, **options):
        """Start a process of its own."""
        path = os.pathsep.join([str(CHECKOUT), str(self.folder / "installed")])
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "100"},
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    @property
    def left(self):
        """What is in the folder besides what the test put there."""
        put = {"installed", "cpl.csv", "rig.yaml", "plan.yaml"}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in put)


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    (tmp_path / "cpl.csv").write_bytes(CPL_FILE.read_bytes())
    found = Shell(tmp_path, capsys)
    found.rig()
    return found
