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
    from harness.rig.faces import Environment


@click.group()
def virtual() -> None:
    """Run the virtual bench."""


@virtual.command()
@options.RIG
@options.JSON
def serve(rig: Path | None, *, as_json: bool) -> int:
    """Start a rig's environment, print where its ports are, and keep it running until Ctrl-C."""
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
            environment = _create(node, Path(scratch))
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


def _create(node: Any, scratch: Path) -> Environment:
    from harness.rig.faces import DriverContext, Face
    from harness.rig.load import driver_of, driver_options
    from harness.tap import NullTap

    context = DriverContext(name="environment", tap=NullTap(), run_dir=scratch)
    created: Environment = driver_of(node, Face.ENVIRONMENT).create(
        driver_options(node, Face.ENVIRONMENT, {}), context
    )
    return created


def _show(values: Any, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dict(values)))
    else:
        for name, value in values.items():
            click.echo(f"{name}: {value}")
        click.echo("running; Ctrl-C ends it")
