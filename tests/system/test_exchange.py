"""A hub goes dark, another takes its place by CCS03, the PPMID comes by itself; who fails at it is caught."""

from __future__ import annotations

import pytest

from tests.system.runs import CHECKOUT, RIGS, certify

PLAN = CHECKOUT / "test_plans" / "hub" / "hub-exchange.yaml"
RIG = RIGS / "virtual-exchange.yaml"
DEVICE = '      firmware: "01020304"\n'


@pytest.mark.timeout(90)
def test_the_ppmid_works_on_the_hub_that_took_its_hubs_place(tmp_path):
    run = certify(tmp_path / "pack", PLAN, "-k", "SMETS2", rig=RIG)
    assert run.verdicts == {"EXCHANGE-SMETS2": "pass"}, run.said
    (folder,) = (run.pack / "cases").iterdir()
    assert "under the hash of the link key" in (folder / "timeline.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_it_comes_too_when_it_was_without_supply_or_on_smets1_and_to_no_impostor(tmp_path):
    run = certify(tmp_path / "pack", PLAN, "-k", "CUT or IMPOSTOR or EXCHANGE-SMETS1", rig=RIG)
    cases = ("EXCHANGE-POWER-CUT", "EXCHANGE-SMETS1", "EXCHANGE-IMPOSTOR")
    assert run.verdicts == dict.fromkeys(cases, "pass"), run.said


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_the_gpf_of_the_hub_that_took_its_hubs_place_serves_whom_the_old_one_served(tmp_path):
    run = certify(tmp_path / "pack", PLAN, "-k", "GPF", rig=RIG)
    assert run.verdicts == {"EXCHANGE-GPF": "pass"}, run.said


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_it_works_on_the_oldest_dongles_and_with_the_dcc_over_http(tmp_path):
    text = RIG.read_text().replace("  seed: 202\n", "  seed: 202\n  ezsp-version: 8\n", 1)
    (tmp_path / "rig.yaml").write_text(text.replace("dcc:\n", "dcc:\n  type: duis-http\n"))
    (tmp_path / "cpl-virtual.csv").write_bytes((RIGS / "cpl-virtual.csv").read_bytes())
    run = certify(tmp_path / "pack", PLAN, "-k", "SMETS2", rig=tmp_path / "rig.yaml")
    assert run.verdicts == {"EXCHANGE-SMETS2": "pass"}, run.said


def broken(folder, anchor, defect):
    """Write rig and plan with something made wrong in the rig, and less patience in the plan."""
    text = RIG.read_text()
    assert anchor in text
    indent = " " * (len(anchor.splitlines()[-1]) - len(anchor.splitlines()[-1].lstrip()))
    (folder / "rig.yaml").write_text(text.replace(anchor, f"{anchor}{indent}defects: [{defect}]\n", 1))
    (folder / "cpl-virtual.csv").write_bytes((RIGS / "cpl-virtual.csv").read_bytes())
    plan = PLAN.read_text().replace("30 min", "15 s")
    requirements = CHECKOUT / "test_plans" / "requirements.yaml"
    (folder / "plan.yaml").write_text(plan.replace("../requirements.yaml", str(requirements)))
    return folder / "rig.yaml", folder / "plan.yaml"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("anchor", "defect", "fails", "because"),
    [
        (DEVICE, "keeps-trust-centre", "EXCHANGE-SMETS2", "has not come to hub replacement"),
        (DEVICE, "keeps-old-key", "EXCHANGE-SMETS2", "has established no new link key"),
        (DEVICE, "takes-any-trust-centre", "EXCHANGE-IMPOSTOR", "took hub replacement for its own"),
        ("  smets2:\n    profile: smets2\n", "chf-tells-link-keys", "EXCHANGE-SMETS2", "and not its hash"),
        ("  replacement:\n    profile: smets2\n", "forgets-restored", "EXCHANGE-SMETS2", "is not in it"),
        ("  smets2:\n    profile: smets2\n", "gpf-raises-no-alert", "EXCHANGE-GPF", "no alert 8071"),
        ("  replacement:\n    profile: smets2\n", "gpf-forgets-restored", "EXCHANGE-GPF", "no alert 8071"),
        ("  replacement:\n    profile: smets2\n", "keeps-own-network", "EXCHANGE-SMETS2", "extended PAN id"),
    ],
    ids=lambda value: value if isinstance(value, str) and "-" in value and value.islower() else "",
)
def test_who_fails_at_an_exchange_is_caught_for_that(tmp_path, anchor, defect, fails, because):
    rig, plan = broken(tmp_path, anchor, defect)
    run = certify(tmp_path / "pack", plan, "-k", fails, rig=rig)
    assert run.verdicts == {fails: "fail"}, run.said
    assert because in run.reasons("fail")[0]
