"""A run that is killed at any moment leaves a pack that verifies, reads and renders, to its last second."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.evidence.intact import read_run, verify
from harness.evidence.pcapng import read_psdus
from harness.evidence.report.page import render
from harness.evidence.timeline import merged, read_timeline
from tests.system.runs import CHECKOUT, VIRTUAL, command, environment

MOMENTS, SEED = 50, 202
AT_ONCE = 3
CASES, THEY_TAKE_S = "ROW or FLIP", 2.6  # the end of a run, and writing its report, are within
_NOT_KILLED_YET_S = 30.0


def killed(folder: Path, moment_s: float) -> Path:
    """Start a run, kill it so long after its pack is there, and return the pack."""
    pack = folder / f"{moment_s:.4f}"
    process = subprocess.Popen(
        command("certify", "--rig", VIRTUAL, "--out", pack, "-k", CASES),
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        limit = time.monotonic() + _NOT_KILLED_YET_S
        while not (pack / "run.json").exists() and time.monotonic() < limit:
            time.sleep(0.002)
        time.sleep(moment_s)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
    return pack


def problems(pack: Path) -> list[str]:
    """Return what is wrong with a killed run's pack."""
    found = []
    findings = verify(pack)
    if not findings.ok:
        found.append(f"not intact: {findings}")
    run = read_run(pack)
    timelines = [pack / "run.jsonl", *pack.rglob("timeline.jsonl")]
    for path in timelines:
        numbers = [event.number for event in read_timeline(path)]
        if numbers != list(range(len(numbers))):
            found.append(f"{path}: events are missing")
    order = [event.elapsed_s for _, event in merged(timelines)]
    if order != sorted(order):
        found.append("the events of the run are in no order")
    for capture in pack.rglob("han.pcapng"):
        heard = sum(
            event.boundary.value == "air" for event in read_timeline(capture.with_name("timeline.jsonl"))
        )
        if not heard <= len(list(read_psdus(capture))) <= heard + 1:
            found.append(f"{capture}: timeline and capture have not the same frames")
    html = render(pack)
    ended = [case["id"] for case in run["cases"]]
    if any(case not in html for case in ended):
        found.append("the report lacks a case")
    for case in ended:
        if not (pack / "cases" / case / "result.json").exists():
            found.append(f"{case}: no result")
    return found


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_at_fifty_moments_a_run_leaves_a_pack_that_verifies_reads_and_renders(tmp_path):
    chance = random.Random(SEED)
    moments = [chance.uniform(0.0, THEY_TAKE_S) for _ in range(MOMENTS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        packs = list(pool.map(lambda moment: killed(tmp_path, moment), moments))
    wrong = {pack.name: found for pack in packs if (found := problems(pack))}
    assert wrong == {}
    states = {read_run(pack)["state"] for pack in packs}
    assert "running" in states, "no run was killed before its end"


@pytest.mark.slow
def test_events_up_to_the_last_moment_survive_a_kill(tmp_path):
    """A process that records without a pause and is killed loses no event that `record` returned for."""
    program = (
        "import sys; from pathlib import Path; from harness.evidence.pack import EvidencePack;"
        "from harness.tap import Boundary; pack = EvidencePack(Path(sys.argv[1])); pack.begin_case('C');"
        "n = 0\n"
        "while True:\n"
        "    pack.tap.record(Boundary.AIR, 'a', 'b', str(n), bytes(70)); n += 1\n"
        "    sys.stdout.write(f'{n}\\n'); sys.stdout.flush()"
    )
    for number in range(5):
        pack = tmp_path / str(number)
        process = subprocess.Popen(
            [os.sys.executable, "-c", program, pack], cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE
        )
        time.sleep(1.0 + 0.1 * number)
        process.kill()
        said, _ = process.communicate(timeout=10)
        count = len(said.split(b"\n")[:-1])
        events = list(read_timeline(pack / "cases" / "C" / "timeline.jsonl"))
        assert count > 0
        assert count <= len(events) <= count + 1
        assert json.loads((pack / "run.json").read_text())["current_case"] == "C"
        assert verify(pack).ok
