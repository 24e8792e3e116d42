"""The virtual bench as a rig's environment: dongles, PPMIDs and their air, on a loop in its own thread."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from drivers.virtual.device.factory import CHANNELS_2_4_GHZ
from drivers.virtual.medium import Medium, Transmission
from drivers.virtual.meter.config import MeterConfig, MeterDefect, MeterKind
from drivers.virtual.meter.device import VirtualMeter
from drivers.virtual.ncp.dongle import Dongle
from drivers.virtual.ncp.injection import FAULTS, nearest
from drivers.virtual.ports import BytePort, PtyPort, TcpPort
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.device import VirtualPpmid
from drivers.virtual.stack.node import Node
from harness.documents import HexBytes, Seconds
from harness.errors import RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.rig.faces import DriverContext, DriverSpec, Face, SniffedFrame

_STOP_WITHIN_S = 10.0
_WELL = "well"
_NO_LATENCY = Seconds(0.0)
EzspVersion = Literal[8, 13, 14, 19]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEntry:
    """A fault of a dongle, as the `inject_fault` step has it."""

    fault: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"a virtual dongle knows no fault `{self.fault}`; {nearest(self.fault, FAULTS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DongleEntry:
    """A virtual EZSP dongle. Its own `ezsp_version` goes before the bench's; a `tcp_port` of 0 is chosen.

    `faults` are there from the start.
    """

    eui64: Eui64
    ezsp_version: EzspVersion | None = None
    tcp_port: int = 0
    faults: tuple[FaultEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidEntry:
    """A virtual bilingual PPMID, as PpmidConfig has it. `sleepy` makes it poll for its messages."""

    eui64: Eui64
    install_code: HexBytes
    manufacturer: str
    model: str
    firmware: str
    credentials: str = "ppmid-bench"
    channels: tuple[int, ...] = CHANNELS_2_4_GHZ
    sleepy: bool = False
    flow_control: bool = False
    defects: tuple[Defect, ...] = ()

    def config(self, *, stays_without_mode: bool = False) -> PpmidConfig:
        """Return the device's configuration; raises ValueError."""
        return PpmidConfig(
            eui64=self.eui64,
            install_code=bytes(self.install_code),
            manufacturer=self.manufacturer,
            model=self.model,
            firmware=self.firmware,
            credentials=self.credentials,
            channels=self.channels,
            sleepy=self.sleepy,
            flow_control=self.flow_control,
            defects=frozenset(self.defects),
            stays_without_mode=stays_without_mode,
        )

    def __post_init__(self) -> None:
        self.config()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEntry:
    """A virtual meter, as MeterConfig has it; it is off until its supply is switched on."""

    kind: MeterKind
    eui64: Eui64
    install_code: HexBytes
    credentials: str = "ppmid-bench"
    sleepy: bool = False
    defects: tuple[MeterDefect, ...] = ()

    def config(self) -> MeterConfig:
        """Return the meter's configuration; raises ValueError."""
        return MeterConfig(
            kind=self.kind,
            eui64=self.eui64,
            install_code=bytes(self.install_code),
            credentials=self.credentials,
            sleepy=self.sleepy,
            defects=frozenset(self.defects),
        )

    def __post_init__(self) -> None:
        self.config()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBenchOptions:
    """What stands on the virtual bench; meters are off at first. `links: tcp` gives dongles as tcp://.

    `state` is a folder in which dongles keep their networks, keys and tokens between runs. With `ppmids_stay`
    PPMIDs stay, in no mode, on a network that offers no Key Establishment, as foreign hosts' do not.
    """

    dongles: Mapping[str, DongleEntry]
    ppmids: Mapping[str, PpmidEntry]
    meters: Mapping[str, MeterEntry] = field(default_factory=dict)
    seed: int = 202
    links: Literal["pty", "tcp"] = "pty"
    ezsp_version: EzspVersion = 13
    state: Path | None = None
    ppmids_stay: bool = False
    loss: float = 0.0  # of frames on the air, 0 to 1
    latency: Seconds = _NO_LATENCY

    def __post_init__(self) -> None:
        names = Counter((*self.dongles, *self.ppmids, *self.meters))
        both = sorted(name for name, times in names.items() if times > 1)
        if both:
            raise ValueError(f"`{both[0]}` names two of a dongle, a PPMID and a meter")
        if not 0.0 <= self.loss < 1.0:
            raise ValueError(f"loss {self.loss}: expected 0 to below 1")


@dataclass(slots=True)
class _Nodes:
    dongles: dict[str, tuple[Dongle, BytePort]] = field(default_factory=dict)
    ppmids: dict[str, VirtualPpmid] = field(default_factory=dict)
    meters: dict[str, VirtualMeter] = field(default_factory=dict)


class VirtualBench:
    """`harness.rig.faces.Environment`. Blocking; everything inside runs on one loop in one thread."""

    def __init__(self, options: VirtualBenchOptions) -> None:
        self._options = options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._folder: Path | None = None
        self._medium: Medium | None = None
        self._nodes = _Nodes()

    def start(self) -> Mapping[str, str]:
        """Bring everything up; return each dongle's and PPMID's port by its name."""
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=_run_loop, args=(ready,), name="virtual bench", daemon=True)
        self._thread.start()
        self._loop = ready.result()
        self._folder = Path(tempfile.mkdtemp(prefix="ppmid-bench-"))
        try:
            return self._call(self._bring_up(self._folder))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take everything down: ports, symlinks, loop and thread. May be called twice."""
        loop, self._loop = self._loop, None
        thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._take_down(), loop).result(_STOP_WITHIN_S)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_STOP_WITHIN_S)
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def add_sniffer(self, callback: Callable[[SniffedFrame], None]) -> Callable[[], None]:
        """Hand every frame on the air to `callback`, from the bench's thread; return what removes it."""
        return self._call(self._add_tap(lambda sent: callback(_sniffed(sent))))

    def switch_power(self, node: str, *, on: bool) -> None:
        """Switch a dongle's, a PPMID's or a meter's supply."""
        devices: Mapping[str, VirtualPpmid | VirtualMeter] = {**self._nodes.ppmids, **self._nodes.meters}
        if node in devices:
            self._call(devices[node].power(on=on))
        else:
            self._call(_done(partial(self._dongle(node)[0].power, on)))

    def inject_fault(self, node: str, fault: str, **arguments: object) -> None:
        """Make a dongle misbehave; StimulusImpossible for a fault or a node that is not there.

        To a PPMID, `well` alone can be done: it gets the factory's firmware back.
        """
        if fault == _WELL and node in self._nodes.ppmids:
            self._call(self._nodes.ppmids[node].be_well())
            return
        self._call(self._dongle(node)[0].inject(fault, **arguments))

    def _dongle(self, node: str) -> tuple[Dongle, BytePort]:
        try:
            return self._nodes.dongles[node]
        except KeyError:
            known = ", ".join((*self._nodes.dongles, *self._nodes.ppmids, *self._nodes.meters))
            raise StimulusImpossible(
                f"the virtual bench has no dongle `{node}`", remedy=f"known here: {known}"
            ) from None

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RigFault("the virtual bench is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # What follows runs on the bench's own loop.

    async def _bring_up(self, folder: Path) -> dict[str, str]:
        options = self._options
        rng = random.Random(options.seed)  # noqa: S311 - a seed makes runs alike; nothing here is secret
        self._medium = medium = Medium(rng, loss=options.loss, latency_s=options.latency)
        paths: dict[str, str] = {}
        if options.state is not None:
            options.state.mkdir(parents=True, exist_ok=True)
        for name, entry in options.dongles.items():
            is_tcp = options.links == "tcp"
            port: BytePort = TcpPort(port=entry.tcp_port) if is_tcp else PtyPort(folder / name)
            dongle = Dongle(
                partial(_coordinator, medium, entry.eui64, rng),
                port,
                eui64=entry.eui64,
                ezsp_version=entry.ezsp_version or options.ezsp_version,
                rng=rng,
                state_file=options.state / f"{name}.json" if options.state is not None else None,
            )
            await dongle.open()
            self._nodes.dongles[name] = (dongle, port)
            paths[name] = port.path
            for entered in entry.faults:
                await dongle.inject(entered.fault, **entered.arguments)
        for name, device in options.ppmids.items():
            console = PtyPort(folder / name)
            config = device.config(stays_without_mode=options.ppmids_stay)
            ppmid = VirtualPpmid(partial(_end_device, medium, device, rng), console, config)
            await ppmid.open()
            self._nodes.ppmids[name] = ppmid
            paths[name] = console.path
        for name, entered_meter in options.meters.items():
            make = partial(_meter, medium, entered_meter, rng)
            self._nodes.meters[name] = VirtualMeter(make, entered_meter.config())
        return paths

    async def _take_down(self) -> None:
        for ppmid in self._nodes.ppmids.values():
            await ppmid.close()
        for meter in self._nodes.meters.values():
            await meter.power(on=False)
        for dongle, _ in self._nodes.dongles.values():
            await dongle.close()
        self._nodes = _Nodes()
        await asyncio.get_running_loop().shutdown_default_executor()

    async def _add_tap(self, callback: Callable[[Transmission], None]) -> Callable[[], None]:
        assert self._medium is not None
        remove = self._medium.add_tap(callback)

        def from_outside() -> None:
            if self._loop is not None:
                self._call(_done(remove))

        return from_outside


def _coordinator(medium: Medium, eui64: Eui64, rng: random.Random, **wiring: Any) -> Node:
    return Node(medium, eui64, coordinator=True, reassemble=False, rng=rng, **wiring)


def _end_device(medium: Medium, device: PpmidEntry, rng: random.Random, listener: Any) -> Node:
    node = Node(medium, device.eui64, listener, always_on=not device.sleepy, rng=rng)
    node.accepts_clear_key = Defect.ACCEPTS_CLEAR_KEY in device.defects
    node.misjudge_trust_centres(
        keeps=Defect.KEEPS_TRUST_CENTRE in device.defects,
        takes_any=Defect.TAKES_ANY_TRUST_CENTRE in device.defects,
    )
    node.ignores_network_key = Defect.IGNORES_NETWORK_KEY in device.defects
    return node


def _meter(medium: Medium, device: MeterEntry, rng: random.Random, listener: Any) -> Node:
    return Node(medium, device.eui64, listener, always_on=not device.sleepy, rng=rng)


def _sniffed(sent: Transmission) -> SniffedFrame:
    return SniffedFrame(
        time_s=sent.time_s, channel=sent.channel, psdu=sent.psdu, rssi_dbm=sent.rssi_dbm, lqi=sent.lqi
    )


async def _done(work: Callable[[], T]) -> T:
    return work()


def _run_loop(ready: Future[asyncio.AbstractEventLoop]) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.call_soon(ready.set_result, loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _create(options: VirtualBenchOptions, _: DriverContext) -> VirtualBench:
    return VirtualBench(options)


DRIVER = DriverSpec(
    face=Face.ENVIRONMENT,
    options=VirtualBenchOptions,
    create=_create,
    summary="virtual EZSP dongles and bilingual PPMIDs on a virtual 2.4 GHz medium",
)
