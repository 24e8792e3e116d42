"""A run leaves nothing behind: no process, thread, pty or symlink, also after Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from harness.evidence.pack import verify
from tests.system.runs import CHECKOUT, certify, command, environment, interrupt


@pytest.fixture
def own_tmp(tmp_path, monkeypatch):
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def ptys() -> int:
    return len([name for name in os.listdir("/dev/pts") if name.isdigit()])


def test_nothing_is_left_after_a_run(tmp_path, own_tmp):
    before = ptys()
    assert certify(tmp_path / "pack", "-k", "ROW-1").code == 0
    assert list(own_tmp.iterdir()) == []
    assert ptys() <= before


@pytest.mark.parametrize("after", ["begun", "a case"])
def test_ctrl_c_ends_the_run_and_leaves_a_readable_pack(tmp_path, own_tmp, after):
    pack = tmp_path / "pack"
    before = ptys()
    process = subprocess.Popen(
        command("certify", "--out", pack),
        cwd=CHECKOUT,
        env=environment() | {"TMPDIR": str(own_tmp)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    awaited = pack / "run.json" if after == "begun" else pack / "SHA256SUMS"
    _until(awaited.exists, process)
    code, out = interrupt(process)
    assert code == 130, out
    assert "Traceback" not in out
    assert list(own_tmp.iterdir()) == []
    assert ptys() <= before
    assert verify(pack).ok


def test_virtual_serve_prints_ports_and_goes_at_ctrl_c(own_tmp):
    process = subprocess.Popen(
        command("virtual", "serve"),
        cwd=CHECKOUT,
        env=environment() | {"TMPDIR": str(own_tmp)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _until(lambda: any(own_tmp.glob("*/ppmid")), process)
    links = [path for path in own_tmp.rglob("*") if path.is_symlink()]
    assert {path.name for path in links} == {"smets1", "smets2", "ppmid"}
    time.sleep(0.5)  # what it prints follows the ports
    code, out = interrupt(process)
    assert code == 130 or code == 0, out
    for path in links:
        assert str(path) in out
    assert list(own_tmp.iterdir()) == []


def _until(condition, process: subprocess.Popen, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_folder_of_a_refused_run_is_not_made(tmp_path):
    run = certify(tmp_path / "a" / "pack", rig=Path("none.yaml"))
    assert run.code == 2
    assert not (tmp_path / "a").exists()
