"""``ppmid-bench virtual``: the virtual bench for programs that are not ours."""

from __future__ import annotations

import json
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.documents import Node
    from harness.rig.faces import Environment


@click.group()
def virtual() -> None:
    """Run the virtual bench."""


@virtual.command()
@options.RIG
@click.option("--ezsp-version", type=int, metavar="N", help="EZSP version of the dongles: 8, 13, 14 or 19.")
@click.option("--links", type=click.Choice(("pty", "tcp")), help="Dongles as ptys, or as tcp://host:port.")
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="Keep networks, keys and tokens there."
)
@click.option(
    "--ppmids-stay",
    is_flag=True,
    default=None,
    help="PPMIDs stay on networks that offer no Key Establishment, as those of other hosts do not.",
)
@options.JSON
def serve(rig: Path | None, *, as_json: bool, **changes: Any) -> int:
    """Start a rig's environment, print where its ports are, and keep it running until Ctrl-C.

    Options left out are the rig's. docs/attach-a-foreign-host.md has the whole way for four hosts.
    """
    from harness.cli import places
    from harness.errors import ConfigError
    from harness.rig.load import load_rig

    path = places.rig_or_own(rig)
    node = load_rig(path).environment
    if node is None:
        raise ConfigError("this rig has no `environment`: its devices are real, and run already", file=path)
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in _ENDED_BY}
    try:
        with tempfile.TemporaryDirectory(prefix="ppmid-bench-") as scratch:
            environment = _create(node, Path(scratch), changes)
            try:
                _show(environment.start(), as_json=as_json)
                ended.wait()
            finally:
                environment.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


_ENDED_BY = (signal.SIGINT, signal.SIGTERM)


def _create(node: Node, scratch: Path, changes: Mapping[str, Any]) -> Environment:
    from harness.rig.faces import DriverContext, Face
    from harness.rig.load import driver_of, driver_options
    from harness.tap import NullTap

    context = DriverContext(name="environment", tap=NullTap(), run_dir=scratch)
    given = driver_options(_changed(node, changes), Face.ENVIRONMENT, {})
    created: Environment = driver_of(node, Face.ENVIRONMENT).create(given, context)
    return created


def _changed(node: Node, changes: Mapping[str, Any]) -> Node:
    """Put options of the command line in the place of the file's, to be checked as those are."""
    from harness.documents import Node

    entries = dict(node.items)
    for name, value in changes.items():
        if value is None:
            continue
        plain = str(value.absolute()) if isinstance(value, Path) else value
        option = name.replace("_", "-")
        entries.pop(name, None)
        entries[option] = Node(plain, Path(f"--{option}"), 1, 1)
    return Node(entries, node.file, node.line, node.column)


def _show(values: Any, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dict(values)))
    else:
        for name, value in values.items():
            click.echo(f"{name}: {value}")
        click.echo("running; Ctrl-C ends it")
