"""``ppmid-bench dcc``: the emulated DCC for programs that are not ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import options

if TYPE_CHECKING:
    from harness.dcc.embedded import EmbeddedDcc
    from harness.eui64 import Eui64
    from harness.hub.trust_centre import HubEvent
    from harness.rig.bench import Bench
    from harness.smets.rulebook import Rulebook
    from harness.tap import Boundary, Tap

_FILE = click.Path(path_type=Path)
_PORT = 8079  # a DCC Boxed's
_JOIN_WITHIN_S = 90.0
_MOST_ROUTES = 100  # nobody asks a service for the way that a request took


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The options of `serve`."""

    host: str
    port: int
    cpl: Path | None
    cpl_map: Path | None
    rig: Path | None
    smi: Path | None
    hubs: tuple[str, ...]
    users: tuple[str, ...]
    keys: Path | None
    zaz1: Path | None
    seed: str
    tls: Path | None
    tls_key: Path | None
    trust: Path | None
    keep: Path | None


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
@click.option("--seed", default="ppmid-bench", metavar="TEXT", help="Else keys are made from this.")
@click.option("--tls", type=_FILE, metavar="FILE", help="Serve TLS with this certificate chain (PEM).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key, if that is in a file of its own.")
@click.option("--trust", type=_FILE, metavar="FILE", help="Authorities of the users' https URLs (PEM).")
@click.option("--keep", type=_FILE, metavar="DIR", help="Keep every document there.")
@options.RULES
@options.JSON
def serve(rules: tuple[Path, ...], *, as_json: bool, **wanted: Any) -> int:
    """Serve DUIS over HTTP like a DCC Boxed, until Ctrl-C or SIGTERM.

    Without a rig there are no devices: the inventory works, requests to devices end with a response code.
    docs/serve-a-dcc.md has the whole way. With --json every line is a json document.
    """
    from harness.cli.endings import Terminated, run_async
    from harness.rulebook import load_rulebook

    with suppress(KeyboardInterrupt, Terminated):  # that is how it ends
        run_async(_served(_Wanted(**wanted), load_rulebook(*rules), as_json=as_json))
    return 0


async def _served(wanted: _Wanted, rules: Rulebook, *, as_json: bool) -> None:
    from harness.dcc.door import DoorKeys
    from harness.dcc.duis.xml_keys import load_xml_keys
    from harness.dcc.http.outbox import Outbox
    from harness.dcc.http.postman import Postman
    from harness.dcc.http.serve import LOOPBACK, Address, client_tls, server_tls, serving
    from harness.dcc.http.service import DccService

    log = _Log(wanted.keep, as_json=as_json)
    urls = _urls(wanted.users)
    keys = load_xml_keys(wanted.keys, wanted.zaz1, wanted.seed)
    address = Address(
        host=wanted.host,
        port=wanted.port,
        tls=server_tls(wanted.tls, wanted.tls_key) if wanted.tls else None,
    )
    async with AsyncExitStack() as stack:
        outbox = Outbox(wanted.smi.with_name(f"{wanted.smi.name}-outbox") if wanted.smi else None)
        stack.callback(outbox.close)
        embedded = await stack.enter_async_context(_dcc(wanted, rules, log))
        service = DccService(
            embedded.handle,
            keys=DoorKeys.from_store(keys),
            rules=rules,
            tap=log,
            outbox=outbox,
            postman=Postman(outbox, urls, log, trust=client_tls(wanted.trust) if wanted.trust else None),
        )
        embedded.initiative.serve(service)
        url = await stack.enter_async_context(serving(service.application(), address))
        log.say("serving", url=url, open_to_others=wanted.host != LOOPBACK)
        await asyncio.Event().wait()


@asynccontextmanager
async def _dcc(wanted: _Wanted, rules: Rulebook, tap: Tap) -> AsyncIterator[EmbeddedDcc]:
    """Give the DCC of the rig, or one of its own without devices."""
    from harness.cli import places
    from harness.dcc.bench_hubs import hub_prenotification
    from harness.dcc.cpl_file import load_cpl, load_header_map
    from harness.dcc.embedded import EmbeddedDcc
    from harness.dcc.sqlite_inventory import SqliteSmiStore
    from harness.errors import ConfigError
    from harness.gbcs import BenchPki
    from harness.hub.gpf import gpf_of
    from harness.rig.load import load_rig
    from harness.rig.open import close_bench, open_bench
    from harness.smets.version import SmetsVersion

    own = places.rig_or_own(wanted.rig)
    store = SqliteSmiStore(wanted.smi) if wanted.smi else None
    try:
        if wanted.rig is not None:
            bench = await open_bench(load_rig(own), rules, tap, store=store)
            try:
                if not isinstance(bench.dcc, EmbeddedDcc):
                    raise ConfigError(
                        "this rig's DCC is another one", file=own, remedy="serve a rig with `embedded`"
                    )
                async with _joining(bench):
                    yield bench.dcc
            finally:
                await close_bench(bench)
            return
        listed = wanted.cpl or load_rig(own).dcc.cpl
        cpl = load_cpl(listed, rules, load_header_map(wanted.cpl_map))
        embedded = EmbeddedDcc(
            rules=rules,
            cpl=cpl,
            keys=BenchPki(wanted.seed),
            tap=tap,
            store=store,
            most_routes=_MOST_ROUTES,
        )
        for eui64, version in _pairs(wanted.hubs, "--hub", _VERSIONS):
            embedded.provision_hub(hub_prenotification(eui64, SmetsVersion(version), gpf_of(eui64)))
        yield embedded
        await embedded.close()
    finally:
        if store is not None:
            store.close()


@asynccontextmanager
async def _joining(bench: Bench) -> AsyncIterator[None]:
    """Have the bench's PPMID join whenever a hub whitelists it: there is nobody to press its button."""
    from harness.hub.trust_centre import HubEventKind

    joins: set[asyncio.Task[object]] = set()

    def heard(event: HubEvent) -> None:
        if event.kind is HubEventKind.WHITELISTED and event.eui64 == bench.device:
            task = asyncio.ensure_future(_joined(bench))
            joins.add(task)
            task.add_done_callback(joins.discard)

    for entry in bench.hubs.values():
        entry.hub.listen(heard)
    try:
        yield
    finally:
        for task in joins:
            task.cancel()
        await asyncio.gather(*joins, return_exceptions=True)


async def _joined(bench: Bench) -> None:
    from harness.errors import BenchError

    try:
        await bench.ppmid.leave()
        await bench.ppmid.join(_JOIN_WITHIN_S)
    except BenchError as error:
        click.echo(f"the PPMID did not join: {error}", err=True)


_VERSIONS = ("SMETS1", "SMETS2+")


def _urls(users: tuple[str, ...]) -> dict[Eui64, str]:
    return dict(_pairs(users, "--user"))


def _pairs(
    texts: tuple[str, ...], option: str, allowed: tuple[str, ...] | None = None
) -> list[tuple[Eui64, str]]:
    from harness.errors import ConfigError
    from harness.eui64 import Eui64

    pairs = []
    for text in texts:
        eui64, _, value = text.partition("=")
        if not value or (allowed is not None and value not in allowed):
            what = "URL" if allowed is None else " or ".join(allowed)
            raise ConfigError(f"{option} {text!r}: expected EUI={what}")
        try:
            pairs.append((Eui64.parse(eui64), value))
        except ValueError as error:
            raise ConfigError(f"{option} {text!r}: {error}") from error
    return pairs


class _Log:
    """A tap that prints a line an event, and keeps documents if it is told to."""

    def __init__(self, folder: Path | None, *, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._number = 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def say(self, what: str, **details: Any) -> None:
        """Print a line of the service's own."""
        if self._as_json:
            click.echo(json.dumps({"event": what, **details}))
        else:
            click.echo(f"{what} {details['url']}; Ctrl-C ends it")
            if details["open_to_others"]:
                click.echo("anybody who reaches this machine can send requests", err=True)

    def record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes = b"",
        **details: object,
    ) -> None:
        """Print a line of what crossed a boundary."""
        from harness.tap import Boundary

        if boundary not in (Boundary.DUIS, Boundary.INVENTORY, Boundary.S1SP, Boundary.GBCS):
            return
        kept = self._kept(data) if boundary is Boundary.DUIS and data else None
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        if not self._as_json:
            click.echo(f"{now} {boundary.value:9} {source} > {destination}: {summary}")
            return
        line = {
            "time": now,
            "boundary": boundary.value,
            "from": source,
            "to": destination,
            "summary": summary,
            "document": kept,
            **details,
        }
        click.echo(json.dumps({name: value for name, value in line.items() if value is not None}))

    def _kept(self, document: bytes) -> str | None:
        if self._folder is None:
            return None
        self._number += 1
        name = f"{self._number:06d}.xml"
        (self._folder / name).write_bytes(document)
        return name
