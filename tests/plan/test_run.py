"""Exceptions become verdicts in one place, with the rig's health; only the rig's errors are tried again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.documents import Node, Seconds
from harness.errors import (
    AssumptionNotMet,
    BenchError,
    ConfigError,
    DeviceSilent,
    DutFault,
    HarnessBug,
    OperatorDeclined,
    PlanError,
    RadioUndelivered,
    RigFault,
    StimulusImpossible,
    SystemFault,
)
from harness.evidence.intact import verify
from harness.evidence.pack import EvidencePack
from harness.plan.judge import VERDICT_OF
from harness.plan.model import Case
from harness.plan.run import Runner
from harness.plan.steps.step import Step
from harness.smets.rulebook import RuleError
from tests.plan.fake_bench import OFFERS, fake_bench
from tests.plan.running import Notes, our_cases, run

PLACE = Node({}, Path("plan.yaml"), 7, 3)
JOINED = "MP202-ROW-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Does(Step):
    """Calls `act` with the case."""

    act: object
    where: Node = PLACE

    async def run(self, case):
        found = self.act(case)
        return (await found if asyncio.iscoroutine(found) else found) or {}


Does.word = "does"


def raises(*errors):
    """Return a step that raises these, one an attempt, and then passes."""
    left = list(errors)

    def act(case):
        if left:
            raise left.pop(0)

    return Does(act=act)


def case(*steps, name="C", needs=(), timeout=20.0):
    return Case(
        id=name,
        title="t",
        needs=needs,
        timeout=Seconds(timeout),
        steps=steps,
        where=Node({}, Path("p"), 1, 1),
    )


def always(error):
    def act(context):
        raise error

    return Does(act=act)


VERDICTS = [
    (DutFault("x"), "fail"),
    (SystemFault("x"), "fail"),
    (StimulusImpossible("x"), "inconclusive"),
    (OperatorDeclined("x"), "inconclusive"),
    (AssumptionNotMet("x"), "inconclusive"),
    (RigFault("x"), "error"),
    (HarnessBug("x"), "error"),
    (ConfigError("x"), "error"),
    (PlanError("x"), "error"),
    (BenchError("x"), "error"),
    (RuleError("R", "x"), "error"),
    (KeyError("x"), "error"),
    (TimeoutError("x"), "error"),
]


@pytest.mark.parametrize(("error", "verdict"), VERDICTS, ids=[type(error).__name__ for error, _ in VERDICTS])
def test_an_exception_becomes_the_verdict_of_its_class(tmp_path, error, verdict):
    ran = run(tmp_path, [case(always(error))])
    assert ran.only.verdict.value == verdict
    assert ran.only.reason.startswith("does: ")
    assert ran.only.attempt == (2 if verdict == "error" else 1)
    (step,) = ran.only.steps
    assert (step.title, step.place, step.verdict.value) == ("does", "plan.yaml:7", verdict)


def test_every_kind_of_bench_error_has_a_verdict_of_its_own():
    named = {kind for kind, _ in VERDICT_OF}
    assert set(BenchError.__subclasses__()) - named == {
        kind for kind in BenchError.__subclasses__() if kind.__name__ == "Hang"
    }


@pytest.mark.parametrize("error", [DutFault("no answer"), SystemFault("x"), StimulusImpossible("x")])
def test_an_unhealthy_rig_makes_it_an_error_and_both_facts_are_told(tmp_path, error):
    def lose_and_raise(context):
        context.bench.hub("smets1").hub._radio.lose(heals=False)
        raise error

    ran = run(tmp_path, [case(Does(act=lose_and_raise))])
    assert ran.only.verdict.value == "error"
    assert error.message in ran.only.reason
    assert "The rig is not healthy: hub smets1: hub smets1 lost its radio: unplugged" in ran.only.reason
    assert ran.only.health.startswith("hub smets1: ")


def test_a_rig_fault_is_not_told_twice(tmp_path):
    def lose(context):
        context.bench.hub("smets1").hub._radio.lose(heals=False)
        context.bench.hub("smets1").hub._check()

    ran = run(tmp_path, [case(Does(act=lose))])
    assert ran.only.reason.count("lost its radio") >= 1
    assert ran.only.verdict.value == "error"


def test_a_health_check_that_breaks_is_no_sign_of_health(tmp_path, monkeypatch):
    async def broken(self):
        raise ZeroDivisionError("check")

    monkeypatch.setattr("harness.rig.bench.Bench.health", broken)
    monkeypatch.setattr("harness.rig.bench.Bench.recover", lambda self: asyncio.sleep(0, "nothing"))
    ran = run(tmp_path, [case(always(DutFault("x")))])
    assert ran.only.verdict.value == "error"
    assert "its health check failed: the bench itself failed: ZeroDivisionError: check" in ran.only.health


def test_a_health_check_that_hangs_is_no_sign_of_health(tmp_path, monkeypatch):
    async def hangs(self):
        await asyncio.Event().wait()

    monkeypatch.setattr("harness.plan.judge._HEALTH_WITHIN_S", 0.02)
    monkeypatch.setattr("harness.rig.bench.Bench.health", hangs)
    monkeypatch.setattr("harness.rig.bench.Bench.recover", lambda self: asyncio.sleep(0, "nothing"))
    ran = run(tmp_path, [case(always(DutFault("x")))])
    assert (ran.only.verdict.value, ran.only.health) == (
        "error",
        "its health check did not end within 0.02 s",
    )


# --- silence on the air ------------------------------------------------------------------------------------


def joined_then(act):
    steps = our_cases(JOINED)[0].steps[:4]
    return case(*steps, Does(act=act))


def silent(error):
    def act(context):
        raise error

    return act


def test_a_ppmid_that_is_off_the_network_by_its_own_account_is_at_fault(tmp_path):
    ran = run(tmp_path, [case(always(RadioUndelivered("no ack")))])
    assert ran.said() == (
        "fail",
        "does: no ack. The rig is healthy, and the PPMID says state=out mode=none: it is off the network",
    )


def test_a_ppmid_that_is_on_the_network_and_not_reached_is_an_error(tmp_path):
    ran = run(tmp_path, [joined_then(silent(RadioUndelivered("no ack")))])
    assert ran.said() == (
        "error",
        "does: no ack. The PPMID says state=joined mode=SMETS2+: something between it and the hub is amiss",
    )


def test_a_ppmid_that_took_a_message_and_does_not_answer_is_at_fault(tmp_path):
    ran = run(tmp_path, [joined_then(silent(DeviceSilent("no answer")))])
    assert ran.only.verdict.value == "fail"
    assert "The rig is healthy, and the PPMID says state=joined" in ran.only.reason


def test_a_ppmid_that_does_not_say_where_it_is_is_judged_by_that(tmp_path):
    def arrange(parts):
        parts.ppmid.fault_at["status"] = DutFault("err code=confused")

    ran = run(tmp_path, [case(always(RadioUndelivered("no ack")))], arrange)
    assert ran.said() == ("fail", "does: no ack. Asked where it is: err code=confused")


# --- again, and no more ------------------------------------------------------------------------------------


def test_an_error_is_tried_once_more_and_both_attempts_stay(tmp_path):
    ran = run(tmp_path, [case(raises(RigFault("glitch")))])
    assert (ran.verdicts, ran.only.attempt, ran.runner.exit_code) == (["pass"], 2, 0)
    cases = ran.run_json()["cases"]
    assert [(entry["attempt"], entry["verdict"]) for entry in cases] == [(1, "error"), (2, "pass")]
    assert (ran.folder / "cases" / "C" / "attempt-2" / "timeline.jsonl").exists()
    assert ran.notes.told == [
        ("run", ["C"]),
        ("case", "C", 1),
        ("step", "C", "does", "error"),
        ("end", "C", "error", True),
        ("case", "C", 2),
        ("step", "C", "does", "pass"),
        ("end", "C", "pass", False),
    ]


@pytest.mark.parametrize("error", [DutFault("x"), SystemFault("x"), StimulusImpossible("x")])
def test_nothing_but_an_error_is_tried_again(tmp_path, error):
    ran = run(tmp_path, [case(raises(error))])
    assert ran.only.attempt == 1
    assert ran.only.verdict.value != "pass"


def test_the_rig_is_recovered_before_it_is_tried_again(tmp_path):
    lost = []

    def lose_once(context):
        if not lost:
            lost.append(True)
            context.bench.hub("smets2").hub._radio.lose()
            context.bench.hub("smets2").hub._check()

    ran = run(tmp_path, [case(Does(act=lose_once)), *our_cases(JOINED)])
    assert ran.verdicts == ["pass", "pass"]
    assert "recovered: hub smets2 started again" in (ran.folder / "run.jsonl").read_text()


class After:
    """True from the n-th time on that it is asked."""

    def __init__(self, times):
        self.times = times

    def __bool__(self):
        self.times -= 1
        return self.times < 0


@pytest.mark.parametrize(("times", "rung"), [(1, "supply was cycled"), (2, "after 0.01 s")])
def test_a_dongle_that_is_not_back_at_once_is_helped_rung_by_rung(tmp_path, monkeypatch, times, rung):
    monkeypatch.setattr("harness.rig.bench._USB_COMES_BACK_S", 0.01)
    lost = []

    def lose_once(context):
        if not lost:
            lost.append(True)
            context.bench.hub("smets2").hub._radio.lose(heals=After(times))
            context.bench.hub("smets2").hub._check()

    ran = run(tmp_path, [case(Does(act=lose_once)), *our_cases(JOINED)])
    assert ran.verdicts == ["pass", "pass"]
    assert rung in (ran.folder / "run.jsonl").read_text()


def test_a_rig_that_is_lost_for_good_makes_the_rest_an_error(tmp_path):
    def lose(context):
        context.bench.hub("smets2").hub._radio.lose(heals=False)
        raise DutFault("x")

    ran = run(tmp_path, [case(Does(act=lose)), case(raises(), name="D"), case(raises(), name="E")])
    assert ran.verdicts == ["error"] * 3
    assert ran.results[0].attempt == 1
    assert ran.results[1].reason.startswith(
        "not executed, as the rig was lost: after C: the rig stays unhealthy"
    )
    assert [entry["id"] for entry in ran.run_json()["cases"]] == ["C", "D", "E"]
    assert ran.runner.exit_code == 3


def test_a_recovery_that_hangs_loses_the_rig(tmp_path, monkeypatch):
    async def hangs(self):
        await asyncio.Event().wait()

    monkeypatch.setattr("harness.plan.run._RECOVERS_WITHIN_S", 0.02)
    monkeypatch.setattr("harness.rig.bench.Bench.recover", hangs)
    ran = run(tmp_path, [case(always(RigFault("x"))), case(raises(), name="D")])
    assert ran.verdicts == ["error", "error"]
    assert "could not be recovered within 0.02 s" in ran.results[1].reason


def test_an_error_of_a_healthy_rig_leaves_the_other_cases_alone(tmp_path):
    ran = run(tmp_path, [case(always(HarnessBug("x"))), case(raises(), name="D")])
    assert ran.verdicts == ["error", "pass"]
    assert ran.runner.exit_code == 3


# --- time, needs, bugs -------------------------------------------------------------------------------------


def test_a_case_that_hangs_is_an_error_that_names_the_step(tmp_path):
    async def hang(context):
        await asyncio.Event().wait()

    ran = run(tmp_path, [case(raises(), Does(act=hang), timeout=0.05)])
    verdict, reason = ran.said()
    assert verdict == "error"
    assert reason.startswith("does: still waiting when the case's 0.05 s were over")
    assert [step.verdict.value for step in ran.only.steps] == ["pass", "error"]


def test_a_ppmid_that_hangs_in_the_join_is_an_error_that_names_the_join(tmp_path):
    def arrange(parts):
        parts.ppmid.join_hangs = True

    (row,) = our_cases(JOINED)
    short = Case(id="C", title="t", timeout=Seconds(0.5), steps=row.steps, where=Node({}, Path("p"), 1, 1))
    ran = run(tmp_path, [short], arrange)
    assert ran.only.verdict.value == "error"
    assert ran.only.reason.startswith("join {within: 60 s}: still waiting")


def test_a_case_whose_needs_the_rig_lacks_is_inconclusive_and_not_executed(tmp_path):
    ran = run(tmp_path, [case(raises(), needs=("hub.smets3", "power", "sniffer"))], offers=OFFERS - {"power"})
    assert ran.said() == ("inconclusive", "the rig has no hub.smets3, no power")
    assert ran.runner.executed == 0
    assert ran.runner.exit_code == 3


def test_a_case_without_its_needs_beside_one_that_ran_makes_the_run_inconclusive(tmp_path):
    ran = run(tmp_path, [case(raises(), needs=("hub.x",)), case(raises(), name="D")])
    assert ran.verdicts == ["inconclusive", "pass"]
    assert ran.runner.exit_code == 4


def test_a_bug_leaves_its_traceback_in_the_evidence(tmp_path):
    ran = run(tmp_path, [case(always(KeyError("oops")))])
    assert "the bench itself failed: KeyError: 'oops'; please report it" in ran.only.reason
    assert "Traceback" in (ran.folder / "cases" / "C" / "harness-error.txt").read_text()


def test_a_ppmid_that_does_not_begin_afresh_ends_the_case_there(tmp_path):
    def arrange(parts):
        parts.ppmid.fault_at["leave"] = DutFault("err code=stuck")

    ran = run(tmp_path, [case(raises())], arrange)
    assert ran.said() == ("fail", "begin afresh: err code=stuck")


def test_a_sniffer_that_fails_is_an_error(tmp_path):
    def arrange(parts):
        parts.bench.sniffer.fault = RigFault("sniffer on /dev/ttyUSB9: unplugged")

    ran = run(tmp_path, [case(raises())], arrange)
    assert ran.only.verdict.value == "error"
    assert ran.only.reason == "hear the air out: sniffer on /dev/ttyUSB9: unplugged"


def test_a_case_begins_where_no_other_has_left_off(tmp_path):
    ran = run(tmp_path, [*our_cases("MP202-ROW-2"), *our_cases("HAN-NOT-WHITELISTED", "MP202-ROW-1")])
    assert set(ran.verdicts) == {"pass"}


# --- interrupted -------------------------------------------------------------------------------------------


def test_a_run_that_is_cancelled_leaves_a_readable_pack(tmp_path):
    async def main():
        pack = EvidencePack(tmp_path / "pack")
        waiting = asyncio.Event()

        async def wait(context):
            waiting.set()
            await asyncio.Event().wait()

        async with fake_bench(tap=pack.tap) as parts:
            runner = Runner(bench=parts.bench, pack=pack, offers=OFFERS, observer=Notes())
            task = asyncio.create_task(
                runner.run(
                    [case(raises(), name="A"), case(raises(), Does(act=wait), name="B"), case(name="C")]
                )
            )
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            pack.finish(130)

    asyncio.run(main())
    run_json = json.loads((tmp_path / "pack" / "run.json").read_text())
    assert [(entry["id"], entry["verdict"], entry["reason"]) for entry in run_json["cases"]] == [
        ("A", "pass", None),
        ("B", "error", "does: interrupted"),
    ]
    assert (run_json["state"], run_json["exit_code"]) == ("finished", 130)
    assert verify(tmp_path / "pack").ok
