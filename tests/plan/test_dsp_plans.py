"""The plans about the DSP on a bench of fakes: all of them pass, and each defect of a DSP is caught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.dcc.defects import DccDefect
from harness.plan.load import load_plans
from harness.smets.rulebook import Basis
from tests.plan.fake_bench import OFFERS
from tests.plan.running import cases_of, run
from tests.smets.rules import changed, own

PLANS = Path(__file__).parents[2] / "test_plans"
REST = (
    "mp202/cpl.yaml",
    "mp202/change-of-hub.yaml",
    "mp202/routing.yaml",
    "dcc/access.yaml",
    "dcc/installed.yaml",
    "dcc/alerts.yaml",
    "dcc/later.yaml",
)
MP202 = OFFERS | {"regime.mp202"}


def cases(*ids):
    found = [case for plan in load_plans([PLANS / name for name in REST]) for case in plan.cases]
    return tuple(case for case in found if not ids or case.id in ids)


def test_all_of_them_pass(tmp_path):
    ran = run(tmp_path, cases(), offers=MP202)
    assert [(result.id, result.reason) for result in ran.results if result.verdict.value != "pass"] == []


def test_on_a_rig_before_mp202_those_of_mp202_are_not_run(tmp_path):
    ran = run(tmp_path, cases("DCC-BY-HAND"), offers=OFFERS | {"regime.interim"})
    assert ran.only.verdict.value == "inconclusive"
    assert "regime.mp202" in ran.only.reason


# What a public text says fails a DSP; what is only assumed leaves the case without a verdict.
CAUGHT = {
    DccDefect.SKIP_ACCESS_CONTROL: {"DCC-ROLE": "fail", "HUB-CHANGE-OF-SUPPLIER": "inconclusive"},
    DccDefect.TAKE_REPLAYS: {"DCC-REPLAY": "inconclusive"},
    DccDefect.OTA_TO_SMETS1: {
        "ROUTE-OTA-SMETS1": "fail",
        "ROUTE-OTA-LIST": "fail",
        "ROUTE-JOIN-SMETS1": "fail",
    },
    DccDefect.LEAVE_ON_EXCHANGE: {
        "HUB-EXCHANGE-TO-SMETS1": "inconclusive",
        "HUB-EXCHANGE-TO-SMETS2": "inconclusive",
    },
    DccDefect.IGNORE_HUB: {
        "CPL-ROW-MISSING-SMETS1": "inconclusive",
        "CPL-ROW-WITHDRAWN": "inconclusive",
        "HUB-AGAIN-AFTER-DECOMMISSIONING": "fail",
    },
    DccDefect.NEVER_SUSPEND: {"CPL-SUSPEND-RESTORE": "inconclusive", "DCC-SUSPENDED-ON-AIR": "inconclusive"},
    DccDefect.GBCS_AS_SMETS1: {"DCC-SMETS1-FORM": "fail"},
    DccDefect.SMETS1_AS_GBCS: {"DCC-GBCS-FORM": "fail"},
    DccDefect.EXECUTE_AT_ONCE: {"DCC-LATER": "fail"},
    DccDefect.KEEP_CANCELLED: {"DCC-LATER-CANCELLED": "fail"},
    DccDefect.WITHHOLD_ALERTS: {"DCC-ALERT-SUSPENDED": "fail"},
    DccDefect.REPEAT_ALERTS: {"DCC-ALERT-REMOVAL": "fail", "DCC-ALERT-NOT-JOINED": "inconclusive"},
    DccDefect.ALERT_EVERYBODY: {"DCC-ALERT-SUSPENDED": "inconclusive", "DCC-ALERT-JOINED": "fail"},
}


@pytest.mark.parametrize("defect", CAUGHT, ids=lambda defect: defect.value)
def test_a_defect_is_caught(tmp_path, defect):
    ran = run(tmp_path, cases(*CAUGHT[defect]), offers=MP202, dcc=[defect])
    assert {result.id: result.verdict.value for result in ran.results} == CAUGHT[defect], [
        result.reason for result in ran.results
    ]


def test_a_rule_that_a_user_confirms_fails_a_dsp_that_breaks_it(tmp_path):
    rule = own().rule("REQUEST-REPLAY")
    confirmed = own().overlay([replace(rule, basis=Basis.PUBLISHED, source="my SEC text")])
    ran = run(tmp_path, cases("DCC-REPLAY"), offers=MP202, dcc=[DccDefect.TAKE_REPLAYS], rules=confirmed)
    verdict, reason = ran.said()
    assert verdict == "fail"
    assert "expected it refused at `request id`" in reason


START = "- prenotify: {as: SMETS1}\n- change_cpl: {smets: SMETS2+, status: removed}\n"
REFUSED = "- expect_refused: {step: {whitelist: {hub: smets2}}, stage: %s, rule: %s}"


@pytest.mark.parametrize(
    ("stage", "rule", "says"),
    [
        ("CPL", "MP202-ROW-MISSING", "at `versioning`"),
        ("versioning", "MP202-ROW-EXPIRED", "by MP202-ROW-EXPIRED"),
        ("versioning", "MP202-HUB-UNKNOWN", "expected E081106"),
    ],
    ids=["another stage", "another rule", "another code"],
)
def test_a_refusal_of_another_kind_is_not_the_one_that_was_expected(tmp_path, stage, rule, says):
    ran = run(tmp_path, cases_of(tmp_path, START + REFUSED % (stage, rule)))
    verdict, reason = ran.said()
    assert verdict == "inconclusive"
    assert says in reason


def test_a_rulebook_that_does_not_refuse_where_the_plan_wants_it_to_says_so(tmp_path):
    rules = changed("MP202-ROW-MISSING", {"outcome": "keep", "code": "E081105"})
    steps = START + REFUSED % ("versioning", "MP202-ROW-MISSING")
    verdict, reason = run(tmp_path, cases_of(tmp_path, steps), rules=rules).said()
    assert verdict == "inconclusive"
    assert "says `keep`" in reason


@pytest.mark.parametrize("rule", ["NO-SUCH-RULE", "MP202-TRIGGER"])
def test_a_rule_that_refuses_nothing_is_a_mistake_of_the_plan(tmp_path, rule):
    ran = run(tmp_path, cases_of(tmp_path, START + REFUSED % ("versioning", rule)))
    verdict, reason = ran.said()
    assert verdict == "error"
    assert rule in reason
    assert "plan.yaml:" in reason


def test_what_is_not_refused_but_goes_wrong_otherwise_is_what_it_is(tmp_path):
    steps = (
        "- expect_refused: {step: {change_supplier: {to: supplier2}}, stage: route, rule: RESPONSE-STATUS}"
    )
    verdict, reason = run(tmp_path, cases_of(tmp_path, steps)).said()
    assert (verdict, "whitelist it first" in reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ("- act_as: {user: nobody}", "no user `nobody`"),
        ("- change_supplier: {to: supplier2}", "whitelist it first"),
        ("- prenotify: {as: SMETS1}\n- whitelist: {hub: smets1}\n- change_supplier: {to: nobody}", "no user"),
    ],
)
def test_what_the_rig_has_not_got_leaves_a_case_without_a_verdict(tmp_path, steps, says):
    verdict, reason = run(tmp_path, cases_of(tmp_path, steps)).said()
    assert verdict == "inconclusive"
    assert says in reason


def test_a_case_begins_with_the_rigs_own_list_users_and_hubs(tmp_path):
    spoil = (
        "- prenotify: {as: SMETS1}\n- whitelist: {hub: smets1}\n- change_supplier: {to: supplier2}\n"
        "- act_as: {user: supplier2}\n- exchange_hub: {from: smets1, hub: smets2}\n"
        "- act_as: {user: other-user}\n"
        "- change_cpl: {smets: SMETS1, status: removed}\n"
    )
    plain = (
        "- prenotify: {as: SMETS1}\n- whitelist: {hub: smets1}\n"
        "- expect_inventory: {smets: SMETS1}\n- decommission\n"
    )
    ran = run(tmp_path, cases_of(tmp_path, spoil, plain))
    assert [(result.verdict.value, result.reason) for result in ran.results] == [("pass", None)] * 2
