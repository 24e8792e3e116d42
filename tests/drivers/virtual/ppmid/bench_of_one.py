"""A virtual PPMID on a real pty, the bench's own driver at the other end, and hubs of the test's making."""

from __future__ import annotations

import asyncio
import os
import threading

from drivers.ppmid.test_port import TestPortOptions, TestPortPpmid
from drivers.virtual.ppmid.config import FirmwareTimings, PpmidConfig
from drivers.virtual.ppmid.device import VirtualPpmid
from harness.documents import Seconds
from harness.rig.faces import DriverContext
from harness.tap import NullTap
from tests.drivers.ppmid.pty_port import TestPty
from tests.drivers.virtual.ppmid.fake_air import CODE, PPMID, SEED, FakeHub, FakeStack

QUICK = FirmwareTimings(question_s=0.05, leave_s=0.5, first_pause_s=0.01, longest_pause_s=0.02)


def config(*defects, **changes):
    values = {
        "eui64": PPMID,
        "install_code": CODE,
        "manufacturer": "1234",
        "model": "00090100",
        "firmware": "01020304",
        "credentials": SEED,
        "defects": frozenset(defects),
        "timings": QUICK,
    }
    return PpmidConfig(**{**values, **changes})


class ListTap(NullTap):
    def __init__(self):
        self.events = []

    def record(self, boundary, source, destination, summary, data=b"", **details):
        self.events.append((boundary, source, destination, summary, data))


class Bench:
    def __init__(self, *defects, hubs=None, **changes):
        self.hub = FakeHub()
        self.hubs = hubs or [self.hub]
        self.hub = self.hubs[0]
        self.pty = TestPty()
        self.tap = ListTap()
        self.device = VirtualPpmid(self._stack, self.pty, config(*defects, **changes))

    def _stack(self, listener):
        self.stack = FakeStack(self.hubs, listener)
        return self.stack

    async def __aenter__(self):
        await self.device.open()
        options = TestPortOptions(
            path=self.pty.path,
            answer_timeout=Seconds(0.2),
            join_grace=Seconds(0.2),
            leave_timeout=Seconds(2.0),
        )
        self.port = TestPortPpmid(options, DriverContext(name="ppmid", tap=self.tap))
        await self.port.open()
        return self

    async def __aexit__(self, *error):
        await self.port.close()
        await self.device.close()

    async def join(self):
        outcome = await self.port.join(2.0)
        assert outcome.joined, outcome
        return outcome.status

    def said(self):
        """Lines that the device sent."""
        return [summary for _, source, _, summary, _ in self.tap.events if source == "ppmid"]


async def until(condition, seconds=2.0):
    """Return once a condition holds that nothing can be awaited for."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def run(scenario, *defects, **changes):
    """Run a scenario; afterwards no task, thread or file descriptor is left."""

    async def main():
        async with Bench(*defects, **changes) as bench:
            await scenario(bench)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = len(os.listdir("/proc/self/fd"))
    threads = threading.enumerate()
    asyncio.run(main())
    assert threading.enumerate() == threads
    assert len(os.listdir("/proc/self/fd")) == before
