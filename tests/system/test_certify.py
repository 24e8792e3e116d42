"""Certifying on the virtual bench: all of it through the command, as users do."""

from __future__ import annotations

import json

import pytest

from harness.evidence.intact import verify
from harness.evidence.timeline import read_timeline
from harness.tap import Boundary
from tests.system.runs import bench, certify

ROWS = ["MP202-ROW-1", "MP202-ROW-2", "MP202-ROW-3", "MP202-ROW-4"]
TABLE = {
    "MP202-ROW-1": ("SMETS1", "SMETS1", "s1sp"),
    "MP202-ROW-2": ("SMETS1", "SMETS2+", "gbcs"),
    "MP202-ROW-3": ("SMETS2+", "SMETS1", "s1sp"),
    "MP202-ROW-4": ("SMETS2+", "SMETS2+", "gbcs"),
}


def test_every_case_passes_and_the_four_rows_are_shown(certified):
    assert set(certified.verdicts.values()) == {"pass"}
    assert set(ROWS) <= set(certified.verdicts)
    assert len(certified.verdicts) >= 8
    for row in ROWS:
        assert row in certified.out


def test_the_pack_is_intact(certified):
    findings = verify(certified.pack)
    assert findings.ok
    assert not findings.unfinished
    assert bench("report", "verify", certified.pack, pack=certified.pack).code == 0


@pytest.mark.parametrize("row", ROWS)
def test_a_rows_evidence_shows_what_the_table_says(certified, row):
    _, becomes, via = TABLE[row]
    folder = certified.pack / "cases" / row
    events = list(read_timeline(folder / "timeline.jsonl"))
    seen = {event.boundary for event in events}
    always = {Boundary.AIR, Boundary.RADIO, Boundary.SERIAL, Boundary.DUIS, Boundary.HUB, Boundary.STEP}
    assert always <= seen
    assert (Boundary.GBCS in seen) == (via == "gbcs")
    assert (Boundary.S1SP in seen) == (via == "s1sp")
    assert any((folder / "gbcs").glob("*.hex")) == (via == "gbcs")
    after = json.loads((folder / "inventory-after.json").read_text())
    ppmids = [record for record in after if "PPMID" in json.dumps(record)]
    assert any(becomes in json.dumps(record) for record in ppmids)


def test_events_of_a_case_are_in_one_order(certified):
    for path in certified.pack.glob("cases/*/timeline.jsonl"):
        times = [event.elapsed_s for event in read_timeline(path)]
        assert times == sorted(times)


def test_an_altered_pack_is_found_out(certified, tmp_path):
    run = certify(tmp_path / "pack", "-k", "ROW-1")
    assert run.code == 0, run.said
    capture = run.pack / "cases" / "MP202-ROW-1" / "han.pcapng"
    capture.write_bytes(capture.read_bytes()[:-4] + b"\0\0\0\0")
    found = bench("report", "verify", run.pack, pack=run.pack)
    assert found.code == 1
    assert "cases/MP202-ROW-1/han.pcapng" in found.said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_runs_give_the_same_verdicts(tmp_path, certified):
    for number in range(20):
        run = certify(tmp_path / str(number))
        assert (run.code, run.verdicts) == (0, certified.verdicts), run.said
