"""A coordinator and devices on one medium, with a trust centre of the test's making."""

from __future__ import annotations

import asyncio
import random

from drivers.virtual.medium import Medium
from drivers.virtual.stack.faces import (
    ApsRequest,
    DeliveryMode,
    JoinStatus,
    NetworkParameters,
    TrustDecision,
)
from drivers.virtual.stack.node import Node
from drivers.virtual.stack.timings import Timings
from harness.eui64 import Eui64
from harness.zigbee import install_code
from harness.zigbee.decoder import Decoder
from harness.zigbee.zdo import SimpleDescriptor

HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
KEY = install_code.link_key(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
NETWORK_KEY = bytes.fromhex("010305070900020406080A0C0D0F0E0C")
NETWORK = NetworkParameters(channel=20, pan_id=0x5A5A, extended_pan_id=HUB, network_key=NETWORK_KEY)
QUICK = Timings(
    key_s=0.1,
    association_s=0.1,
    rejoin_s=0.05,
    aps_ack_s=0.04,
    authentication_s=0.1,
    scan_s=0.004,
    mac_ack_s=0.004,
)
HUB_ENDPOINT = SimpleDescriptor(
    endpoint=123, profile=0x0109, device_id=0x0500, input_clusters=(0x0704, 0x0800), output_clusters=(0x0800,)
)


class Listener:
    """Remembers what a stack says."""

    def __init__(self):
        self.messages = asyncio.Queue()
        self.updates = []
        self.children = []
        self.left = asyncio.Queue()

    def aps_received(self, message):
        self.messages.put_nowait(message)

    def device_update(self, eui64, short_address, status, decision, parent):
        self.updates.append((eui64, status, decision.admit))

    def child_update(self, short_address, eui64, *, joining):
        self.children.append((eui64, joining))

    def left_network(self, reason):
        self.left.put_nowait(reason)

    async def message(self, cluster):
        """The next message of a cluster; others are passed over."""
        async with asyncio.timeout(2):
            while (message := await self.messages.get()).cluster != cluster:
                pass
        return message


class Keeper:
    """A trust centre: who is in `keys` gets in; None is a key in the clear."""

    def __init__(self, keys=None):
        self.keys = {PPMID: KEY} if keys is None else keys

    def decide(self, eui64, status):
        if status is JoinStatus.LEFT:
            return TrustDecision(admit=False)
        return TrustDecision(admit=eui64 in self.keys, link_key=self.keys.get(eui64))

    def link_key(self, eui64):
        return self.keys.get(eui64)


class Air:
    """Everything on one medium. `psdus` is all that was on the air."""

    def __init__(self, *, seed=1, keys=None, loss=0.0, timings=QUICK, hub=None, **device):
        self.rng = random.Random(seed)
        self.medium = Medium(self.rng, loss=loss)
        self.sent = []
        self.medium.add_tap(self.sent.append)
        self.timings = timings
        self.keeper = Keeper(keys)
        self.hub_hears, self.ppmid_hears = Listener(), Listener()
        self.hub = self.coordinator(HUB, self.hub_hears, **(hub or {}))
        self.ppmid = Node(self.medium, PPMID, self.ppmid_hears, rng=self.rng, timings=timings, **device)
        self.nodes = [self.hub, self.ppmid]

    def coordinator(self, eui64, listener, **fields):
        return Node(
            self.medium,
            eui64,
            listener,
            coordinator=True,
            trust_centre=self.keeper,
            rng=self.rng,
            timings=self.timings,
            **fields,
        )

    async def __aenter__(self):
        self.hub.power(True)
        self.ppmid.power(True)
        self.hub.form(NETWORK)
        self.hub.add_endpoint(HUB_ENDPOINT)
        self.hub.permit_joining(60)
        return self

    async def __aexit__(self, *error):
        for node in self.nodes:
            await node.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @property
    def psdus(self):
        return [sent.psdu for sent in self.sent]

    def decoded(self, **keys):
        decoder = Decoder(**(keys or {"link_keys": {PPMID: KEY}}))
        return [decoder.feed(psdu) for psdu in self.psdus]

    async def join(self, **fields):
        return await self.ppmid.join((20,), fields.pop("key", KEY), 2.0, **fields)

    def to_hub(self, payload=b"\x01\x02\x03", **changes):
        return ApsRequest(**{**MESSAGE, "payload": payload, **changes})

    def to_ppmid(self, payload=b"\x01\x02\x03", **changes):
        return ApsRequest(
            **{**MESSAGE, "destination": self.ppmid.short_address, "payload": payload, **changes}
        )


MESSAGE = {
    "destination": 0,
    "profile": 0x0109,
    "cluster": 0x0704,
    "source_endpoint": 1,
    "destination_endpoint": 123,
    "mode": DeliveryMode.UNICAST,
}


def run(scenario, **fields):
    """Run a scenario on an Air."""

    async def main():
        async with Air(**fields) as air:
            await scenario(air)

    asyncio.run(main())


async def until(condition, seconds=2.0):
    """Return once a condition holds that nothing can be awaited for."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
