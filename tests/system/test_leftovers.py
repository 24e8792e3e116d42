"""A run leaves nothing behind: no process, thread, pty or symlink, also after Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from harness.evidence.intact import verify
from harness.rig.load import load_rig
from harness.rig.open import close_bench, open_bench
from harness.rulebook import load_rulebook
from harness.tap import NullTap
from tests.system.runs import CHECKOUT, VIRTUAL, certify, command, environment, interrupt


@pytest.fixture
def own_tmp(tmp_path, monkeypatch):
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_nothing_is_left_after_a_run(tmp_path, own_tmp):
    assert certify(tmp_path / "pack", "-k", "ROW-1").code == 0
    assert list(own_tmp.iterdir()) == []


@pytest.mark.parametrize("after", ["begun", "a case"])
def test_ctrl_c_ends_the_run_and_leaves_a_readable_pack(tmp_path, own_tmp, after):
    pack = tmp_path / "pack"
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
    assert verify(pack).ok


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(16))
def test_ctrl_c_at_any_moment_is_one_sentence(tmp_path, moment):
    process = subprocess.Popen(
        command("certify", "--out", tmp_path / "pack"),
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _until((tmp_path / "pack" / "run.json").exists, process)
    time.sleep(random.Random(moment).uniform(0, 4))
    code, out = interrupt(process)
    assert code == 130, out
    assert "Traceback" not in out
    assert "never retrieved" not in out
    assert verify(tmp_path / "pack").ok


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


def test_a_bench_that_was_open_leaves_no_thread_file_task_or_link(own_tmp):
    async def open_and_close():
        bench = await open_bench(load_rig(VIRTUAL), load_rulebook(), NullTap())
        assert await bench.health() is None
        assert any(own_tmp.rglob("smets1"))
        await close_bench(bench)
        await close_bench(bench)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    threads, files = threading.enumerate(), len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        asyncio.run(open_and_close())
    assert [thread for thread in threading.enumerate() if "asyncio" not in thread.name] == threads
    assert len(os.listdir("/proc/self/fd")) == files
    assert list(own_tmp.iterdir()) == []


@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.01, 0.03])
def test_opening_that_is_cancelled_leaves_nothing_either(own_tmp, after_s):
    async def open_and_cancel():
        opening = asyncio.ensure_future(open_bench(load_rig(VIRTUAL), load_rulebook(), NullTap()))
        await asyncio.sleep(after_s)
        opening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await close_bench(await opening)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    threads, files = threading.enumerate(), len(os.listdir("/proc/self/fd"))
    asyncio.run(open_and_cancel())
    assert [thread for thread in threading.enumerate() if "asyncio" not in thread.name] == threads
    assert len(os.listdir("/proc/self/fd")) == files
    assert list(own_tmp.iterdir()) == []


def _until(condition, process: subprocess.Popen, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_folder_of_a_refused_run_is_not_made(tmp_path):
    run = certify(tmp_path / "a" / "pack", rig=Path("none.yaml"))
    assert run.code == 2
    assert not (tmp_path / "a").exists()
