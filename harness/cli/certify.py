"""``ppmid-bench certify``: run plans on a rig, show the four rows, leave an evidence pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.plan.observe import Observer
    from harness.plan.session import Outcome


@click.command()
@options.PLANS
@options.RIG
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the evidence pack goes, new or empty; evidence/TIME if left out.",
)
@options.RULES
@options.EXPRESSION
@click.option(
    "--secrets",
    type=click.Choice(["keep", "han", "mask"]),
    help="What the pack keeps: all; keys of the bench's own HANs alone; none. What the rig says if left out.",
)
@click.option(
    "--sign",
    type=click.Path(path_type=Path),
    metavar="KEY",
    help="Sign the pack with this private key (PEM, Ed25519 or ECDSA).",
)
@click.option("--live", is_flag=True, help="Serve the live page of the run, to this machine alone.")
@click.option(
    "--live-at",
    metavar="HOST[:PORT]",
    help="Serve the live page there; beyond this machine with a token, without encryption.",
)
@options.JSON
@options.NO_COLOR
def certify(
    plans: tuple[Path, ...],
    rig: Path | None,
    out: Path | None,
    rules: tuple[Path, ...],
    expression: str,
    secrets: str | None,
    sign: Path | None,
    live_at: str | None,
    *,
    live: bool,
    as_json: bool,
    no_color: bool,
) -> int:
    """Run plans (those of MP202 if none is named) on a rig, and write an evidence pack.

    Plans are files, or folders with plans in them.
    """
    from harness.cli import places, screen, watching
    from harness.cli.endings import RIG, run_async
    from harness.evidence.pack import refuse_taken
    from harness.evidence.secrets import Policy
    from harness.evidence.signature import signing_key
    from harness.plan.observe import NullObserver
    from harness.plan.session import Sealing, prepare
    from harness.plan.session import certify as run_cases

    sealing = Sealing(
        secrets=Policy(secrets) if secrets else None, key=signing_key(sign) if sign is not None else None
    )
    preparation = prepare(places.plans_or_own(plans), places.rig_or_own(rig), rules, expression)
    if not preparation.cases:
        known = sum(len(plan.cases) for plan in preparation.plans)
        click.echo(f"ppmid-bench: -k {expression!r} matches none of {known} cases; nothing was run", err=True)
        return RIG
    folder = out or places.new_pack()
    at = live_at or (watching.LOOPBACK if live else None)
    if at is not None:
        watching.place(at)
    refuse_taken(folder)  # before an address is told where nothing would be served

    def run(observer: Observer, said: Callable[[str], None]) -> Outcome:
        return run_async(
            watching.watched(
                lambda desk: run_cases(preparation, folder, observer, sealing=sealing, desk=desk),
                folder,
                at=at,
                said=said,
            )
        )

    if as_json:
        try:
            outcome = run(NullObserver(), lambda line: click.echo(line, err=True))
        except BaseException:
            left = _left(folder)
            if left is not None:
                click.echo(json.dumps(left, indent=2, ensure_ascii=False))
            raise
        click.echo(json.dumps(summary(outcome), indent=2, ensure_ascii=False))
        return outcome.exit_code
    console = screen.console(no_color=no_color)
    with screen.observer(console, preparation.cases) as observer:
        try:
            outcome = run(observer, lambda line: console.print(line, markup=False, soft_wrap=True))
        except BaseException:
            if _left(folder) is not None:
                click.echo(f"ppmid-bench: what there is of the evidence is in {folder}", err=True)
            raise
    screen.show_outcome(console, outcome)
    return outcome.exit_code


def _left(folder: Path) -> dict[str, Any] | None:
    """Return how a run broke off, as its pack says; None when it left none."""
    from harness.errors import ConfigError
    from harness.evidence.intact import read_run

    try:
        run = read_run(folder)
    except ConfigError:
        return None
    return {**{name: run.get(name) for name in ("exit_code", "reason")}, "pack": str(folder)}


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return a run as ``--json`` prints it."""
    from harness.cli.screen import sentence

    return {
        "exit_code": outcome.exit_code,
        "reason": sentence(outcome),
        "pack": str(outcome.pack),
        "cases": [result.as_json() for result in outcome.results],
    }
