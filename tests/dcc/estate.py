"""A DCC over two hubs that answer as they are told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.counters import utc_now
from harness.dcc.cpl_file import load_cpl
from harness.dcc.documents import Prenotification
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.inventory import MemorySmiStore, Transaction
from harness.dcc.users import Users
from harness.errors import StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import BenchPki, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.hub.chf import Chf
from harness.smets.cpl import DeviceType
from harness.smets.version import SmetsVersion
from harness.tap import NullTap
from harness.zigbee.swap_out import TrustCentreBackup
from tests.smets.rules import own

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2_PLUS
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
HUB_1 = Eui64.parse("00-DB-12-34-56-78-91-01")
HUB_2 = Eui64.parse("00-DB-12-34-56-78-91-02")
HUB = {S1: HUB_1, S2: HUB_2}
INSTALL_CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
FIRMWARE = bytes.fromhex("01020304")
PKI = BenchPki("test")
CPL_FILE = Path(__file__).parents[2] / "rigs" / "cpl-virtual.csv"


@dataclass
class Value:
    value: object


@dataclass
class Record:
    status: int
    value: Value | None


class Hub:
    """A hub with a PPMID behind it, a CHF itself if it has a `tunnel`. `fails` is raised by what is asked."""

    name = "fake"

    def __init__(self, eui64, *, tunnel, alert=lambda message: None):
        self.eui64 = eui64
        self.log = []
        self.hashes = {}
        self.chf = Chf(self, PKI, NullTap(), utc=utc_now, alert=alert) if tunnel else None
        self.gpf = None
        self.tunnel = tunnel
        self.asked = []
        self.fails = None
        self.records = {0x0002: Record(0, Value(0x01020304))}
        self.answer = self.honest_answer
        self.read_result = True

    def _ask(self, *what):
        self.asked.append(what)
        if self.fails is not None:
            raise self.fails

    def honest_answer(self, message):
        return cs08.response(message, FIRMWARE, OwnKeys(PPMID, PKI), ok=self.read_result)

    def device_log(self):
        return tuple(self.log)

    def historic_device_log(self):
        return ()

    @property
    def network(self):
        return SimpleNamespace(extended_pan_id=self.eui64)

    def backup(self):
        return TrustCentreBackup(extended_pan_id=self.eui64, link_key_hashes=self.hashes)

    async def restore_device_log(self, backup):
        self._ask("restore", backup)

    async def add_to_device_log(self, eui64, install_code, join_time_s):
        self._ask("add", eui64, install_code, join_time_s)

    async def remove_from_device_log(self, eui64):
        self._ask("remove", eui64)
        return True

    async def take_image(self, image, devices, keep_s):
        self._ask("image", image, tuple(devices), keep_s)

    async def command_chf(self, message, timeout_s):
        if self.chf is None:
            raise StimulusImpossible("this hub knows no GBCS")
        return await self.chf.command(message)

    async def command_gpf(self, message, timeout_s):
        if self.gpf is None:
            raise StimulusImpossible("this hub has no GPF")
        return await self.gpf.command(message)

    async def deliver_gbcs(self, eui64, message, timeout_s):
        self._ask("gbcs", eui64, message)
        if not self.tunnel:
            raise StimulusImpossible("this hub serves no tunnel")
        await asyncio.sleep(0)
        return self.answer(message)

    async def read_attributes(self, eui64, cluster, attributes, *, client_side, timeout_s):
        self._ask("read", eui64, cluster, tuple(attributes), client_side)
        return self.records


class RecordingTap:
    def __init__(self):
        self.events = []

    def record(self, boundary, source, destination, summary, data=b"", **details):
        self.events.append((boundary, source, destination, summary, data, details))

    def at(self, boundary):
        return [event for event in self.events if event[0] is boundary]


@dataclass
class Estate:
    """The DCC under test and what stands around it."""

    rules: object = field(default_factory=own)
    defects: tuple = ()
    keys: object = PKI
    cpl: object = None
    store: object = field(default_factory=MemorySmiStore)
    users: object = field(default_factory=Users)
    clock: object = utc_now

    def __post_init__(self):
        self.tap = RecordingTap()
        self.hubs = {S1: Hub(HUB_1, tunnel=False), S2: Hub(HUB_2, tunnel=True)}
        self.dcc = EmbeddedDcc(
            rules=self.rules,
            cpl=self.cpl or load_cpl(CPL_FILE, self.rules),
            keys=self.keys,
            tap=self.tap,
            defects=self.defects,
            store=self.store,
            users=self.users,
            clock=self.clock,
            answer_within_s=1.0,
        )
        for family, hub in self.hubs.items():
            self.dcc.provision_hub(hub_prenotification(hub.eui64, family), hub)

    async def prenotify(self, version, **changes):
        text = version.value if isinstance(version, SmetsVersion) else version
        return await self.dcc.prenotify(replace(NOTICE, version=text, **changes))

    async def whitelist(self, hub, device=PPMID):
        return await self.dcc.whitelist(HUB.get(hub, hub), device, INSTALL_CODE, 90)

    def force(self, device, **changes):
        """Change a record behind everybody's back."""
        record = replace(self.store.get(device), **changes)
        self.store.apply(Transaction(when=utc_now(), by=None, put=(record,)))

    def at_meter_point(self, mpxn):
        """Put both hubs at a meter point."""
        for hub in HUB.values():
            self.force(hub, import_mpxn=mpxn)

    async def row(self, notified, hub):
        """Pre-notify, whitelist, read back, ask for the firmware version."""
        assert (await self.prenotify(notified)).ok
        listed = await self.whitelist(hub)
        return listed, await self.dcc.read_inventory(PPMID), await self.dcc.request("11.2", PPMID)


NOTICE = Prenotification(
    device=PPMID,
    device_type=DeviceType.PPMID,
    manufacturer="1234",
    model="00090100",
    version="SMETS1",
    firmware="01020304",
)
