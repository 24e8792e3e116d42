"""``report serve`` on a run of another process: it watches, answers, pauses and stops that run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import pytest

from harness.evidence.live.channel import SOCKET
from tests.system.runs import CHECKOUT, bench, command, environment

pytestmark = pytest.mark.timeout(90)
_WITHIN_S = 30
PLAN = """\
schema: ppmid-bench/plan@1
title: asks
cases:
  - id: ASKS
    title: Asks the operator
    steps:
      - prenotify: {as: SMETS1}
      - ask: {question: "Does it show SMETS1?", within: 60 s}
  - id: LONG
    title: Takes a while
    steps: [wait: {for: 60 s}]
"""


@contextmanager
def serving(*arguments):
    """Start a command that serves a live page; yield its process and the page's address."""
    process = subprocess.Popen(
        command(*arguments), cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("live: "), line
        yield process, line.removeprefix("live: ").strip()
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


@contextmanager
def steering_from_outside(plan, pack):
    """Run a plan in one process and serve its page from another; yield the run and the page's address."""
    with serving("certify", plan, "--out", pack, "--live") as (run, _):
        ends_s = time.monotonic() + _WITHIN_S
        while not (pack / "run.json").exists() and time.monotonic() < ends_s:
            time.sleep(0.02)
        with serving("report", "serve", pack) as (_, address):
            yield run, address


async def until(socket, fits):
    async with asyncio.timeout(_WITHIN_S):
        while True:
            told = json.loads((await socket.receive()).data)
            if fits(told):
                return told


def asks(told):
    """Return the question that a message brings, if it does."""
    events = told["events"] if told["type"] == "events" else ()
    found = [told.get("question"), *(event.get("question") for event in events)]
    return next((question for question in found if question), None)


def steers(told):
    return told["type"] == "steering" and told["can"]


@asynccontextmanager
async def viewing(address):
    """Open the page's socket as a browser on it does."""
    origin = {"Origin": address.rstrip("/")}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}live", headers=origin) as found,
    ):
        yield found


async def steer_to_the_end(address):
    async with viewing(address) as socket:
        can, question = False, None
        while not (can and question):
            told = await until(socket, lambda told: True)
            can, question = can or steers(told), question or asks(told)
        await socket.send_json({"do": "answer", "question": question["id"], "yes": True, "remark": "far off"})
        await until(socket, lambda told: told["type"] == "progress" and told["case"] == "LONG")
        await socket.send_json({"do": "pause"})
        await until(socket, lambda told: steers(told) and told["paused"])
        await socket.send_json({"do": "stop"})
        await until(socket, lambda told: told["type"] == "steering" and not told["can"])
        await until(socket, lambda told: told["type"] == "progress" and told["state"] == "finished")


def test_a_run_of_another_process_is_answered_paused_and_stopped(plan, tmp_path):
    pack = tmp_path / "pack"
    with steering_from_outside(plan, pack) as (run, address):
        asyncio.run(steer_to_the_end(address))
        assert run.wait(timeout=_WITHIN_S) == 130
    assert not (pack / SOCKET).exists()
    first, *_ = json.loads((pack / "run.json").read_text())["cases"]
    assert (first["id"], first["verdict"]) == ("ASKS", "pass")
    assert "yes: far off" in (pack / "cases" / "ASKS" / "timeline.jsonl").read_text()
    assert bench("report", "verify", pack, pack=pack).code == 0


def test_the_pack_of_a_killed_run_is_served_and_mended_though_its_socket_was_left(plan, tmp_path):
    pack = tmp_path / "pack"
    with steering_from_outside(plan, pack) as (run, at):

        async def watched():
            async with viewing(at) as socket:
                await until(socket, steers)
                run.kill()
                await until(socket, lambda told: told["type"] == "steering" and not told["can"])

        asyncio.run(watched())
    assert not (pack / "report.html").exists()
    checked = bench("report", "verify", pack, pack=pack)
    assert checked.code == 0, checked.said
    assert "the run was killed before it ended" in checked.out
    assert f"ppmid-bench report render {pack}" in checked.out
    mended = bench("report", "render", pack, pack=pack)
    assert mended.code == 0, mended.said
    assert (pack / "report.html").exists()
    assert (pack / "README.txt").exists()
    assert "report render" not in bench("report", "verify", pack, pack=pack).out
    assert not (pack / SOCKET).exists()


def test_no_address_is_told_of_a_run_that_is_refused(plan, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "other.txt").write_text("mine")
    refused = bench("certify", plan, "--out", tmp_path / "taken", "--live", pack=tmp_path)
    assert refused.code == 2
    assert "live:" not in refused.said
    assert "--out" in refused.err
