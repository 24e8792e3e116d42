"""Chromium judges the report: it opens, it is used by mouse and by keyboard alone, and nothing leaves it."""

from __future__ import annotations

import re

import pytest
from selenium.webdriver.common.keys import Keys

from harness.evidence.verdict import Verdict
from harness.tap import Boundary
from tests.conformance.browser import NARROW, WIDE, browser
from tests.evidence.report.packs import facts, result, step, traffic, write_pack

pytestmark = pytest.mark.chromium

ATTACK = "<script>window.harmed = 1</script><img src=http://elsewhere.invalid/x onerror='window.harmed = 2'>"
HOSTILE = (
    f"</script></pre></details>{ATTACK}\x1b[2J\x07\u202egnp.exe\u2066\u200b\ud800{{{{7*7}}}}${{7*7}}"
    "javascript:window.harmed=3\"' onfocus=window.harmed=4 autofocus x='"
)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def chromium(started):
    """The browser as every test finds it, whatever the one before did."""
    started.size(WIDE)
    started.emulate()
    started.scripts(on=True)
    return started


@pytest.fixture
def report(chromium, certified):
    chromium.open(certified.pack / "report.html")
    yield chromium
    assert chromium.said() == []
    assert chromium.asked() == []
    assert chromium.wanted() == []


def opened_case(page, key):
    page.run("document.getElementById(arguments[0]).open = true", f"case-{key}")
    page.until(lambda: page.all(f"[id='case-{key}'] .ladder .row"), f"no diagram of {key}")
    return page.one(f"[id='case-{key}']")


def shown_cases(page):
    return [element.get_attribute("data-key") for element in page.shown("#case-list > .case")]


def test_every_case_opens_to_its_diagram(report, certified):
    keys = [case["id"] for case in certified.run["cases"]]
    assert shown_cases(report) == keys
    drawn = report.run_async(
        """
        const done = arguments[arguments.length - 1];
        const all = [...document.querySelectorAll('.case')];
        Promise.all(all.map((entry) => report.load(entry.dataset.key)))
          .then((drawn) => done(drawn.map((one) => one.ladder.querySelectorAll('.row').length)));
        """
    )
    assert len(drawn) == len(keys)
    assert min(drawn) > 0


@pytest.mark.parametrize("row", ["MP202-ROW-1", "MP202-ROW-2"])
def test_every_event_opens_to_its_octets(report, row):
    opened_case(report, row)
    rows, opened, named = report.run(
        """
        const diagram = report.diagrams.get(arguments[0]);
        diagram.showLevel(2);
        while (diagram.waiting.length) diagram.addRows();
        const rows = [...diagram.ladder.querySelectorAll('.row')];
        for (const row of rows) row.click();
        const opened = rows.filter((row) => row.nextElementSibling.matches('.panel'));
        return [rows.length, opened.length, diagram.ladder.querySelectorAll('.f').length]
        """,
        row,
    )
    assert rows == opened > 80
    assert named > 1500


def test_a_click_goes_from_an_event_to_its_cause(report):
    opened_case(report, "MP202-ROW-2")
    row = next(row for row in report.shown("#case-MP202-ROW-2 .row") if "CS08 response" in row.text)
    row.click()
    report.one("#case-MP202-ROW-2 .panel a[href^='#case-MP202-ROW-2/']").click()
    focused = "return document.activeElement.textContent"
    report.until(lambda: "CS08 command" in report.run(focused), "the command was not shown")
    report.one(f"#{report.run('return document.activeElement.id')} + .panel a").click()
    report.until(lambda: "request 11.2" in report.run(focused), "the request was not shown")
    assert report.run("return document.activeElement.getAttribute('aria-expanded')") == "true"


def test_a_response_opens_to_its_use_case_by_field(report):
    case = opened_case(report, "MP202-ROW-2")
    row = next(row for row in report.shown("#case-MP202-ROW-2 .row") if "CS08 response" in row.text)
    row.click()
    panel = report.one("#case-MP202-ROW-2 .panel")
    assert "CS08 response says" in panel.text
    assert "01 02 03 04" in panel.text
    fields = [
        field for field in report.shown("#case-MP202-ROW-2 .panel .f") if field.text.startswith("MAC\n")
    ]
    report.run("arguments[0].focus()", fields[-1])
    marked = [cell.text for cell in report.all("#case-MP202-ROW-2 .panel .hex i.on")]
    assert "".join(marked).upper() == fields[-1].text.split("\n")[1].replace(" ", "")
    assert case.get_attribute("open") is not None


def test_the_diagram_shows_as_much_as_is_asked_for(report):
    opened_case(report, "MP202-ROW-2")
    rows = []
    for level in (0, 1, 2):
        report.run("report.diagrams.get('MP202-ROW-2').showLevel(arguments[0])", level)
        rows.append(len(report.all("#case-MP202-ROW-2 .row")))
    assert rows[0] < rows[1] < rows[2]
    report.one("#case-MP202-ROW-2 .bounds .b-air").click()
    assert not report.all("#case-MP202-ROW-2 .row.b-air")
    report.one("#case-MP202-ROW-2 .controls input").send_keys("cs08")
    assert 2 <= len(report.all("#case-MP202-ROW-2 .row")) < rows[2] / 2
    assert {mark.get_property("textContent") for mark in report.all("#case-MP202-ROW-2 mark")} == {"CS08"}


def test_the_smi_is_shown_as_a_difference(report):
    opened_case(report, "MP202-ROW-2")
    told = report.one("#case-MP202-ROW-2 .smi").text
    assert "00-DB-12-34-56-78-90-A4 added" in told
    assert "SMETS2+" in told


def test_search_and_verdicts_narrow_the_cases(report):
    report.one("#search").send_keys("flip back")
    assert shown_cases(report) == ["MP202-FLIP-BACK"]
    report.one("#search").send_keys(" nowhere")
    assert shown_cases(report) == []
    assert report.one("#nothing").is_displayed()
    report.type(Keys.ESCAPE)
    report.one("input[value='pass']").click()
    assert shown_cases(report) == []
    report.one("input[value='pass']").click()
    assert len(shown_cases(report)) == len(report.all(".case"))


def test_the_keyboard_alone_reaches_everything(report):
    report.type("/")
    assert report.focus.get_attribute("id") == "search"
    report.type("row-2", Keys.ENTER)
    assert report.focus.tag_name == "summary"
    report.type(Keys.ENTER)
    report.until(lambda: report.shown("#case-MP202-ROW-2 .row"))
    report.type("j", "j", "j", "k")
    assert "row" in report.focus.get_attribute("class")
    report.type(Keys.ENTER)
    panel = report.one("#case-MP202-ROW-2 .panel")
    assert panel.is_displayed()
    report.type(Keys.TAB, Keys.TAB)
    assert report.run("return document.querySelector('.panel').contains(document.activeElement)")
    report.type(Keys.ESCAPE)
    assert report.focus.get_attribute("aria-expanded") == "true"
    report.type(Keys.ESCAPE)
    assert not report.all("#case-MP202-ROW-2 .panel")
    before = len(report.all("#case-MP202-ROW-2 .row"))
    report.type("3")
    assert len(report.all("#case-MP202-ROW-2 .row")) > before
    report.type(Keys.ESCAPE)
    assert report.one("#case-MP202-ROW-2").get_attribute("open") is None
    report.type("?")
    assert report.one("#help").is_displayed()
    report.type(Keys.ESCAPE)
    assert not report.one("#help").is_displayed()
    report.type("t")
    assert report.run("return document.documentElement.dataset.theme") in ("light", "dark")
    report.run("localStorage.clear()")


def test_the_focus_is_seen_and_everything_that_takes_it_has_a_name(report):
    opened_case(report, "MP202-ROW-2")
    report.run("document.querySelector('.row').click()")
    report.type("j")
    outline = report.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    nameless = report.run(
        """
        const label = (e) => e.getAttribute('aria-label') || e.labels?.[0]?.textContent.trim();
        const named = (e) => e.textContent.trim() || label(e);
        return [...document.querySelectorAll('a, button, input, summary, [tabindex], [role]')]
          .filter((e) => !named(e) && !e.matches('[role=status]')).map((e) => e.outerHTML.slice(0, 200))
        """
    )
    assert nameless == []


def test_an_address_leads_to_a_case_and_to_an_event(chromium, report, certified):
    chromium.open(certified.pack / "report.html", "#case-MP202-ROW-2/40")
    chromium.until(lambda: chromium.shown("#case-MP202-ROW-2 .panel"))
    assert chromium.focus.get_attribute("id") == "event-MP202-ROW-2-40"


def test_light_and_dark_follow_the_system_and_the_switch(report):
    def paper():
        return report.run("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    report.emulate(prefers_color_scheme="dark")
    dark = paper()
    assert light != dark
    report.one("#theme").click()
    assert paper() == light
    report.run("localStorage.clear()")


def test_the_page_fits_a_narrow_screen(report):
    report.size(NARROW)
    opened_case(report, "MP202-ROW-2")
    report.run("document.querySelector('#case-MP202-ROW-2 .row').click()")
    assert report.run("return document.documentElement.scrollWidth <= innerWidth")


def test_printed_it_has_every_verdict_and_step_and_no_controls(report):
    pages = len(re.findall(rb"/Type\s*/Page\b", report.pdf()))
    assert 2 <= pages <= 5 + len(report.all(".case")) / 2  # two cases a page, and what stands around them
    report.run("window.dispatchEvent(new Event('beforeprint'))")
    report.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not report.shown("button.more, .tools button, #search")
    assert len(report.shown(".steps li")) == len(report.all(".steps li")) > 20
    report.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    report.run("window.dispatchEvent(new Event('afterprint'))")
    assert not report.all(".case[open]")


def test_without_a_script_table_verdicts_and_reasons_are_there(chromium, tmp_path):
    case = result(verdict=Verdict.FAIL, reason="the SMI says SMETS1")
    pack = write_pack(tmp_path / "pack", case)
    chromium.scripts(on=False)
    chromium.open(pack / "report.html")
    chromium.scripts(on=True)  # to ask; the page was loaded without
    assert chromium.run("return window.report === undefined")
    text = chromium.one("main").text
    assert "1 failed of 1" in text
    assert "the SMI says SMETS1" in text
    assert "SMETS2+" in chromium.one("#table").text
    assert not chromium.shown(".tools, #search")


def test_a_script_that_got_in_could_not_send_anything(chromium, certified):
    """The policy itself is tried from inside: the checks that nothing leaves can fail."""
    chromium.open(certified.pack / "report.html")
    blocked = chromium.run_async(
        """
        const done = arguments[arguments.length - 1], blocked = [];
        document.addEventListener('securitypolicyviolation', (e) => blocked.push(e.effectiveDirective));
        const into = document.body;
        into.append(Object.assign(new Image(), {src: 'http://elsewhere.invalid/i'}));
        const add = (tag, given) => into.append(Object.assign(document.createElement(tag), given));
        add('script', {textContent: 'window.harmed = 1'});
        add('style', {textContent: 'body { background: url(http://elsewhere.invalid/s) }'});
        add('iframe', {src: 'http://elsewhere.invalid/f'});
        into.setAttribute('onclick', 'window.harmed = 2');
        into.click();
        fetch('http://elsewhere.invalid/x').catch(() => setTimeout(() => done(blocked), 300));
        """
    )
    assert set(blocked) >= {"img-src", "connect-src", "frame-src", "style-src-elem", "script-src-elem"}
    assert "script-src-attr" in blocked
    assert chromium.run("return window.harmed") is None
    assert [address for address in chromium.asked() if "elsewhere" in address] == []
    assert chromium.wanted() == []
    assert any("Content Security Policy" in line for line in chromium.said())


def hostile_traffic(recorder, tap):
    traffic(recorder, tap)
    octets = HOSTILE.encode("utf-8", "surrogatepass") + b"\xff\xfe\xc3\x28"
    for boundary in Boundary:
        tap.record(boundary, HOSTILE, HOSTILE, HOSTILE, octets, said=HOSTILE, nested={HOSTILE: [HOSTILE]})
    tap.record(Boundary.SERIAL, "ppmid.port", "bench", "A" * 1_000_000, b"A" * 1_000_000)
    tap.record(Boundary.DUIS, "dsp", "user", "xml", f"<a>{'&lt;b&gt;'}<![CDATA[{ATTACK}]]></a>".encode())
    tap.record(Boundary.DUIS, "dsp", "user", "no xml", f"<a>{ATTACK}".encode())
    tap.record(
        Boundary.DUIS,
        "dsp",
        "user",
        "entity",
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
    )


def test_what_a_hostile_device_says_does_no_harm(chromium, tmp_path):
    cases = [
        result(
            f"{number}{HOSTILE}"[:60],
            Verdict.FAIL,
            HOSTILE,
            title=HOSTILE,
            plan=HOSTILE,
            covers=(HOSTILE,),
            assumptions=(HOSTILE,),
            health=HOSTILE,
            row={"row": HOSTILE},
            steps=(step(HOSTILE, Verdict.FAIL, HOSTILE, place=HOSTILE),),
        )
        for number in range(2)
    ]
    told = facts(
        rig={"name": HOSTILE, "hubs": [HOSTILE]},
        bench=[{"kind": HOSTILE, "name": HOSTILE, "eui64": HOSTILE, HOSTILE: HOSTILE}],
        plans=[{"file": HOSTILE, "title": HOSTILE}],
        versions={"ppmid-bench": "1", HOSTILE: HOSTILE},
        rules={HOSTILE: {"title": HOSTILE, "source": HOSTILE, "basis": HOSTILE}},
        requirements={HOSTILE: {"text": HOSTILE, "source": HOSTILE}},
        selected=[case.id for case in cases],
    )
    pack = write_pack(tmp_path / "pack", *cases, record=hostile_traffic, told=told)
    chromium.open(pack / "report.html")
    keys = shown_cases(chromium)
    assert len(keys) == 2
    for key in keys:
        opened_case(chromium, key)
    panels = chromium.run(
        """
        for (const diagram of report.diagrams.values()) {
          diagram.showLevel(2);
          for (const name of [...diagram.hidden]) diagram.hidden.delete(name);
          diagram.draw();
          while (diagram.waiting.length) diagram.addRows();
        }
        for (const row of document.querySelectorAll('.row')) row.click();
        return [...document.querySelectorAll('.panel')].map((panel) => panel.textContent)
        """
    )
    assert len(panels) > 2 * len(Boundary)
    everything = " ".join(panels)
    assert ATTACK in everything
    assert "cut" in everything.lower()
    assert "root:" not in everything
    assert chromium.run("return window.harmed") is None
    assert chromium.all("img, iframe, object, main script, .panel script") == []
    assert len(chromium.all("main > section")) == 8
    assert len(chromium.all("body > script")) == 2 + len(keys)
    seen = chromium.run("return document.documentElement.innerText")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x07\x1b]", seen)
    assert chromium.run("return document.documentElement.scrollWidth <= innerWidth + 1")
    chromium.one("#search").send_keys("gnp")
    assert len(shown_cases(chromium)) == 2
    assert chromium.asked() == []
    assert chromium.said() == []
    assert chromium.wanted() == []


def test_a_pack_of_one_line_of_every_kind_is_shown_without_an_error(chromium, tmp_path):
    pack = write_pack(tmp_path / "pack")
    chromium.open(pack / "report.html")
    opened_case(chromium, "ROW-2")
    lanes = chromium.run("return report.diagrams.get('ROW-2').data.lanes.map((lane) => lane.id)")
    assert lanes == ["user", "dsp", "smi", "s1sp", "hub:smets2", "air", "ppmid", "bench"]
    assert chromium.said() == []
