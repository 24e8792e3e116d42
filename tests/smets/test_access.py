"""Who may send what, in which command variants; and that the matrix is the published one."""

import json
import re

import pytest

from harness.smets.access import UserRole, UserStatus, judge_sender, judge_variant
from harness.smets.requests import Target, target_of
from harness.smets.rulebook import RuleError
from harness.smets.version import SmetsVersion
from tests.dcc_data import dcc_data
from tests.smets.rules import changed, own

SRVS = sorted(
    rule.id.removeprefix("ACCESS-")
    for rule in own().starting("ACCESS-")
    if rule.id != "ACCESS-BY-REGISTRATION"
)
IS, OU = UserRole.IMPORT_SUPPLIER, UserRole.OTHER_USER
ACTIVE = UserStatus.ACTIVE


def test_there_are_129_service_references():
    assert len(SRVS) == 129


@pytest.mark.parametrize("srv", SRVS)
def test_a_sender_passes_in_an_eligible_role_and_in_no_other(srv):
    eligible = own().rule("ACCESS-" + srv).texts("roles")
    for role in UserRole:
        code = judge_sender(srv, [role], ACTIVE, own()).code
        assert code == (None if role.value in eligible else "E2"), role


@pytest.mark.parametrize("srv", SRVS)
def test_a_command_variant_applies_or_does_not(srv):
    allowed = own().rule("ACCESS-" + srv).part("variants")
    for variant in range(1, 10):
        code = judge_variant(srv, variant, SmetsVersion.SMETS2_PLUS, own()).code
        assert code == (None if variant in allowed else "E12"), variant


def test_nobody_known_and_nobody_active_are_refused_before_their_roles_are_looked_at():
    assert judge_sender("11.2", None, ACTIVE, own()).code == "E1"
    assert judge_sender("11.2", [IS], UserStatus.SUSPENDED, own()).code == "E3"
    assert judge_sender("11.2", [], ACTIVE, own()).code == "E2"


def test_one_eligible_role_among_several_is_enough():
    assert judge_sender("8.11", [UserRole.GAS_TRANSPORTER, OU], ACTIVE, own()).code is None


@pytest.mark.parametrize("srv", ["2.2", "2.5", "11.2"])
def test_to_a_smets1_device_a_request_is_sent_as_it_is(srv):
    judged = {
        variant: judge_variant(srv, variant, SmetsVersion.SMETS1, own()).code for variant in (1, 2, 4, 5)
    }
    assert judged == {1: None, 2: "E12", 4: "E12", 5: "E12"}


def test_what_only_the_matrix_knows_is_for_the_dsp_when_it_is_a_non_device_request():
    assert target_of("12.1", own()) is Target.DSP
    assert target_of("4.1.1", own()) is Target.DEVICE
    assert target_of("99.9", own()) is None


@pytest.mark.parametrize("value", [[], [0], [9], ["1"], "1"])
def test_a_line_with_other_variants_is_refused(value):
    rules = changed("VARIANT-SMETS1", {"variants": value})
    with pytest.raises(RuleError, match="variants"):
        judge_variant("11.2", 1, SmetsVersion.SMETS1, rules)


@pytest.mark.dcc_data
def test_roles_and_criticality_are_those_of_the_published_matrix():
    rows = json.loads(dcc_data("duis", "service-request-matrix.json").read_text())
    assert {row["Service Reference Variant"] for row in rows} == set(SRVS)
    for row in rows:
        rule = own().rule("ACCESS-" + row["Service Reference Variant"])
        assert list(rule.texts("roles")) == row["Eligible User Roles"], rule.id
        variants = set(rule.part("variants"))
        if row["Non-Device Request"] == "Yes":
            assert variants == {8}, rule.id
        elif row["Critical"] == "Yes":
            assert variants <= {4, 5, 6, 7}, rule.id
        else:
            assert variants <= {1, 2, 3}, rule.id


@pytest.mark.dcc_data
def test_the_variants_are_those_of_the_schemas_comments_but_where_these_are_at_odds_with_the_matrix():
    schema = dcc_data("duis", "duis-5.4.xsd").read_text()
    types = schema.split('simpleType name="ServiceReferenceVariant"', 1)[1].split("</xs:simpleType>", 1)[0]
    said = dict(re.findall(r'enumeration value="([\d.]+)"/>\s*<!--\s*CV = ([\d, ]+?)\s*-->', types))
    assert len(said) == 129
    odd = {
        srv
        for srv, numbers in said.items()
        if tuple(map(int, numbers.split(", "))) != own().rule("ACCESS-" + srv).part("variants")
    }
    assert odd == {"7.12", "7.13", "7.14", "7.15"}
    assert {own().rule("ACCESS-" + srv).basis.value for srv in odd} == {"inferred"}


def test_who_holds_a_request_for_later_is_what_the_published_matrix_says():
    rows = json.loads(dcc_data("duis", "service-request-matrix.json").read_text())
    said = {row["Service Reference Variant"]: row["Future Dated Response Pattern"] for row in rows}
    rule = own().rule("FUTURE-HELD")
    for holder, word in (("dsp", "DSP"), ("device", "Device")):
        assert sorted(rule.texts(holder)) == sorted(srv for srv, pattern in said.items() if word in pattern)
