"""``ppmid-bench report``: what can be done with an evidence pack afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli import options


@click.group()
def report() -> None:
    """Work with evidence packs."""


@report.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@options.JSON
def verify(folder: Path, *, as_json: bool) -> int:
    """Say whether a pack is intact: exit 0, or 1 when a file is missing, altered or added."""
    from harness.evidence.intact import verify as hold_against_sums

    found = hold_against_sums(folder)
    lists = {
        "missing": found.missing,
        "altered": found.altered,
        "added": found.added,
        "unfinished": found.unfinished,
    }
    if as_json:
        told = {name: list(files) for name, files in lists.items()}
        click.echo(json.dumps({"ok": found.ok, "checked": found.checked, **told}, indent=2))
    else:
        for name, files in lists.items():
            for file in files:
                click.echo(f"{name}: {file}")
        state = "intact" if found.ok else "NOT intact"
        note = "; the run was killed before it ended" if found.unfinished else ""
        click.echo(f"{folder}: {state}, {found.checked} files checked{note}")
    return 0 if found.ok else 1
