"""A completion report as HTML, one file that fetches nothing, and as Markdown."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.evidence.completion.results import Completion
from harness.evidence.sums import write_whole

HTML, MARKDOWN = "completion.html", "completion.md"
_ASSETS = Path(__file__).parent / "assets"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")


def write(report: Completion, folder: Path) -> tuple[Path, Path]:
    """Write both forms into a folder, made if it is not there; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    return (
        write_whole(folder / HTML, as_html(report)),
        write_whole(folder / MARKDOWN, as_markdown(report)),
    )


def as_html(report: Completion) -> str:
    """Return the report as one page."""
    style = (_ASSETS / "completion.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    page = _environment(escape=True).get_template("completion.html.j2")
    return page.render(report=report, style=Markup(style), policy=policy)  # noqa: S704 - our own


def as_markdown(report: Completion) -> str:
    """Return the report as Markdown (tables as GitHub and GitLab read them)."""
    environment = _environment(escape=False)
    environment.filters["md"] = _markdown
    return environment.get_template("completion.md.j2").render(report=report)


def _environment(*, escape: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=escape,  # noqa: S701 - Markdown has a filter of its own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _markdown(value: object) -> str:
    """Return a text that Markdown shows as it is: what a device said is no markup, link or new cell."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))
