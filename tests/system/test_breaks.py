"""Each check can fail: the rule broken on purpose turns a case to `fail`, a broken rig to `error`."""

from __future__ import annotations

import pytest

from tests.system.runs import CHECKOUT, certify, changed_rig

NO_DEFECTS = "  cpl: cpl-virtual.csv\n"
IMPATIENT = (NO_DEFECTS, f"{NO_DEFECTS}  answer-within: 2 s\n")
HUB_1, HUB_2 = "    profile: smets1\n", "    profile: smets2\n"
DEVICE = '      firmware: "01020304"\n'


def dcc(defect):
    return (NO_DEFECTS, f"{NO_DEFECTS}  defects: [{defect}]\n")


def hubs(defect):
    return [(profile, f"{profile}    defects: [{defect}]\n") for profile in (HUB_1, HUB_2)]


def ppmid(defect):
    return (DEVICE, f"{DEVICE}      defects: [{defect}]\n")


# The same defects are caught on a bench of fakes too: see tests/plan.
ALSO_ON_FAKES = [
    ([dcc("ignore-hub")], "MP202-ROW-2"),
    ([dcc("route-by-prenotified")], "MP202-ROW-2"),
    ([ppmid("wrong-mode")], "MP202-ROW-4"),
    ([ppmid("mode-from-factory")], "MP202-ROW-1"),
    ([ppmid("silent-tunnel"), IMPATIENT], "MP202-ROW-4"),
    ([ppmid("stale-firmware-version")], "MP202-ROW-4"),
    ([ppmid("keeps-mode-on-leave")], "MP202-FLIP-BACK"),
    ([ppmid("skips-key-establishment")], "MP202-ROW-2"),
    ([ppmid("network-key-only"), IMPATIENT], "MP202-ROW-1"),
    ([ppmid("network-key-only"), IMPATIENT], "MP202-ROW-2"),
    (hubs("skip-install-code-check"), "HAN-WRONG-INSTALL-CODE"),
    (hubs("offers-wrong-suite"), "MP202-ROW-4"),
    ([hubs("drops-tunnel")[1], IMPATIENT], "MP202-ROW-2"),
]


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ([dcc("swap-table")], "MP202-ROW-1"),
        ([ppmid("bad-response-mac")], "MP202-ROW-4"),
        ([ppmid("wrong-confirm-key")], "MP202-ROW-1"),
        ([ppmid("anothers-certificate")], "MP202-ROW-2"),
        (hubs("ignores-window"), "HAN-WINDOW-OVER"),
        *(pytest.param(*break_, marks=pytest.mark.slow) for break_ in ALSO_ON_FAKES),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else "+".join(new.split("[")[-1][:-2] for _, new in value)
    ),
)
def test_a_break_is_caught(tmp_path, changes, fails):
    run = certify(tmp_path / "pack", "-k", fails, rig=changed_rig(tmp_path, *changes))
    assert run.verdicts == {fails: "fail"}, run.said
    assert run.code == 1
    assert all(run.reasons("fail"))


SECURITY = [CHECKOUT / "test_plans" / who / "smart-energy-security.yaml" for who in ("hub", "ppmid")]


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        (hubs("accepts-unsecured"), "SE-HUB-UNSECURED-1"),
        pytest.param(hubs("accepts-unsecured"), "SE-HUB-UNSECURED-2", marks=pytest.mark.slow),
        pytest.param([ppmid("accepts-unsecured")], "SE-PPMID-UNSECURED-1", marks=pytest.mark.slow),
        ([ppmid("accepts-unsecured")], "SE-PPMID-UNSECURED-2"),
    ],
)
def test_who_obeys_smart_energy_without_its_link_key_is_caught(tmp_path, changes, fails):
    run = certify(tmp_path / "pack", *SECURITY, "-k", fails, rig=changed_rig(tmp_path, *changes))
    assert run.verdicts == {fails: "fail"}, run.said
    (reason,) = run.reasons("fail")
    assert "under the network key alone" in reason


def test_a_ppmid_that_takes_a_network_key_in_the_clear_is_caught(tmp_path):
    rig = changed_rig(tmp_path, ppmid("accepts-clear-key"))
    run = certify(tmp_path / "pack", *SECURITY, "-k", "CLEAR-KEY", rig=rig)
    assert run.verdicts == {"SE-PPMID-CLEAR-KEY-1": "fail", "SE-PPMID-CLEAR-KEY-2": "fail"}, run.said
    assert ["in the clear, and joined" in reason for reason in run.reasons("fail")] == [True, True]


TRUST_CENTRE = CHECKOUT / "test_plans" / "hub" / "trust-centre.yaml"


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ([ppmid("forgets-link-key")], "TC-REJOIN"),
        ([ppmid("forgets-mode-on-power-cycle")], "TC-REJOIN"),
        ([ppmid("ignores-network-key")], "TC-NETWORK-KEY"),
        ([ppmid("forgets-link-key")], "TC-NETWORK-KEY-MISSED"),
    ],
)
def test_a_ppmid_that_does_not_keep_its_keys_is_caught(tmp_path, changes, fails):
    run = certify(tmp_path / "pack", TRUST_CENTRE, "-k", f"{fails} ", rig=changed_rig(tmp_path, *changes))
    assert run.verdicts[fails] == "fail", run.said


def test_a_hub_that_forgets_whom_it_had_is_caught(tmp_path):
    rig = changed_rig(tmp_path, *hubs("forgets-history"))
    run = certify(tmp_path / "pack", TRUST_CENTRE, "-k", "TC-HISTORIC-KEY and not OVER", rig=rig)
    assert run.verdicts == {"TC-HISTORIC-KEY": "fail"}, run.said
    assert (
        "let the PPMID in by its install code, in the time of its historic link key: so it was on the air"
        in (run.reasons("fail")[0])
    )


def test_a_ppmid_that_has_forgotten_its_old_key_fails_nothing_that_is_published(tmp_path):
    rig = changed_rig(tmp_path, ppmid("forgets-old-key"))
    run = certify(tmp_path / "pack", TRUST_CENTRE, "-k", "TC-HISTORIC-KEY and not OVER", rig=rig)
    assert run.verdicts == {"TC-HISTORIC-KEY": "inconclusive"}, run.said
    assert "by its historic link key only" in run.reasons("inconclusive")[0]


def test_smart_energy_security_holds_on_the_virtual_bench(tmp_path):
    run = certify(tmp_path / "pack", *SECURITY)
    assert set(run.verdicts.values()) == {"pass"}, run.said
    assert len(run.verdicts) == 6


UNPLUGGED = """\
schema: ppmid-bench/plan@1
title: A dongle pulled in mid-case
cases:
  - id: PULLED
    title: The SMETS2+ hub's dongle is pulled before the join
    steps:
      - prenotify: {as: SMETS1}
      - whitelist: {hub: smets2}
      - inject_fault: {resource: hubs.smets2.radio, fault: unplug}
      - join: {within: 3 s}
  - id: AFTERWARDS
    title: The dongle is back in its place
    steps:
      - prenotify: {as: SMETS1}
      - whitelist: {hub: smets2}
      - join: {within: 10 s}
"""


def test_a_rig_that_is_unplugged_in_mid_case_is_an_error_and_never_a_fail(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(UNPLUGGED)
    run = certify(tmp_path / "pack", plan)
    assert run.verdicts == {"PULLED": "error", "AFTERWARDS": "pass"}, run.said
    assert run.code == 3
    assert any("hub smets2" in reason for reason in run.reasons("error")), run.reasons("error")
