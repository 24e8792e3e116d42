"""A pack is written as it happens, and says of itself whether it is intact."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness.errors import ConfigError, HarnessBug, RigFault
from harness.eui64 import Eui64
from harness.evidence.intact import verify
from harness.evidence.layout import case_folder
from harness.evidence.limits import Allowance, Limits
from harness.evidence.pack import EvidencePack
from harness.evidence.pcapng import read_psdus
from harness.evidence.recorder import CaseRecorder
from harness.evidence.timeline import RunClock, read_timeline
from harness.evidence.verdict import CaseResult, StepResult, Verdict, exit_code
from harness.evidence.verdicts_csv import verdicts_csv
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary
from tests.zigbee import conversation

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")


def result(case_id="ROW-1", verdict=Verdict.PASS, **changes):
    values = {
        "id": case_id,
        "title": "Row 1",
        "plan": "four-row-table",
        "verdict": verdict,
        "reason": None if verdict is Verdict.PASS else "the SMI says SMETS1",
        "attempt": 1,
        "started_s": 1_700_000_000.0,
        "elapsed_s": 0.5,
        "covers": ("MP202-T1",),
        "steps": (
            StepResult(
                title="expect_inventory",
                place="plan.yaml:4",
                verdict=verdict,
                started_s=0.1,
                elapsed_s=0.2,
                reason=None if verdict is Verdict.PASS else "the SMI says SMETS1\x00",
            ),
        ),
    }
    return CaseResult(**{**values, **changes})


@pytest.fixture
def pack(tmp_path):
    pack = EvidencePack(tmp_path / "pack")
    yield pack
    pack.finish(0)


def run_a_case(pack, case_id="ROW-1", verdict=Verdict.PASS):
    recorder = pack.begin_case(case_id)
    pack.tap.record(Boundary.SERIAL, "bench", "ppmid", "info")
    pack.tap.record(Boundary.GBCS, "DSP", "hub smets2", "CS08", b"\xdf\x09")
    recorder.save("inventory-before.json", "[]\n")
    pack.end_case(result(case_id, verdict))


def test_a_finished_pack_holds_what_happened_and_is_intact(pack):
    pack.tap.record(Boundary.HUB, "smets1", "", "started")
    run_a_case(pack)
    pack.finish(0)
    case = case_folder(pack.folder, "ROW-1")
    assert [event.summary for event in read_timeline(case / "timeline.jsonl")] == ["info", "CS08"]
    assert [event.summary for event in read_timeline(pack.folder / "run.jsonl")] == ["started"]
    assert (case / "gbcs" / "001-dsp-to-hub-smets2.hex").read_text() == "DF09\n"
    assert "bench -> ppmid  info" in (case / "ppmid-serial.log").read_text()
    run = json.loads((pack.folder / "run.json").read_text())
    assert (run["state"], run["exit_code"], run["cases"][0]["verdict"]) == ("finished", 0, "pass")
    findings = verify(pack.folder)
    assert findings.ok
    assert not findings.unfinished
    assert findings.checked == sum(path.is_file() for path in pack.folder.rglob("*")) - 1


def test_sha256sum_agrees(pack):
    run_a_case(pack)
    pack.finish(0)
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
        cwd=pack.folder,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_was_altered_missing_or_added_is_named(pack):
    run_a_case(pack)
    pack.finish(0)
    case = pack.folder / "cases" / "ROW-1"
    (case / "timeline.jsonl").write_text("{}")
    (case / "inventory-before.json").unlink()
    (case / "extra.txt").write_text("x")
    findings = verify(pack.folder)
    assert not findings.ok
    assert findings.altered == ("cases/ROW-1/timeline.jsonl",)
    assert findings.missing == ("cases/ROW-1/inventory-before.json",)
    assert findings.added == ("cases/ROW-1/extra.txt",)


def test_a_killed_run_is_readable_and_its_last_files_are_told_apart(pack):
    run_a_case(pack)
    pack.begin_case("ROW-2")
    pack.tap.record(Boundary.STEP, "plan", "bench", "join")  # and then the power went
    findings = verify(pack.folder)
    assert findings.ok
    assert "cases/ROW-2/timeline.jsonl" in findings.unfinished
    assert not any("ROW-1" in name for name in findings.unfinished)
    assert [event.summary for event in read_timeline(pack.folder / "cases/ROW-2/timeline.jsonl")] == ["join"]


def test_a_file_slipped_into_a_killed_run_is_found(pack):
    run_a_case(pack)
    pack.begin_case("ROW-2")
    (pack.folder / "cases" / "ROW-1" / "extra.txt").write_text("x")
    assert verify(pack.folder).added == ("cases/ROW-1/extra.txt",)


def test_every_attempt_stays(pack):
    for attempt, verdict in ((1, Verdict.ERROR), (2, Verdict.PASS)):
        pack.begin_case("ROW-1", attempt)
        pack.end_case(result(verdict=verdict, attempt=attempt))
    pack.finish(0)
    assert (pack.folder / "cases/ROW-1/result.json").exists()
    assert json.loads((pack.folder / "cases/ROW-1/attempt-2/result.json").read_text())["verdict"] == "pass"
    suite = ElementTree.parse(pack.folder / "junit.xml").find("testsuite")
    assert (suite.get("tests"), suite.get("errors")) == ("1", "0")


def test_junit_tells_fail_error_and_inconclusive_apart(pack):
    for number, verdict in enumerate(Verdict):
        run_a_case(pack, f"CASE-{number}", verdict)
    pack.finish(1)
    cases = {case.get("name"): case for case in ElementTree.parse(pack.folder / "junit.xml").iter("testcase")}
    kinds = {name: [child.tag for child in case if child.tag != "properties"] for name, case in cases.items()}
    assert kinds == {"CASE-0": [], "CASE-1": ["failure"], "CASE-2": ["skipped"], "CASE-3": ["error"]}
    assert cases["CASE-1"].find("failure").get("message") == "the SMI says SMETS1"
    assert "SMETS1\\x00" in cases["CASE-1"].find("failure").text
    suite = ElementTree.parse(pack.folder / "junit.xml").find("testsuite")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
    assert {"name", "tests", "failures", "errors", "skipped", "time"} <= set(suite.keys())
    assert all({"classname", "name", "file", "time"} == set(case.keys()) for case in cases.values())
    requirement = cases["CASE-0"].find("properties/property[@name='requirement']")
    assert requirement.get("value") == "MP202-T1"


def test_a_pack_that_is_closed_takes_no_verdict_any_more(pack):
    pack.begin_case("ROW-1")
    pack.finish(130)
    for late in (lambda: pack.end_case(result()), lambda: pack.begin_case("ROW-2"), pack.describe):
        with pytest.raises(HarnessBug, match="is closed"):
            late()
    assert json.loads((pack.folder / "run.json").read_text())["cases"] == []
    assert verify(pack.folder).ok


def test_nothing_is_said_of_an_attempt_that_was_not_recorded(pack):
    with pytest.raises(HarnessBug, match="had not begun"):
        pack.end_case(result())
    run_a_case(pack)
    with pytest.raises(HarnessBug, match="had not begun"):
        pack.end_case(result())
    with pytest.raises(HarnessBug, match="not the number of the next attempt"):
        pack.begin_case("ROW-1")
    pack.begin_case("ROW-2")
    with pytest.raises(HarnessBug, match="had not begun"):
        pack.end_case(result("ROW-1", attempt=2))


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="new or an empty folder"):
        EvidencePack(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_without_a_run_is_no_pack(tmp_path):
    with pytest.raises(ConfigError, match="no evidence pack"):
        verify(tmp_path)


def test_a_case_id_cannot_leave_the_pack(pack):
    assert case_folder(pack.folder, "../../etc").parent == pack.folder / "cases"


def test_frames_off_the_air_are_captured_decoded_and_numbered(pack):
    recorder = pack.begin_case("ROW-1")
    recorder.add_keys([conversation.NETWORK_KEY], {})
    psdus = [psdu for _, psdu in conversation.whole_life(b"\xdd" + bytes(60)).frames[:6]]
    for psdu in psdus:
        recorder.air(SniffedFrame(time_s=1.0, channel=20, psdu=psdu, rssi_dbm=-40.0, lqi=255))
    events = list(read_timeline(recorder.folder / "timeline.jsonl"))
    assert [event.details["frame"] for event in events] == list(range(1, 7))
    assert [event.data for event in events] == psdus
    assert json.loads((recorder.folder / "keys.json").read_text())["network"] == [
        conversation.NETWORK_KEY.hex().upper()
    ]


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 3),
        ([Verdict.PASS], 0),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], 4),
        ([Verdict.INCONCLUSIVE, Verdict.ERROR], 3),
        ([Verdict.ERROR, Verdict.FAIL, Verdict.PASS], 1),
    ],
)
def test_the_gravest_verdict_decides_the_exit_code(verdicts, code):
    assert exit_code(verdicts) == code


def test_a_pack_that_could_not_be_written_is_the_rigs_fault_not_a_pass(pack):
    recorder = pack.begin_case("ROW-1")
    recorder._timeline.failed = OSError(28, "No space left on device")
    with pytest.raises(RigFault, match="No space left"):
        pack.end_case(result())


def test_a_pack_that_lost_what_happened_between_cases_does_not_say_that_all_passed(pack):
    run_a_case(pack)
    pack._between.failed = OSError(28, "No space left on device")
    with pytest.raises(RigFault, match="No space left"):
        pack.finish(0)
    assert json.loads((pack.folder / "run.json").read_text())["exit_code"] == 3


@pytest.mark.parametrize("left", ["run.json", "junit.xml"])
def test_a_run_that_is_killed_while_it_is_being_finished_is_only_unfinished(pack, left):
    """run.json says `finished` already, but the last checksums are not there yet."""
    run_a_case(pack)
    sums = (pack.folder / "SHA256SUMS").read_text()
    pack.finish(0)
    (pack.folder / "SHA256SUMS").write_text(sums)
    (pack.folder / ".SHA256SUMS.part").write_text("half")
    findings = verify(pack.folder)
    assert findings.ok
    assert left in findings.unfinished


def test_run_json_of_many_cases_is_the_json_that_it_was_made_of(pack):
    for number in range(20):
        run_a_case(pack, f"CASE-{number}")
    run = json.loads((pack.folder / "run.json").read_text())
    assert run["cases"] == [result(f"CASE-{number}").as_json() for number in range(20)]


def test_a_full_capture_and_a_full_serial_log_say_so(tmp_path):
    allowance = Allowance(Limits(file=600))
    recorder = CaseRecorder(tmp_path / "case", RunClock.start(), application="x", allowance=allowance)
    frame = SniffedFrame(time_s=1.0, channel=20, psdu=bytes(60), rssi_dbm=-40.0, lqi=255)
    for number in range(30):
        recorder.air(frame)
        recorder.record(Boundary.SERIAL, "ppmid", "bench", f"line {number} " + "x" * 3000)
    recorder.close()
    assert len(list(read_psdus(recorder.folder / "han.pcapng"))) < 10
    assert b"later frames are left out" in (recorder.folder / "han.pcapng").read_bytes()
    assert (recorder.folder / "ppmid-serial.log").read_text().splitlines()[-1] == "… the log is full"


def test_verdicts_are_a_table_for_spreadsheets_that_runs_no_formula():
    formula = result("B", Verdict.FAIL, reason='=HYPERLINK("x")')
    table = list(csv.DictReader(io.StringIO(verdicts_csv([result("A"), formula]))))
    assert [(line["case"], line["verdict"], line["requirements"]) for line in table] == [
        ("A", "pass", "MP202-T1"),
        ("B", "fail", "MP202-T1"),
    ]
    assert table[1]["reason"] == '\'=HYPERLINK("x")'
