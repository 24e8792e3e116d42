"""One certify run that several tests look at."""

from __future__ import annotations

import pytest

from tests.system.runs import certify


@pytest.fixture(scope="session")
def certified(tmp_path_factory):
    """The pack of a run of the default plans on the virtual bench."""
    run = certify(tmp_path_factory.mktemp("certified") / "pack")
    assert run.code == 0, run.said
    return run
