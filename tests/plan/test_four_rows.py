"""Our own plan on a bench of fakes: all of it passes, and each defect fails the cases about it."""

from __future__ import annotations

import json

import pytest

from drivers.virtual.ppmid.defects import Defect
from harness.dcc.defects import DccDefect
from harness.hub.defects import HubDefect
from tests.plan.running import our_cases, run

ROWS = [f"MP202-ROW-{number}" for number in (1, 2, 3, 4)]


def test_all_cases_pass(tmp_path):
    ran = run(tmp_path, our_cases())
    assert [(result.id, result.reason) for result in ran.results if result.verdict.value != "pass"] == []
    assert ran.runner.exit_code == 0
    rows = [result.row for result in ran.results if result.row]
    assert [row["row"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[1] == {
        "row": "2",
        "pre-notified": "SMETS1",
        "hub": "smets2",
        "expected": "SMETS2+",
        "SMI": "SMETS2+",
        "on-air mode": "SMETS2+",
        "route": "gbcs",
    }
    folder = ran.folder / "cases" / "MP202-ROW-2"
    before, after = (
        json.loads((folder / f"inventory-{when}.json").read_text()) for when in ("before", "after")
    )
    assert {entry["DeviceType"] for entry in before} == {"CHF", "GPF"}
    (ppmid,) = [entry for entry in after if entry["DeviceType"] == "PPMID"]
    assert (ppmid["SMETSFamily"], ppmid["DeviceStatus"]) == ("SMETS2+", "InstalledNotCommissioned")
    assert "MP202-TABLE-2" in ran.results[1].rules
    assert "SMI-JOIN" not in ran.results[1].assumptions
    assert "STATUS-11.2" in ran.results[1].assumptions


BREAKS = {
    "the table's result swapped": ({"dcc": [DccDefect.SWAP_TABLE]}, ROWS),
    "the hub ignored": ({"dcc": [DccDefect.IGNORE_HUB]}, ROWS[1:3]),
    "routed by the pre-notified version": ({"dcc": [DccDefect.ROUTE_BY_PRENOTIFIED]}, ROWS[1:3]),
    "a stale inventory": ({"dcc": [DccDefect.STALE_INVENTORY]}, ROWS[1:3]),
    "the wrong mode chosen": ({"ppmid": [Defect.WRONG_MODE]}, ROWS),
    "a mode from the factory": ({"ppmid": [Defect.MODE_FROM_FACTORY]}, [ROWS[0], ROWS[2]]),
    "a bad response MAC": ({"ppmid": [Defect.BAD_RESPONSE_MAC]}, [ROWS[1], ROWS[3]]),
    "a silent tunnel": ({"ppmid": [Defect.SILENT_TUNNEL]}, [ROWS[1], ROWS[3]]),
    "the wrong suite offered": ({"hub": [HubDefect.OFFERS_WRONG_SUITE]}, [ROWS[1], ROWS[3]]),
    "the tunnel dropped": ({"hub": [HubDefect.DROPS_TUNNEL]}, [ROWS[1], ROWS[3]]),
}


@pytest.mark.parametrize(("bench", "failing"), BREAKS.values(), ids=BREAKS)
def test_a_break_fails_the_rows_that_it_spoils(tmp_path, bench, failing):
    ran = run(tmp_path, our_cases(*ROWS), **bench)
    assert [result.id for result in ran.results if result.verdict.value == "fail"] == failing
    assert ran.runner.exit_code == 1
    for result in ran.results:
        assert (result.reason is None) == (result.verdict.value == "pass")
    assert "error" not in ran.verdicts


@pytest.mark.parametrize("sniffer", [True, False])
def test_a_hub_that_drops_its_tunnel_is_blamed_and_not_the_ppmid(tmp_path, sniffer):
    ran = run(tmp_path, our_cases(ROWS[1]), hub=[HubDefect.DROPS_TUNNEL], sniffer=sniffer)
    verdict, reason = ran.said()
    assert verdict == "fail"
    assert "But hub smets2 closed the PPMID's tunnel" in reason
    assert "0.0 s after it was last used, which it may do after 65535 s" in reason


OUT = ["HAN-NOT-WHITELISTED", "HAN-WRONG-INSTALL-CODE", "HAN-WINDOW-OVER"]


def test_a_hub_that_skips_the_install_code_check_fails_though_the_ppmid_stays_out(tmp_path):
    ran = run(tmp_path, our_cases(OUT[1]), hub=[HubDefect.SKIP_INSTALL_CODE_CHECK])
    verdict, reason = ran.said()
    assert verdict == "fail"
    assert "the PPMID stayed out, but 00-DB-12-34-56-78-91-02 sent the network key in the clear" in reason


def test_a_hub_that_ignores_windows_fails(tmp_path):
    ran = run(tmp_path, our_cases(OUT[2]), hub=[HubDefect.IGNORES_WINDOW])
    verdict, reason = ran.said()
    assert verdict == "fail"
    assert "the PPMID joined, which it must not" in reason
    assert "the hub let it in" in reason


def test_a_stale_firmware_version_fails_by_gbcs_and_is_an_assumption_by_zcl(tmp_path):
    ran = run(tmp_path, our_cases(*ROWS[:2]), ppmid=[Defect.STALE_FIRMWARE_VERSION])
    assert ran.verdicts == ["inconclusive", "fail"]
    assert "SMETS1-FIRMWARE-READ, which is only assumed" in ran.results[0].reason
    assert "expected 01020304, seen 01020303" in ran.results[1].reason


def test_a_mode_that_is_kept_on_leaving_fails_the_change_over(tmp_path):
    ran = run(tmp_path, our_cases("MP202-FLIP-BACK"), ppmid=[Defect.KEEPS_MODE_ON_LEAVE])
    assert ran.said() == (
        "fail",
        "expect_status {state: out, mode: none}: expected state=out mode=none of the PPMID within 2 s;"
        " it says state=out mode=SMETS2+",
    )
