"""A bench without ports and without air: real hubs, DCC and PPMID firmware, joined by function calls.

What passes between hub and PPMID is also shown to a sniffer, as unsecured frames, so that the air can
testify. Every part can be told to misbehave.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from drivers.ppmid import answers
from drivers.virtual.ppmid.config import FirmwareTimings, PpmidConfig
from drivers.virtual.ppmid.firmware import Firmware
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.zcl_server import DESCRIPTOR
from drivers.virtual.stack.faces import (
    ApsIndication,
    Delivery,
    DeliveryMode,
    JoinFailure,
    JoinResult,
    LeaveReason,
    NetworkParameters,
)
from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.counters import utc_now
from harness.dcc.cpl_file import load_cpl
from harness.dcc.embedded import EmbeddedDcc
from harness.documents import HexBytes
from harness.errors import RadioUndelivered, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import BenchPki
from harness.hub.core import CommunicationsHub
from harness.hub.gbcs_hub import GbcsHub
from harness.hub.gpf import gpf_of
from harness.hub.profile import load_profile
from harness.hub.trust_centre import HubEventKind
from harness.rig.bench import Bench, HubOnBench
from harness.rig.faces import (
    ApsMessage,
    JoinKind,
    JoinNotice,
    JoinOutcome,
    NetworkSettings,
    NetworkState,
    RadioInfo,
    ReceivedCommand,
    SniffedFrame,
)
from harness.rig.model import PpmidDevice
from harness.smets.version import SmetsVersion
from harness.tap import NullTap
from harness.zigbee import aps, mac, zdo
from harness.zigbee.aps import ApsFrame, ApsFrameType
from harness.zigbee.aps_commands import KeyType, TransportKey
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.mac import (
    AssociationRequest,
    Beacon,
    BeaconRequest,
    Capability,
    MacFrame,
    MacFrameType,
    ZigbeeBeacon,
)
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from tests.smets.rules import own

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
HUBS = {
    "smets1": (Eui64.parse("00-DB-12-34-56-78-91-01"), 15, 0x1001),
    "smets2": (Eui64.parse("00-DB-12-34-56-78-91-02"), 20, 0x1002),
}
SEED = "fake bench"
SHORT = 0x796F
NETWORK_KEY = bytes(range(16))
CPL_FILE = Path(__file__).parents[2] / "rigs" / "cpl-virtual.csv"
OFFERS = frozenset({"ppmid.control", "hub.smets1", "hub.smets2", "sniffer", "power"})
QUICK = FirmwareTimings(question_s=0.05, leave_s=0.5, first_pause_s=0.01, longest_pause_s=0.02, join_tries=1)


class FakeAir:
    """Shows what it is told to a sniffer. `deaf_to` holds clusters that the sniffer misses."""

    def __init__(self):
        self.callback = None
        self.deaf_to = set()
        self.counter = 0

    def message(self, radio, payload, *, up, cluster, profile, source, destination, secured):
        if cluster in self.deaf_to:
            return
        frame = ApsFrame(
            frame_type=ApsFrameType.DATA,
            destination_endpoint=destination,
            cluster=cluster,
            profile=profile,
            source_endpoint=source,
            counter=self.counter & 0xFF,
            payload=payload,
        )
        if secured and radio.link_key is not None:
            sender = PPMID if up else radio.eui64
            frame = aps.protect(frame, radio.link_key, frame_counter=self.counter, source=sender)
        self.show(radio, frame, up=up)

    def clear_key(self, radio):
        key = TransportKey(
            key_type=KeyType.STANDARD_NETWORK_KEY,
            key=NETWORK_KEY,
            key_sequence=0,
            destination=PPMID,
            source=radio.eui64,
        )
        frame = ApsFrame(frame_type=ApsFrameType.COMMAND, counter=self.counter & 0xFF, payload=key.to_bytes())
        self.show(radio, frame, up=False)

    def show(self, radio, frame, *, up):
        source, destination = (SHORT, 0) if up else (0, SHORT)
        nwk = NwkFrame(
            frame_type=NwkFrameType.DATA,
            source=source,
            destination=destination,
            source_ieee=PPMID if up else radio.eui64,
            destination_ieee=radio.eui64 if up else PPMID,
            sequence=self.counter & 0xFF,
            payload=frame.to_bytes(),
        )
        self.psdu(
            radio,
            MacFrame(
                frame_type=MacFrameType.DATA,
                sequence=self.counter & 0xFF,
                pan_id_compression=True,
                destination_pan=radio.pan_id,
                destination=destination,
                source=source,
                payload=nwk.to_bytes(),
            ).to_bytes(),
        )

    def beacon_request(self, radio):
        everybody = {"destination_pan": 0xFFFF, "destination": 0xFFFF}
        self.mac(radio, MacFrameType.COMMAND, BeaconRequest(), **everybody)

    def association_request(self, radio):
        asks = AssociationRequest(capability=Capability(receiver_on_when_idle=True))
        hub = {"destination_pan": radio.pan_id, "destination": 0}
        self.mac(radio, MacFrameType.COMMAND, asks, **hub, source_pan=0xFFFF, source=PPMID)

    def beacon(self, radio, *, open_door):
        network = ZigbeeBeacon(extended_pan_id=radio.eui64)
        body = Beacon(association_permit=open_door, payload=network.to_bytes())
        self.mac(radio, MacFrameType.BEACON, body, source_pan=radio.pan_id, source=0)

    def mac(self, radio, kind, body, **addresses):
        sequence, payload = self.counter & 0xFF, body.to_bytes()
        frame = MacFrame(frame_type=kind, sequence=sequence, payload=payload, **addresses)
        self.psdu(radio, frame.to_bytes())

    def psdu(self, radio, octets):
        self.counter += 1
        if self.callback is not None:
            self.callback(
                SniffedFrame(
                    time_s=time.time(),
                    channel=radio.channel,
                    psdu=mac.with_fcs(octets),
                    rssi_dbm=-40.0,
                    lqi=255,
                )
            )


class FakeSniffer:
    def __init__(self, air):
        self.air = air
        self.fault = None

    async def start(self, callback):
        self.air.callback = callback

    async def drain(self):
        if self.fault is not None:
            raise self.fault

    async def stop(self):
        self.air.callback = None


class FakeRadio:
    """A coordinator: windows by EUI-64. `careless` lets anybody in, key in clear; `lost` is a RigFault."""

    def __init__(self, name, air):
        self.eui64, self.channel, self.pan_id = HUBS[name]
        self.air = air
        self.windows = {}
        self.careless = False
        self.unheard = False  # what it sends is not acknowledged
        self.lost = None
        self.stack = None
        self.listener = None
        self.heals = True  # a new start brings it back
        self.link_key = None
        self.network_keys = [NETWORK_KEY]
        self.resumes = True
        self.started = 0

    async def open(self, endpoints, listener):
        if self.heals:
            self.lost = None
        self._check()
        self.started += 1
        self.listener = listener
        return RadioInfo(eui64=self.eui64, stack="fake", firmware="0")

    async def form(self, settings):
        return NetworkState(
            channel=settings.channel,
            pan_id=self.pan_id,
            extended_pan_id=settings.extended_pan_id,
            network_key=self.network_keys[-1],
            network_key_sequence=len(self.network_keys) - 1,
            resumed=self.resumes and self.started > 1,
        )

    async def forget_all_keys(self):
        self._check()

    async def update_network_key(self, network_key):
        self.network_keys.append(network_key)
        return await self.form(NetworkSettings(channel=self.channel, extended_pan_id=self.eui64))

    async def close(self):
        pass

    async def ping(self):
        self._check()

    async def permit(self, eui64, link_key, window_s):
        self._check()
        self.windows[eui64] = (link_key, asyncio.get_running_loop().time() + window_s)

    async def permit_anybody(self, window_s):
        self.careless = True

    async def close_window(self):
        self.windows.clear()
        self.careless = False

    async def set_link_key(self, eui64, link_key):
        self._check()
        self.link_key = link_key

    async def send(self, message, *, timeout_s=10.0):
        self._check()
        if self.unheard or self.stack is None or not self.stack.on or message.peer != SHORT:
            raise RadioUndelivered(f"0x{message.peer:04X} did not acknowledge")
        self.air.message(
            self,
            message.payload,
            up=False,
            cluster=message.cluster,
            profile=message.profile,
            source=message.source_endpoint,
            destination=message.destination_endpoint,
            secured=message.link_key_secured,
        )
        self.stack.deliver(message)

    async def remove(self, eui64, short_address):
        self._check()
        stack, self.stack = self.stack, None
        self.windows.pop(eui64, None)
        if stack is not None:
            stack.forget()
            self.notice(JoinKind.LEFT)
            stack.listener.left_network(LeaveReason.TOLD)

    async def forget_key(self, eui64):
        self._check()
        self.windows.pop(eui64, None)

    def open_to(self, eui64):
        """Return the link key that a device may join with, None when it may not."""
        key, end = self.windows.get(eui64, (None, 0.0))
        return key if end > asyncio.get_running_loop().time() else None

    @property
    def permits(self):
        return self.careless or any(self.open_to(eui64) for eui64 in self.windows)

    def notice(self, kind, *, admitted=True):
        self.listener.radio_join(
            JoinNotice(kind=kind, eui64=PPMID, short_address=SHORT, parent=0, admitted=admitted)
        )

    def lose(self, *, heals=True):
        self.heals = heals
        self.lost = RigFault(f"radio of {self.eui64} was lost: unplugged")
        if self.listener is not None:
            self.listener.radio_lost("unplugged")

    def _check(self):
        if self.lost is not None:
            raise RigFault(self.lost.message)


class FakeStack:
    """A DeviceStack over the radios. `takes_clear_key` joins a careless one; `mute` sends nothing."""

    def __init__(self, radios):
        self.radios = radios
        self.listener = None
        self.on = True
        self.takes_clear_key = False
        self.announces = True
        self.mute = False
        self.join_lasts_s = 0.0
        self.forget()

    def forget(self):
        self.radio = self.network = self.short_address = None

    async def join(self, channels, link_key, timeout_s, extended_pan_id=None):
        await asyncio.sleep(self.join_lasts_s)
        for radio in self.radios:
            radio.air.beacon_request(radio)
        mine = [radio for radio in self.radios if radio.open_to(PPMID) is not None]
        radio = next((radio for radio in (*mine, *self.radios) if radio.permits), None)
        if radio is None:
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        radio.air.association_request(radio)
        if radio.careless:
            radio.notice(JoinKind.UNSECURED_JOIN)
            radio.air.clear_key(radio)
            if not self.takes_clear_key:
                return JoinResult(failure=JoinFailure.WRONG_KEY)
            return self._announce(radio)
        own = radio.open_to(PPMID)
        radio.notice(JoinKind.UNSECURED_JOIN, admitted=own is not None)
        if own is None:
            return JoinResult(failure=JoinFailure.NO_KEY)
        if own != link_key:
            return JoinResult(failure=JoinFailure.WRONG_KEY)
        return self._announce(radio)

    async def rejoin(self, channels=()):
        self.radio.notice(JoinKind.SECURED_REJOIN)
        return self._announce(self.radio)

    def _announce(self, radio):
        self.radio, self.short_address, radio.stack = radio, SHORT, self
        self.network = NetworkParameters(
            channel=radio.channel, pan_id=radio.pan_id, extended_pan_id=radio.eui64, network_key=NETWORK_KEY
        )
        if self.announces:
            announced = zdo.DeviceAnnce(
                nwk_address=SHORT,
                ieee_address=PPMID,
                capability=Capability(mains_powered=True, receiver_on_when_idle=True),
            )
            self._up(0, 0x0013, 0, 0, zdo.encode(1, announced), secured=False)
        return JoinResult(failure=None, network=self.network, short_address=SHORT, parent_eui64=radio.eui64)

    async def leave(self):
        radio = self.radio
        self.forget()
        if radio is None:
            return
        radio.stack = None
        radio.notice(JoinKind.LEFT)
        self.listener.left_network(LeaveReason.OWN_WISH)

    async def send(self, request):
        await asyncio.sleep(0)
        if self.radio is None or not self.on or self.mute:
            return Delivery.NOT_JOINED
        if request.profile == 0:
            self._answer_match(request)
        else:
            self._up(
                request.profile,
                request.cluster,
                request.source_endpoint,
                request.destination_endpoint,
                request.payload,
                secured=request.link_key_secured,
            )
        return Delivery.DELIVERED

    def _answer_match(self, request):
        sequence, body = zdo.decode(request.cluster, request.payload)
        served = self.radio.listener.profile.endpoints[0]
        found = (served.number,) if set(body.input_clusters) <= set(served.input_clusters) else ()
        answer = zdo.MatchDescRsp(status=zdo.ZdoStatus.SUCCESS, nwk_address=0, endpoints=found)
        message = ApsMessage(
            peer=SHORT,
            profile=0,
            cluster=0x8006,
            source_endpoint=0,
            destination_endpoint=0,
            payload=zdo.encode(sequence, answer),
        )
        asyncio.get_running_loop().call_soon(self.deliver, message)

    def _up(self, profile, cluster, source, destination, payload, *, secured):
        radio = self.radio
        radio.air.message(
            radio,
            payload,
            up=True,
            cluster=cluster,
            profile=profile,
            source=source,
            destination=destination,
            secured=secured,
        )
        message = ApsMessage(
            peer=SHORT,
            peer_eui64=PPMID,
            profile=profile,
            cluster=cluster,
            source_endpoint=source,
            destination_endpoint=destination,
            payload=payload,
            link_key_secured=secured,
        )
        asyncio.get_running_loop().call_soon(radio.listener.radio_message, message)

    def deliver(self, message):
        if self.radio is None:
            return
        if message.profile == 0 and message.cluster == zdo.MatchDescReq.CLUSTER:
            sequence, _ = zdo.decode(message.cluster, message.payload)
            answer = zdo.MatchDescRsp(status=zdo.ZdoStatus.SUCCESS, nwk_address=SHORT, endpoints=(1,))
            self._up(0, 0x8006, 0, 0, zdo.encode(sequence, answer), secured=False)
            return
        self.listener.aps_received(
            ApsIndication(
                source=0,
                source_eui64=self.radio.eui64,
                profile=message.profile,
                cluster=message.cluster,
                source_endpoint=message.source_endpoint,
                destination_endpoint=message.destination_endpoint,
                payload=message.payload,
                counter=0,
                mode=DeliveryMode.UNICAST,
                acknowledged=True,
                link_key_secured=message.link_key_secured,
                lqi=255,
                rssi_dbm=-40,
            )
        )

    def set_link_key(self, key):
        assert key == self.radio.link_key  # the hub has it first

    def save(self):
        return {"channel": self.network.channel}

    def add_endpoint(self, descriptor):
        assert descriptor is DESCRIPTOR

    def power(self, on):
        self.on = on


class FakePpmid:
    """A PpmidPort onto the virtual firmware. `lies` changes a status, `edits` what it received."""

    def __init__(self, stack, defects=()):
        self.stack = stack
        self.config = PpmidConfig(
            eui64=PPMID,
            install_code=CODE,
            manufacturer="1234",
            model="00090100",
            firmware="01020304",
            credentials=SEED,
            defects=frozenset(defects),
            timings=QUICK,
        )
        stack.add_endpoint(DESCRIPTOR)
        self.memory = Memory(NonVolatile(install_code=CODE))
        self.firmware = None
        self.ending = None
        self.lies = {}
        self.edits = lambda commands: commands
        self.outcome = lambda outcome: outcome
        self.fault = None
        self.fault_at = {}  # verb -> what it raises
        self.asked = Counter()
        self.join_hangs = False
        self.opened = 0

    def boot(self):
        self.stack.power(True)
        self.firmware = Firmware(
            self.stack, self.memory, self.config, event=self._event, restart=lambda: None
        )
        self.stack.listener = self.firmware
        self.firmware.start()

    async def shut_down(self):
        if self.firmware is not None:
            firmware, self.firmware = self.firmware, None
            self.stack.power(False)
            await firmware.stop()

    def _event(self, name, fields):
        if name in ("joined", "join-failed") and self.ending is not None:
            self.ending.set_result((name, dict(fields)))

    def _asked(self, verb):
        self.asked[verb] += 1
        fault = self.fault_at.get(verb, self.fault)
        if fault is not None:
            raise type(fault)(fault.message)
        if self.firmware is None:
            raise RigFault("PPMID port fake: nothing is heard on it")

    async def open(self):
        self.opened += 1

    async def close(self):
        pass

    async def identify(self):
        self._asked("identify")
        return answers.identity(self.firmware.info())

    async def status(self):
        self._asked("status")
        return replace(self._status(self.firmware.status()), **self.lies)

    @staticmethod
    def _status(fields):
        return answers.status({key.replace("_", "-"): value for key, value in fields.items()})

    async def join(self, timeout_s):
        self._asked("join")
        if self.join_hangs:
            await asyncio.Event().wait()
        self.ending = asyncio.get_running_loop().create_future()
        self.firmware.join(timeout_s, "1")
        name, fields = await self.ending
        self.ending = None
        elapsed_s = float(fields["elapsed"])
        status = replace(self._status(self.firmware.status()), **self.lies)
        if name == "joined":
            return self.outcome(JoinOutcome(joined=True, reason=None, elapsed_s=elapsed_s, status=status))
        return self.outcome(
            JoinOutcome(joined=False, reason=fields["reason"], elapsed_s=elapsed_s, status=status)
        )

    async def leave(self):
        self._asked("leave")
        await self.firmware.leave()

    async def set_install_code(self, install_code):
        self._asked("set_install_code")
        self.firmware.set_install_code(install_code)

    async def raise_alert(self, code):
        self._asked("raise_alert")
        self.firmware.alert(code)

    async def received(self):
        self._asked("received")
        entries = [dict(entry) for entry in self.firmware.take_received()]
        commands = [ReceivedCommand(kind=entry.pop("kind"), fields=entry) for entry in entries]
        return tuple(self.edits([_dashed(command) for command in commands]))


def _dashed(command):
    return replace(command, fields={key.replace("_", "-"): value for key, value in command.fields.items()})


class FakePower:
    def __init__(self, ppmid):
        self.ppmid = ppmid
        self.stays_off = False

    async def switch(self, *, on):
        if not on:
            await self.ppmid.shut_down()
        elif self.ppmid.firmware is None and not self.stays_off:
            self.ppmid.boot()


class FakeEnvironment:
    """Takes `unplug` and `replug` of a hub's radio, by the hub's name."""

    def __init__(self, radios, loop):
        self.radios = radios
        self.loop = loop
        self.injected = []

    def inject_fault(self, node, fault, **arguments):
        self.injected.append((node, fault, arguments))
        if fault == "unplug":
            self.loop.call_soon_threadsafe(lambda: self.radios[node].lose())
        elif fault != "replug":
            raise StimulusImpossible(f"nobody here can {fault}")


class Parts:
    """The parts of a fake bench, for a test to break."""

    def __init__(self, bench, radios, stack, ppmid, air):
        self.bench, self.radios, self.stack, self.ppmid, self.air = bench, radios, stack, ppmid, air


@contextlib.asynccontextmanager
async def fake_bench(
    *, tap=None, rules=None, ppmid=(), dcc=(), hub=(), sniffer=True, power=True, environment=False
):
    """Start a bench of fakes; `ppmid`, `dcc` and `hub` are defects."""
    rules, tap = rules or own(), tap or NullTap()
    air = FakeAir()
    radios = {name: FakeRadio(name, air) for name in HUBS}
    stack = FakeStack(tuple(radios.values()))
    port = FakePpmid(stack, ppmid)
    embedded = EmbeddedDcc(
        rules=rules,
        cpl=load_cpl(CPL_FILE, rules),
        keys=BenchPki(SEED),
        tap=tap,
        defects=dcc,
        answer_within_s=0.5,
    )
    hubs = {}
    for name, radio in radios.items():
        profile = load_profile(name)
        kind = GbcsHub if profile.tunnel else CommunicationsHub
        core = kind(name, profile, radio, tap, defects=hub, credentials=BenchAuthority(SEED))
        if isinstance(core, GbcsHub):
            core.be_chf(BenchPki(SEED), utc_now)
            core.listen_gbcs(lambda _, message, core=core: embedded.take_alert(core.eui64, message))
        settings = NetworkSettings(channel=radio.channel)
        await core.start(settings)
        family = SmetsVersion(core.profile.generation)
        hubs[name] = HubOnBench(hub=core, family=family, settings=settings)
        notice = hub_prenotification(core.eui64, family, gpf_of(core.eui64))
        embedded.provision_hub(notice, core)
        core.listen(
            lambda event, core=core: (
                event.kind is HubEventKind.JOINED and embedded.device_joined(core.eui64, event.eui64)
            )
        )
    bench = Bench(
        rules=rules,
        dcc=embedded,
        hubs=hubs,
        ppmid=port,
        ppmid_device=PpmidDevice(
            eui64=PPMID,
            install_code=HexBytes(CODE),
            manufacturer="1234",
            model="00090100",
            firmware="01020304",
        ),
        tap=tap,
        power=FakePower(port) if power else None,
        sniffer=FakeSniffer(air) if sniffer else None,
        environment=FakeEnvironment(radios, asyncio.get_running_loop()) if environment else None,
        nodes={f"hubs.{name}.radio": name for name in radios} if environment else {},
    )
    port.boot()
    try:
        yield Parts(bench, radios, stack, port, air)
    finally:
        await port.shut_down()
        for entry in hubs.values():
            await entry.hub.stop()
