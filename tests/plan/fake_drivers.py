"""The fakes as drivers that a rig file can name, so that whole commands run without ports.

`install` makes them known to importlib.metadata, as an installed distribution does.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.virtual.ppmid.defects import Defect
from harness.errors import RigFault
from harness.rig.faces import DriverSpec, Face
from tests.plan.fake_bench import HUBS, FakeAir, FakePower, FakePpmid, FakeRadio, FakeSniffer, FakeStack

NAMES = ("environment", "radio", "ppmid", "sniffer", "supply")
RIG = """\
schema: ppmid-bench/rig@1
name: bench of fakes
environment: {driver: fake-environment}
hubs:
  smets1: {profile: smets1, channel: 15, radio: {driver: fake-radio, name: smets1}}
  smets2: {profile: smets2, channel: 20, radio: {driver: fake-radio, name: smets2}}
ppmid:
  device:
    eui64: 00-DB-12-34-56-78-90-A4
    install-code: 83FED3407A939723A5C639B26916D505
    manufacturer: "1234"
    model: "00090100"
    firmware: "01020304"
  port: {driver: fake-ppmid}
sniffer: {driver: fake-sniffer}
power: {driver: fake-supply}
dcc: {cpl: cpl.csv, answer-within: 500 ms}
pki: {seed: fake bench}
"""


def install(folder):
    """Write a distribution's metadata into `folder`, which must be on sys.path."""
    info = folder / "fake_bench_drivers-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-bench-drivers\nVersion: 0\n")
    lines = [f"fake-{name} = tests.plan.fake_drivers:{name.upper()}" for name in NAMES]
    (info / "entry_points.txt").write_text("[ppmid_bench.drivers]\n" + "\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentOptions:
    defects: tuple[str, ...] = ()
    fails: str | None = None  # what `start` raises as a RigFault
    dies_at_join: bool = False  # the radios are lost for good when the PPMID is told to join
    joins_for: float = 0.0


class World:
    """An Environment that holds the fakes; drivers of the same rig find each other in it."""

    def __init__(self, options, context):
        self.options = options
        self.air = FakeAir()
        self.radios = {name: FakeRadio(name, self.air) for name in HUBS}
        self.stack = FakeStack(tuple(self.radios.values()))
        self.stack.join_lasts_s = options.joins_for
        self.ppmid = WorldsPpmid(self)
        self.stopped = 0

    def start(self):
        if self.options.fails is not None:
            raise RigFault(self.options.fails)
        return {"smets1": "nowhere", "ppmid": "nowhere"}

    def stop(self):
        self.stopped += 1


class WorldsPpmid(FakePpmid):
    def __init__(self, world):
        super().__init__(world.stack, [Defect(word) for word in world.options.defects])
        self.world = world

    async def open(self):
        await super().open()
        if self.firmware is None:
            self.boot()

    async def close(self):
        await self.shut_down()

    async def join(self, timeout_s):
        if self.world.options.dies_at_join:
            for radio in self.world.radios.values():
                radio.lose(heals=False)
        return await super().join(timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioOptions:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    pass


def _spec(face, options, create):
    return DriverSpec(face=face, options=options, create=create, summary="a fake")


ENVIRONMENT = _spec(Face.ENVIRONMENT, EnvironmentOptions, World)
RADIO = _spec(Face.RADIO, RadioOptions, lambda options, context: context.environment.radios[options.name])
PPMID = _spec(Face.PPMID, NoOptions, lambda options, context: context.environment.ppmid)
SNIFFER = _spec(Face.SNIFFER, NoOptions, lambda options, context: FakeSniffer(context.environment.air))
SUPPLY = _spec(Face.POWER, NoOptions, lambda options, context: FakePower(context.environment.ppmid))
