"""The command ``ppmid-bench``: what a user types, and how it ends.

What a user can cause ends in one sentence and an exit code, never in a traceback. Heavy imports wait until a
command needs them, so that help comes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from harness.cli.certify import certify
from harness.cli.cpl import cpl
from harness.cli.dcc import dcc
from harness.cli.endings import ended
from harness.cli.plan import plan
from harness.cli.report import report
from harness.cli.rig import rig
from harness.cli.shadow import shadowed
from harness.cli.virtual import virtual

PROGRAM = "ppmid-bench"


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"{PROGRAM} {version(PROGRAM)}")
    except PackageNotFoundError:
        click.echo(f"{PROGRAM} (not installed: running from a checkout)")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Say which."
)
def commands() -> None:
    """Prove on a bench what a dual-mode PPMID, its hub and the DCC do under MP202.

    Exit codes: 0 all passed; 1 at least one fail; 2 a bad command or file; 3 no fail, but an error of rig
    or harness, or no case executed; 4 no fail or error, but inconclusive; 130 interrupted.
    """


for _command in (certify, plan, cpl, rig, dcc, virtual, report):
    commands.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    alien = shadowed()
    if alien is not None:
        click.echo(f"{PROGRAM}: {alien}", err=True)
        return 3
    return ended(lambda: commands.main(arguments, prog_name=PROGRAM, standalone_mode=False))
