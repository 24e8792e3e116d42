"""Certify runs that several tests look at: one a session, whichever room asks."""

from __future__ import annotations

import pytest

from tests.system.runs import CHECKOUT, certify

PPMID_PLAN = CHECKOUT / "test_plans" / "ppmid" / "gbcs-messages.yaml"
PREMISES_PLAN = CHECKOUT / "test_plans" / "ppmid" / "premises.yaml"
FIRMWARE_PLAN = CHECKOUT / "test_plans" / "ppmid" / "firmware.yaml"
CHF_PLAN = CHECKOUT / "test_plans" / "hub" / "gbcs-chf.yaml"
GPF_PLAN = CHECKOUT / "test_plans" / "hub" / "gas-proxy.yaml"


@pytest.fixture(scope="session")
def certified(tmp_path_factory):
    """The pack of a run of the default plans on the virtual bench."""
    run = certify(tmp_path_factory.mktemp("certified") / "pack")
    assert run.code == 0, run.said
    return run


@pytest.fixture(scope="session")
def firmware_certified(tmp_path_factory):
    """The pack of a run of the firmware plan on the virtual bench."""
    run = certify(tmp_path_factory.mktemp("firmware") / "pack", FIRMWARE_PLAN)
    assert run.code == 0, run.said
    return run


@pytest.fixture(scope="session")
def gbcs_certified(tmp_path_factory):
    """The pack of a run of the GBCS plans on the virtual bench."""
    run = certify(tmp_path_factory.mktemp("gbcs") / "pack", PPMID_PLAN, CHF_PLAN, GPF_PLAN)
    assert run.code == 0, run.said
    return run


@pytest.fixture(scope="session")
def premises_certified(tmp_path_factory):
    """The pack of a run of the plan that brings a premises up, on the virtual bench."""
    run = certify(tmp_path_factory.mktemp("premises") / "pack", PREMISES_PLAN)
    assert run.code == 0, run.said
    return run
