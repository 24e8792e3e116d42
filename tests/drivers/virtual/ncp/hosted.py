"""A virtual dongle with a real stack behind it, a host in front, and a device on the air."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from contextlib import asynccontextmanager
from functools import partial

from drivers.radio.ezsp import DRIVER
from drivers.virtual.medium import Medium
from drivers.virtual.ncp.dongle import Dongle
from drivers.virtual.ports import PtyPort, TcpPort
from drivers.virtual.stack.node import Node
from harness.rig.faces import DriverContext, Endpoint, NetworkSettings
from harness.tap import NullTap
from tests.drivers.virtual.stack.network import HUB, KEY, PPMID, QUICK, Listener

SE = Endpoint(
    number=123, profile=0x0109, device_id=0x0500, input_clusters=(0x0704, 0x0800), output_clusters=(0x0800,)
)


class RadioHears:
    """A hub's ear on its radio."""

    def __init__(self):
        self.messages = asyncio.Queue()
        self.joins = asyncio.Queue()
        self.lost = asyncio.Queue()

    def radio_message(self, message):
        self.messages.put_nowait(message)

    def radio_join(self, notice):
        self.joins.put_nowait(notice)

    def radio_lost(self, reason):
        self.lost.put_nowait(reason)

    async def message(self, cluster):
        async with asyncio.timeout(2):
            while (message := await self.messages.get()).cluster != cluster:
                pass
        return message


def new_radio(path, **options):
    """The bench's own driver on a dongle; it is not opened yet."""
    return DRIVER.create(DRIVER.options(path=path, **options), DriverContext(name="radio", tap=NullTap()))


class Hosted:
    """`radio` is the bench's own driver; it is not opened yet."""

    def __init__(self, folder, *, version=13, tcp=False, state_file=None):
        rng = random.Random(3)
        self.medium = Medium(rng)
        self.sent = []
        self.medium.add_tap(self.sent.append)
        self.port = TcpPort() if tcp else PtyPort(folder / "dongle")
        self.dongle = Dongle(
            partial(Node, self.medium, HUB, coordinator=True, reassemble=False, rng=rng, timings=QUICK),
            self.port,
            eui64=HUB,
            ezsp_version=version,
            rng=rng,
            state_file=state_file,
        )
        self.device_hears = Listener()
        self.device = Node(self.medium, PPMID, self.device_hears, rng=rng, timings=QUICK)
        self.hears = RadioHears()

    async def __aenter__(self):
        await self.dongle.open()
        self.device.power(True)
        self.radio = self.new_radio()
        return self

    def new_radio(self, **options):
        return new_radio(self.port.path, **options)

    async def __aexit__(self, *error):
        await self.radio.close()
        await self.device.close()
        await self.dongle.close()

    async def start(self, **settings):
        await self.radio.open((SE,), self.hears)
        return await self.radio.form(NetworkSettings(channel=20, **settings))

    async def join(self):
        """Let the device in, with its install code."""
        await self.radio.permit(PPMID, KEY, 60.0)
        joined = await self.device.join((20,), KEY, 2.0)
        assert joined.failure is None, joined
        await self.hears.message(0x0013)
        return joined


def run(scenario, folder, **fields):
    """Run a scenario; nothing is left afterwards."""

    async def main():
        async with Hosted(folder, **fields) as hosted:
            await scenario(hosted)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before, threads = len(os.listdir("/proc/self/fd")), threading.enumerate()
    asyncio.run(main())
    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.enumerate() == threads


@asynccontextmanager
async def bellows_host(path):
    """Unmodified bellows, connected."""
    from bellows.ezsp import EZSP
    from zigpy.config import SCHEMA_DEVICE

    class Owner:
        def connection_lost(self, _):
            pass

    host = EZSP(SCHEMA_DEVICE({"path": path, "baudrate": 115200}), Owner())
    await host.connect(use_thread=False)
    try:
        yield host
    finally:
        await host.disconnect()
        for _ in range(3):
            await asyncio.sleep(0)
