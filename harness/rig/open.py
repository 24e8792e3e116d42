"""Brings a rig up, whole or not at all, and takes it down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.counters import utc_now
from harness.dcc.cpl_file import load_cpl, load_header_map
from harness.dcc.inventory import SmiStore
from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.hub.core import CommunicationsHub
from harness.hub.defects import HubDefect
from harness.hub.gbcs_hub import GbcsHub
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.rig.bench import Bench, HubOnBench, MeterOnBench
from harness.rig.certificates import load_certificates
from harness.rig.dcc import RigDcc, open_dcc
from harness.rig.faces import DriverContext, Environment, Face, NetworkSettings
from harness.rig.gbcs_keys import load_gbcs_keys
from harness.rig.load import driver_of, driver_options, environment_nodes, hub_profile
from harness.rig.model import Rig
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion
from harness.tap import Tap
from harness.zigbee.cbke.authority import BenchAuthority


def load_rig_cpl(rig: Rig, rules: Rulebook) -> Cpl:
    """Return the rig's Central Products List; raises ConfigError."""
    return load_cpl(rig.dcc.cpl, rules, load_header_map(rig.dcc.cpl_map))


async def open_bench(
    rig: Rig, rules: Rulebook, tap: Tap, *, run_dir: Path | None = None, store: SmiStore | None = None
) -> Bench:
    """Open everything of a rig and return it, healthy.

    `store` is where its DCC keeps the SMI, in memory if left out. `close_bench` takes it down. Raises
    RigFault, ConfigError; nothing stays open then.
    """
    cpl = load_rig_cpl(rig, rules)
    async with AsyncExitStack() as stack:
        bench = await _Opening(rig, rules, tap, run_dir, stack, store).everything(cpl)
        bench.closing = stack.pop_all()
    return bench


async def close_bench(bench: Bench) -> None:
    """Take a bench down: ports closed, environment stopped, nothing left behind. May be called twice."""
    await bench.closing.aclose()


class _Opening:
    """One rig on its way up; what is open already is closed by `stack` when the rest fails."""

    def __init__(
        self,
        rig: Rig,
        rules: Rulebook,
        tap: Tap,
        run_dir: Path | None,
        stack: AsyncExitStack,
        store: SmiStore | None,
    ) -> None:
        self._rig = rig
        self._rules = rules
        self._tap = tap
        self._run_dir = run_dir
        self._stack = stack
        self._store = store
        self._values: Mapping[str, str] = {}
        self._environment: Environment | None = None

    async def everything(self, cpl: Cpl) -> Bench:
        rig = self._rig
        await self._start_environment()
        dcc = await open_dcc(rig, self._rules, cpl, self._tap, self._store)
        self._close_with(dcc.close)
        bench = Bench(
            rules=self._rules,
            dcc=dcc,
            hubs={},
            ppmid=self._create("ppmid.port", Face.PPMID, rig.ppmid.port),
            ppmid_device=rig.ppmid.device,
            tap=self._tap,
            environment=self._environment,
            nodes=environment_nodes(rig),
        )
        if rig.power is not None:
            bench.power = self._create("power", Face.POWER, rig.power)
        bench.meters = {
            DeviceType(entry.type): MeterOnBench(
                entry=entry,
                supply=self._create(f"meters.{name}.supply", Face.POWER, entry.supply)
                if entry.supply is not None
                else None,
            )
            for name, entry in rig.meters.items()
        }
        if rig.sniffer is not None:
            bench.sniffer = self._create("sniffer", Face.SNIFFER, rig.sniffer)
            self._close_with(bench.sniffer.stop)
        bench.hubs = await self._start_hubs(dcc)
        await bench.ppmid.open()
        self._close_with(bench.ppmid.close)
        await _check_device(bench)
        return bench

    async def _start_environment(self) -> None:
        if self._rig.environment is None:
            return
        environment: Environment = self._create("environment", Face.ENVIRONMENT, self._rig.environment)
        self._close_with(partial(asyncio.to_thread, environment.stop))
        starting = asyncio.ensure_future(asyncio.to_thread(environment.start))
        try:
            self._values = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A thread cannot be cancelled: what it is bringing up can be taken down only when it is up.
            await asyncio.wait({starting})
            raise
        self._environment = environment

    def _create(self, name: str, face: Face, node: Any) -> Any:
        context = DriverContext(
            name=name, tap=self._tap, environment=self._environment, run_dir=self._run_dir
        )
        options = driver_options(node, face, self._values)
        return driver_of(node, face).create(options, context)

    def _close_with(self, close: Callable[[], Awaitable[object]]) -> None:
        self._stack.push_async_callback(close)

    async def _start_hubs(self, dcc: RigDcc) -> dict[str, HubOnBench]:
        pki = self._rig.pki
        credentials = load_certificates(pki.certificates, BenchAuthority(pki.seed))
        hubs: dict[str, HubOnBench] = {}
        for name, entry in self._rig.hubs.items():
            profile = hub_profile(entry, self._rig.where.items["hubs"].items[name])
            kind = CommunicationsHub if profile.tunnel is None else GbcsHub
            hub = kind(
                name,
                profile,
                self._create(f"hubs.{name}.radio", Face.RADIO, entry.radio),
                self._tap,
                defects=[HubDefect(word) for word in entry.defects],
                credentials=credentials,
            )
            if isinstance(hub, GbcsHub):
                hub.be_chf(load_gbcs_keys(pki.gbcs_keys, pki.seed), utc_now, entry.gpf)
            self._close_with(hub.stop)
            hubs[name] = HubOnBench(
                hub=hub,
                family=SmetsVersion(profile.generation),
                settings=NetworkSettings(channel=entry.channel),
                given_gpf=entry.gpf,
            )
        starts = [asyncio.ensure_future(found.hub.start(found.settings)) for found in hubs.values()]
        await _all_or_first_error(starts)
        _check_gpfs(hubs)
        for found in hubs.values():
            found.hub.listen_gbcs(partial(_tell_alert, dcc, found.hub))
            dcc.provision_hub(hub_prenotification(found.hub.eui64, found.family, found.gpf), found.hub)
            found.hub.listen(partial(_tell_dcc, dcc, found.hub))
        return hubs


def _check_gpfs(hubs: Mapping[str, HubOnBench]) -> None:
    """Refuse a GPF that has a dongle's EUI-64, which is that of a CHF."""
    chfs = {found.hub.eui64: name for name, found in hubs.items()}
    for name, found in hubs.items():
        if found.gpf in chfs:
            raise RigFault(
                f"the GPF of hub {name} has the EUI-64 {found.gpf} of the dongle of hub {chfs[found.gpf]}",
                remedy=f"give `hubs.{name}.gpf` in the rig file another one, or leave it out",
            )


async def _all_or_first_error(starts: Sequence[asyncio.Future[Any]]) -> None:
    try:
        await asyncio.gather(*starts)
    finally:
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)


def _tell_dcc(dcc: RigDcc, hub: CommunicationsHub, event: HubEvent) -> None:
    if event.kind is HubEventKind.JOINED and not isinstance(hub, GbcsHub):  # a CHF tells by CS14
        dcc.device_joined(hub.eui64, event.eui64)


def _tell_alert(dcc: RigDcc, hub: CommunicationsHub, _: Eui64, message: bytes) -> None:
    dcc.take_alert(hub.eui64, message)


async def _check_device(bench: Bench) -> None:
    """Refuse a rig file that describes another device than the one on the bench."""
    told = await bench.ppmid.identify()
    device = bench.ppmid_device
    for what, wanted, found in (
        ("EUI-64", str(device.eui64), str(told.eui64)),
        ("manufacturer", device.manufacturer.upper(), told.manufacturer.upper()),
        ("model", device.model.upper(), told.model.upper()),
        ("firmware", device.firmware.upper(), told.firmware.upper()),
    ):
        if wanted != found:
            raise RigFault(
                f"the PPMID on the bench says its {what} is {found}, the rig file says {wanted}",
                remedy="correct `ppmid.device` in the rig file, or attach the device that it describes",
            )
