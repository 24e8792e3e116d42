"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

PLANS = click.argument("plans", nargs=-1, metavar="[PLAN]...", type=click.Path(path_type=Path))
RIG = click.option(
    "--rig", type=click.Path(path_type=Path), metavar="FILE", help="The rig; the virtual bench if left out."
)
EXPRESSION = click.option(
    "-k",
    "expression",
    default="",
    metavar="EXPR",
    help="Cases whose id or title has these words, with and, or, not and parentheses.",
)
RULES = click.option(
    "--rules",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="OVERLAY",
    help="A rulebook overlay; several are laid over each other in order.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one json document, and nothing else.")
NO_COLOR = click.option("--no-color", is_flag=True, help="No colours, also on a terminal.")
