"""Chromium judges the live page: a run is watched, answered, paused, stopped, found again after a reload."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager

import pytest

from harness.evidence.intact import verify
from harness.evidence.pack import EvidencePack
from harness.tap import Boundary
from tests.conformance.browser import WIDE, browser
from tests.evidence.test_pack import result
from tests.system.runs import CHECKOUT, command, environment

pytestmark = [pytest.mark.chromium, pytest.mark.slow, pytest.mark.timeout(110)]

PLAN = """\
schema: ppmid-bench/plan@1
title: asks
cases:
  - id: ASKS
    title: Asks the operator
    steps:
      - prenotify: {as: SMETS1}
      - ask: {question: "Does it show <b>SMETS1</b>?", within: 60 s}
      - whitelist: {hub: smets2}
      - join: {within: 20 s}
  - id: LONG
    title: Takes a while
    steps: [wait: {for: 3 s}]
  - id: DENIES
    title: Is told no
    steps: [ask: {question: "Is it dark?", within: 60 s, no: fail}]
"""
ATTACK = "<img src=x onerror='window.harmed = 1'><script>window.harmed = 2</script>\x1b[2J\u202e"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        started.size(WIDE)
        yield started


@contextmanager
def serving(*arguments):
    """Start a command that serves the live page; yield its process and the page's address."""
    process = subprocess.Popen(
        command(*arguments), cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("live: http://127.0.0.1:"), line
        yield process, line.removeprefix("live: ").strip()
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.fixture
def certifying(tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    pack = tmp_path / "pack"
    with serving("certify", tmp_path / "plan.yaml", "--out", pack, "--live") as (process, address):
        yield process, address, pack


def text(page, element):
    return page.run("return document.getElementById(arguments[0]).textContent", element)


def until(page, element, wanted):
    page.until(lambda: wanted in text(page, element), f"{element} never said {wanted!r}")


def asked(page):
    """Return the question that is shown, None when there is none."""
    shown = page.shown("#live-question")
    return text(page, "live-question-text") if shown else None


def clean(page, address):
    """Nothing was complained of, and nothing was asked for but from the page's own server."""
    assert page.said() == []
    assert [url for url in page.asked() if not url.startswith((address, address.replace("http", "ws")))] == []
    assert page.wanted() == []


def test_a_run_is_watched_answered_paused_and_found_again(chromium, certifying):
    process, address, pack = certifying
    page = chromium
    page.open(address)
    page.until(lambda: asked(page) == "Does it show <b>SMETS1</b>?", "the question is not shown")
    until(page, "live-case", "ASKS")
    until(page, "live-step", "ask {question")
    until(page, "live-serial", "install-code")

    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.driver.get(address)
    page.until(lambda: asked(page) == "Does it show <b>SMETS1</b>?", "a second viewer sees another thing")
    page.driver.refresh()
    page.until(lambda: asked(page) is not None, "the question is lost by a reload")
    page.one("#live-remark").send_keys("<i>dimly</i>")
    page.one("#live-yes").click()
    page.until(lambda: asked(page) is None, "the answer did not arrive")
    page.driver.close()
    page.driver.switch_to.window(first)
    page.until(lambda: asked(page) is None, "the first viewer still asks")

    until(page, "live-case", "LONG")
    page.one("#live-pause").click()
    until(page, "live-state", "paused before the next case")
    until(page, "live-count", "2 of 3")
    assert page.run("return live.queue.length") == 0
    assert asked(page) is None
    page.one("#live-pause").click()
    page.until(lambda: asked(page) == "Is it dark?", "the run does not go on")
    page.one("#live-no").click()
    until(page, "live-state", "ended, exit 1")
    until(page, "live-count", "3 of 3")
    page.until(lambda: page.run("return report.byKey.size") == 3, "the cases are not all there")
    counts = "return [...document.querySelectorAll('.chip b')].map((count) => Number(count.textContent))"
    assert page.run(counts) == [2, 1, 0, 0]
    clean(page, address)
    assert process.wait(20) == 1

    run = json.loads((pack / "run.json").read_text())
    ask = run["cases"][0]["steps"][1]
    assert ask["seen"] == {"answer": "yes: <i>dimly</i>", "by": "page"}
    assert [case["verdict"] for case in run["cases"]] == ["pass", "pass", "fail"]
    assert verify(pack).ok


def test_a_case_that_has_ended_opens_to_its_diagram_while_the_run_goes_on(chromium, certifying):
    _, address, _ = certifying
    page = chromium
    page.open(address)
    page.until(lambda: asked(page) is not None)
    page.one("#live-yes").click()
    page.until(lambda: page.all("#case-ASKS"), "the case that ended is not listed")
    page.run("document.getElementById('case-ASKS').open = true")
    page.until(lambda: page.all("#case-ASKS .ladder .row"), "no diagram")
    assert "running" in text(page, "live-state")
    until(page, "live-frames", "NWK")
    clean(page, address)


def test_stop_asks_once_more_and_then_ends_the_run(chromium, certifying):
    process, address, pack = certifying
    page = chromium
    page.open(address)
    page.until(lambda: asked(page) is not None)
    page.one("#live-stop").click()
    assert process.poll() is None
    assert page.one("#live-stop").text == "Stop now?"
    page.one("#live-stop").click()
    assert process.wait(20) == 130
    until(page, "live-state", "ended, exit 130")
    run = json.loads((pack / "run.json").read_text())
    assert "interrupted from the page" in run["cases"][0]["reason"]
    assert verify(pack).ok


def test_a_page_that_lost_its_server_finds_it_again(chromium, tmp_path):
    pack = EvidencePack(tmp_path / "pack")
    pack.describe(selected=["A"])
    pack.begin_case("A")
    page = chromium
    with serving("report", "serve", pack.folder) as (_, address):
        page.open(address)
        pack.tap.record(Boundary.SERIAL, "bench", "ppmid", "before")
        until(page, "live-serial", "before")
        assert page.shown("#live-pause, #live-stop") == []
    until(page, "live-state", "trying again")
    pack.tap.record(Boundary.SERIAL, "bench", "ppmid", "meanwhile")
    at = address.removeprefix("http://").rstrip("/")
    with serving("report", "serve", pack.folder, "--at", at):
        until(page, "live-serial", "meanwhile")
        until(page, "live-state", "running")
        pack.end_case(result("A"))
        pack.finish(0)
        until(page, "live-state", "ended, exit 0")


def test_what_devices_say_does_no_harm_and_what_hides_is_shown(chromium, tmp_path):
    pack = EvidencePack(tmp_path / "pack")
    pack.describe(selected=[ATTACK], rig={"name": ATTACK})
    pack.begin_case("A")
    page = chromium
    with serving("report", "serve", pack.folder) as (_, address):
        page.open(address)
        for boundary in Boundary:
            pack.tap.record(boundary, ATTACK, ATTACK, f"here: {ATTACK}", step=1)
        pack.tap.record(Boundary.SERIAL, "ppmid", "bench", "x" * 1_000_000 + "end")
        pack.tap.record(Boundary.STEP, "plan", "operator", ATTACK, question=ATTACK)
        until(page, "live-serial", " characters)")
        page.until(lambda: asked(page) is not None, "no question")
        for element in ("live-serial", "live-frames", "live-step", "live-question-text"):
            until(page, element, "\\u{1b}[2J\\u{202e}")
        pack.end_case(result("A", title=ATTACK))
        page.until(lambda: page.run("return report.byKey.size") == 1)
        assert page.run("return window.harmed") is None
        assert page.all("#live img, #live script, #case-list img") == []
        clean(page, address)
    pack.finish(0)
