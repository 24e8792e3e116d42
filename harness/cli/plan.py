"""``ppmid-bench plan``: check plans, list their cases, say which requirement was proved by which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.plan.model import Case


@click.group()
def plan() -> None:
    """Check plans, list cases, trace requirements."""


@plan.command()
@options.PLANS
@options.RIG
@options.JSON
def lint(plans: tuple[Path, ...], rig: Path | None, *, as_json: bool) -> int:
    """Check plans (those of MP202 if none is named) without a rig; with --rig, also for hubs it has not."""
    from harness.cli import places
    from harness.cli.endings import WRONG
    from harness.errors import ConfigError
    from harness.plan import needs
    from harness.plan.load import find_plans, read_plans

    reading = read_plans(find_plans(places.plans_or_own(plans)))
    errors = list(reading.errors)
    cases = [case for entry in reading.plans for case in entry.cases]
    if rig is not None:
        try:
            needs.check_hubs(cases, _offered(rig))
        except ConfigError as error:
            errors.append(error)
    if as_json:
        click.echo(json.dumps({"ok": not errors, "errors": [_wrong(wrong) for wrong in errors]}, indent=2))
    else:
        for wrong in errors:
            click.echo(str(wrong), err=True)
        if not errors:
            click.echo(f"{len(reading.plans)} plan(s), {len(cases)} case(s): nothing wrong")
    return WRONG if errors else 0


@plan.command("list")
@options.PLANS
@options.EXPRESSION
@options.RIG
@options.JSON
def list_cases(plans: tuple[Path, ...], expression: str, rig: Path | None, *, as_json: bool) -> int:
    """List cases; with --rig, also what each lacks there."""
    from harness.cli import places
    from harness.plan import needs
    from harness.plan.load import load_plans
    from harness.plan.select import select

    found = load_plans(places.plans_or_own(plans))
    cases = select([case for entry in found for case in entry.cases], expression)
    offers = _offered(rig) if rig is not None else None
    entries = [_entry(case, None if offers is None else needs.missing(case, offers)) for case in cases]
    if as_json:
        click.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return 0
    for entry in entries:
        click.echo(f"{entry['id']}  {entry['title']}")
        click.echo(f"    covers {_words(entry['covers'])}; needs {_words(entry['needs'])}; {entry['place']}")
        if entry["lacks"]:
            click.echo(f"    would be inconclusive: the rig has no {_words(entry['lacks'])}")
    return 0


@plan.command()
@options.PLANS
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Evidence packs to take verdicts from, the last one wins; the newest under evidence/ if left out.",
)
@options.JSON
def trace(plans: tuple[Path, ...], packs: tuple[Path, ...], *, as_json: bool) -> int:
    """Show each requirement with the cases that cover it and their last verdicts."""
    from harness.cli import places
    from harness.plan.load import load_plans
    from harness.plan.trace import last_verdicts, trace_requirements

    if not packs:
        newest = places.newest_pack()
        packs = (newest,) if newest is not None else ()
    lines = trace_requirements(load_plans(places.plans_or_own(plans)), last_verdicts(packs))
    if as_json:
        click.echo(json.dumps([line.as_json() for line in lines], indent=2, ensure_ascii=False))
        return 0
    for line in lines:
        click.echo(f"{line.id}  {line.text}  [{line.source}]")
        for case, verdict in line.cases.items():
            click.echo(f"    {verdict or 'not run':12}  {case}")
        if not line.cases:
            click.echo("    no case covers it")
    return 0


def _offered(rig: Path) -> frozenset[str]:
    from harness.plan import needs
    from harness.rig.load import load_rig, load_rules

    found = load_rig(rig)
    return needs.offered(found, load_rules(found))


def _entry(case: Case, lacks: tuple[str, ...] | None) -> dict[str, Any]:
    return {
        "id": case.id,
        "title": case.title,
        "row": case.row,
        "covers": list(case.covers),
        "needs": list(case.needs),
        "lacks": list(lacks or ()),
        "timeout_s": float(case.timeout),
        "steps": [step.title for step in case.steps],
        "place": case.place,
    }


def _wrong(error: Any) -> dict[str, Any]:
    return {
        "file": str(error.file) if error.file is not None else None,
        "line": error.line,
        "column": error.column,
        "message": error.message,
        "remedy": error.remedy,
    }


def _words(words: Any) -> str:
    return ", ".join(words) or "nothing"
