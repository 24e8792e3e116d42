"""``ppmid-bench dcc``: the emulated DCC for programs that are not ours."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from harness.cli import options

_FILE = click.Path(path_type=Path)
_PORT = 8079  # a DCC Boxed's
_GIVE_UP_AFTER = 6


@click.group()
def dcc() -> None:
    """Run the emulated DCC."""


@dcc.command()
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen: loopback if left out.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    metavar="N",
    help=f"{_PORT} if left out; 0 is any that is free.",
)
@click.option(
    "--cpl", type=_FILE, metavar="FILE", help="The Central Products List; the bench's own if left out."
)
@click.option("--cpl-map", type=_FILE, metavar="FILE", help="How the list's columns are called.")
@click.option("--rig", type=_FILE, metavar="FILE", help="A rig whose hubs and PPMID requests are to reach.")
@click.option(
    "--smi", type=_FILE, metavar="FILE", help="Keep the inventory and the outbox there; else in memory."
)
@click.option(
    "--hub", "hubs", multiple=True, metavar="EUI=VERSION", help="A commissioned hub, SMETS1 or SMETS2+."
)
@click.option(
    "--user", "users", multiple=True, metavar="EUI=URL", help="Where a user takes responses and alerts."
)
@click.option("--keys", type=_FILE, metavar="DIR", help="XML-signing certificates and keys (*.pem, *.key).")
@click.option(
    "--zaz1", type=_FILE, metavar="FILE", help="XML-signing keys in the form of the ZAZ1 key store."
)
@click.option(
    "--gbcs-keys",
    "gbcs_keys",
    type=_FILE,
    multiple=True,
    metavar="PATH",
    help="GBCS certificates and keys of yours: a folder, or a ZAZ1 key store; the seed's are behind them.",
)
@click.option("--seed", default="ppmid-bench", metavar="TEXT", help="Else keys are made from this.")
@click.option("--tls", type=_FILE, metavar="FILE", help="Serve TLS with this certificate chain (PEM).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key, if that is in a file of its own.")
@click.option("--trust", type=_FILE, metavar="FILE", help="Authorities of the users' https URLs (PEM).")
@click.option("--keep", type=_FILE, metavar="DIR", help="Keep every document there.")
@click.option(
    "--give-up-after",
    type=click.IntRange(min=0),
    default=_GIVE_UP_AFTER,
    metavar="N",
    help=f"Keep a document unsent after N refusals (HTTP 4xx); {_GIVE_UP_AFTER} if left out, 0: never.",
)
@click.option("--admin", is_flag=True, help="Serve the administrative interface too (docs/serve-a-dcc.md).")
@click.option("--admin-token", type=_FILE, metavar="FILE", help="… for whoever has the token in this file.")
@options.RULES
@options.JSON
def serve(rules: tuple[Path, ...], *, as_json: bool, **wanted: Any) -> int:
    """Serve DUIS over HTTP like a DCC Boxed, until Ctrl-C or SIGTERM.

    Without a rig there are no devices: the inventory works, requests to devices end with a response code.
    docs/serve-a-dcc.md has the whole way. With --json every line is a json document.
    """
    from harness.cli.dcc_service import Wanted, served
    from harness.cli.endings import Terminated, run_async
    from harness.rulebook import load_rulebook

    with suppress(KeyboardInterrupt, Terminated):  # that is how it ends
        run_async(served(Wanted(**wanted), load_rulebook(*rules), as_json=as_json))
    return 0
