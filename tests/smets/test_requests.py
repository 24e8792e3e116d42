"""How the DSP judges a request, and what to expect on a HAN."""

import pytest

from harness.smets import han, requests
from harness.smets.cpl import DeviceType, RowState
from harness.smets.requests import CPL_PRENOTIFY, CPL_REQUEST, Target, judge_cpl, judge_status, judge_type
from harness.smets.rulebook import RuleError
from harness.smets.smi import DeviceStatus
from harness.smets.version import SmetsVersion
from tests.smets.rules import changed, own

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2_PLUS


def test_the_rulebook_knows_what_a_service_reference_aims_at():
    found = {srv: requests.target_of(srv, own()) for srv in ("12.2", "8.2", "8.11", "11.2", "99.9")}
    assert found == {
        "12.2": Target.DSP,
        "8.2": Target.DSP,
        "8.11": Target.HUB,
        "11.2": Target.DEVICE,
        "99.9": None,
    }


def test_a_request_is_for_certain_types_and_statuses():
    assert judge_type("11.2", DeviceType.PPMID, own()).code is None
    assert judge_type("11.2", DeviceType.IHD, own()).code == "E11"
    assert judge_status("11.2", DeviceStatus.WHITELISTED, own()).code is None
    assert judge_status("11.2", DeviceStatus.PENDING, own()).code == "E5"
    assert judge_status("4.1.1", DeviceStatus.PENDING, own()).rules == ("STATUS-REST", "RESPONSE-STATUS")


@pytest.mark.parametrize(
    ("require", "family", "rows", "passes"),
    [
        ("family", S1, {S1: RowState.ACTIVE}, True),
        ("family", S1, {S2: RowState.ACTIVE}, False),
        ("family", S1, {S1: RowState.WITHDRAWN, S2: RowState.ACTIVE}, False),
        ("family", None, {S2: RowState.ACTIVE}, True),
        ("any", S1, {S2: RowState.ACTIVE}, True),
        ("any", S1, {S2: RowState.EXPIRED}, False),
        ("nothing", S1, {}, True),
    ],
)
@pytest.mark.parametrize("rule", [CPL_PRENOTIFY, CPL_REQUEST])
def test_the_cpl_row_that_is_required_is_data(rule, require, family, rows, passes):
    judged = judge_cpl(rule, family, rows, changed(rule, {"require": require, "code": "E999"}))
    assert judged.code == (None if passes else "E999")
    assert judged.rules == (rule,)


def test_on_each_hub_a_ppmid_works_as_the_hub_does_and_with_its_suite():
    assert [han.expected_mode(hub, own()) for hub in (S1, S2)] == [(S1, "HAN-MODE"), (S2, "HAN-MODE")]
    assert han.expected_suite(S1, own()) == (1, "KE-SUITE-SMETS1")
    assert han.expected_suite(S2, own()) == (2, "KE-SUITE-SMETS2")


def test_a_smets1_firmware_version_is_read_from_the_ota_client():
    where = han.firmware_read(own())
    assert (where.cluster, where.attribute, where.side) == (0x0019, 0x0002, han.Side.CLIENT)


@pytest.mark.parametrize(
    ("room", "rule_id", "value"),
    [
        (requests, "RESPONSE-SUCCESS", {}),
        (requests, "SRV-11.2", {"target": "moon", "types": ["PPMID"]}),
        (requests, "STATUS-11.2", ["Pendig"]),
        (requests, "CPL-REQUEST", {"require": "luck", "code": "E5"}),
        (han, "KE-SUITE-SMETS2", 3),
        (han, "HAN-MODE", "moon"),
        (han, "SMETS1-FIRMWARE-READ", {"cluster": "0019", "attribute": 2, "side": "client"}),
        (han, "TUNNEL-PROTOCOL", {"protocol": 6}),
    ],
)
def test_a_rule_of_a_wrong_shape_is_refused(room, rule_id, value):
    with pytest.raises(RuleError, match=rule_id):
        room.check(changed(rule_id, value))
