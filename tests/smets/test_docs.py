"""The page about rules names the rules that there are, under their basis."""

import re
from pathlib import Path

import pytest

from harness.rulebook import load_rulebook
from harness.smets.rulebook import Basis
from tests.smets.rules import own

PAGE = (Path(__file__).parents[2] / "docs" / "rules-and-assumptions.md").read_text()
FAMILIES = re.compile(r"SMI-|ACCESS-\d|SRV-|USE-CASE-")  # named as a family


def section(title):
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("basis", list(Basis))
def test_every_rule_is_named_under_its_basis(basis):
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:-[A-Z0-9.]+)+)`", section(basis.value.capitalize())))
    if "MP202-TABLE-4" in named:  # "1 to 4"
        named |= {"MP202-TABLE-2", "MP202-TABLE-3"}
    rules = {rule.id for rule in own().rules.values() if rule.basis is basis}
    assert named == {rule for rule in rules if not FAMILIES.match(rule)}


def test_every_transition_is_assumed():
    assert {rule.basis for rule in own().starting("SMI-")} == {Basis.ASSUMED}


def test_the_overlay_on_the_page_is_a_good_one(tmp_path):
    path = tmp_path / "overlay.yaml"
    path.write_text(PAGE.split("```yaml\n")[1].split("```")[0])
    rules = load_rulebook(path)
    assert rules.rule("MP202-ROW-MISSING").basis is Basis.PUBLISHED
    assert rules.digest != own().digest
