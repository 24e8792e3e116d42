"""The page: one file with its style, its script and its data, which nothing can be fetched for.

A content security policy names the hashes of its own style and script and forbids everything else. Data
stand in blocks that are not run: the overview as json, each attempt's traffic deflated, in base64.
The live page is the same page without data: its script asks the server that it came from.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

from harness.errors import ConfigError
from harness.evidence.intact import read_run
from harness.evidence.layout import REPORT, folder_name
from harness.evidence.readme import README, readme
from harness.evidence.report import phrases
from harness.evidence.report.chunks import Attempt, chunks_of
from harness.evidence.report.overview import folder_of, overview, parties_of
from harness.evidence.sums import SIGNATURE, SUMS, digest, read_sums, write_whole
from harness.evidence.verdict import Verdict

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("dom.js", "bytes.js", "diagram.js", "page.js")
_NEVER = "default-src 'none'; base-uri 'none'; form-action 'none'"


def write_report(pack: Path) -> Path:
    """Write a pack's ``report.html``. Raises ConfigError when the folder holds no pack."""
    return write_whole(pack / REPORT, render(pack))


def render_again(pack: Path) -> Path:
    """Write the report of a pack, and its line in the checksums.

    A pack whose run was killed before it wrote its ``README.txt`` gets that too.
    Raises ConfigError when the folder holds no pack, or one that is signed: its checksums must not change.
    """
    if (pack / SIGNATURE).exists():
        raise ConfigError(
            "the pack is signed: another report in it would break the signature",
            file=pack,
            remedy="write it somewhere else with --out FILE",
        )
    written = [write_report(pack)]
    if not (pack / README).exists():
        first = next((folder_name(str(case["id"])) for case in read_run(pack).get("cases", ())), None)
        written.append(write_whole(pack / README, readme(first)))
    sums = read_sums(pack)
    if sums:
        sums |= {path.name: digest(path) for path in written}
        write_whole(pack / SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
    return written[0]


def render(pack: Path) -> str:
    """Return a pack's page. Raises ConfigError when the folder holds no pack."""
    run = read_run(pack)
    view = overview(run)
    attempts = (
        Attempt(case["key"], folder_of(pack, case), case["verdict"] == Verdict.PASS.value)
        for case in view["cases"]
    )
    return _page(view, chunks_of(attempts, parties_of(run)))


def live_page(run: Mapping[str, Any], *, panel: str = "", script: str = "", style: str = "") -> str:
    """Return the page of a run that is going on, without traffic.

    `panel` is markup of our own above the cases, `script` and `style` go with it. The script puts its own
    function in ``report.traffic`` and hands what is new to ``report.refresh`` and ``report.append``.
    """
    return _page(overview(run), {}, live=True, panel=panel, script=script, style=style)


def middle(view: Mapping[str, Any]) -> str:
    """Return the middle of a page, for a live page to take over; `view` is an overview."""
    return _environment().get_template("main.html.j2").render(_told(view))


def _page(
    view: Mapping[str, Any],
    chunks: Mapping[str, str],
    *,
    live: bool = False,
    panel: str = "",
    script: str = "",
    style: str = "",
) -> str:
    style = _asset("report.css") + style
    script = "".join(_asset(name) for name in _SCRIPTS) + script
    policy = f"{_NEVER}; style-src {_hash(style)}; script-src {_hash(script)}"
    if live:
        policy += "; connect-src 'self'"
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            **_told(view),
            live=live,
            policy=policy,
            panel=Markup(panel),  # noqa: S704 - our own
            style=Markup(style),  # noqa: S704 - our own
            script=Markup(script),  # noqa: S704 - our own
            overview=Markup(_embedded(view)),  # noqa: S704 - no markup can be in it
            chunks={key: Markup(chunk) for key, chunk in chunks.items()},  # noqa: S704 - base64
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(seconds=phrases.seconds, clock=phrases.clock, tally=phrases.tally)
    return environment


def _told(view: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "view": view,
        "headline": phrases.headline(view["run"]),
        "subline": phrases.subline(view["run"]),
        "facts": phrases.facts(view),
        "matrix": phrases.matrix(view["cases"]),
        "slowest": phrases.slowest(view["cases"]),
    }


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(value: Any) -> str:
    """Return json that no markup can be in: the three letters that begin or end any are spelt out."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
