"""docs/what-the-dsp-refuses.md has every stage in its order, and names rules that there are."""

import re
from pathlib import Path

from harness.dcc.documents import Stage
from tests.smets.rules import own

PAGE = (Path(__file__).parents[2] / "docs" / "what-the-dsp-refuses.md").read_text()


def test_every_stage_is_there_in_its_order():
    assert re.findall(r"^\| `([a-zA-Z -]+)` \|", PAGE, re.MULTILINE) == [stage.value for stage in Stage]


def test_every_rule_that_it_names_is_one():
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:-[A-Z0-9.]+)+)`", PAGE))
    assert len(named) > 20
    assert named <= set(own().rules)
    for family in re.findall(r"`([A-Z0-9-]+-)…`", PAGE):
        assert own().starting(family), family


def test_every_rule_that_refuses_at_the_dsp_is_named():
    answers = {"RESPONSE-SUCCESS", "RESPONSE-ACCEPTED", "RESPONSE-DEVICE-FAILED"}
    refusals = {rule.id for rule in own().starting("RESPONSE-")} - answers
    assert {rule for rule in refusals if f"`{rule}`" not in PAGE} == set()
