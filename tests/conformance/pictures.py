"""Takes the pictures of the report that the docs show, from runs made for them.

``python -m tests.conformance.pictures [FOLDER]``; ``docs/pictures`` if left out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.conformance.browser import NARROW, Browser, browser
from tests.system.runs import CHECKOUT, certify, changed_rig

FOLDER = CHECKOUT / "docs" / "pictures"
DESK, PAPER = (1080, 780), (794, 1040)
CASE = "MP202-ROW-2"
# A DSP that routes by what was pre-notified: rows 2 and 3 fail.
BROKEN = ("  cpl: cpl-virtual.csv\n", "  cpl: cpl-virtual.csv\n  defects: [route-by-prenotified]\n")


def shot(page: Browser, folder: Path, name: str) -> None:
    path = folder / f"report-{name}.png"
    page.run("document.activeElement.blur()")
    assert page.driver.save_screenshot(str(path))
    print(path, path.stat().st_size)  # noqa: T201 - a command


def open_case(page: Browser, report: Path, *, scheme: str = "light") -> None:
    page.emulate(prefers_color_scheme=scheme)
    page.open(report, f"#case-{CASE}")
    page.until(lambda: page.shown(f"#case-{CASE} .row"), "no diagram")


def scroll_to(page: Browser, selector: str, above: int = 190) -> None:
    place = "arguments[0].getBoundingClientRect().top + scrollY - arguments[1]"
    page.run(f"scrollTo(0, {place})", page.one(selector), above)


def open_row(page: Browser, words: str) -> None:
    row = next(row for row in page.shown(f"#case-{CASE} .row") if words in row.text)
    row.click()
    page.run("scrollTo(0, arguments[0].getBoundingClientRect().top + scrollY - 190)", row)


def take(page: Browser, good: Path, bad: Path, folder: Path) -> None:
    page.size(DESK)
    page.emulate(prefers_color_scheme="light")
    page.open(good)
    shot(page, folder, "light")
    open_case(page, good)
    scroll_to(page, f"#case-{CASE} .controls")
    shot(page, folder, "diagram")
    open_row(page, "CS08 response")
    shot(page, folder, "octets")
    page.emulate(prefers_color_scheme="dark")
    page.open(bad)
    shot(page, folder, "dark")
    page.size(NARROW)
    open_case(page, bad)
    shot(page, folder, "narrow")
    page.size(PAPER)
    page.emulate(prefers_color_scheme="light")
    page.open(bad)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.run("dispatchEvent(new Event('beforeprint'))")
    shot(page, folder, "print")


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        good = certify(place / "good")
        bad = certify(place / "bad", rig=changed_rig(place, BROKEN))
        assert (good.code, bad.code) == (0, 1), (good.said, bad.said)
        with browser(place / "profile") as page:
            take(page, good.pack / "report.html", bad.pack / "report.html", folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
