"""Two packs differ by verdicts, reasons, traffic and what ran; times are shown and do not count."""

from __future__ import annotations

from harness.evidence.difference import Tolerance, differences
from harness.evidence.pack import EvidencePack
from harness.evidence.verdict import Verdict
from harness.tap import Boundary
from tests.evidence.test_pack import result


def pack(folder, *results, events=8, **facts):
    made = EvidencePack(folder)
    made.describe(rulebook="sha256:1", rig={"name": "virtual bench"}, **facts)
    for entry in results:
        made.begin_case(entry.id, entry.attempt)
        for number in range(events):
            made.tap.record(Boundary.AIR, "a", "b", str(number))
        made.end_case(entry)
    made.finish(0)
    return folder


def told(tmp_path, before, after, **more):
    found = differences(pack(tmp_path / "a", *before), pack(tmp_path / "b", *after, **more))
    return [(entry.kind, entry.case, entry.what, entry.before, entry.after, entry.counts) for entry in found]


def test_a_run_repeated_says_the_same(tmp_path):
    assert told(tmp_path, [result()], [result(elapsed_s=0.6, started_s=5.0)]) == []


def test_a_verdict_that_turned_is_told_with_its_reason(tmp_path):
    assert told(tmp_path, [result()], [result(verdict=Verdict.FAIL)]) == [
        ("verdict", "ROW-1", "verdict", "pass", "fail", True),
        ("verdict", "ROW-1", "reason", None, "the SMI says SMETS1", True),
    ]


def test_a_case_that_only_one_run_had_is_told(tmp_path):
    assert told(tmp_path, [result("A"), result("B")], [result("B"), result("C")]) == [
        ("verdict", "A", "verdict", "pass", "not there", True),
        ("verdict", "C", "verdict", "not there", "pass", True),
    ]


def test_the_last_attempt_counts(tmp_path):
    again = [result(verdict=Verdict.ERROR), result(attempt=2)]
    assert told(tmp_path, [result()], again) == []


def test_a_slow_case_is_told_but_does_not_count(tmp_path):
    assert told(tmp_path, [result(elapsed_s=2.0)], [result(elapsed_s=4.5)]) == [
        ("time", "ROW-1", "seconds", 2.0, 4.5, False)
    ]


def test_much_more_or_less_traffic_counts(tmp_path):
    assert told(tmp_path, [result()], [result()], events=4) == [
        ("traffic", "ROW-1", "air events", 8, 4, True)
    ]
    found = differences(tmp_path / "a", tmp_path / "b", Tolerance(traffic=0.5))
    assert found == ()


def test_other_rules_or_versions_count(tmp_path):
    assert told(tmp_path, [result()], [result()], overlays=["mine.yaml"])[0] == (
        *("run", "", "overlays", None, ["mine.yaml"]),
        True,
    )
