"""MP202's versioning table, row by row, and what lies next to it."""

import pytest

from harness.smets.cpl import DeviceType, RowState
from harness.smets.rulebook import Basis, RuleError
from harness.smets.table import Outcome, applies_to, check, resolve
from harness.smets.version import SmetsVersion
from tests.smets.rules import changed, own, without

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2_PLUS
BOTH = dict.fromkeys(SmetsVersion, RowState.ACTIVE)
# as the Modification Report prints it
PUBLISHED = [
    ("MP202-TABLE-1", S1, S1, S1),
    ("MP202-TABLE-2", S1, S2, S2),
    ("MP202-TABLE-3", S2, S1, S1),
    ("MP202-TABLE-4", S2, S2, S2),
]


@pytest.mark.parametrize(("rule", "before", "hub", "after"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_the_version_in_the_smi_is_that_of_the_published_table(rule, before, hub, after):
    resolution = resolve(before, hub, BOTH, own())
    assert resolution.outcome is Outcome.APPLY
    assert resolution.version is after
    assert resolution.flipped is (before is not after)
    assert resolution.code is None
    assert rule in resolution.rules
    assert len([used for used in resolution.rules if used.startswith("MP202-TABLE-")]) == 1
    assert own().rule(rule).basis is Basis.PUBLISHED


@pytest.mark.parametrize(("rule", "before", "hub", "after"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_the_table_is_data_and_a_swapped_row_swaps_the_result(rule, before, hub, after):
    swapped = changed(rule, {"before": before.value, "hub": hub.value, "after": after.other.value})
    assert resolve(before, hub, BOTH, swapped).version is after.other


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        (RowState.MISSING, "MP202-ROW-MISSING"),
        (RowState.CANCELLED, "MP202-ROW-CANCELLED"),
        (RowState.EXPIRED, "MP202-ROW-EXPIRED"),
        (RowState.WITHDRAWN, "MP202-ROW-WITHDRAWN"),
    ],
)
@pytest.mark.parametrize("before", [S1, S2])
class TestRowOfTheResultingVersionIsNotActive:
    def test_the_rulebook_refuses_as_it_stands(self, state, rule, before):
        resolution = resolve(before, S2, {S1: RowState.ACTIVE, S2: state}, own())
        assert resolution.outcome is Outcome.REFUSE
        assert resolution.version is before
        assert resolution.code == own().rule(rule).text("code")
        assert resolution.rules[-1] == rule
        assert own().rule(rule).basis is Basis.ASSUMED

    def test_an_overlay_may_have_it_keep_the_version(self, state, rule, before):
        resolution = resolve(before, S2, {S2: state}, changed(rule, {"outcome": "keep"}))
        assert (resolution.outcome, resolution.version) == (Outcome.KEEP, before)
        assert resolution.code is None

    def test_an_overlay_may_have_it_apply_the_table_all_the_same(self, state, rule, before):
        resolution = resolve(before, S2, {S2: state}, changed(rule, {"outcome": "apply"}))
        assert (resolution.outcome, resolution.version) == (Outcome.APPLY, S2)

    def test_the_row_of_the_other_version_does_not_matter(self, state, rule, before):
        resolution = resolve(before, S1, {S1: RowState.ACTIVE, S2: state}, own())
        assert (resolution.outcome, resolution.version) == (Outcome.APPLY, S1)


@pytest.mark.parametrize("before", [S1, S2, None])
def test_a_hub_of_unknown_version_is_decided_by_its_rule(before):
    resolution = resolve(before, None, BOTH, own())
    assert resolution.outcome is Outcome.REFUSE
    assert resolution.code == "E081106"
    assert "MP202-HUB-UNKNOWN" in resolution.rules
    kept = resolve(before, None, BOTH, changed("MP202-HUB-UNKNOWN", {"outcome": "keep"}))
    assert (kept.outcome, kept.version) == (Outcome.KEEP, before)


@pytest.mark.parametrize("hub", [S1, S2])
def test_a_ppmid_of_unknown_version_takes_the_hubs_unless_the_rule_says_otherwise(hub):
    resolution = resolve(None, hub, BOTH, own())
    assert (resolution.outcome, resolution.version) == (Outcome.APPLY, hub)
    assert "MP202-DEVICE-UNKNOWN" in resolution.rules
    rules = changed("MP202-DEVICE-UNKNOWN", {"outcome": "refuse", "code": "E5"})
    assert resolve(None, hub, BOTH, rules).code == "E5"
    assert resolve(None, hub, {}, own()).rules[-1] == "MP202-ROW-MISSING"


def test_the_table_is_for_ppmids_alone():
    assert [kind for kind in DeviceType if applies_to(kind, own())] == [DeviceType.PPMID]


@pytest.mark.parametrize("rule", [row[0] for row in PUBLISHED])
def test_a_table_with_a_hole_is_refused(rule):
    with pytest.raises(RuleError, match="no row for"):
        check(without(rule))


@pytest.mark.parametrize(
    ("rule_id", "value"),
    [
        ("MP202-TABLE-1", {"before": "SMETS1", "hub": "SMETS2+", "after": "SMETS1"}),
        ("MP202-TABLE-1", {"before": "SMETS1", "hub": "SMETS1", "after": "SMETS3"}),
        ("MP202-ROW-MISSING", {"outcome": "shrug"}),
        ("MP202-ROW-EXPIRED", {"outcome": "refuse"}),
        ("MP202-HUB-UNKNOWN", {"outcome": "refuse", "code": 5}),
        ("MP202-APPLIES-TO", ["KETTLE"]),
        ("MP202-FIRMWARE", "other"),
    ],
)
def test_a_rule_of_the_table_of_a_wrong_shape_is_refused(rule_id, value):
    with pytest.raises(RuleError):
        check(changed(rule_id, value))
