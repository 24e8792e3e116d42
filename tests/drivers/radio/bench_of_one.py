"""One radio driver on a fake EZSP object, with a listener and a tap that remember."""

from __future__ import annotations

import asyncio

import bellows.types as t
import pytest

from drivers.radio.ezsp import EzspOptions, EzspRadio
from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.rig.faces import ApsMessage, DriverContext, Endpoint, NetworkSettings
from harness.tap import NullTap
from tests.drivers.radio.fake_ezsp import FakeEzsp

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
STRANGER = Eui64.parse("00-DB-12-34-56-78-90-FF")
HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
KEY = bytes.fromhex("66B6900981E1EE3CA4206B6B861C02BB")
DERIVED = bytes(range(100, 116))
ENDPOINT = Endpoint(
    number=123, profile=0x0109, device_id=0x0500, input_clusters=(0, 0x800), output_clusters=()
)
SETTINGS = NetworkSettings(channel=20, pan_id=0x5678, extended_pan_id=HUB, network_key=bytes(range(16)))
MESSAGE = ApsMessage(
    peer=0x1234, profile=0x0109, cluster=0x0704, source_endpoint=123, destination_endpoint=1, payload=b"hello"
)


class Listener:
    def __init__(self):
        self.messages, self.joins, self.losses = [], [], []

    def radio_message(self, message):
        self.messages.append(message)

    def radio_join(self, notice):
        self.joins.append(notice)

    def radio_lost(self, reason):
        self.losses.append(reason)


class ListTap(NullTap):
    def __init__(self):
        self.events = []

    def record(self, boundary, source, destination, summary, data=b"", **details):
        self.events.append((boundary, source, destination, data))


class Rig:
    def __init__(self, **changes):
        self.port = None
        self.changes = changes
        self.tap = ListTap()
        self.listener = Listener()
        options = EzspOptions(path="/dev/bench", connect_timeout=0.2)
        context = DriverContext(name="hubs.smets2.radio", tap=self.tap)
        self.radio = EzspRadio(options, context, port_factory=self._port)

    def _port(self, config, owner, fragment):
        if self.port is None:
            self.port = FakeEzsp(config, owner, fragment)
        for name, value in self.changes.items():
            setattr(self.port, name, value)
        return self.port


def run(scenario, **changes):
    """Run `scenario(rig)` on an opened radio, close it, and insist that no task is left."""

    async def main():
        rig = Rig(**changes)
        await rig.radio.open((ENDPOINT,), rig.listener)
        try:
            await scenario(rig)
        finally:
            await rig.radio.close()
            await rig.radio.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert rig.port.disconnected == 1

    asyncio.run(main())


def open_fault(**changes):
    async def main():
        rig = Rig(**changes)
        with pytest.raises(RigFault) as caught:
            await rig.radio.open((ENDPOINT,), rig.listener)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert rig.port.disconnected == 1
        return str(caught.value)

    return asyncio.run(main())


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def let_in(port, eui64, *, kind=1):
    """The trust centre sent a device the network key."""
    joiner = t.EUI64.deserialize(eui64.to_bytes_le())[0]
    port.callback(
        "trustCenterJoinHandler", 0x1234, joiner, t.EmberDeviceUpdate(kind), t.EmberJoinDecision(0), 0
    )


def announce(port, eui64):
    payload = b"\x01" + (0x1234).to_bytes(2, "little") + eui64.to_bytes_le() + b"\x8e"
    aps = t.EmberApsFrame(0, 0x0013, 0, 0, t.EmberApsOption(0), 0, 1)
    port.callback(
        "incomingMessageHandler", t.EmberIncomingMessageType(4), aps, 255, -40, 0x1234, 255, 255, payload
    )


def incoming(version, *, options=0, group=0, payload=b"data", kind=0):
    aps = t.EmberApsFrame(0x0109, 0x0704, 1, 123, t.EmberApsOption(options), group, 9)
    kind = t.EmberIncomingMessageType(kind)
    if version >= 14:
        eui64 = t.EUI64.deserialize(PPMID.to_bytes_le())[0]
        return [kind, aps, t.NWK(0x1234), eui64, 255, 255, 200, -50, 0, payload]
    return [kind, aps, 200, -50, t.NWK(0x1234), 255, 255, payload]
