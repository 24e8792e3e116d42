"""Expectations of Smart Energy security and of the trust centre can fail, and blame whom they should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.virtual.ppmid.defects import Defect
from harness.hub.defects import HubDefect
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
