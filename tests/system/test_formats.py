"""What a real run writes is as published, and reads in programs that are not ours."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import jsonschema
import pytest

from harness.evidence.schema import run_schema
from tests.system.runs import CHECKOUT, VIRTUAL

SCHEMA = run_schema()


def test_run_json_and_every_line_of_a_timeline_are_as_published(certified):
    jsonschema.validate(certified.run, SCHEMA)
    event = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["event"], "$defs": SCHEMA["$defs"]})
    lines = [
        line
        for path in (*certified.pack.glob("cases/*/timeline.jsonl"), certified.pack / "run.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert len(lines) > 500
    assert [error.message for line in lines for error in event.iter_errors(json.loads(line))] == []


def test_the_table_of_verdicts_has_every_case(certified):
    with (certified.pack / "verdicts.csv").open(newline="") as table:
        assert {line["case"]: line["verdict"] for line in csv.DictReader(table)} == certified.verdicts


def test_reportlog_and_allure_read_the_cases_of_a_plan(tmp_path):
    pytest.importorskip("allure_pytest")
    pytest.importorskip("pytest_reportlog")
    command = [sys.executable, "-m", "pytest", CHECKOUT / "test_plans" / "mp202", "-k", "ROW-2"]
    writing = [f"--alluredir={tmp_path / 'allure'}", f"--report-log={tmp_path / 'log.jsonl'}"]
    done = subprocess.run(
        [*command, *writing, "--rig", VIRTUAL, "--evidence", tmp_path / "pack", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    (call,) = [entry for entry in log if entry.get("when") == "call"]
    told = [tuple(pair) for pair in call["user_properties"]]
    assert {("verdict", "pass"), ("requirement", "MP202-T2")} <= set(told)
    (path,) = (tmp_path / "allure").glob("*-result.json")
    allure = json.loads(path.read_text())
    assert (allure["status"], allure["name"].split(":")[0]) == ("passed", "MP202-ROW-2")
    assert {"name": "verdict", "value": "pass"} in allure["labels"]
    containers = [json.loads(path.read_text()) for path in (tmp_path / "allure").glob("*-container.json")]
    attached = [
        entry["name"]
        for part in (allure, *(fixture for box in containers for fixture in box.get("befores", ())))
        for entry in part.get("attachments", ())
    ]
    assert {"timeline.jsonl", "han.pcapng"} <= set(attached)


def test_every_boundary_leads_back_to_the_service_request_or_the_frame_that_began_it(certified):
    path = certified.pack / "cases" / "MP202-ROW-2" / "timeline.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]

    def way_back(event):
        """Return what an event goes back to, step by step, as boundary and summary."""
        found = []
        while event is not None:
            found.append((event["boundary"], event["summary"]))
            event = events[event["cause"]] if "cause" in event else None
        return found

    def last(boundary, text):
        return [e for e in events if e["boundary"] == boundary and text in e["summary"]][-1]

    def ends(event, *boundaries):
        way = way_back(event)
        assert [boundary for boundary, _ in way] == list(boundaries), way
        return way[-1][1]

    assert ends(last("air", "TransferData 79"), "air", "radio", "gbcs", "duis").startswith("request 11.2")
    assert ends(last("hub", "whitelisted"), "hub", "gbcs", "duis").startswith("request 8.11")
    assert ends(last("inventory", "status: Pending > Whitelisted"), "inventory", "duis").startswith(
        "request 8.11"
    )
    asked = way_back(last("air", "Key Establishment ReadAttributesResponse"))
    assert [boundary for boundary, _ in asked][:3] == ["air", "radio", "radio"], asked


def test_what_a_hub_decided_leads_to_what_the_device_did_on_the_air(certified):
    """A busy machine may hear a frame after its effect: then there is no cause, and never a wrong one."""
    did = {
        "joined": "ZDO DeviceAnnce",
        "key established": "ZCL Key Establishment ConfirmKey",
        "network key sent": "MAC AssociationRequest",
    }
    led = set()
    for path in certified.pack.glob("cases/*/timeline.jsonl"):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        for event in (event for event in events if event["boundary"] == "hub" and "cause" in event):
            decided = event["details"]["event"]
            if decided in did:
                led.add(decided)
                assert events[event["cause"]]["summary"].startswith(did[decided]), event
    assert led == set(did)


def test_a_response_leads_back_to_the_service_request_that_it_is_for(certified):
    path = certified.pack / "cases" / "MP202-ROW-2" / "timeline.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]

    def only(boundary, summary):
        (found,) = [e for e in events if e["boundary"] == boundary and e["summary"].startswith(summary)]
        return found

    response = only("gbcs", "CS08 response")
    command = events[response["cause"]]
    assert command["summary"].startswith("CS08 command")
    assert events[command["cause"]] == only("duis", "request 11.2")
    assert events[only("duis", "response I0 to 11.2")["cause"]] == only("duis", "request 11.2")
    assert events[response["step"]]["summary"].startswith("request {srv")
    assert all(event.get("cause", 0) <= event["n"] for event in events)
