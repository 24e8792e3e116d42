"""What the DCC must not tell anybody is waited for, and so is a second copy of what it must tell once."""

from __future__ import annotations

import asyncio

import pytest

from tests.plan.running import cases_of, run

REMOVED = (
    "- prenotify: {as: SMETS2+}\n- whitelist: {hub: smets2}\n- change_supplier: {to: supplier}\n"
    "- unwhitelist: {hub: smets2}\n"
)
EXPECT = "- expect_dcc_alert: {alert: ppmid-removal, %s}\n"


@pytest.fixture
def said(tmp_path):
    """Return verdict and reason of one case in which the DCC tells again or for the first time later."""

    def said(expectation, *, at_once, later_s=None, astray=False):
        def arrange(parts):
            boundary = parts.bench.dcc.boundary
            tell, sides = boundary.tell, boundary._sides

            def told(alert):
                if at_once:
                    tell(alert)
                if later_s is not None:
                    asyncio.get_running_loop().call_later(later_s, again, alert)

            def again(alert):
                if not astray:
                    tell(alert)
                    return
                document = boundary._door.alert(alert)
                for user in sides.keys() - alert.to:
                    sides[user].take(document)

            boundary.tell = told

        result = run(tmp_path, cases_of(tmp_path, REMOVED + EXPECT % expectation), arrange).only
        return result.verdict.value, result.reason or ""

    return said


def test_once_and_no_more_passes(said):
    assert said("to: [supplier]", at_once=True) == ("pass", "")


def test_one_that_never_comes_is_not_told_for_no_time_passes(said):
    assert said("times: 0, within: 50 ms", at_once=False) == ("pass", "")


def test_one_that_must_not_come_fails_when_it_comes_before_its_time_is_over(said):
    verdict, reason = said("times: 0, within: 2 s", at_once=False, later_s=0.3)
    assert (verdict, "1 within 2 s, expected 0" in reason) == ("fail", True)


def test_a_second_copy_that_comes_a_little_later_fails(said):
    verdict, reason = said("to: [supplier]", at_once=True, later_s=0.3)
    assert (verdict, "2 within 5 s, expected 1" in reason) == ("fail", True)


def test_one_for_somebody_else_that_comes_a_little_later_is_seen(said):
    verdict, reason = said(
        "to: [supplier], within: 50 ms, quiet_for: 1 s", at_once=True, later_s=0.3, astray=True
    )
    assert (verdict, "whom it is not for" in reason) == ("inconclusive", True)  # who gets it is assumed


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        ("times: -1", "`times` is 0 or more"),
        ("times: 0, within: 0 s", "could still come"),
        ("to: []", "names one user or more"),
    ],
)
def test_what_could_not_fail_is_a_mistake_in_the_plan(tmp_path, expectation, says):
    with pytest.raises(AssertionError, match=says) as raised:
        cases_of(tmp_path, EXPECT % expectation)
    assert "plan.yaml:7" in str(raised.value)
