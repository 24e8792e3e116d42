"""What is published about `run.json` is what packs hold."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness.evidence.schema import run_schema
from tests.evidence.test_pack import result

PUBLISHED = Path(__file__).parents[2] / "docs" / "run-1.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(
    run_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def wrong(run):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(run)]


def test_the_published_copy_is_what_the_code_says():
    assert json.loads(PUBLISHED.read_text()) == run_schema(), (
        "write it again: python -m harness.evidence.schema > docs/run-1.schema.json"
    )


def test_every_field_of_a_case_and_a_step_is_published():
    case = result().as_json()
    assert set(case) == set(run_schema()["$defs"]["case"]["properties"])
    assert set(case["steps"][0]) == set(run_schema()["$defs"]["step"]["properties"])


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(run_schema())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "ppmid-bench/run@2"},
        {"state": "paused"},
        {"exit_code": "0"},
        {"cases": [{"id": "ROW-1"}]},
        {"secrets": "all"},
    ],
    ids=str,
)
def test_what_is_no_run_is_refused(change):
    run = {
        **{"format": "ppmid-bench/run@1", "state": "finished", "began": "2026-01-01T00:00:00.000+00:00"},
        **{"ended": "2026-01-01T00:00:01.000+00:00", "elapsed_s": 1.0, "exit_code": 0, "current_case": None},
        **{"versions": {}, "secrets": "han", "cases": []},
    }
    assert wrong(run) == []
    assert wrong({**run, **change})
    assert wrong({key: value for key, value in run.items() if key != "exit_code"})
