"""How the DCC reaches a device."""

import pytest

from harness.smets.cpl import DeviceType
from harness.smets.routing import GbcsRoute, NoRoute, S1spRoute, check, route
from harness.smets.rulebook import Basis, RuleError
from harness.smets.version import SmetsVersion
from tests.smets.rules import changed, own, without

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2_PLUS
PPMID = DeviceType.PPMID


def test_for_a_smets2_plus_ppmid_the_dsp_builds_cs08():
    found = route(S2, "11.2", PPMID, own())
    assert found == GbcsRoute(use_case="CS08", rules=("ROUTE-SMETS2", "USE-CASE-11.2"))
    assert {own().rule(rule).basis for rule in found.rules} == {Basis.PUBLISHED}


def test_for_a_smets1_ppmid_the_request_goes_to_the_s1sp():
    found = route(S1, "11.2", PPMID, own())
    assert isinstance(found, S1spRoute)
    assert own().rule("ROUTE-SMETS1").basis is Basis.PUBLISHED


def test_the_routes_are_data_and_swapped_rules_swap_them():
    swapped = changed("ROUTE-SMETS1", "gbcs")
    assert isinstance(route(S1, "11.2", PPMID, swapped), GbcsRoute)
    assert isinstance(route(S2, "11.2", PPMID, changed("ROUTE-SMETS2", "s1sp")), S1spRoute)


@pytest.mark.parametrize(
    ("target", "use_case"),
    [("PPMID", "CS08"), ("HCALCS", "CS08"), ("ESME", "ECS52"), ("CHF", "ECS52"), ("GSME", "GCS38")],
)
def test_the_use_case_of_11_2_depends_on_the_type(target, use_case):
    found = route(S2, "11.2", DeviceType(target), own())
    assert isinstance(found, GbcsRoute)
    assert found.use_case == use_case


@pytest.mark.parametrize(("operation", "use_case"), [("ADD", "CCS01"), ("REMOVE", "CCS02")])
def test_8_11_has_a_use_case_for_adding_and_one_for_removing(operation, use_case):
    found = route(S2, "8.11", DeviceType.CHF, own(), operation=operation)
    assert isinstance(found, GbcsRoute)
    assert found.use_case == use_case


@pytest.mark.parametrize(
    ("version", "srv", "target", "code"),
    [
        (None, "11.2", PPMID, "E5"),  # nobody knows what it is
        (S1, "4.1.1", PPMID, "E11"),  # not among those of the S1SP
        (S2, "4.1.1", PPMID, "E11"),  # no use case
        (S2, "11.2", DeviceType.CAD, "E11"),  # none for this type
        (S1, "11.4", PPMID, "W110401"),  # requirement 7
    ],
)
def test_a_request_without_a_way_is_refused_with_a_code(version, srv, target, code):
    found = route(version, srv, target, own())
    assert isinstance(found, NoRoute)
    assert found.code == code
    assert found.reason


def test_firmware_over_the_air_is_barred_for_smets1_alone():
    assert "MP202-OTA" in route(S1, "11.4", PPMID, own()).rules
    allowed = changed("MP202-OTA", {"srv": "11.4", "only": ["SMETS1", "SMETS2+"], "code": "W110401"})
    assert route(S1, "11.4", PPMID, allowed).rules[-1] == "S1SP-UNSUPPORTED"
    assert route(S2, "11.4", PPMID, own()).rules[-1] == "RESPONSE-NOT-APPLICABLE"


def test_a_rulebook_with_a_hole_or_a_wrong_shape_is_refused():
    for rules in (
        without("ROUTE-SMETS1"),
        without("S1SP-SRVS"),
        changed("ROUTE-SMETS2", "pigeon"),
        changed("USE-CASE-11.2", {"KETTLE": "CS08"}),
        changed("USE-CASE-11.2", {"PPMID": 8}),
        changed("S1SP-SRVS", [8.11]),
    ):
        with pytest.raises(RuleError):
            check(rules)
