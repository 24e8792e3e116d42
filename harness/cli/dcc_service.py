"""Runs `dcc serve`: the emulated DCC, its web services, and what it is asked to take from files."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from harness.cli import places
from harness.cli.service_log import ServiceLog
from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.cpl_file import load_header_map
from harness.dcc.cpl_intake import CplIntake
from harness.dcc.door import DoorKeys
from harness.dcc.duis.xml_keys import load_xml_keys
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.http.admin import Admin
from harness.dcc.http.admin_client import read_token
from harness.dcc.http.outbox import Outbox
from harness.dcc.http.postman import Postman
from harness.dcc.http.serve import LOOPBACK, Address, client_tls, server_tls, serving
from harness.dcc.http.service import DccService
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.errors import BenchError, ConfigError
from harness.eui64 import Eui64
from harness.hub.gpf import gpf_of
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.rig.bench import Bench
from harness.rig.gbcs_keys import load_gbcs_keys
from harness.rig.load import load_rig
from harness.rig.model import Rig
from harness.rig.open import close_bench, load_rig_cpl, open_bench
from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion
from harness.tap import Tap

_JOIN_WITHIN_S = 90.0
_MOST_ROUTES = 100  # nobody asks a service for the way that a request took
_VERSIONS = ("SMETS1", "SMETS2+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
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
    gbcs_keys: tuple[Path, ...]
    seed: str
    tls: Path | None
    tls_key: Path | None
    trust: Path | None
    keep: Path | None
    give_up_after: int
    admin: bool
    admin_token: Path | None


async def served(wanted: Wanted, rules: Rulebook, *, as_json: bool) -> None:
    """Serve until cancelled. Raises ConfigError, RigFault."""
    log = ServiceLog(wanted.keep, as_json=as_json)
    rig = _as_wanted(load_rig(places.rig_or_own(wanted.rig)), wanted)
    urls = dict(_pairs(wanted.users, "--user"))
    trust = client_tls(wanted.trust) if wanted.trust else None
    keys = DoorKeys.from_store(load_xml_keys(wanted.keys, wanted.zaz1, wanted.seed))
    tls = server_tls(wanted.tls, wanted.tls_key) if wanted.tls else None
    token = read_token(wanted.admin_token) if wanted.admin_token else None
    open_to_others = wanted.host != LOOPBACK
    async with AsyncExitStack() as stack:
        stack.callback(log.close)
        outbox = Outbox(wanted.smi.with_name(f"{wanted.smi.name}-outbox") if wanted.smi else None)
        stack.callback(outbox.close)
        dcc = await stack.enter_async_context(_dcc(wanted, rig, rules, log))
        postman = Postman(outbox, urls, log, trust=trust, give_up_after=wanted.give_up_after)
        service = DccService(
            dcc.handle,
            keys=keys,
            rules=rules,
            tap=log,
            outbox=outbox,
            postman=postman,
            more=lambda: {"lines_lost": log.lost},
        )
        dcc.initiative.serve(service)
        dcc.publish_cpl(dcc.cpl)  # it may be another one than when the SMI was written
        application = service.application()
        intake = CplIntake(dcc.replace_cpl, rules, log, load_header_map(rig.dcc.cpl_map))
        _take_at_hangup(stack, intake, rig.dcc.cpl)
        if token is not None or wanted.admin:
            Admin(dcc, intake, outbox, postman, token=token).add_to(application)
        address = Address(host=wanted.host, port=wanted.port, tls=tls)
        url = await stack.enter_async_context(serving(application, address))
        log.say("serving", f"serving {url}; Ctrl-C ends it", url=url, open_to_others=open_to_others)
        if open_to_others and not as_json:
            click.echo("anybody who reaches this machine can send requests", err=True)
        # What is there now is there to stay: a full collection that goes over all of it takes as long as 20
        # requests, which have to wait.
        gc.collect()
        gc.freeze()
        await asyncio.Event().wait()


def _take_at_hangup(stack: AsyncExitStack, intake: CplIntake, path: Path) -> None:
    """Have the CPL's file read again at SIGHUP."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, intake.take_file, path)
    stack.callback(loop.remove_signal_handler, signal.SIGHUP)


@asynccontextmanager
async def _dcc(wanted: Wanted, rig: Rig, rules: Rulebook, tap: Tap) -> AsyncIterator[EmbeddedDcc]:
    """Give the DCC of the rig, or one of its own without devices."""
    store = SqliteSmiStore(wanted.smi) if wanted.smi else None
    try:
        if wanted.rig is not None:
            bench = await open_bench(rig, rules, tap, store=store)
            try:
                if not isinstance(bench.dcc, EmbeddedDcc):
                    raise ConfigError(
                        "this rig's DCC is another one",
                        file=wanted.rig,
                        remedy="serve a rig with `embedded`",
                    )
                async with _joining(bench):
                    yield bench.dcc
            finally:
                await close_bench(bench)
            return
        dcc = EmbeddedDcc(
            rules=rules,
            cpl=load_rig_cpl(rig, rules),
            keys=load_gbcs_keys(wanted.gbcs_keys, wanted.seed),
            tap=tap,
            store=store,
            most_routes=_MOST_ROUTES,
        )
        for eui64, version in _pairs(wanted.hubs, "--hub", _VERSIONS):
            dcc.provision_hub(hub_prenotification(eui64, SmetsVersion(version), gpf_of(eui64)))
        yield dcc
        await dcc.close()
    finally:
        if store is not None:
            store.close()


def _as_wanted(rig: Rig, wanted: Wanted) -> Rig:
    """Return a rig with the options' GBCS keys before its own, and the options' CPL in place of its own."""
    dcc, pki = rig.dcc, rig.pki
    if wanted.cpl is not None:
        dcc = replace(dcc, cpl=wanted.cpl, cpl_map=wanted.cpl_map)
    return replace(rig, dcc=dcc, pki=replace(pki, gbcs_keys=(*wanted.gbcs_keys, *pki.gbcs_keys)))


@asynccontextmanager
async def _joining(bench: Bench) -> AsyncIterator[None]:
    """Have the bench's PPMID join whenever a hub whitelists it: there is nobody to press its button."""
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

    try:
        await bench.ppmid.leave()
        await bench.ppmid.join(_JOIN_WITHIN_S)
    except BenchError as error:
        click.echo(f"the PPMID did not join: {error}", err=True)


def _pairs(
    texts: tuple[str, ...], option: str, allowed: tuple[str, ...] | None = None
) -> list[tuple[Eui64, str]]:

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
