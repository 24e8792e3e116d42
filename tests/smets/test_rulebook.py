"""The rulebook, its overlays, and what is wrong with bad ones."""

from dataclasses import replace

import pytest

from harness.errors import ConfigError
from harness.rulebook import load_rulebook
from harness.smets.rulebook import Basis, Rule, Rulebook, RuleError, freeze, thaw
from tests.smets.rules import own


def overlay(tmp_path, text, name="overlay.yaml"):
    path = tmp_path / name
    path.write_text("schema: ppmid-bench/rulebook@1\nrules:\n" + text)
    return path


def test_every_rule_says_where_it_is_from():
    for rule in own().rules.values():
        assert rule.title, rule.id
        assert rule.source, rule.id


def test_what_no_public_text_says_is_assumed_or_inferred():
    for rule in own().rules.values():
        if "no public" in rule.source or "common knowledge" in rule.source:
            assert rule.basis is not Basis.PUBLISHED, rule.id


def test_an_overlay_confirms_an_assumption_and_leaves_its_value(tmp_path):
    path = overlay(tmp_path, "  MP202-ROW-MISSING: {source: 'SEC Appendix AD 3.8', basis: published}\n")
    rule = load_rulebook(path).rule("MP202-ROW-MISSING")
    assert (rule.basis, rule.source) == (Basis.PUBLISHED, "SEC Appendix AD 3.8")
    assert rule.value == own().rule("MP202-ROW-MISSING").value
    assert rule.title == own().rule("MP202-ROW-MISSING").title


def test_overlays_are_laid_one_over_the_other(tmp_path):
    lower = overlay(tmp_path, "  KE-SUITE-SMETS1: {source: a, basis: assumed, value: 2}\n", "a.yaml")
    upper = overlay(tmp_path, "  KE-SUITE-SMETS1: {source: b, basis: inferred, value: 1}\n", "b.yaml")
    assert load_rulebook(lower).rule("KE-SUITE-SMETS1").value == 2
    assert load_rulebook(lower, upper).rule("KE-SUITE-SMETS1").value == 1


def test_a_rule_of_the_users_own_is_taken_when_it_says_so(tmp_path):
    text = """\
  VERSION-MINE: {new: true, title: mine, source: me, basis: assumed, value: {matches: 'MINE', family: SMETS1}}
  VERSION-ORDER: {source: me, basis: assumed, value: [VERSION-MINE]}
"""
    assert load_rulebook(overlay(tmp_path, text)).rule("VERSION-MINE").title == "mine"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("  MP202-ROW-MISING: {source: s, basis: assumed}\n", 3, "did you mean `MP202-ROW-MISSING`"),
        ("  HAN-MODE: {source: s, basis: guessed}\n", 3, "`published`, `inferred`, `assumed`"),
        ("  HAN-MODE: {basis: assumed}\n", 3, "`source` is missing"),
        ("  HAN-MODE: {source: s, basis: assumed, valeu: 1}\n", 3, "did you mean `value`"),
        ("  A-NEW: {new: true, source: s, basis: assumed, value: 1}\n", 3, "`title` is missing"),
        ("  A-NEW: {new: true, title: t, source: s, basis: assumed}\n", 3, "`value` is missing"),
        ("  HAN-MODE: {source: s, basis: assumed}\n  HAN-MODE: {source: s, basis: assumed}\n", 4, "twice"),
        (
            "  MP202-TABLE-2:\n    source: s\n    basis: assumed\n    value: {before: SMETS1, hub: SMETS9}\n",
            6,
            "SMETS9",
        ),
        ("  KE-SUITE-SMETS1: {source: s, basis: assumed, value: 7}\n", 3, "must be 1 or 2"),
    ],
)
def test_what_is_wrong_with_an_overlay_is_said_with_its_place(tmp_path, text, line, says):
    with pytest.raises(ConfigError, match=r"overlay\.yaml") as caught:
        load_rulebook(overlay(tmp_path, text))
    assert caught.value.line == line
    assert says in str(caught.value)


def test_a_file_of_another_schema_or_none_is_refused(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("schema: ppmid-bench/plan@1\nrules: {}\n")
    with pytest.raises(ConfigError, match="rulebook@1"):
        load_rulebook(path)
    with pytest.raises(ConfigError, match="no such file"):
        load_rulebook(tmp_path / "nowhere.yaml")


def test_the_digest_changes_with_any_part_of_any_rule_and_not_with_their_order():
    rule = own().rule("HAN-MODE")
    digests = {own().digest}
    for part in (
        {"title": "x"},
        {"source": "x"},
        {"basis": Basis.ASSUMED},
        {"value": "x"},
    ):
        digests.add(own().overlay([replace(rule, **part)]).digest)
    assert len(digests) == 5
    assert Rulebook(reversed(own().rules.values())).digest == own().digest


def test_a_consultation_remembers_what_it_was_asked_and_what_of_it_is_assumed():
    used = own().consult()
    used.rule("ROUTE-SMETS1")
    used.rule("S1SP-SRVS")
    used.rule("ROUTE-SMETS1")
    assert used.rules == ("ROUTE-SMETS1", "S1SP-SRVS")
    assert [rule.id for rule in used.assumptions] == ["S1SP-SRVS"]
    with pytest.raises(RuleError, match="NOT-THERE"):
        used.rule("NOT-THERE")


def test_a_value_cannot_be_changed_behind_the_rulebooks_back():
    plain = {"list": [1, {"deep": True}], "text": "x"}
    frozen = freeze(plain)
    plain["list"].append(2)
    assert thaw(frozen) == {"list": [1, {"deep": True}], "text": "x"}
    with pytest.raises(TypeError):
        frozen["text"] = "y"
    with pytest.raises(TypeError):
        freeze({"time": object()})


def test_an_id_is_given_once():
    rule = Rule(id="A", title="t", source="s", basis=Basis.ASSUMED, value=1)
    with pytest.raises(RuleError, match="twice"):
        Rulebook([rule, rule])
