"""The same plans over HTTP: users and DSP talk over loopback, both ways, and the verdicts are the same."""

import pytest

from tests.system.runs import CHECKOUT, bench, certify, changed_rig

OVER_HTTP = ("dcc:\n", "dcc:\n  type: duis-http\n")


@pytest.mark.timeout(120)
def test_the_rows_that_flip_over_http(tmp_path):
    run = certify(tmp_path / "pack", "-k", "ROW-2 or ROW-3", rig=changed_rig(tmp_path, OVER_HTTP))
    assert run.code == 0, run.said
    assert run.verdicts == dict.fromkeys(("MP202-ROW-2", "MP202-ROW-3"), "pass")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_plan_over_http(tmp_path):
    plans = sorted(path for path in (CHECKOUT / "test_plans").iterdir() if path.is_dir())
    rig = changed_rig(tmp_path, OVER_HTTP)
    run = bench("certify", *plans, "--rig", rig, "--out", tmp_path / "pack", pack=tmp_path / "pack")
    assert run.code in (0, 4), run.said
    short = bench("certify", *plans, "--out", tmp_path / "short", pack=tmp_path / "short")
    assert run.verdicts == short.verdicts
