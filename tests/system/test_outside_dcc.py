"""A DCC in a process of its own, reached over HTTP alone: every plan passes there too, by what it shows."""

import pytest

from tests.system.dcc_process import dcc_process
from tests.system.runs import CHECKOUT, RIGS, bench, certify

FOLDERS = sorted(path for path in (CHECKOUT / "test_plans").iterdir() if path.is_dir())
INTERIM = CHECKOUT / "test_plans" / "dcc" / "interim.yaml"


def rig_for(folder, url, *, name="virtual.yaml", admin=True, more=""):
    """Write a rig whose DCC is the one at `url`."""
    for path in (*RIGS.glob("*.csv"), *RIGS.glob("*rules*")):
        (folder / path.name).write_bytes(path.read_bytes())
    lines = f"dcc:\n  type: duis-http\n  url: {url}\n"
    lines += f"  admin-url: {url}/admin\n" if admin else ""
    path = folder / "rig.yaml"
    path.write_text((RIGS / name).read_text().replace("dcc:\n", lines + more))
    return path


@pytest.mark.timeout(120)
def test_rows_and_what_needs_its_administrative_interface_pass_there(tmp_path):
    with dcc_process("--admin") as dcc:
        rig = rig_for(tmp_path, dcc.url)
        run = certify(tmp_path / "pack", "-k", "ROW-2 or CPL-SUSPEND", rig=rig)
        assert run.code == 0, run.said
        assert run.verdicts == dict.fromkeys(("MP202-ROW-2", "CPL-SUSPEND-RESTORE"), "pass")
        # it was there that it happened
        dcc.line(lambda line: "CPL of" in line.get("summary", "") and "taken" in line["summary"])
        dcc.line(lambda line: line.get("boundary") == "gbcs" and "CS08" in line["summary"])


@pytest.mark.timeout(120)
def test_one_without_it_makes_such_a_case_inconclusive_and_says_why(tmp_path):
    with dcc_process() as dcc:
        rig = rig_for(tmp_path, dcc.url, admin=False, more="  listen: 0\n")
        run = certify(tmp_path / "pack", "-k", "CPL-ROW-MISSING-SMETS2", rig=rig)
    assert run.code == 4, run.said
    assert "without an administrative interface cannot be given another" in run.reasons("inconclusive")[0]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("rule", "value", "case"),
    [
        ("RESPONSE-ROLE", "{code: E11}", "DCC-ROLE"),
        ("REQUEST-REPLAY", "{code: E5, counter: unique}", "DCC-REPLAY"),
    ],
)
def test_one_that_refuses_with_another_code_is_noticed(tmp_path, rule, value, case):
    overlay = tmp_path / "overlay.yaml"
    entry = f"{{title: t, source: s, basis: assumed, value: {value}}}"
    overlay.write_text(f"schema: ppmid-bench/rulebook@1\nrules:\n  {rule}: {entry}\n")
    with dcc_process("--admin", "--rules", overlay) as dcc:
        run = certify(
            tmp_path / "pack", CHECKOUT / "test_plans" / "dcc", "-k", case, rig=rig_for(tmp_path, dcc.url)
        )
    assert run.verdicts[case] in ("fail", "inconclusive"), run.said


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_of_another_regime_is_refused_before_anything_is_done(tmp_path):
    with dcc_process("--admin") as dcc:
        rig = rig_for(tmp_path, dcc.url, name="interim.yaml")
        run = certify(tmp_path / "pack", INTERIM, rig=rig)
    assert run.code == 2
    assert "goes by the CPL regime MP202, the rig by INTERIM" in run.said


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_that_wants_a_token_gets_it_from_the_rig(tmp_path):
    token = tmp_path / "token"
    token.write_text("as long as nobody guesses it\n")
    with dcc_process("--admin-token", token) as dcc:
        run = certify(tmp_path / "pack", "-k", "ROW-1", rig=rig_for(tmp_path, dcc.url))
        assert "the token is missing or wrong" in run.said
        rig = rig_for(tmp_path, dcc.url, more=f"  admin-token: {token}\n")
        run = certify(tmp_path / "pack-2", "-k", "ROW-1", rig=rig)
    assert run.code == 0, run.said


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("plans", FOLDERS, ids=lambda folder: folder.name)
def test_every_plan_passes_there(plans, tmp_path):
    with dcc_process("--admin") as dcc:
        run = bench(
            "certify",
            plans,
            "--rig",
            rig_for(tmp_path, dcc.url),
            "--out",
            tmp_path / "pack",
            pack=tmp_path / "pack",
        )
    left = {case: verdict for case, verdict in run.verdicts.items() if verdict != "pass"}
    # those of the other regime, and those with a third hub, are for the next tests
    assert left == {case: "inconclusive" for case in left if case.startswith(("INTERIM-", "EXCHANGE-"))}, (
        run.said
    )


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_plans_with_a_third_hub_pass_there_too(tmp_path):
    plan = CHECKOUT / "test_plans" / "hub" / "hub-exchange.yaml"
    with dcc_process("--admin") as dcc:
        rig = rig_for(tmp_path, dcc.url, name="virtual-exchange.yaml")
        run = certify(tmp_path / "pack", plan, rig=rig)
    assert run.code == 0, run.said
    assert set(run.verdicts.values()) == {"pass"}
    assert len(run.verdicts) == plan.read_text().count("- id: EXCHANGE-")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_plans_of_the_time_before_mp202_pass_there_too(tmp_path):
    with dcc_process(
        "--admin", "--rules", RIGS / "interim-rules.yaml", "--cpl", RIGS / "interim-cpl.csv"
    ) as dcc:
        run = certify(tmp_path / "pack", INTERIM, rig=rig_for(tmp_path, dcc.url, name="interim.yaml"))
    assert run.code == 0, run.said
    assert set(run.verdicts.values()) == {"pass"}
    assert len(run.verdicts) == 3
