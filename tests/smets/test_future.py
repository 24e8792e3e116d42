"""For which time a request may be, by whom it is held, and rules that are of the wrong shape."""

from datetime import UTC, datetime, timedelta

import pytest

from harness.smets.future import Holder, check, holder_of, is_cancellation, judge_execution
from harness.smets.rulebook import RuleError
from tests.smets.rules import changed, own

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("srv", "holder"), [("11.2", Holder.DSP), ("11.3", Holder.DEVICE), ("6.23", Holder.DSP), ("8.7.2", None)]
)
def test_a_request_is_held_by_the_dsp_or_the_device_or_is_never_for_later(srv, holder):
    assert holder_of(srv, own()) is holder


@pytest.mark.parametrize(
    ("srv", "variant", "when", "code"),
    [
        ("11.2", 1, SOON, None),
        ("11.2", 1, NOW, None),
        ("11.2", 1, NOW - timedelta(microseconds=1), "E58"),
        ("11.2", 2, SOON, "E12"),
        ("11.3", 4, SOON, None),
        ("11.3", 4, NOW - timedelta(days=1), "E58"),
        ("8.7.2", 1, SOON, "E11"),
    ],
)
def test_a_time_is_to_come(srv, variant, when, code):
    assert judge_execution(srv, variant, when, NOW, own()).code == code


def test_a_cancellation_has_a_time_of_its_own_which_an_overlay_may_change():
    assert is_cancellation(datetime(3000, 12, 31, tzinfo=UTC), own())
    assert not is_cancellation(SOON, own())
    other = changed("FUTURE-CANCEL", {"time": "2999-01-01T00:00:00"})
    assert is_cancellation(datetime(2999, 1, 1, tzinfo=UTC), other)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("FUTURE-CANCEL", {"time": "never"}),
        ("FUTURE-VARIANTS", ["one"]),
        ("FUTURE-VARIANTS", 1),
        ("FUTURE-HELD", {"dsp": []}),
    ],
)
def test_a_rule_of_the_wrong_shape_is_told(rule, value):
    with pytest.raises(RuleError, match=rule):
        check(changed(rule, value))
