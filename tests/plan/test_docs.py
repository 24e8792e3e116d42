"""docs/write-a-case.md has every step with its arguments, and no other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from harness.plan.load import read_plan
from harness.plan.vocabulary import STEPS
from harness.rig.load import load_rig
from tests.plan.fake_drivers import RIG, install

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-case.md").read_text()
ROWS = dict(re.findall(r"^\| `([a-z_]+)(?:: \{(.*?)\})?` \|", PAGE, re.MULTILINE))
CASE_KEYS = {"id", "title", "covers", "needs", "timeout", "row", "steps"}


def test_every_word_is_there_and_no_other():
    assert set(ROWS) - CASE_KEYS == set(STEPS)


@pytest.mark.parametrize("word", sorted(STEPS))
def test_every_argument_of_a_step_is_there(word):
    fields = {
        field.name.rstrip("_"): field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        for field in dataclasses.fields(STEPS[word])
        if field.name != "where"
    }
    told = [argument for argument in ROWS[word].split(", ") if argument]
    assert {argument.strip("[]"): not argument.startswith("[") for argument in told} == fields


def test_the_example_is_a_plan(tmp_path):
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    (tmp_path / "requirements.yaml").write_text(
        "schema: ppmid-bench/requirements@1\n"
        "requirements: {MP202-T2: {text: t, source: s}, MP202-R2: {text: t, source: s}}\n"
    )
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "plan.yaml").write_text(example)
    plan, errors = read_plan(tmp_path / "plans" / "plan.yaml")
    assert not errors
    assert [case.id for case in plan.cases] == ["MP202-ROW-2"]


def test_the_rig_of_fakes_is_a_rig(tmp_path, monkeypatch):
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    (tmp_path / "rig.yaml").write_text(RIG)
    assert load_rig(tmp_path / "rig.yaml").name == "bench of fakes"
