"""What a user can get wrong: the right exit code, one clear sentence, nothing half-written, no traceback."""

from __future__ import annotations

import os
import pty
import tty

import pytest

from tests.system.runs import bench, certify, changed_rig

PATH = '"${environment.smets1}"'
UNKNOWN_STEP = """\
schema: ppmid-bench/plan@1
title: t
cases:
  - id: A
    title: t
    steps:
      - whitelst: {hub: smets1}
"""


def refused(run, code, *says):
    assert run.code == code, run.said
    for text in says:
        assert text in run.err, run.said
    assert "Traceback" not in run.said
    assert not run.pack.exists()


def test_a_rig_that_is_not_there(tmp_path):
    refused(certify(tmp_path / "pack", rig=tmp_path / "none.yaml"), 2, "none.yaml", "no such file")


def test_a_rig_that_is_not_yaml(tmp_path):
    rig = tmp_path / "rig.yaml"
    rig.write_text("schema: ppmid-bench/rig@1\nhubs: [\n")
    refused(certify(tmp_path / "pack", rig=rig), 2, "rig.yaml:3", "not YAML")


def test_a_rig_with_an_unknown_key(tmp_path):
    rig = changed_rig(tmp_path, ("channel: 15", "chanel: 15"))
    refused(
        certify(tmp_path / "pack", rig=rig), 2, "rig.yaml:", "unknown key `chanel`", "did you mean `channel`"
    )


def test_a_plan_that_is_not_there(tmp_path):
    refused(certify(tmp_path / "pack", tmp_path / "none.yaml"), 2, "none.yaml")


def test_a_plan_with_an_unknown_step(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(UNKNOWN_STEP)
    refused(certify(tmp_path / "pack", plan), 2, "plan.yaml:7:", "whitelst", "whitelist")


def test_a_cpl_that_is_not_there(tmp_path):
    rig = changed_rig(tmp_path, ("cpl: cpl-virtual.csv", "cpl: none.csv"))
    refused(certify(tmp_path / "pack", rig=rig), 2, "none.csv", "no such file")


def test_a_cpl_with_a_wrong_line(tmp_path):
    rig = changed_rig(tmp_path)
    cpl = tmp_path / "cpl-virtual.csv"
    cpl.write_text(cpl.read_text().replace("Active", "Actve", 1))
    refused(certify(tmp_path / "pack", rig=rig), 2, "cpl-virtual.csv:2", "Actve")


def test_a_gpf_that_has_the_identity_of_a_dongle(tmp_path):
    rig = changed_rig(tmp_path, ("channel: 20", "channel: 20\n    gpf: 00-DB-12-34-56-78-91-01"))
    refused(certify(tmp_path / "pack", rig=rig), 3, "the GPF of hub smets2 has", "dongle of hub smets1")


def test_a_port_that_is_not_there(tmp_path):
    rig = changed_rig(tmp_path, (PATH, "/dev/no-dongle"))
    refused(certify(tmp_path / "pack", rig=rig), 3, "/dev/no-dongle", "does not exist")


@pytest.fixture
def silent_port():
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_port_that_is_not_ezsp(tmp_path, silent_port):
    rig = changed_rig(tmp_path, (f"path: {PATH}", f"path: {silent_port}, connect-timeout: 1 s"))
    refused(certify(tmp_path / "pack", rig=rig), 3, silent_port, "EZSP")


def test_a_port_in_use_by_another_program(tmp_path, silent_port):
    import fcntl

    holder = os.open(silent_port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        rig = changed_rig(tmp_path, (PATH, silent_port))
        refused(certify(tmp_path / "pack", rig=rig), 3, silent_port, "in use")
    finally:
        os.close(holder)


def test_a_ppmid_port_that_is_not_there(tmp_path):
    rig = changed_rig(tmp_path, ('"${environment.ppmid}"', "/dev/no-ppmid"))
    refused(certify(tmp_path / "pack", rig=rig), 3, "/dev/no-ppmid")


def test_a_rig_that_describes_another_device(tmp_path):
    text = '    firmware: "01020304"\n  port:'
    rig = changed_rig(tmp_path, (text, text.replace("304", "305")))
    refused(certify(tmp_path / "pack", rig=rig), 3, "01020304", "01020305")


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    run = certify(tmp_path)
    assert run.code == 2, run.said
    assert "Traceback" not in run.said
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_selection_that_leaves_nothing(tmp_path):
    run = certify(tmp_path / "pack", "-k", "no-such-case")
    assert run.code in (2, 3), run.said
    assert "no-such-case" in run.said


def test_an_option_that_there_is_not(tmp_path):
    run = bench("certify", "--rigg", "x", pack=tmp_path / "pack")
    assert run.code == 2
    assert "--rig" in run.err


def test_a_pack_that_is_none(tmp_path):
    run = bench("report", "verify", tmp_path, pack=tmp_path)
    assert run.code == 2, run.said
    assert "no evidence pack" in run.err
