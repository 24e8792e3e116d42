"""How long the report of a 500-case pack takes to render and to open, and how large it is.

``python -m tests.benchmarks.report [CASES] [--joins]``. The pack is a real run on the virtual bench, its
cases repeated; with ``--joins`` those alone in which a PPMID joins, which hold several times the traffic.
Rendering is told as a ratio to reading the same timelines as json, opening to an empty page's.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness.evidence.report.page import write_report
from tests.conformance.browser import WIDE, browser
from tests.evidence.report.many import multiplied
from tests.system.runs import certify

TIMES = 3


def timed(action) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def cpu_s() -> float:
    """Processor seconds of this process and of its helpers."""
    own, helpers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + helpers.ru_utime + helpers.ru_stime


def read_timelines(pack: Path) -> None:
    for path in pack.glob("cases/*/timeline.jsonl"):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                json.loads(line)


def opened(page, target) -> float:
    """Seconds from asking for a page to its load event, as Chromium measures it."""
    page.open(target)
    page.until(lambda: page.run("return document.readyState === 'complete'"))
    told = "const [entry] = performance.getEntriesByType('navigation'); return entry.loadEventEnd"
    return page.until(lambda: page.run(told)) / 1000


def case_opened(page) -> float:
    """Seconds from opening a case to its diagram."""
    return page.run_async(
        """
        const done = arguments[arguments.length - 1], began = performance.now();
        const list = document.querySelectorAll('.case');
        const entry = list[Math.floor(Math.random() * list.length)];
        const drawn = () => requestAnimationFrame(() => done((performance.now() - began) / 1000));
        entry.open = true;
        report.load(entry.dataset.key).then(drawn);
        """
    )


def searched(page) -> float:
    """Seconds that narrowing the cases takes."""
    return page.run(
        """
        const began = performance.now();
        document.getElementById('search').value = 'row-2 smets2';
        filterCases();
        document.body.offsetHeight;
        return (performance.now() - began) / 1000
        """
    )


def main(count: int, *, joins: bool) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run = certify(folder / "run", *(("-k", "MP202-ROW or ROUTE-JOIN") if joins else ()))
        assert run.code == 0, run.said
        pack = multiplied(run.pack, folder / "many", count)
        events = sum(path.read_bytes().count(b"\n") for path in pack.glob("cases/*/timeline.jsonl"))
        reading = min(timed(lambda: read_timelines(pack)) for _ in range(TIMES))
        rendering, worked = [], []
        for _ in range(TIMES):
            before = cpu_s()
            rendering.append(timed(lambda: write_report(pack)))
            worked.append(cpu_s() - before)
        size = (pack / "report.html").stat().st_size
        (folder / "empty.html").write_text("<!doctype html><title>empty</title>")
        with browser(folder / "profile") as page:
            page.size(WIDE)
            empty = min(opened(page, folder / "empty.html") for _ in range(TIMES))
            opening = [opened(page, pack / "report.html") for _ in range(TIMES)]
            a_case = [case_opened(page) for _ in range(TIMES)]
            a_search = [searched(page) for _ in range(TIMES)]
    load = os.getloadavg()[0]
    print(f"{count} cases, {events} events; best of {TIMES} (median), machine's load {load:.1f}")
    ratio = min(rendering) / reading
    print(f"render  {told(rendering)}, {ratio:.1f} times reading the timelines as json")
    print(f"        {told(worked)} of processors' time")
    print(f"size    {size / 1e6:.1f} MB")
    ratio = min(opening) / max(empty, 1e-3)
    print(f"open    {told(opening)} to the load event, {ratio:.0f} times an empty page")
    print(f"a case  {told(a_case)} to its diagram")
    print(f"search  {told(a_search)}")


def told(times: list[float]) -> str:
    return f"{min(times):.2f} s ({statistics.median(times):.2f} s)"


if __name__ == "__main__":
    wanted = [argument for argument in sys.argv[1:] if argument != "--joins"]
    main(int(wanted[0]) if wanted else 500, joins="--joins" in sys.argv)
