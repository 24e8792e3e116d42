"""The machine of the SMI's nine statuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.smets.cpl import DeviceType
from harness.smets.rulebook import RuleError
from harness.smets.smi import DeviceStatus, SmiEvent, check, transition
from tests.smets.rules import changed, own

PPMID, ESME, CHF = DeviceType.PPMID, DeviceType.ESME, DeviceType.CHF
PENDING, WHITELISTED = DeviceStatus.PENDING, DeviceStatus.WHITELISTED
INSTALLED, COMMISSIONED = DeviceStatus.INSTALLED_NOT_COMMISSIONED, DeviceStatus.COMMISSIONED
DECOMMISSIONED, SUSPENDED = DeviceStatus.DECOMMISSIONED, DeviceStatus.SUSPENDED


@pytest.mark.parametrize(
    ("before", "event", "kind", "after"),
    [
        (None, SmiEvent.PRENOTIFIED, PPMID, PENDING),
        (DECOMMISSIONED, SmiEvent.PRENOTIFIED, PPMID, PENDING),
        (PENDING, SmiEvent.WHITELISTED, PPMID, WHITELISTED),
        (WHITELISTED, SmiEvent.WHITELISTED, PPMID, WHITELISTED),
        (WHITELISTED, SmiEvent.JOINED_HAN, PPMID, INSTALLED),
        (COMMISSIONED, SmiEvent.JOINED_HAN, PPMID, COMMISSIONED),
        (INSTALLED, SmiEvent.COMMISSIONED, PPMID, COMMISSIONED),
        (INSTALLED, SmiEvent.UNLISTED, PPMID, DECOMMISSIONED),
        (DECOMMISSIONED, SmiEvent.WHITELISTED, PPMID, WHITELISTED),
        (PENDING, SmiEvent.COMMISSIONED, CHF, COMMISSIONED),
        (COMMISSIONED, SmiEvent.SUSPENDED, PPMID, SUSPENDED),
        (COMMISSIONED, SmiEvent.RECOVERY_BEGUN, PPMID, DeviceStatus.RECOVERY),
        (DeviceStatus.RECOVERY, SmiEvent.RECOVERY_ENDED, PPMID, DeviceStatus.RECOVERED),
        (COMMISSIONED, SmiEvent.WITHDRAWN, PPMID, DeviceStatus.WITHDRAWN),
    ],
)
def test_an_event_leads_on(before, event, kind, after):
    moved = transition(before, event, kind, own())
    assert moved.status is after
    assert moved.code is None
    assert moved.rules[0].startswith("SMI-")


@pytest.mark.parametrize(
    ("before", "event", "kind"),
    [
        (None, SmiEvent.WHITELISTED, PPMID),
        (PENDING, SmiEvent.PRENOTIFIED, PPMID),
        (COMMISSIONED, SmiEvent.WHITELISTED, PPMID),
        (PENDING, SmiEvent.UNLISTED, PPMID),
        (PENDING, SmiEvent.COMMISSIONED, PPMID),
        (DECOMMISSIONED, SmiEvent.WHITELISTED, ESME),
        (SUSPENDED, SmiEvent.WHITELISTED, PPMID),
        (DeviceStatus.WITHDRAWN, SmiEvent.COMMISSIONED, PPMID),
    ],
)
def test_an_event_out_of_place_is_refused_with_a_code(before, event, kind):
    moved = transition(before, event, kind, own())
    assert (moved.status, moved.code, moved.rules) == (None, "E5", ("RESPONSE-STATUS",))


@pytest.mark.parametrize("before", [PENDING, WHITELISTED, INSTALLED, COMMISSIONED])
def test_a_restored_device_has_the_status_that_it_had(before):
    assert transition(before, SmiEvent.SUSPENDED, PPMID, own()).status is SUSPENDED
    assert transition(SUSPENDED, SmiEvent.RESTORED, PPMID, own(), previous=before).status is before


def test_the_machine_is_data():
    rules = changed("SMI-WHITELIST", {"event": "whitelisted", "from": ["Commissioned"], "to": "Whitelisted"})
    assert transition(COMMISSIONED, SmiEvent.WHITELISTED, PPMID, rules).status is WHITELISTED
    assert transition(PENDING, SmiEvent.WHITELISTED, PPMID, rules).status is None


@given(st.lists(st.sampled_from(SmiEvent), max_size=30), st.sampled_from(DeviceType))
def test_no_course_of_events_leaves_the_nine_statuses_or_begins_without_a_prenotification(events, kind):
    status, previous = None, None
    for event in events:
        moved = transition(status, event, kind, own(), previous=previous)
        assert (moved.status is None) == (moved.code is not None)
        assert moved.rules
        if moved.status is None:
            continue
        if status is None:
            assert event is SmiEvent.PRENOTIFIED
        if event is SmiEvent.SUSPENDED:
            previous = status
        status = moved.status
        assert status in DeviceStatus
        if event is SmiEvent.RESTORED:
            assert status is previous


@pytest.mark.parametrize(
    "value",
    [
        {"event": "whitelisted", "from": ["Pendig"], "to": "Whitelisted"},
        {"event": "whitelistet", "from": ["Pending"], "to": "Whitelisted"},
        {"event": "whitelisted", "from": ["Pending"], "to": "none"},
        {"event": "whitelisted", "from": "Pending", "to": "Whitelisted"},
        {"event": "whitelisted", "from": ["Pending"], "to": "Whitelisted", "types": ["KETTLE"]},
    ],
)
def test_a_transition_of_a_wrong_shape_is_refused(value):
    with pytest.raises(RuleError):
        check(changed("SMI-WHITELIST", value))
