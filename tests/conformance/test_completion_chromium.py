"""Chromium judges the completion report: it opens, narrow and dark, prints, and asks nobody for anything."""

from __future__ import annotations

import pytest

from harness.evidence.completion.page import HTML, write
from harness.evidence.completion.results import completion
from harness.evidence.completion.settings import load_settings
from harness.evidence.verdict import Verdict
from tests.conformance.browser import NARROW, WIDE, browser
from tests.conformance.test_report_chromium import HOSTILE
from tests.evidence.completion.test_completion import HEAD, SETTINGS, a_pack
from tests.evidence.test_pack import result

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def page(chromium, tmp_path):
    pack = a_pack(
        tmp_path / "pack",
        *(result("A", Verdict.PASS), result("B", Verdict.FAIL, reason=HOSTILE), result("C", Verdict.PASS)),
        selected=("A", "B", "C"),
    )
    (tmp_path / "settings.yaml").write_text(f"{HEAD}{SETTINGS}")
    write(completion([pack], load_settings(tmp_path / "settings.yaml")), tmp_path / "out")
    chromium.size(WIDE)
    chromium.emulate()
    chromium.open(tmp_path / "out" / HTML)
    yield chromium
    assert chromium.said() == []
    assert chromium.asked() == []
    assert chromium.wanted() == []


def wider_than_the_window(page):
    return page.run("return document.documentElement.scrollWidth > innerWidth")


def test_it_tells_thresholds_and_cases_and_runs_nothing(page):
    said = page.one("body").text
    for part in ("PIT 1", "Dual-mode PPMID", "JIRA-7", "MP202-T1"):
        assert part in said, part
    assert "<script>window.harmed" in said, "what a device said is shown as it is"
    assert page.all("script, img") == []
    assert page.run("return window.harmed") is None
    assert not wider_than_the_window(page)


def test_it_is_read_on_a_narrow_screen_and_in_the_dark(page):
    page.size(NARROW)
    assert not wider_than_the_window(page)
    light = page.run("return getComputedStyle(document.body).backgroundColor")
    page.emulate(prefers_color_scheme="dark")
    dark = page.run("return getComputedStyle(document.body).backgroundColor")
    assert light != dark


def test_it_prints_black_on_white_though_the_screen_is_dark(page):
    page.emulate(prefers_color_scheme="dark")
    assert page.pdf().startswith(b"%PDF")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    colours = "const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]"
    assert page.run(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
