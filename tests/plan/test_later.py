"""A request for a later time passes when it is answered in its time and well; else somebody is at fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.virtual.ppmid.defects import Defect
from harness.dcc.dsp import Dsp
from harness.errors import RigFault
from harness.plan.steps import later
from harness.smets.smi import DeviceStatus
from tests.plan.running import cases_of, run

ON_1 = "- prenotify: {as: SMETS1}\n- whitelist: {hub: smets1}\n"
ON_2 = "- prenotify: {as: SMETS2+}\n- whitelist: {hub: smets2}\n"
JOIN = "- join: {within: 5 s}\n"
LATER = "- request_later: {srv: '11.2', after: 1 s, within: 1 s}\n"


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Return verdict and reason of one case with these steps; a DSP here gives up soon."""
    monkeypatch.setattr(later, "_GIVES_UP_S", 0.5)

    def said(steps, arrange=None, **bench):
        result = run(tmp_path, cases_of(tmp_path, steps), arrange, **bench).only
        return result.verdict.value, result.reason or ""

    return said


@pytest.mark.parametrize("on", [ON_1, ON_2])
def test_it_passes_where_all_is_right(said, on):
    assert said(on + JOIN + LATER) == ("pass", "")


def test_a_ppmid_that_is_silent_in_its_tunnel_is_not_passed(said):
    verdict, reason = said(ON_2 + JOIN + LATER, ppmid=[Defect.SILENT_TUNNEL])
    assert verdict == "fail"
    assert "request 11.2 for later by way of gbcs ended with E21" in reason
    assert "it does not answer" in reason


@pytest.mark.parametrize("on", [ON_1, ON_2])
def test_a_ppmid_that_never_joined_is_not_passed(said, on):
    verdict, reason = said(on + LATER)
    assert verdict == "fail"
    assert "it is off the network" in reason


def test_a_ppmid_whose_answer_does_not_hold_is_at_fault(said):
    verdict, reason = said(ON_2 + JOIN + LATER, ppmid=[Defect.BAD_RESPONSE_MAC])
    assert verdict == "fail"
    assert "does not hold" in reason


def test_a_radio_that_is_lost_meanwhile_is_an_error(said):
    def arrange(parts):
        hub = parts.bench.hub("smets2").hub

        async def lost(*_args, **_options):
            raise RigFault("hub smets2 lost its radio: unplugged")

        hub.deliver_gbcs = lost

    verdict, reason = said(ON_2 + JOIN + LATER, arrange)
    assert (verdict, "unplugged" in reason) == ("error", True)


def test_a_device_that_is_no_target_any_more_by_then_is_refused_by_a_rule(said, monkeypatch):
    hold = Dsp._for_later

    def and_suspend(dsp, enquiry):
        held = hold(dsp, enquiry)
        dsp.store(replace(enquiry.record, status=DeviceStatus.SUSPENDED), None)
        return held

    monkeypatch.setattr(Dsp, "_for_later", and_suspend)
    verdict, reason = said(ON_2 + JOIN + LATER)
    assert verdict == "inconclusive"
    assert "the DCC refused request 11.2 for later, when its time had come, with E5" in reason


def test_an_answer_without_the_code_for_success_fails(said):
    def arrange(parts):
        boundary = parts.bench.dcc.boundary
        answer = boundary.answer
        boundary.answer = lambda request, response: answer(request, replace(response, code="I99"))

    verdict, reason = said(ON_2 + JOIN + LATER, arrange)
    assert verdict == "fail"
    assert "answered with I99: expected I0, success" in reason


def test_a_request_that_is_not_answered_at_all_fails(said):
    def arrange(parts):
        parts.bench.dcc.boundary.answer = lambda request, response: None

    verdict, reason = said(ON_2 + JOIN + LATER, arrange)
    assert verdict == "fail"
    assert "11.2 was acknowledged, and not answered within 1 s of its time" in reason


def test_a_time_so_near_that_too_early_could_not_be_told_is_a_mistake_in_the_plan(tmp_path):
    with pytest.raises(AssertionError, match="`after` is 1 s or more"):
        cases_of(tmp_path, LATER.replace("after: 1 s", "after: 400 ms"))
