"""The other commands: plans, rigs, reports, the virtual bench, help."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import harness.cli
from harness.cli import endings, places, shadow
from harness.errors import BenchError, ConfigError, RigFault
from tests.cli.conftest import CHECKOUT
from tests.plan.fake_drivers import install

ENVIRONMENT = "{driver: fake-environment}"


# --- plan --------------------------------------------------------------------------------------------------


def test_lint_says_that_our_plans_are_right(shell):
    ended = shell("plan", "lint")
    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(r"\d+ plan\(s\), \d+ case\(s\): nothing wrong\n", ended.out)
    assert json.loads(shell("plan", "lint", "--json").out) == {"ok": True, "errors": []}


def test_lint_says_everything_that_is_wrong(shell):
    shell.plan("foo", "join")
    ended = shell("plan", "lint", "plan.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert [line.split(": ")[0] for line in ended.err.splitlines()] == ["plan.yaml:7:9", "plan.yaml:8:9"]
    ended = shell("plan", "lint", "plan.yaml", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["ok"]) == (2, False)
    assert told["errors"][1] == {
        "file": "plan.yaml",
        "line": 8,
        "column": 9,
        "message": "`within` is missing",
        "remedy": None,
    }


def test_lint_with_a_rig_looks_for_its_hubs(shell):
    shell.plan("whitelist: {hub: smets9}")
    assert shell("plan", "lint", "plan.yaml").code == 0
    ended = shell("plan", "lint", "plan.yaml", "--rig", "rig.yaml")
    assert (ended.code, "the rig has no hub `smets9`" in ended.err) == (2, True)


def test_list_shows_cases_and_what_they_lack(shell):
    ended = shell("plan", "list", "-k", "row-2")
    assert ended.out.splitlines()[0] == "MP202-ROW-2  Pre-notified as SMETS1, whitelisted on a SMETS2+ hub"
    shell.plan("unjoin", head="    needs: [hub.smets9, power]\n")
    assert (
        "would be inconclusive: the rig has no hub.smets9"
        in shell("plan", "list", "plan.yaml", "--rig", "rig.yaml").out
    )
    (entry,) = json.loads(shell("plan", "list", "plan.yaml", "--rig", "rig.yaml", "--json").out)
    assert (entry["id"], entry["lacks"], entry["steps"]) == ("C", ["hub.smets9"], ["unjoin"])


def test_trace_shows_requirements_with_last_verdicts(shell):
    assert "    not run       MP202-ROW-1" in shell("plan", "trace").out.splitlines()
    assert shell("certify", "--rig", "rig.yaml", "-k", "row-1").code == 0
    lines = shell("plan", "trace").out.splitlines()
    assert "    pass          MP202-ROW-1" in lines
    assert "    not run       MP202-ROW-2" in lines
    told = {entry["id"]: entry["cases"] for entry in json.loads(shell("plan", "trace", "--json").out)}
    assert told["MP202-T1"] == {"MP202-ROW-1": "pass"}


def test_trace_says_what_nobody_covers(shell):
    (shell.folder / "reqs.yaml").write_text(
        "schema: ppmid-bench/requirements@1\nrequirements: {R-1: {text: t, source: s}}\n"
    )
    shell.plan("unjoin", name="p.yaml")
    text = (
        (shell.folder / "p.yaml").read_text().replace("title: t\n", "title: t\nrequirements: reqs.yaml\n", 1)
    )
    (shell.folder / "p.yaml").write_text(text)
    assert shell("plan", "trace", "p.yaml").out == "R-1  t  [s]\n    no case covers it\n"


def test_trace_wants_a_pack(shell):
    ended = shell("plan", "trace", "--pack", "installed")
    assert (ended.code, "installed: no evidence pack" in ended.err) == (2, True)


# --- report ------------------------------------------------------------------------------------------------


def test_verify_says_whether_a_pack_is_intact(shell):
    shell("certify", "--rig", "rig.yaml", "--out", "pack", "-k", "row-1")
    ended = shell("report", "verify", "pack")
    assert ended.code == 0
    assert ended.out.startswith("pack: intact, ")
    (shell.folder / "pack" / "run.jsonl").write_text("altered")
    (shell.folder / "pack" / "junit.xml").unlink()
    (shell.folder / "pack" / "new").write_text("")
    ended = shell("report", "verify", "pack")
    assert ended.code == 1
    assert {"missing: junit.xml", "altered: run.jsonl", "added: new"} <= set(ended.out.splitlines())
    told = json.loads(shell("report", "verify", "pack", "--json").out)
    assert (told["ok"], told["added"]) == (False, ["new"])


def test_what_is_no_pack_is_exit_2(shell):
    assert shell("report", "verify", "nowhere").code == 2
    assert shell("report", "diff", "nowhere", "nowhere").code == 2


def test_a_pack_is_signed_and_an_altered_line_is_named(shell):
    for arguments in (("genpkey", "-algorithm", "ed25519"), ("pkey", "-in", "key.pem", "-pubout")):
        name = "pub.pem" if "-pubout" in arguments else "key.pem"
        subprocess.run(["openssl", *arguments, "-out", name], check=True, cwd=shell.folder)
    certified = shell("certify", "--rig", "rig.yaml", "--out", "pack", "-k", "row-1", "--sign", "key.pem")
    assert certified.code == 0
    assert "signature: holds" in shell("report", "verify", "pack", "--key", "pub.pem").out
    assert "not checked; name the signer's" in shell("report", "verify", "pack").out
    timeline = shell.folder / "pack" / "cases" / "MP202-ROW-1" / "timeline.jsonl"
    timeline.write_text(timeline.read_text().replace('"n": 2,', '"n": 3,'))
    ended = shell("report", "verify", "pack", "--key", "pub.pem")
    assert (ended.code, "    line 3 altered" in ended.out.splitlines()) == (1, True)
    assert shell("report", "sign", "pack", "--key", "key.pem").code == 2


def test_a_key_that_cannot_sign_is_said_before_anything_runs(shell):
    ended = shell("certify", "--rig", "rig.yaml", "--out", "pack", "--sign", "rig.yaml")
    assert (ended.code, "expected an Ed25519" in ended.err) == (2, True)
    assert shell.left == []


def test_two_packs_are_compared(shell):
    for name in "ab":
        shell("certify", "--rig", "rig.yaml", "--out", name, "-k", "row-1")
    ended = shell("report", "diff", "a", "b")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "the packs say the same")
    shell("certify", "--rig", "rig.yaml", "--out", "c", "-k", "row-2")
    ended = shell("report", "diff", "a", "c", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["differences"][0]["before"] == "pass"


def test_a_completion_report_is_written_beside_the_packs(shell):
    shell("certify", "--rig", "rig.yaml", "--out", "pack", "-k", "row-1")
    (shell.folder / "plan.yaml").write_text(
        "schema: ppmid-bench/completion@1\nthresholds: {requirements-proved-at-least: 0}\n"
    )
    ended = shell("report", "completion", "pack", "--settings", "plan.yaml", "--out", "done")
    assert (ended.code, "met: cases passed: 1 of 1 (100.0 %)" in ended.out) == (0, True), ended
    assert "MP202-ROW-1" in (shell.folder / "done" / "completion.md").read_text().replace("\\", "")
    assert shell("report", "completion", "pack", "--out", "pack").code == 2
    assert shell("report", "verify", "pack").code == 0
    assert shell("report", "completion", "pack", "--out", "done", "--json").code == 1


def test_secrets_are_kept_as_the_rig_or_the_command_says(shell):
    for name, arguments, wanted in (("a", (), "han"), ("b", ("--secrets", "keep"), "keep")):
        shell("certify", "--rig", "rig.yaml", "--out", name, "-k", "row-1", *arguments)
        run = json.loads((shell.folder / name / "run.json").read_text())
        assert run["secrets"] == wanted


# --- rig ---------------------------------------------------------------------------------------------------


def test_check_asks_every_part(shell):
    ended = shell("rig", "check", "rig.yaml")
    assert ended.code == 0
    assert "hub smets2: SMETS2+, 00-DB-12-34-56-78-91-02, fake, firmware 0, channel 20" in ended.out
    assert ended.out.endswith("bench of fakes: healthy\n")
    assert json.loads(shell("rig", "check", "--rig", "rig.yaml", "--json").out)["wrong"] is None


def test_a_rig_that_does_not_open_is_exit_3(shell):
    shell.rig((ENVIRONMENT, "{driver: fake-environment, fails: no port}"))
    ended = shell("rig", "check", "rig.yaml")
    assert (ended.code, ended.out) == (3, "bench of fakes: no port\n")
    assert json.loads(shell("rig", "check", "rig.yaml", "--json").out)["wrong"] == "no port"


def test_a_rig_file_that_is_wrong_is_exit_2(shell):
    assert shell("rig", "check", "nowhere.yaml").code == 2
    assert "two rigs are named" in shell("rig", "check", "rig.yaml", "--rig", "other.yaml").err


# --- virtual -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_where_the_ports_are_and_runs_until_it_is_ended(shell, number):
    process = shell.process("virtual", "serve", "--rig", "rig.yaml", "--json", stdout=subprocess.PIPE)
    assert json.loads(process.stdout.readline()) == {"smets1": "nowhere", "ppmid": "nowhere"}
    time.sleep(0.05)
    assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


def test_serve_wants_an_environment(shell):
    text = (shell.folder / "rig.yaml").read_text().replace(f"environment: {ENVIRONMENT}\n", "")
    (shell.folder / "rig.yaml").write_text(text)
    ended = shell("virtual", "serve", "--rig", "rig.yaml")
    assert (ended.code, "this rig has no `environment`" in ended.err) == (2, True)


@pytest.mark.parametrize("options", [("--ezsp-version", 13), ("--ppmids-stay",), ("--state", "kept")])
def test_serve_refuses_an_option_that_its_environment_does_not_have(shell, options):
    ended = shell("virtual", "serve", "--rig", "rig.yaml", *options)
    assert ended.code == 2
    assert f"unknown key `{options[0].removeprefix('--')}`" in ended.err


def test_an_environment_that_does_not_start_is_exit_3(shell):
    shell.rig((ENVIRONMENT, "{driver: fake-environment, fails: no room}"))
    ended = shell("virtual", "serve", "--rig", "rig.yaml")
    assert (ended.code, ended.err) == (3, "ppmid-bench: no room\n")


# --- the command itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("certify",),
        *(("plan", word) for word in ("lint", "list", "trace")),
        ("rig", "check"),
        ("virtual", "serve"),
        ("report", "verify"),
    ],
)
def test_every_command_has_help(shell, words):
    ended = shell(*words, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: {' '.join(('ppmid-bench', *words))} ")


def test_help_comes_without_the_heavy_imports():
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, harness.cli; print(sorted(sys.modules))"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = ("bellows", "zigpy", "rich", "cryptography", "yaml")
    assert [name for name in heavy if f"'{name}'" in listed.stdout] == []


def test_a_word_that_is_no_command_is_exit_2(shell):
    assert shell("certfy").code == 2
    assert shell("plan", "lnit").code == 2


def test_version(shell):
    assert shell("--version").out.startswith("ppmid-bench ")


def test_main_exits_with_the_code(shell):
    with pytest.raises(SystemExit) as caught:
        harness.cli.main(["plan", "lint"])
    assert caught.value.code == 0


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ConfigError("x", file="f", line=1, column=2, remedy="do y"), 2, "ppmid-bench: f:1:2: x; do y\n"),
        (RigFault("x"), 3, "ppmid-bench: x\n"),
        (BenchError("x"), 3, "ppmid-bench: x\n"),
        (KeyboardInterrupt(), 130, "ppmid-bench: interrupted\n"),
        (endings.Terminated(), 143, "ppmid-bench: terminated\n"),
        (PermissionError(13, "Permission denied", "/var/x"), 3, "ppmid-bench: /var/x: Permission denied\n"),
        (OSError(28, "No space left on device"), 3, "ppmid-bench: the system: No space left on device\n"),
    ],
)
def test_what_a_command_raises_becomes_a_sentence_and_a_code(capsys, error, code, says):
    assert endings.ended(raising(error)) == code
    assert capsys.readouterr().err == says


def test_a_bug_of_the_bench_is_exit_3_with_its_traceback_and_never_a_failed_case(capsys):
    assert endings.ended(lambda: 1 // 0) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("ppmid-bench: this is a bug of the bench, please report it: Zero")


def test_a_reader_that_went_away_is_no_traceback(shell):
    process = shell.process("plan", "list")
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 3
    assert err == ""


def test_another_drivers_package_is_refused(tmp_path, monkeypatch, capsys):
    alien = SimpleNamespace(submodule_search_locations=["/site-packages/drivers"])
    monkeypatch.setattr(shadow.importlib.util, "find_spec", lambda name: alien)
    assert harness.cli.run(["plan", "lint"]) == 3
    err = capsys.readouterr().err
    assert "the package `drivers` is found in /site-packages/drivers, not beside ours" in err
    assert "install ppmid-bench into an environment of its own" in err
    monkeypatch.setattr(shadow.importlib.util, "find_spec", lambda name: None)
    assert "is found in nowhere" in shadow.shadowed()


def test_a_drivers_folder_of_somebody_else_in_front_is_refused(tmp_path):
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "__init__.py").write_text("")
    install(tmp_path / "installed")
    path = os.pathsep.join([str(tmp_path), str(CHECKOUT)])
    ended = subprocess.run(
        [sys.executable, "-m", "harness.cli", "plan", "lint"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, "another distribution shadows it" in ended.stderr) == (3, True)


def test_the_benchs_own_files_are_beside_it_or_installed(tmp_path, monkeypatch):
    assert places.own(places.RIG) == CHECKOUT / "rigs" / "virtual.yaml"
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    installed = tmp_path / "share" / "ppmid-bench" / "other.yaml"
    installed.parent.mkdir(parents=True)
    installed.write_text("")
    assert places.own(places.Path("other.yaml")) == installed
    with pytest.raises(ConfigError, match=r"the bench's own nothing\.yaml is neither in"):
        places.own(places.Path("nothing.yaml"))
