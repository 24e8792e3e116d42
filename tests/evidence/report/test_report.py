"""A pack as plain data and as one page: what it says, and that nothing in it can do harm."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib

import pytest
from lxml import html

from harness.errors import ConfigError
from harness.evidence.intact import read_run, verify
from harness.evidence.report import chunks
from harness.evidence.report.case import FIRST_EVENTS, LAST_EVENTS, case_view
from harness.evidence.report.chunks import Attempt, chunks_of, unpacked
from harness.evidence.report.overview import FORMAT, folder_of, overview, parties_of
from harness.evidence.report.page import live_page, middle, render, render_again
from harness.evidence.verdict import Verdict
from harness.tap import Boundary
from tests.evidence.report.many import multiplied
from tests.evidence.report.packs import PPMID, facts, result, step, write_pack

HOSTILE = (
    "</script><script>alert(1)</script><img src=http://elsewhere/x onerror=alert(2)>"
    "\x1b[2J\u202egnp\u200b\ud800"
)


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "pack")


def view_of(pack):
    return overview(read_run(pack))


def page_of(pack):
    return html.document_fromstring((pack / "report.html").read_text())


def traffic_of(page, key):
    (block,) = page.xpath(f"//script[@id='traffic-{key}']/text()")
    return json.loads(zlib.decompress(base64.b64decode(block)))


def test_a_finished_pack_has_its_report_and_is_intact(pack):
    assert verify(pack).ok
    page = page_of(pack)
    assert page.xpath("//h1/text()") == ["The case passed"]
    assert [cell.text_content() for cell in page.xpath("//section[@id='table']//tbody/tr/td")][:7] == [
        *("2", "SMETS1", "smets2", "SMETS2+", "SMETS2+", "SMETS2+", "gbcs")
    ]


def test_the_same_pack_gives_the_same_report(pack):
    assert render(pack) == render(pack) == (pack / "report.html").read_text()


def test_table_verdicts_and_reasons_need_no_script(tmp_path):
    pack = write_pack(tmp_path / "pack", result(verdict=Verdict.FAIL, reason="the SMI says SMETS1"))
    page = page_of(pack)
    for script in page.xpath("//script"):
        script.drop_tree()
    text = page.text_content()
    assert text.count("the SMI says SMETS1") >= 2
    assert page.xpath("//section[@id='table']//tr[@class='fail']")
    assert page.xpath("//details[@data-verdict='fail']//li[@class='fail']")


def test_nothing_outside_the_page_is_named_in_it(pack):
    page = page_of(pack)
    assert page.xpath("//@src | //link | //base | //iframe | //object | //embed | //form/@action") == []
    assert [link for link in page.xpath("//@href") if not link.startswith("#")] == []
    assert page.xpath("//@style") == []
    assert [name for name in page.xpath("//@*") if name.attrname.startswith("on")] == []


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(pack):
    page = page_of(pack)
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = page.xpath("//style/text()")
    (script,) = page.xpath("//script[not(@type)]/text()")
    for kind, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "connect-src" not in policy


def test_text_of_a_device_stays_text(tmp_path):
    def record(recorder, tap):
        tap.record(
            Boundary.SERIAL, HOSTILE, "bench", HOSTILE, HOSTILE.encode("utf-8", "replace"), said=HOSTILE
        )

    case = result(verdict=Verdict.FAIL, reason=HOSTILE, title=HOSTILE, id="A/../<b>")
    told = facts(rig={"name": HOSTILE}, selected=["A/../<b>"])
    pack = write_pack(tmp_path / "pack", case, record=record, told=told)
    page = page_of(pack)
    assert len(page.xpath("//script[not(@type)]")) == 1
    assert page.xpath("//img") == []
    source = (pack / "report.html").read_text()
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u200b\ud800]", source)
    (key,) = page.xpath("//details/@data-key")
    (event,) = traffic_of(page, key)["events"]
    assert event["sum"].startswith("</script>")
    assert "\\u{202e}" in event["sum"]
    assert "\\u{d800}" in event["det"]["said"]


def test_traffic_is_decoded_into_the_page(pack):
    traffic = traffic_of(page_of(pack), "ROW-2")
    assert [lane["id"] for lane in traffic["lanes"]] == [
        *("user", "dsp", "smi", "s1sp", "hub:smets2", "air", "ppmid", "bench")
    ]
    bounds = {event["b"] for event in traffic["events"]}
    assert bounds == {"step", "serial", "duis", "inventory", "s1sp", "hub", "radio", "air"}
    document = next(event for event in traffic["events"] if event["b"] == "duis")
    assert document["text"] == "<a>\n  <b>1</b>\n</a>\n"
    assert document["seal"] == ["no XML signature"]
    assert traffic["smi"] == [
        {"device": str(PPMID), "state": "added", "fields": [["DeviceStatus", None, "Pending"]]}
    ]


def test_a_frame_that_no_key_opens_is_said_to_be_sealed(pack):
    (pack / "cases" / "ROW-2" / "keys.json").write_text("{}")
    seen = case_view(pack / "cases" / "ROW-2", parties_of(read_run(pack)))
    sealed = [event for event in seen["events"] if "NWK: sealed" in event.get("seal", ())]
    assert sealed
    assert not [event for event in seen["events"] if event.get("bad")]
    assert {view["title"] for event in sealed for view in event["views"]} == {"Frame on the air"}


def test_a_long_case_is_cut_in_the_middle_and_says_so(tmp_path):
    count = FIRST_EVENTS + LAST_EVENTS + 7

    def record(recorder, tap):
        for number in range(count):
            tap.record(Boundary.HUB, "smets2", "", f"event {number}")

    pack = write_pack(tmp_path / "pack", record=record)
    events = traffic_of(page_of(pack), "ROW-2")["events"]
    assert len(events) == FIRST_EVENTS + LAST_EVENTS + 1
    assert events[FIRST_EVENTS] == {"gap": 7, "n": FIRST_EVENTS}
    assert events[-1]["sum"] == f"event {count - 1}"


def test_a_broken_timeline_is_shown_up_to_where_it_breaks(pack):
    path = pack / "cases" / "ROW-2" / "timeline.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], "{}\n", *lines[3:]]))
    traffic = traffic_of(html.document_fromstring(render(pack)), "ROW-2")
    assert len(traffic["events"]) == 3
    assert "line 4" in traffic["notes"][0]


def test_the_overview_names_the_gravest_first_and_whose_fault_it_is(tmp_path):
    cases = [
        result("A", Verdict.INCONCLUSIVE, "only assumed"),
        result("B", Verdict.ERROR, "the dongle is gone", health="hub smets1: no answer"),
        result("B", attempt=2),
        result("C", Verdict.FAIL, "the SMI says SMETS1"),
        result("D", Verdict.FAIL, "the SMI says SMETS1"),
    ]
    view = view_of(write_pack(tmp_path / "pack", *cases))
    assert view["format"] == FORMAT
    groups = [(group["verdict"], group["cause"], group["cases"]) for group in view["triage"]["groups"]]
    assert groups == [
        ("fail", "the SMI says SMETS1", ["C", "D"]),
        ("inconclusive", "only assumed", ["A"]),
    ]
    assert view["triage"]["retried"] == [{"case": "B", "reason": "the dongle is gone"}]
    assert view["triage"]["unhealthy"] == [{"case": "B", "health": "hub smets1: no answer"}]
    assert view["run"]["counts"] == {"pass": 1, "fail": 2, "inconclusive": 1, "error": 0}
    assert [case["key"] for case in view["cases"]] == ["A", "B", "B.2", "C", "D"]


def test_a_requirement_that_no_case_covers_is_said_to_be_uncovered(pack):
    view = view_of(pack)
    assert {entry["id"]: entry["cases"] for entry in view["requirements"]} == {
        "MP202-T2": [["ROW-2", "pass"]],
        "MP202-T9": [],
    }
    assert page_of(pack).xpath("//tr[@class='uncovered']/th/text()") == ["MP202-T9"]


def test_assumptions_stand_with_source_and_basis(pack):
    (rule,) = view_of(pack)["assumptions"]
    assert rule == {
        "id": "SMI-WHITELIST",
        "title": "It is so",
        "source": "no public text",
        "basis": "assumed",
        "cases": ["ROW-2"],
    }


@pytest.mark.parametrize(
    ("changes", "verdicts", "headline"),
    [
        ({}, [Verdict.PASS, Verdict.PASS], "All 2 cases passed"),
        ({}, [Verdict.PASS, Verdict.FAIL], "1 failed of 2"),
        ({}, [Verdict.ERROR, Verdict.FAIL], "1 failed, 1 ended in an error of rig or harness of 2"),
        ({"selected": ["0", "1", "2"]}, [Verdict.PASS, Verdict.PASS], "2 passed so far of 3"),
    ],
)
def test_the_headline_is_green_only_when_every_case_ran_and_passed(tmp_path, changes, verdicts, headline):
    cases = [result(str(number), verdict, "why") for number, verdict in enumerate(verdicts)]
    told = facts(**{"selected": [case.id for case in cases], **changes})
    page = page_of(write_pack(tmp_path / "pack", *cases, told=told))
    assert page.xpath("//h1/text()") == [headline]


def test_a_killed_run_is_rendered_and_says_that_it_has_not_ended(pack):
    run = read_run(pack)
    told = {**run, "state": "running", "cases": []}
    (pack / "run.json").write_text(json.dumps(told))
    page = html.document_fromstring(render(pack))
    assert page.xpath("//h1/text()") == ["No case has been executed"]
    assert "has not ended" in page.xpath("//p[@class='why']/text()")[0]


def test_rendering_again_keeps_the_pack_intact_but_not_a_signed_one(pack):
    (pack / "report.html").write_text("altered")
    assert not verify(pack).ok
    render_again(pack)
    assert verify(pack).ok
    (pack / "SHA256SUMS.sig").write_bytes(b"signed")
    with pytest.raises(ConfigError, match="signed"):
        render_again(pack)


@pytest.mark.parametrize("text", ["", "[]", '{"cases": [{"id": 1, "verdict": "pass"}]}', '{"cases": 7}'])
def test_what_is_no_pack_is_refused_with_its_name(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ConfigError, match=r"run\.json"):
        render(tmp_path)


def test_the_live_page_is_the_same_page_and_may_ask_its_server_alone(pack):
    run = read_run(pack)
    page = html.document_fromstring(
        live_page(run, panel="<aside id='console'></aside>", script="/* live */", style="/* live */")
    )
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.endswith("connect-src 'self'")
    assert page.xpath("//aside[@id='console']")
    assert page.xpath("//script[@class='traffic']") == []
    assert html.fromstring(f"<main>{middle(overview(run))}</main>").xpath("//h1/text()") == [
        "The case passed"
    ]


def test_steps_show_what_they_took_of_what_they_had(tmp_path):
    case = result(steps=(step("join {within: 60 s}", elapsed_s=0.25, limit_s=60.0),))
    page = page_of(write_pack(tmp_path / "pack", case))
    assert page.xpath("//ol[@class='steps']//span[@class='took']/text()") == ["0.250 s of 60.00 s"]


def test_a_pack_too_large_for_a_page_keeps_what_failed_and_says_what_is_left_out(tmp_path):
    pack = write_pack(tmp_path / "pack", result("A"), result("B", Verdict.FAIL, "why"), result("C"))
    run = read_run(pack)
    attempts = [
        Attempt(case["key"], folder_of(pack, case), case["verdict"] == "pass")
        for case in overview(run)["cases"]
    ]
    whole = chunks_of(attempts, parties_of(run))
    size = sum(map(len, whole.values()))

    def levels(chunk):
        return {event["lvl"] for event in unpacked(chunk)["events"]}

    assert levels(whole["A"]) == levels(whole["B"]) == {0, 1, 2}
    smaller = chunks_of(attempts, parties_of(run), budget=size - 1)
    assert sorted(len(levels(smaller[key])) for key in "AC") == [2, 3]
    assert smaller["B"] == whole["B"]
    smallest = chunks_of(attempts, parties_of(run), budget=0)
    assert {key: levels(chunk) for key, chunk in smallest.items()} == {"A": {0}, "B": {0}, "C": {0}}
    notes = unpacked(smallest["A"])["notes"]
    assert any("left out of this report" in note for note in notes)


@pytest.mark.slow
def test_many_cases_are_read_by_helpers_as_one_reads_them(pack, tmp_path, monkeypatch):
    many = multiplied(pack, tmp_path / "many", 3)
    alone = render(many)
    monkeypatch.setattr(chunks, "_WORTH_HELPERS", 2)
    monkeypatch.setattr(chunks.os, "cpu_count", lambda: 2)
    assert render(many) == alone
    assert verify(many).missing == ()
    attempts = [Attempt(name, many / "cases" / name, passed=True) for name in ("ROW-2-001", "ROW-2-003")]
    by_helpers = chunks_of(attempts, parties_of(read_run(many)), budget=0)
    monkeypatch.setattr(chunks, "_WORTH_HELPERS", 80)
    assert chunks_of(attempts, parties_of(read_run(many)), budget=0) == by_helpers
