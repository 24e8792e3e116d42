"""A radio without a dongle: a trust centre that does what it is told, and scripted devices on its air."""

from __future__ import annotations

from dataclasses import replace

from harness.errors import RadioUndelivered, RigFault
from harness.eui64 import Eui64
from harness.rig.faces import ApsMessage, JoinKind, JoinNotice, NetworkState, RadioInfo
from harness.zigbee import se_security

HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
KEY = bytes.fromhex("66B6900981E1EE3CA4206B6B861C02BB")
DERIVED = bytes(range(100, 116))


class FakeRadio:
    def __init__(self, clock):
        self.clock = clock
        self.listener = None
        self.endpoints = ()
        self.windows = {}  # eui64 -> (key, end)
        self.anybody = False
        self.devices = {}  # short address -> FakeDevice
        self.sent = []
        self.fault = None
        self.opened = False
        self.forgotten = []
        self.link_keys = {}
        self.cleared = 0
        self.opens = self.formed = 0

    async def open(self, endpoints, listener):
        self._check()
        self.endpoints, self.listener, self.opened = endpoints, listener, True
        self.opens += 1
        return RadioInfo(eui64=HUB, stack="fake", firmware="0")

    async def form(self, settings):
        self.settings = settings
        self.formed += 1
        return NetworkState(
            channel=settings.channel,
            pan_id=1,
            extended_pan_id=settings.extended_pan_id,
            network_key=bytes(16),
            network_key_sequence=0,
            resumed=False,
        )

    async def close(self):
        self.opened = False

    async def permit(self, eui64, link_key, window_s):
        self._check()
        self.windows[eui64] = (link_key, self.clock() + window_s)

    async def close_window(self):
        self.windows.clear()

    async def set_link_key(self, eui64, link_key):
        self._check()
        self.link_keys[eui64] = link_key

    async def send(self, message, *, timeout_s=10.0):
        self._check()
        self.sent.append(message)
        device = self.devices.get(message.peer)
        if device is None:
            raise RadioUndelivered(f"0x{message.peer:04X} did not acknowledge")
        device.receive(message)

    async def remove(self, eui64, short_address):
        self._check()
        device = self.devices.pop(short_address, None)
        self.forgotten.append(eui64)
        if device is not None and device.obeys:
            self.notice(JoinKind.LEFT, eui64, short_address)

    async def forget_key(self, eui64):
        self.windows.pop(eui64, None)
        self.forgotten.append(eui64)

    async def forget_all_keys(self):
        self._check()
        self.cleared += 1

    async def update_network_key(self, network_key):
        self._check()
        return replace(await self.form(self.settings), network_key=network_key, network_key_sequence=1)

    async def ping(self):
        self._check()

    def lose(self):
        self.fault = RigFault("radio on /dev/fake was lost: unplugged")
        self.listener.radio_lost("unplugged")

    def notice(self, kind, eui64, short_address, *, admitted=True):
        self.listener.radio_join(
            JoinNotice(kind=kind, eui64=eui64, short_address=short_address, parent=0, admitted=admitted)
        )

    def _check(self):
        if self.fault is not None:
            raise self.fault


class CarelessFakeRadio(FakeRadio):
    async def permit_anybody(self, window_s):
        self.anybody = True

    async def close_window(self):
        await super().close_window()
        self.anybody = False


class FakeDevice:
    """A device with a link key. `answers` maps an APS message to the messages that it answers with.

    What it says is secured as it must be. With `establishes` it has a derived key as soon as it has joined.
    """

    sleeps = False

    def __init__(self, radio, *, eui64=PPMID, key=KEY, short_address=0x1234):
        self.radio = radio
        self.eui64, self.key, self.short_address = eui64, key, short_address
        self.received = []
        self.answers = lambda message: ()
        self.obeys = True
        self.establishes = True

    def join(self):
        """Try to join; return whether it is on the network."""
        key, end = self.radio.windows.get(self.eui64, (None, 0.0))
        admitted = (key is not None and self.radio.clock() < end) or self.radio.anybody
        self.radio.notice(JoinKind.UNSECURED_JOIN, self.eui64, self.short_address, admitted=admitted)
        if not admitted or (key != self.key and not self.radio.anybody):
            return False
        self.radio.devices[self.short_address] = self
        self.announce()
        if self.establishes:
            self.radio.listener._log.established(self.eui64, DERIVED, 2)
        return True

    def announce(self):
        capability = b"\x80" if self.sleeps else b"\x88"
        body = b"\x01" + self.short_address.to_bytes(2, "little") + self.eui64.to_bytes_le() + capability
        self.say(profile=0, cluster=0x0013, source=0, destination=0, payload=body, broadcast=True)

    def say(self, *, cluster, payload, profile=0x0109, source=1, destination=123, **changes):
        changes.setdefault("link_key_secured", se_security.needs_link_key(profile, cluster))
        self.radio.listener.radio_message(
            ApsMessage(
                peer=self.short_address,
                profile=profile,
                cluster=cluster,
                source_endpoint=source,
                destination_endpoint=destination,
                payload=payload,
                **changes,
            )
        )

    def receive(self, message):
        self.received.append(message)
        for answer in self.answers(message):
            self.radio.listener.radio_message(answer)

    @staticmethod
    def reply(message, payload, **changes):
        """Return an answer to a message."""
        return replace(
            message,
            source_endpoint=message.destination_endpoint,
            destination_endpoint=message.source_endpoint,
            payload=payload,
            **changes,
        )
