"""`certify`: what it shows, what it leaves, and its exit code for everything that can happen."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from pathlib import Path

import pytest

from harness.errors import ConfigError, RigFault
from harness.evidence.intact import verify
from harness.plan.load import load_plans

ROW_2 = ("prenotify: {as: SMETS1}", "whitelist: {hub: smets2}", "join: {within: 5 s}")
PLANS = Path(__file__).parents[2] / "test_plans" / "mp202"
ENVIRONMENT = "{driver: fake-environment}"


def known_cases():
    return sum(len(plan.cases) for plan in load_plans([PLANS]))


def misbehaving(**options):
    said = ", ".join(f"{key}: {value}" for key, value in options.items())
    return ENVIRONMENT, f"{{driver: fake-environment, {said}}}"


def test_all_cases_of_mp202_pass_and_the_pack_is_intact(shell):
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    cases = known_cases()
    assert lines[0] == f"running {cases} cases"
    (head,) = [line for line in lines if line.startswith("row")]
    assert " ".join(head.split()) == "row pre-notified hub expected SMI on-air mode route verdict"
    assert "2    SMETS1        smets2  SMETS2+   SMETS2+  SMETS2+      gbcs   pass" in lines
    assert lines[-2:] == [f"exit 0: {cases} pass of {cases}", "evidence: pack"]
    assert verify(shell.folder / "pack").ok
    run = json.loads((shell.folder / "pack" / "run.json").read_text())
    assert run["rig"]["name"] == "bench of fakes"
    assert "MP202-ROW-1" in run["selected"]
    assert run["requirements"]["MP202-T2"]["source"].startswith("MR §3")
    assert (run["exit_code"], run["state"]) == (0, "finished")


def test_json_is_one_document_and_nothing_else(shell):
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack", "-k", "row-2", "--json")
    told = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert (told["exit_code"], told["reason"], told["pack"]) == (0, "exit 0: 1 pass of 1", "pack")
    assert [case["id"] for case in told["cases"]] == ["MP202-ROW-2"]
    assert told["cases"][0]["row"]["route"] == "gbcs"


def test_a_pack_goes_under_evidence_when_no_folder_is_named(shell):
    for _ in range(2):
        assert shell("certify", "--rig", "rig.yaml", "-k", "ROW-1").code == 0
    packs = list((shell.folder / "evidence").iterdir())
    assert len(packs) == 2
    assert all((pack / "run.json").exists() for pack in packs)


def test_a_failed_case_is_exit_1_with_its_reason(shell):
    shell.rig(misbehaving(defects="[wrong-mode]"))
    plan = shell.plan(*ROW_2, "expect_han: {mode: SMETS2+}")
    ended = shell("certify", plan, "--rig", "rig.yaml", "--out", "pack")
    assert ended.code == 1
    assert "fail          C  t" in ended.out
    assert "    expect_han {mode: SMETS2+}: mode of the PPMID on hub smets2" in ended.out
    assert "exit 1: 1 fail of 1" in ended.out


def test_an_inconclusive_case_is_exit_4(shell):
    plan = shell.plan("request: {srv: '11.2'}")
    ended = shell("certify", plan, "--rig", "rig.yaml", "--out", "pack")
    assert (ended.code, "exit 4: 1 inconclusive of 1" in ended.out) == (4, True)


def test_a_rig_that_is_lost_in_mid_run_is_exit_3_and_nothing_is_skipped(shell):
    shell.rig(misbehaving(dies_at_join="true"))
    ended = shell(
        "certify", str(PLANS / "four-row-table.yaml"), "--rig", "rig.yaml", "--out", "pack", "--json"
    )
    told = json.loads(ended.out)
    assert ended.code == 3
    assert [case["verdict"] for case in told["cases"]] == ["error"] * 8
    assert "not executed, as the rig was lost: after MP202-ROW-1" in told["cases"][-1]["reason"]


def test_a_rig_that_cannot_be_opened_is_exit_3_and_leaves_nothing(shell):
    shell.rig(misbehaving(fails="port /dev/ttyUSB0 is not there"))
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == "ppmid-bench: port /dev/ttyUSB0 is not there\n"
    assert shell.left == []


def test_a_case_that_needs_what_the_rig_lacks_is_inconclusive_and_nothing_executed_is_exit_3(shell):
    plan = shell.plan("unjoin", head="    needs: [hub.smets9]\n")
    ended = shell("certify", plan, "--rig", "rig.yaml", "--out", "pack")
    assert ended.code == 3
    assert "the rig has no hub.smets9" in ended.out
    assert "exit 3: no case was executed" in ended.out


def test_an_expression_that_matches_nothing_is_exit_3_and_writes_nothing(shell):
    ended = shell("certify", "--rig", "rig.yaml", "-k", "zebra")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == f"ppmid-bench: -k 'zebra' matches none of {known_cases()} cases; nothing was run\n"
    assert shell.left == []


def test_an_overlay_goes_into_the_rulebook(shell):
    (shell.folder / "mine.yaml").write_text(
        "schema: ppmid-bench/rulebook@1\nrules: {KE-SUITE-SMETS2: {source: s, basis: assumed, value: 1}}\n"
    )
    plan = shell.plan(*ROW_2, "expect_han: {mode: SMETS2+, key_establishment: 2}")
    ended = shell("certify", plan, "--rig", "rig.yaml", "--out", "pack", "--rules", "mine.yaml")
    assert ended.code == 4
    assert "the rulebook in force says 1 by KE-SUITE-SMETS2" in ended.out
    assert json.loads((shell.folder / "pack" / "run.json").read_text())["overlays"] == ["mine.yaml"]


# --- what a user can get wrong -----------------------------------------------------------------------------


def wrong_rig(*changes):
    return lambda shell: ["--rig", shell.rig(*changes)]


def wrong_plan(*steps, head=""):
    return lambda shell: [shell.plan(*steps, head=head)]


def file(text, name, *options):
    def prepare(shell):
        (shell.folder / name).write_text(text)
        return [*options, name]

    return prepare


WRONG = {
    "no rig": (lambda shell: ["--rig", "none.yaml"], "ppmid-bench: none.yaml: no such file\n"),
    "a rig that is a plan": (
        file("schema: ppmid-bench/plan@1\n", "x.yaml", "--rig"),
        "ppmid-bench: x.yaml:1:9: expected `schema: ppmid-bench/rig@1`, found 'ppmid-bench/plan@1'\n",
    ),
    "no such driver": (wrong_rig(("driver: fake-ppmid", "driver: fake-ppm")), "rig.yaml:14:18: there is no"),
    "no such option": (
        wrong_rig(("fake-radio, name", "fake-radio, nam")),
        "unknown key `nam`; did you mean `name`",
    ),
    "no CPL": (wrong_rig(("cpl.csv", "nocpl.csv")), "nocpl.csv: "),
    "a CPL that is none": (file("a,b\n1,2\n", "cpl.csv"), "cpl.csv:1"),
    "no plan": (lambda shell: ["none.yaml"], "ppmid-bench: none.yaml: no such file or folder\n"),
    "a wrong step": (
        wrong_plan("jion: {within: 5 s}"),
        "plan.yaml:7:9: unknown step `jion`; did you mean `join`?",
    ),
    "a hub that is not there": (
        wrong_plan("whitelist: {hub: smets3}"),
        "plan.yaml:7:26: the rig has no hub `smets3`; did you mean",
    ),
    "no overlay": (lambda shell: ["--rules", "none.yaml"], "ppmid-bench: none.yaml: no such file\n"),
    "a wrong overlay": (
        file(
            "schema: ppmid-bench/rulebook@1\nrules: {X: {source: s, basis: assumed}}\n", "r.yaml", "--rules"
        ),
        "r.yaml:2:12: unknown rule `X`",
    ),
    "a wrong expression": (
        lambda shell: ["-k", "a and"],
        "ppmid-bench: -k 'a and': expected a word of a case",
    ),
    "no such option of ours": (lambda shell: ["--foo"], "No such option"),
}


@pytest.mark.parametrize(("prepare", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_exit_2_one_sentence_and_nothing_written(shell, prepare, says):
    arguments = prepare(shell)
    put = shell.left
    if "--rig" not in arguments:
        arguments = ["--rig", "rig.yaml", *arguments]
    ended = shell("certify", "--out", "pack", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.out == ""
    assert shell.left == put


def test_a_folder_that_holds_something_else_is_left_alone(shell):
    (shell.folder / "pack").mkdir()
    (shell.folder / "pack" / "holiday.jpg").write_text("beach")
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack")
    assert ended.code == 2
    assert "pack: an evidence pack goes into a new or an empty folder, and this is neither" in ended.err
    assert os.listdir("pack") == ["holiday.jpg"]


def test_a_folder_that_cannot_be_made_is_said(shell):
    (shell.folder / "file").write_text("")
    ended = shell("certify", "--rig", "rig.yaml", "--out", "file/pack")
    assert ended.code == 2
    assert "file/pack: cannot be made: Not a directory" in ended.err


@pytest.mark.parametrize("there_before", [True, False])
def test_what_only_opening_shows_to_be_wrong_leaves_nothing(shell, there_before, monkeypatch):
    from harness.errors import ConfigError

    async def refuse(*arguments, **options):
        raise ConfigError("the file is wrong after all", file="rig.yaml", line=1)

    monkeypatch.setattr("harness.plan.session.open_bench", refuse)
    if there_before:
        (shell.folder / "pack").mkdir()
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack")
    assert (ended.code, ended.err) == (2, "ppmid-bench: rig.yaml:1: the file is wrong after all\n")
    assert shell.left == (["pack"] if there_before else [])
    assert not there_before or os.listdir("pack") == []


# --- broken off --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (RigFault("no room", remedy="make some"), 3, "the run broke off: no room; make some"),
        (ConfigError("gone", file="cpl.csv"), 2, "the run broke off: cpl.csv: gone"),
        (OSError(28, "No space left on device"), 3, "the run broke off: the bench itself failed: OSError"),
    ],
)
def test_a_run_that_breaks_off_between_cases_says_so_in_its_pack(
    shell, monkeypatch, error, code, reason, as_json
):
    """Its evidence stays, and the exit code in it is that of the process: 130 is who was interrupted."""

    async def breaks_off(desk, tap):
        raise error

    monkeypatch.setattr("harness.plan.desk.Desk.before_case", breaks_off)
    plan = shell.plan(*ROW_2)
    more = ("--json",) if as_json else ()
    ended = shell("certify", plan, "--rig", "rig.yaml", "--out", "pack", *more)
    run = json.loads((shell.folder / "pack" / "run.json").read_text())
    assert (ended.code, run["exit_code"], run["state"]) == (code, code, "finished")
    assert run["reason"].startswith(reason)
    assert verify(shell.folder / "pack").ok
    if as_json:
        assert json.loads(ended.out) == {"exit_code": code, "reason": run["reason"], "pack": "pack"}
    else:
        assert "what there is of the evidence is in pack" in ended.err


# --- interrupted -------------------------------------------------------------------------------------------


def waiting(shell):
    """Start a run whose only case waits, and return once it does."""
    shell.plan("prenotify: {as: SMETS1}", "wait: {for: 60 s}")
    process = shell.process("certify", "plan.yaml", "--rig", "rig.yaml", "--out", "pack")
    timeline = shell.folder / "pack" / "cases" / "C" / "timeline.jsonl"
    deadline = time.monotonic() + 60
    while not (timeline.exists() and "wait {for: 60 s}" in timeline.read_text()):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_ctrl_c_leaves_a_readable_pack(shell, number, code, word):
    process = waiting(shell)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in err) == (code, False)
    assert f"ppmid-bench: {word}" in err
    run = json.loads((shell.folder / "pack" / "run.json").read_text())
    assert [(case["id"], case["verdict"]) for case in run["cases"]] == [("C", "error")]
    assert run["cases"][0]["reason"] == "wait {for: 60 s}: interrupted"
    assert run["state"] == "finished"
    assert verify(shell.folder / "pack").ok


def test_a_killed_run_leaves_a_readable_pack(shell):
    process = waiting(shell)
    process.kill()
    process.communicate(timeout=20)
    run = json.loads((shell.folder / "pack" / "run.json").read_text())
    assert (run["state"], run["current_case"]) == ("running", "C")
    assert verify(shell.folder / "pack").ok


# --- the terminal ------------------------------------------------------------------------------------------


def test_on_a_terminal_the_rows_appear_as_they_complete(shell):
    ours, theirs = pty.openpty()
    plan = str(PLANS / "four-row-table.yaml")
    process = shell.process("certify", plan, "--rig", "rig.yaml", "--out", "pack", "-k", "row", stdout=theirs)
    os.close(theirs)
    seen = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 20)
        assert ready
        try:
            octets = os.read(ours, 65536)
        except OSError:
            break
        if not octets:
            break
        seen += octets
    os.close(ours)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    text = seen.decode()
    assert text.index("0 of 5 cases") < text.index("1 of 5 cases") < text.index("5 of 5 cases")
    assert "\x1b[1;32mpass" in text
    assert "exit 0: 5 pass of 5" in text


def test_a_question_is_answered_at_the_terminal(shell):
    plan = shell.plan("prenotify: {as: SMETS1}", 'ask: {question: "Does it show a mode?", within: 20 s}')
    ours, theirs = pty.openpty()
    arguments = ("certify", plan, "--rig", "rig.yaml", "--out", "pack")
    process = shell.process(*arguments, stdin=theirs, stdout=theirs)
    os.close(theirs)
    seen = b""
    asked = answered = False
    while select.select([ours], [], [], 20)[0]:
        try:
            seen += os.read(ours, 65536)
        except OSError:
            break
        if b"[y/n" in seen and not asked:
            asked = True
            os.write(ours, b"perhaps\n")
        if b"answer with y or n" in seen and not answered:
            answered = True
            os.write(ours, b"y it does\n")
    os.close(ours)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, ""), seen
    run = json.loads((shell.folder / "pack" / "run.json").read_text())
    assert run["cases"][0]["steps"][-1]["seen"] == {"answer": "yes: it does", "by": "terminal"}


def test_without_a_terminal_or_a_page_nobody_can_be_asked(shell):
    plan = shell.plan('ask: {question: "Does it show a mode?"}')
    ended = shell("certify", plan, "--rig", "rig.yaml", "--out", "pack")
    assert (ended.code, "run certify on a terminal, or with --live" in ended.out) == (4, True)


def test_the_live_page_is_announced_and_a_wrong_place_for_it_is_refused(shell):
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack", "-k", "row-1", "--live")
    assert ended.code == 0
    assert ended.out.startswith("live: http://127.0.0.1:")
    ended = shell("certify", "--rig", "rig.yaml", "--out", "other", "--live-at", "here:there")
    assert (ended.code, "no HOST[:PORT]" in ended.err) == (2, True)
    assert not (shell.folder / "other").exists()
