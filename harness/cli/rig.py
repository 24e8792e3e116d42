"""``ppmid-bench rig``: prove a rig healthy before anybody relies on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.rig.model import Rig


@click.group()
def rig() -> None:
    """Look after rigs."""


@rig.command()
@click.argument("file", required=False, metavar="[RIG]", type=click.Path(path_type=Path))
@options.RIG
@options.JSON
def check(file: Path | None, rig: Path | None, *, as_json: bool) -> int:
    """Open everything of a rig, ask each part who it is, and close it again: exit 0, or 3."""
    from harness.cli import places
    from harness.cli.endings import RIG, run_async
    from harness.errors import ConfigError
    from harness.rig.load import load_rig

    if file is not None and rig is not None and file != rig:
        raise ConfigError("two rigs are named", remedy="name one")
    found = run_async(_looked_over(load_rig(places.rig_or_own(file or rig))))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for part, says in found["parts"].items():
            click.echo(f"{part}: {says}")
        click.echo(f"{found['rig']}: {found['wrong'] or 'healthy'}")
    return RIG if found["wrong"] else 0


async def _looked_over(rig: Rig) -> dict[str, Any]:
    from harness.errors import BenchError
    from harness.rig.load import load_rules
    from harness.rig.open import close_bench, open_bench
    from harness.tap import NullTap

    try:
        bench = await open_bench(rig, load_rules(rig), NullTap())
    except BenchError as error:
        if error.domain == "config":
            raise
        return {"rig": rig.name, "wrong": str(error), "parts": {}}
    try:
        parts = {}
        for name, entry in bench.hubs.items():
            info = entry.hub.info
            parts[f"hub {name}"] = (
                f"{entry.family.value}, {info.eui64}, {info.stack}, firmware {info.firmware},"
                f" channel {entry.hub.network.channel}"
            )
        identity = await bench.ppmid.identify()
        parts["PPMID"] = (
            f"{identity.eui64}, manufacturer {identity.manufacturer}, model {identity.model},"
            f" firmware {identity.firmware}"
        )
        parts["sniffer"] = "there" if bench.sniffer is not None else "none"
        parts["power"] = "there" if bench.power is not None else "none"
        return {"rig": rig.name, "wrong": await bench.health(), "parts": parts}
    finally:
        await close_bench(bench)
