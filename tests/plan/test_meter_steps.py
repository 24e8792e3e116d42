"""Steps about meters where there is none, or nothing to do it with: nobody fails for that."""

from __future__ import annotations

import pytest

from harness.errors import ConfigError
from tests.plan.fake_bench import OFFERS
from tests.plan.running import cases_of, run


def ran(tmp_path, body, **more):
    return run(tmp_path, cases_of(tmp_path, body), **more).said()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("- install_meter: {meter: ESME, hub: smets2}", "this rig has no ESME"),
        ("- commission_meter: {meter: ESME}", "no ESME is installed"),
        ("- join_meter: {meter: GSME}", "no GSME is installed"),
        ("- top_up: {meter: GSME, pence: 5}", "no GSME is installed"),
        ("- activate_emergency_credit: {meter: ESME}", "no ESME is installed"),
        ("- show_message: {meter: ESME, text: hello}", "no ESME is installed"),
        ("- expect_meter: {meter: ESME, status: Commissioned}", "no ESME is installed"),
    ],
)
def test_what_the_rig_or_the_plan_lacks_makes_a_case_inconclusive(tmp_path, body, says):
    verdict, reason = ran(tmp_path, body)
    assert (verdict, says in reason) == ("inconclusive", True), reason


def test_a_case_that_needs_a_meter_is_not_run_on_a_rig_without(tmp_path):
    verdict, reason = ran(tmp_path, "needs: [meter.gsme]\n--\n- wait: {for: 1 ms}", offers=OFFERS)
    assert (verdict, "meter.gsme" in reason) == ("inconclusive", True), reason


@pytest.mark.parametrize(
    "step",
    [
        "top_up: {meter: ESME}",
        "top_up: {meter: ESME, pence: 8192}",
        "top_up: {meter: ESME, pence: 5, again: true}",
        "join_meter: {meter: ESME, with: GPF}",
        "install_meter: {meter: PPMID, hub: smets2}",
    ],
)
def test_what_makes_no_sense_is_refused_with_the_plan(tmp_path, step):
    with pytest.raises((ConfigError, AssertionError)):
        cases_of(tmp_path, f"- {step}")
