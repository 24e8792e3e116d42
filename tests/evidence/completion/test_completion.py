"""A completion report says what packs come to, and no more: by case, requirement, severity, threshold."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.evidence.completion.page import as_html, as_markdown
from harness.evidence.completion.results import completion
from harness.evidence.completion.settings import load_settings
from harness.evidence.pack import EvidencePack
from harness.evidence.verdict import Verdict
from tests.evidence.test_pack import result

HEAD = "schema: ppmid-bench/completion@1\ntitle: PIT 1\n"
SETTINGS = """\
scope: Dual-mode PPMID, firmware 01020304
severities:
  - {id: S1, meaning: the phase cannot go on, open-at-most: 0}
  - {id: S2, meaning: a workaround is known, open-at-most: 1}
defects:
  - {id: JIRA-7, severity: S2, title: wrong mode, cases: [B]}
  - {id: JIRA-9, severity: S1, state: closed, requirements: [MP202-T9]}
thresholds: {passed-at-least: 60, requirements-proved-at-least: 50}
"""


def a_pack(folder, *results, selected=()):
    made = EvidencePack(folder)
    texts = {name: {"text": f"text of {name}", "source": "MR"} for name in ("MP202-T1", "MP202-T2")}
    made.describe(rig={"name": "bench"}, selected=list(selected), requirements=texts, rulebook="sha256:1")
    for entry in results:
        made.begin_case(entry.id, entry.attempt)
        made.end_case(entry)
    made.finish(0)
    return folder


@pytest.fixture
def settings(tmp_path):
    def load(text=SETTINGS):
        (tmp_path / "completion.yaml").write_text(HEAD + text)
        return load_settings(tmp_path / "completion.yaml")

    return load


@pytest.fixture
def three(tmp_path):
    failed = result("B", Verdict.FAIL, covers=("MP202-T2",))
    return a_pack(tmp_path / "pack", result("A"), failed, result("C"), selected=["A", "B", "C"])


def met(report):
    return {line.what: line.met for line in report.thresholds}


def test_a_failure_that_a_known_defect_explains_meets_the_thresholds_that_allow_it(three, settings):
    report = completion([three], settings())
    assert report.met, report.thresholds
    case = {line.id: line for line in report.cases}["B"]
    assert (case.verdict, case.defects) == ("fail", ("JIRA-7",))
    requirement = {line.id: line for line in report.requirements}
    assert (requirement["MP202-T1"].proved, requirement["MP202-T2"].proved) == (True, False)
    assert requirement["MP202-T2"].worst == "S2"
    severities = {line.id: line for line in report.severities}
    assert (severities["S2"].open, severities["S2"].cases) == (("JIRA-7",), ("B",))
    assert severities["S1"].closed == ("JIRA-9",)


@pytest.mark.parametrize(
    ("change", "threshold"),
    [
        (("cases: [B]", "cases: [A]"), "cases not passed that no open defect explains"),
        (("severity: S2", "severity: S1"), "open defects of severity S1"),
        (("passed-at-least: 60", "passed-at-least: 67"), "cases passed"),
        (("proved-at-least: 50", "proved-at-least: 51"), "requirements proved"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1],
)
def test_each_threshold_can_be_missed(three, settings, change, threshold):
    assert change[0] in SETTINGS
    report = completion([three], settings(SETTINGS.replace(*change)))
    assert [what for what, reached in met(report).items() if not reached] == [threshold]


def test_a_case_that_was_not_run_or_ended_in_error_was_not_executed(tmp_path, settings):
    pack = a_pack(tmp_path / "p", result("A"), result("B", Verdict.ERROR), selected=["A", "B", "C"])
    report = completion([pack], settings(""))
    (line,) = [line for line in report.thresholds if line.what == "cases executed"]
    assert (line.reached, line.met) == ("1 of 3 (33.3 %)", False)
    assert report.counts["not run"] == 1


def test_the_run_that_began_last_counts_whatever_the_order_of_the_packs(tmp_path, settings):
    first = a_pack(tmp_path / "z", result("A", Verdict.FAIL))
    second = a_pack(tmp_path / "a", result("A"), selected=["A", "B"])
    for folders in ([first, second], [second, first]):
        report = completion(folders, settings(""))
        assert [(case.id, case.verdict) for case in report.cases] == [("A", "pass"), ("B", "not run")]


def test_an_altered_pack_is_no_ground_to_stand_on(three, settings):
    (three / "junit.xml").write_text("altered")
    assert met(completion([three], settings()))["packs that are not intact or not finished"] is False


def test_defects_that_no_longer_fit_are_noted(three, settings):
    text = SETTINGS.replace("cases: [B]", "cases: [A, GONE]").replace("MP202-T9", "MP202-T2")
    assert completion([three], settings(text)).notes == (
        "JIRA-7 names case GONE, which no pack has",
        "JIRA-7 is open, but every case that it explains passes",
        "JIRA-9 is closed, but a case that it explained does not pass",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SETTINGS.replace("severity: S2", "severity: S3"), "none of the severities"),
        (SETTINGS.replace(", cases: [B]", ""), "names `cases` or `requirements`"),
        (SETTINGS.replace("JIRA-9", "JIRA-7"), "given twice"),
        (SETTINGS.replace("at-least: 60", "at-least: 101"), "percentage"),
        ("severity: []\n", "unknown key `severity`"),
    ],
)
def test_what_is_wrong_in_the_settings_is_said_with_its_place(settings, text, says):
    with pytest.raises(ConfigError, match=says) as caught:
        settings(text)
    assert caught.value.line


def test_both_forms_say_all_of_it_and_what_the_bench_cannot_know(three, settings):
    report = completion([three], settings())
    for form in (as_html(report), as_markdown(report).replace("\\", "")):
        for said in ("PIT 1", "JIRA-7", "MP202-T2", "the SMI says SMETS1", "Every threshold is met"):
            assert said in form
        assert "the published documents do not define either" in form
    assert "define none" in as_html(completion([three], settings("")))


def test_what_a_device_said_is_no_markup(tmp_path, settings):
    hostile = "<script>alert(1)</script> | **x** [y](http://z)\n# head"
    pack = a_pack(tmp_path / "p", result("A", Verdict.FAIL, reason=hostile))
    report = completion([pack], settings(""))
    html, markdown = as_html(report), as_markdown(report)
    assert "<script" not in html
    (line,) = [line for line in markdown.splitlines() if line.startswith("| A |")]
    assert len(re.findall(r"(?<!\\)\|", line)) == 6
    assert not re.search(r"(?<!\\)[<\[*]", line.replace("**no**", ""))


def test_the_page_asks_for_nothing(three, settings):
    html = as_html(completion([three], settings()))
    assert not re.search(r"(src|href)=|@import|url\(", html)
    assert "default-src 'none'" in unescape(html)


def test_the_file_that_the_docs_show_is_sound(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "report-a-phase.md").read_text()
    (tmp_path / "completion.yaml").write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    settings = load_settings(tmp_path / "completion.yaml")
    assert [severity.open_at_most for severity in settings.severities] == [0, 3]
