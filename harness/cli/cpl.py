"""``ppmid-bench cpl``: look a Central Products List over."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli import options


@click.group()
def cpl() -> None:
    """Look Central Products Lists over."""


@cpl.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--cpl-map",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What the columns are called, where not as in rigs/cpl-virtual.csv.",
)
@options.RULES
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@options.JSON
def lint(file: Path, cpl_map: Path | None, rules: tuple[Path, ...], *, strict: bool, as_json: bool) -> int:
    """Find duplicate keys, a third row of a firmware version, tactical pairs and missing counterparts.

    Ends with 2 when there is an error: a list that no DSP can go by.
    """
    from harness.cli.endings import WRONG
    from harness.dcc.cpl_file import load_header_map, read_rows
    from harness.dcc.cpl_lint import Severity
    from harness.dcc.cpl_lint import lint as look_over
    from harness.rulebook import load_rulebook

    rulebook = load_rulebook(*rules)
    rows = read_rows(file, rulebook, load_header_map(cpl_map))
    found = look_over(rows, rulebook)
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    wrong = any(finding.severity in bad for finding in found)
    if as_json:
        findings = [finding.plain() for finding in found]
        click.echo(json.dumps({"ok": not wrong, "rows": len(rows), "findings": findings}, indent=2))
        return WRONG if wrong else 0
    for finding in found:
        remedy = f"; {finding.remedy}" if finding.remedy else ""
        click.echo(
            f"{file}:{finding.line}: {finding.severity.value}: {finding.says}{remedy} [{finding.word}]"
        )
    click.echo(f"{len(rows)} row(s): " + (f"{len(found)} finding(s)" if found else "nothing wrong"))
    return WRONG if wrong else 0
