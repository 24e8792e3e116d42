"""The same plans over HTTP: users and DSP talk over loopback, both ways, and the verdicts are the same."""

import pytest

from tests.system.runs import CHECKOUT, bench, certify, changed_rig

FOLDERS = sorted(path for path in (CHECKOUT / "test_plans").iterdir() if path.is_dir())
OVER_HTTP = ("dcc:\n", "dcc:\n  type: duis-http\n")


@pytest.mark.timeout(120)
def test_the_rows_that_flip_over_http(tmp_path):
    run = certify(tmp_path / "pack", "-k", "ROW-2 or ROW-3", rig=changed_rig(tmp_path, OVER_HTTP))
    assert run.code == 0, run.said
    assert run.verdicts == dict.fromkeys(("MP202-ROW-2", "MP202-ROW-3"), "pass")


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("plans", FOLDERS, ids=lambda folder: folder.name)
def test_every_plan_gives_the_same_verdicts_over_http(plans, tmp_path):
    rig = changed_rig(tmp_path, OVER_HTTP)
    run = bench("certify", plans, "--rig", rig, "--out", tmp_path / "http", pack=tmp_path / "http")
    short = bench("certify", plans, "--out", tmp_path / "short", pack=tmp_path / "short")
    assert run.code in (0, 4), run.said
    assert run.verdicts == short.verdicts
