"""The pytest plugin: plans as items, fixtures, and no trace of it where neither is asked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import harness.plan.blocking_run  # noqa: F401 - once, and not anew by each inner pytest
from harness.evidence.intact import verify
from tests.plan.fake_bench import CPL_FILE
from tests.plan.fake_drivers import RIG, install

pytest_plugins = ["pytester"]

CHECKOUT = Path(__file__).parents[1]
WITHOUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
CONFTEST = (CHECKOUT / "conftest.py").read_text()
PLAN = """\
schema: ppmid-bench/plan@1
title: t
cases:
  - id: RIGHT
    title: Joins the SMETS2+ hub
    steps: [prenotify: {as: SMETS1}, whitelist: {hub: smets2}, join: {within: 5 s}]
  - id: WRONG
    title: Takes SMETS1 for SMETS2+
    steps: [prenotify: {as: SMETS1}, whitelist: {hub: smets2}, expect_inventory: {smets: SMETS1}]
  - id: OPEN
    title: Asks too early
    steps: [prenotify: {as: SMETS1}, request: {srv: "11.2"}]
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """A folder with the plugin, a rig of fakes and a plan; returns what runs pytest in it."""
    install(pytester.path / "installed")
    monkeypatch.syspath_prepend(str(pytester.path / "installed"))
    pytester.makeconftest(CONFTEST)
    (pytester.path / "rig.yaml").write_text(RIG)
    (pytester.path / "cpl.csv").write_bytes(CPL_FILE.read_bytes())
    (pytester.path / "plan.yaml").write_text(PLAN)
    threads = threading.enumerate()

    def run(*arguments):
        found = pytester.runpytest_inprocess("-W", "error", *WITHOUT, *arguments)
        assert threading.enumerate() == threads
        return found

    run.path = pytester.path
    return run


def cases_of(pack):
    return {case["id"]: case for case in json.loads((pack / "run.json").read_text())["cases"]}


def test_a_plan_is_collected_as_its_cases(suite):
    found = suite("--collect-only", "-q", "plan.yaml")
    found.stdout.fnmatch_lines(["plan.yaml::RIGHT", "plan.yaml::WRONG", "plan.yaml::OPEN"])
    assert found.ret == 0
    assert not (suite.path / "evidence").exists()


def test_verdicts_become_outcomes_that_cannot_be_mistaken(suite):
    found = suite("-v", "plan.yaml", "--rig", "rig.yaml", "--evidence", "pack")
    found.stdout.fnmatch_lines(
        [
            "plan.yaml::RIGHT PASSED*",
            "plan.yaml::WRONG FAILED*",
            "plan.yaml::OPEN INCONCLUSIVE*",
            "FAIL: expect_inventory {smets: SMETS1}: SMETS version in the SMI: expected SMETS1, seen*",
            "    fail          expect_inventory {smets: SMETS1}  (*plan.yaml:9)",
            "INCONCLUSIVE: request {srv: 11.2}: *only assumed*",
            f"evidence: {suite.path / 'pack'}",
        ]
    )
    found.assert_outcomes(passed=1, failed=2)
    assert "Traceback" not in found.stdout.str()
    pack = suite.path / "pack"
    assert {name: case["verdict"] for name, case in cases_of(pack).items()} == {
        "RIGHT": "pass",
        "WRONG": "fail",
        "OPEN": "inconclusive",
    }
    run = json.loads((pack / "run.json").read_text())
    assert (run["exit_code"], run["state"], run["plans"][0]["title"]) == (1, "finished", "t")
    assert verify(pack).ok


def test_an_inconclusive_case_is_skipped_when_that_is_asked_for(suite):
    found = suite("plan.yaml", "--rig", "rig.yaml", "-k", "OPEN", "--inconclusive", "skip", "-rs")
    found.assert_outcomes(skipped=1, deselected=2)
    found.stdout.fnmatch_lines(["SKIPPED * inconclusive: request*"])


def test_cases_are_chosen_by_id_and_title(suite):
    suite("plan.yaml", "--rig", "rig.yaml", "-k", "RIGHT").assert_outcomes(passed=1, deselected=2)
    assert len(list((suite.path / "evidence").iterdir())) == 1


def test_a_rig_that_does_not_open_is_an_error_of_every_case(suite):
    rig = RIG.replace("{driver: fake-environment}", "{driver: fake-environment, fails: no port}")
    (suite.path / "rig.yaml").write_text(rig)
    found = suite("plan.yaml", "--rig", "rig.yaml", "--evidence", "pack")
    found.assert_outcomes(errors=3)
    found.stdout.fnmatch_lines(["rig error: no port"])
    run = json.loads((suite.path / "pack" / "run.json").read_text())
    assert (run["exit_code"], run["reason"]) == (3, "the rig could not be opened: no port")


def test_a_rig_that_is_lost_is_an_error_with_a_word_of_its_own(suite):
    rig = RIG.replace("{driver: fake-environment}", "{driver: fake-environment, dies_at_join: true}")
    (suite.path / "rig.yaml").write_text(rig)
    found = suite("-v", "plan.yaml", "--rig", "rig.yaml", "--evidence", "pack")
    found.assert_outcomes(errors=3)
    found.stdout.fnmatch_lines(
        ["plan.yaml::RIGHT RIG ERROR*", "rig error: not executed, as the rig was lost*"]
    )


def test_a_wrong_plan_is_a_collection_error_with_every_place(suite):
    (suite.path / "plan.yaml").write_text(PLAN.replace("join:", "jion:").replace("smets: SMETS1", "smets: X"))
    found = suite("plan.yaml", "--rig", "rig.yaml")
    found.stdout.fnmatch_lines(["*plan.yaml:6:*unknown step `jion`*", "*plan.yaml:9:*must be one of*"])
    found.assert_outcomes(errors=1)


def test_a_case_id_is_given_once_over_all_plans(suite):
    (suite.path / "second.yaml").write_text(PLAN)
    found = suite("plan.yaml", "second.yaml", "--rig", "rig.yaml")
    found.stdout.fnmatch_lines(["*second.yaml:4: case id `RIGHT` is given twice (first in *plan.yaml:4)*"])


def test_a_wrong_rig_is_an_error_in_one_sentence(suite):
    found = suite("plan.yaml", "--rig", "nowhere.yaml", "-k", "RIGHT")
    found.assert_outcomes(errors=1, deselected=2)
    found.stdout.fnmatch_lines(["*nowhere.yaml: no such file"])
    assert not (suite.path / "evidence").exists()


def test_other_yaml_files_are_left_alone(suite):
    (suite.path / "plan.yaml").unlink()
    (suite.path / "conf.yaml").write_text("a: [\n")
    (suite.path / "rig2.yaml").write_text(RIG)
    assert suite("--collect-only").ret == pytest.ExitCode.NO_TESTS_COLLECTED


FIXTURES = """
from harness.dcc.documents import Prenotification
from harness.smets.cpl import DeviceType

def join(rig, dcc, hub, ppmid):
    device = rig.ppmid.device
    notice = Prenotification(device=device.eui64, device_type=DeviceType.PPMID, version="SMETS1",
                             manufacturer=device.manufacturer, model=device.model, firmware=device.firmware)
    assert dcc.prenotify(notice).ok
    assert dcc.whitelist(hub.eui64, device.eui64, bytes(device.install_code), 60).ok
    return ppmid.join(5.0)

def test_smets2(rig, dcc, smets2_hub, ppmid, evidence):
    assert join(rig, dcc, smets2_hub, ppmid).status.mode == "SMETS2+"
    assert smets2_hub.device_log()[0].eui64 == rig.ppmid.device.eui64
    evidence.save("note.txt", "mine")

def test_smets1(rig, dcc, smets1_hub, ppmid):
    assert join(rig, dcc, smets1_hub, ppmid).status.mode == "SMETS1"

def test_begins_afresh(bench, smets1_hub, ppmid):
    assert ppmid.status().state == "out"
    assert smets1_hub.device_log() == ()
    assert bench.unwrapped.rules is bench.rules

def test_wrong(dcc):
    assert dcc.inventory() == ()

def test_faulty(bench):
    from harness.errors import RigFault
    raise RigFault("cable")

def test_skipped(bench):
    import pytest
    pytest.skip("not today")
"""


def test_fixtures_give_the_parts_of_the_bench_to_synchronous_tests(suite):
    suite.path.joinpath("test_mine.py").write_text(FIXTURES)
    found = suite("test_mine.py", "--rig", "rig.yaml", "--evidence", "pack")
    found.assert_outcomes(passed=3, failed=2, skipped=1)
    cases = cases_of(suite.path / "pack")
    assert {name.rpartition("::")[2]: case["verdict"] for name, case in cases.items()} == {
        "test_smets2": "pass",
        "test_smets1": "pass",
        "test_begins_afresh": "pass",
        "test_wrong": "fail",
        "test_faulty": "error",
        "test_skipped": "inconclusive",
    }
    (folder,) = (suite.path / "pack" / "cases").glob("*test_smets2")
    assert (folder / "note.txt").read_text() == "mine"
    assert "joined" in (folder / "timeline.jsonl").read_text()
    assert (folder / "han.pcapng").stat().st_size > 500
    assert verify(suite.path / "pack").ok


def test_without_a_rig_the_fixtures_skip_and_say_why(suite):
    suite.path.joinpath("test_mine.py").write_text(FIXTURES)
    found = suite("test_mine.py", "-rs")
    found.assert_outcomes(skipped=6)
    found.stdout.fnmatch_lines(["SKIPPED * needs a rig: give one with --rig FILE"])
    assert not (suite.path / "evidence").exists()


def test_a_rig_without_a_hub_of_a_family_skips(suite):
    lines = [line for line in RIG.splitlines() if not line.startswith("  smets1:")]
    (suite.path / "rig.yaml").write_text("\n".join(lines))
    suite.path.joinpath("test_mine.py").write_text("def test_it(smets1_hub): pass\n")
    found = suite("test_mine.py", "--rig", "rig.yaml", "-rs")
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["SKIPPED * the rig has no SMETS1 hub"])


def test_beside_another_suite_it_is_inert(suite):
    (suite.path / "plan.yaml").unlink()
    suite.path.joinpath("test_other.py").write_text(
        "import sys\n"
        "def test_it(request):\n"
        "    assert request.fixturenames == ['request']\n"
        "    assert 'harness.plan.blocking_run' not in request.config.stash\n"
    )
    found = suite("test_other.py")
    found.assert_outcomes(passed=1)
    assert "evidence" not in found.stdout.str()


def test_the_plugin_loads_nothing_heavy():
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, harness.plugin; print(*sys.modules)"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [name for name in listed.stdout.split() if name.split(".")[0] in ("harness", "drivers")]
    assert sorted(ours) == ["harness", "harness.plan", "harness.plan.look", "harness.plugin"]


TEARDOWNS = """
import pytest

@pytest.fixture
def quiet(bench):
    yield
    assert bench.hubs == {}, "something was left on the bench"

def test_left(quiet): pass

def test_skipped(quiet): pytest.skip("not today")

@pytest.mark.xfail(strict=True, reason="known")
def test_fixed(bench): pass
"""


def test_what_fails_in_the_teardown_or_by_the_word_of_another_plugin_is_no_pass(suite):
    suite.path.joinpath("test_mine.py").write_text(TEARDOWNS)
    suite("test_mine.py", "--rig", "rig.yaml", "--evidence", "pack")
    cases = cases_of(suite.path / "pack")
    assert {name.rpartition("::")[2]: (case["verdict"], case["reason"]) for name, case in cases.items()} == {
        "test_left": ("fail", cases["test_mine.py::test_left"]["reason"]),
        "test_skipped": ("fail", cases["test_mine.py::test_skipped"]["reason"]),
        "test_fixed": ("fail", "call: [XPASS(strict)] known"),
    }
    assert "something was left on the bench" in cases["test_mine.py::test_left"]["reason"]
    assert verify(suite.path / "pack").ok


def test_a_test_that_is_not_run_is_no_pass(suite):
    suite.path.joinpath("test_mine.py").write_text("def test_it(bench): pass\n")
    suite("test_mine.py", "--rig", "rig.yaml", "--evidence", "pack", "--setup-only")
    (case,) = cases_of(suite.path / "pack").values()
    assert (case["verdict"], case["reason"]) == ("error", "the test was not run")


def test_a_test_that_is_repeated_until_it_passes_keeps_its_verdict(suite):
    suite.path.joinpath("test_mine.py").write_text("def test_it(bench): assert not bench.hubs\n")
    suite.path.joinpath("conftest.py").write_text(
        f"{CONFTEST}\n"
        "from _pytest.runner import runtestprotocol\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    runtestprotocol(item, nextitem=nextitem)\n"
        "    item.obj = lambda bench: None\n"
        "    runtestprotocol(item, nextitem=nextitem)\n"
        "    return True\n"
    )
    found = suite("test_mine.py", "--rig", "rig.yaml", "--evidence", "pack")
    found.stdout.fnmatch_lines(["*`test_mine.py::test_it` has its verdict in this pack already*"])
    (case,) = cases_of(suite.path / "pack").values()
    assert case["verdict"] == "fail"


def interrupted(suite, *arguments, when):
    """Run pytest in a process of its own, press Ctrl-C as soon as `when` is true, return the run.json."""
    path = os.pathsep.join([str(CHECKOUT), str(suite.path / "installed")])
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments, "--rig", "rig.yaml", "--evidence", "pack"],
        cwd=suite.path,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not when():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, out
    run = json.loads((suite.path / "pack" / "run.json").read_text())
    assert (run["state"], run["exit_code"], run["current_case"]) == ("finished", 130, None)
    assert verify(suite.path / "pack").ok
    return run


def test_ctrl_c_leaves_a_readable_pack(suite):
    steps = "steps: [prenotify: {as: SMETS1}, wait: {for: 50 s}]"
    (suite.path / "plan.yaml").write_text(
        PLAN.split("  - id: WRONG")[0].split("    steps:")[0] + f"    {steps}\n"
    )
    timeline = suite.path / "pack" / "cases" / "RIGHT" / "timeline.jsonl"
    run = interrupted(
        suite,
        "plan.yaml",
        when=lambda: timeline.exists() and "wait {for: 50 s}" in timeline.read_text(),
    )
    assert run["cases"][0]["reason"] == "wait {for: 50 s}: interrupted"


SLEEPS = """
import pytest, time
from pathlib import Path

def at(place):
    if place == "PLACE":
        Path("asleep").touch()
        time.sleep(50)

@pytest.fixture
def fixture(dcc, evidence):
    at("set-up")
    yield
    evidence.save("note.txt", str(dcc.inventory()))
    at("teardown")

def test_before(bench): pass

def test_it(fixture): at("call")
"""


@pytest.mark.parametrize("place", ["set-up", "call", "teardown"])
def test_ctrl_c_makes_a_test_an_error_and_never_a_pass(suite, place):
    suite.path.joinpath("test_mine.py").write_text(SLEEPS.replace("PLACE", place))
    run = interrupted(suite, "test_mine.py", when=(suite.path / "asleep").exists)
    verdicts = {case["id"].rpartition("::")[2]: (case["verdict"], case["reason"]) for case in run["cases"]}
    assert verdicts == {"test_before": ("pass", None), "test_it": ("error", "interrupted")}
    # What a fixture does with the bench when it is torn down is evidence still.
    notes = list((suite.path / "pack" / "cases").glob("*test_it*/note.txt"))
    assert bool(notes) == (place != "set-up")
