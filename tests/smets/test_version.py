"""Which family a version text names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.smets.rulebook import RuleError
from harness.smets.version import SmetsVersion, check, read_version
from tests.smets.rules import changed, own

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2_PLUS

TEXTS = [
    ("SMETS1", S1),
    ("SMETS 1", S1),
    ("smets1", S1),
    ("SMETS2", S2),
    ("SMETS2+", S2),
    ("SMETS 2+", S2),
    ("SMETS V1.58", S2),  # the trap
    ("V1.58", S2),
    ("SMETS V1.1", S1),
    ("SMETS V1.2", S1),
    ("V1.2", S1),
    ("1.2", S1),
    ("V1.3", S2),
    ("V4.2", S2),
    ("SMETS V5.0", S2),
    ("SMETS V5.1", S2),
    ("CHTS V1.4", S2),
    ("CHTS V1.1", S2),
    ("  SMETS   V5.1 ", S2),
    ("", None),
    (None, None),
    ("SMETS3", None),
    ("SMETS V1", None),
    ("SMETS V1.5", None),
    ("SMETS V1.59", None),
    ("V12", None),
    ("SMETS1 and SMETS2+", None),
    ("anything", None),
]


@pytest.mark.parametrize(("text", "family"), TEXTS, ids=[str(text) for text, _ in TEXTS])
def test_a_version_text_names_a_family_or_none(text, family):
    assert read_version(text, own()).family is family


def test_the_rule_that_read_a_text_is_told():
    assert read_version("SMETS V1.58", own()).rules == ("VERSION-1-58",)
    assert read_version("anything", own()).rules == ("VERSION-ORDER",)


@given(st.text(max_size=20))
def test_any_text_has_at_most_one_family_whatever_its_case_and_spacing(text):
    family = read_version(text, own()).family
    assert family in (S1, S2, None)
    assert read_version(f"  {text.upper()}\t", own()).family is read_version(text.upper(), own()).family


@given(st.from_regex(r"(SMETS )?V?[2-9](\.[0-9]{1,2}){0,2}", fullmatch=True))
def test_every_version_from_2_on_is_smets2_plus(text):
    assert read_version(text, own()).family is S2


def test_the_order_of_the_rules_decides():
    rules = changed("VERSION-SMETS2", {"matches": "SMETS.*", "family": "SMETS2+"})
    assert read_version("SMETS1", rules).family is S1
    rules = rules.overlay(
        [changed("VERSION-ORDER", ["VERSION-SMETS2", "VERSION-SMETS1"]).rule("VERSION-ORDER")]
    )
    assert read_version("SMETS1", rules).family is S2
    assert read_version("V4.2", rules).family is None


@pytest.mark.parametrize(
    ("rule_id", "value"),
    [
        ("VERSION-CHTS", {"matches": "(", "family": "SMETS2+"}),
        ("VERSION-CHTS", {"matches": "CHTS", "family": "SMETS3"}),
        ("VERSION-CHTS", {"family": "SMETS2+"}),
        ("VERSION-CHTS", "CHTS"),
        ("VERSION-ORDER", ["VERSION-9"]),
        ("VERSION-ORDER", "VERSION-CHTS"),
    ],
)
def test_a_version_rule_of_a_wrong_shape_is_refused(rule_id, value):
    with pytest.raises(RuleError):
        check(changed(rule_id, value))
