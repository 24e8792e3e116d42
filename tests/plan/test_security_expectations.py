"""Expectations of Smart Energy security and of the trust centre can fail, and blame whom they should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.stack.faces import JoinFailure, JoinResult
from harness.hub.defects import HubDefect
from tests.plan.fake_bench import FakeRadio
from tests.plan.test_expectations import ASK, GBCS, HAN, JOIN, S2, ran, said  # noqa: F401 - fixtures

BY_PPMID = "- expect_unsecured_refused: {by: ppmid}\n"
BY_HUB = "- expect_unsecured_refused: {by: hub}\n"
RESTART = "- restart_hub: {hub: smets2}\n"
UPDATE = "- update_network_key: {hub: smets2}\n"
REJOIN = "- expect_rejoin: {within: 2 s}\n"


@pytest.mark.parametrize("steps", [HAN, BY_PPMID, RESTART, UPDATE, REJOIN], ids=str.strip)
def test_without_a_break_it_passes(said, steps):  # noqa: F811
    assert said(S2 + JOIN + steps) == ("pass", "")


def test_a_suite_that_is_offered_but_not_used_fails(said):  # noqa: F811
    verdict, reason = said(S2 + JOIN + HAN, ppmid=[Defect.SKIPS_KEY_ESTABLISHMENT])
    assert verdict == "fail"
    assert "has established no link key with hub smets2" in reason


def test_a_ppmid_that_denies_its_own_key_fails(said):  # noqa: F811
    def arrange(parts):
        parts.ppmid.lies = {"suite_used": 1}

    verdict, reason = said(S2 + JOIN + HAN, arrange)
    assert verdict == "fail"
    assert "the PPMID says key-establishment=1" in reason


def test_a_ppmid_that_does_not_tell_is_believed_hub_and_air(said):  # noqa: F811
    def arrange(parts):
        parts.ppmid.lies = {"suite_used": None}

    assert said(S2 + JOIN + HAN, arrange)[0] == "pass"


def test_key_establishment_that_the_sniffer_missed_is_an_error(said):  # noqa: F811
    def arrange(parts):
        parts.air.deaf_to = {0x0800}

    verdict, reason = said(S2 + JOIN + HAN, arrange)
    assert verdict == "error"
    assert "the sniffer did not hear all of it" in reason


def test_a_ppmid_that_sends_under_the_network_key_fails(said):  # noqa: F811
    verdict, reason = said(S2 + JOIN + "- wait: {for: 100 ms}\n" + HAN, ppmid=[Defect.NETWORK_KEY_ONLY])
    assert verdict == "fail"
    assert "the PPMID sent" in reason
    assert "under the network key alone" in reason


def test_a_hub_that_sends_under_the_network_key_fails(said):  # noqa: F811
    def arrange(parts):
        radio = parts.radios["smets2"]
        send = radio.send

        async def bare(message, *, timeout_s=10.0):
            await send(replace(message, link_key_secured=False), timeout_s=timeout_s)

        radio.send = bare

    defects = {"ppmid": [Defect.ACCEPTS_UNSECURED], "hub": [HubDefect.ACCEPTS_UNSECURED]}
    verdict, reason = said(S2 + JOIN + ASK + GBCS, arrange, **defects)
    assert verdict == "fail"
    assert "hub smets2 sent" in reason


def test_a_ppmid_that_obeys_without_the_link_key_fails(said):  # noqa: F811
    verdict, reason = said(S2 + JOIN + BY_PPMID, ppmid=[Defect.ACCEPTS_UNSECURED])
    assert verdict == "fail"
    assert "under the network key alone reached the PPMID's application" in reason


def test_a_ppmid_that_cannot_do_wrong_leaves_the_hub_unproved(said):  # noqa: F811
    verdict, reason = said(S2 + JOIN + BY_HUB)
    assert verdict == "inconclusive"
    assert "cannot have it send without the link key" in reason


def test_a_hub_that_forms_anew_at_a_restart_fails(said):  # noqa: F811
    def arrange(parts):
        parts.radios["smets2"].resumes = False

    verdict, reason = said(S2 + JOIN + RESTART, arrange)
    assert verdict == "fail"
    assert "formed a new HAN" in reason


def test_a_hub_that_keeps_its_network_key_fails(said):  # noqa: F811
    def arrange(parts):
        radio = parts.radios["smets2"]
        update = radio.update_network_key

        async def keep(network_key):
            return replace(await update(network_key), network_key_sequence=0)

        radio.update_network_key = keep

    verdict, reason = said(S2 + JOIN + UPDATE, arrange)
    assert verdict == "fail"
    assert "still has network key 0" in reason


def test_a_ppmid_that_does_not_come_back_fails(said):  # noqa: F811
    def arrange(parts):
        async def gone(*, on):
            parts.ppmid.firmware = parts.ppmid.firmware

        parts.bench.power.switch = gone

    verdict, reason = said(S2 + JOIN + REJOIN, arrange)
    assert verdict == "fail"
    assert "has not come back to hub smets2" in reason


@pytest.mark.parametrize("steps", [RESTART, UPDATE], ids=str.strip)
def test_a_ppmid_that_never_joined_is_blamed_on_nobody(said, steps):  # noqa: F811
    verdict, reason = said(S2 + steps)
    assert verdict == "inconclusive"
    assert "`join` comes before this step" in reason


NOTIFY = "- prenotify: {as: SMETS1}\n"
IN_CLEAR = NOTIFY + "- expect_clear_key_refused: {hub: smets2, within: 5 s}\n"


def careless_ppmid(parts):
    parts.stack.takes_clear_key = True


def test_who_takes_no_key_in_the_clear_passes_and_joins_by_a_protected_one(ran):  # noqa: F811
    result = ran(IN_CLEAR + "- whitelist: {hub: smets2}\n" + JOIN + HAN).only
    assert (result.verdict.value, result.reason) == ("pass", None)
    assert result.steps[1].seen["heard_in_clear"] == 1


def test_the_door_that_was_open_to_anybody_is_shut_again(ran):  # noqa: F811
    result = ran(IN_CLEAR + "- expect_stays_out: {within: 1 s, refusal: not-whitelisted}\n").only
    assert (result.verdict.value, result.reason) == ("pass", None)


def test_a_ppmid_that_takes_a_key_in_the_clear_fails(said):  # noqa: F811
    verdict, reason = said(IN_CLEAR, careless_ppmid)
    assert verdict == "fail"
    assert "the PPMID took a network key that hub smets2 sent in the clear, and joined" in reason


def test_a_ppmid_that_takes_it_and_denies_that_fails_by_what_the_hub_heard(said):  # noqa: F811
    def arrange(parts):
        careless_ppmid(parts)
        parts.ppmid.outcome = lambda outcome: replace(outcome, joined=False, reason="no-network")

    verdict, reason = said(IN_CLEAR, arrange)
    assert verdict == "fail"
    assert "it says 'no-network', but the hub heard it under that key" in reason


def test_a_ppmid_that_never_tried_has_proved_nothing(said):  # noqa: F811
    def arrange(parts):
        async def nowhere(*_):
            return JoinResult(failure=JoinFailure.NO_NETWORK)

        parts.stack.join = nowhere

    verdict, reason = said(IN_CLEAR, arrange)
    assert verdict == "inconclusive"
    assert "none was heard: the PPMID says 'no-network'" in reason


def test_a_key_that_was_protected_after_all_proves_nothing(said):  # noqa: F811
    def arrange(parts):
        careless_ppmid(parts)
        parts.air.clear_key = lambda radio: None

    verdict, reason = said(IN_CLEAR, arrange)
    assert verdict == "inconclusive"
    assert "it joined all the same" in reason


@pytest.mark.parametrize(("arrange", "verdict"), [(None, "pass"), (careless_ppmid, "fail")])
def test_without_a_sniffer_the_radio_is_believed(said, arrange, verdict):  # noqa: F811
    assert said(IN_CLEAR, arrange, sniffer=False)[0] == verdict


def test_a_key_that_the_hub_was_told_to_send_so_is_held_against_nobody_later(said):  # noqa: F811
    wrong = "- whitelist: {hub: smets2, install_code: 0F1E2D3C4B5A69788796A5B4C3D2E1F0}\n"
    verdict, reason = said(IN_CLEAR + wrong + JOIN)
    assert verdict == "fail"
    assert "in the clear" not in reason


def test_a_radio_that_cannot_be_careless_proves_nothing(said):  # noqa: F811
    can = {name: way for name, way in vars(FakeRadio).items() if not name.startswith("__")}
    del can["permit_anybody"]

    def arrange(parts):
        parts.radios["smets2"].__class__ = type("CarefulRadio", (), can)

    verdict, reason = said(IN_CLEAR, arrange)
    assert verdict == "inconclusive"
    assert "the radio of hub smets2 cannot skip the install-code check" in reason
