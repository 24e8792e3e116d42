"""A hub on a fake radio with a clock that the test turns."""

from __future__ import annotations

import asyncio
import contextlib

from harness.hub.core import CommunicationsHub
from harness.hub.profile import HubProfile, load_profile
from harness.rig.faces import NetworkSettings
from harness.tap import NullTap
from tests.hub.fake_radio import CarelessFakeRadio, FakeDevice


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class ListTap(NullTap):
    def __init__(self):
        self.events = []

    def record(self, boundary, source, destination, summary, data=b"", **details):
        self.events.append((boundary, summary, details))


class HubBench:
    def __init__(self, profile, defects, radio=CarelessFakeRadio, kind=CommunicationsHub):
        self.clock = Clock()
        self.radio = radio(self.clock)
        self.tap = ListTap()
        self.hub = kind(
            "smets2",
            profile if isinstance(profile, HubProfile) else load_profile(profile),
            self.radio,
            self.tap,
            self.clock,
            defects=defects,
            wall_clock=lambda: 1_800_000_000.0,
        )
        self.device = FakeDevice(self.radio)

    async def advance(self, seconds):
        """Turn the clock, and let the hub notice."""
        self.clock.now += seconds
        self.hub._timekeeper.wake()
        await settle()

    def refusals(self):
        return [event.refusal.value for event in self.hub.events if event.refusal]


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def run(
    scenario,
    *,
    profile="smets2",
    defects=(),
    radio=CarelessFakeRadio,
    kind=CommunicationsHub,
    prepare=lambda hub: None,
):
    """Run `scenario(bench)` on a started hub; insist that stopping leaves no task and no open radio."""

    async def main():
        bench = HubBench(profile, defects, radio, kind)
        prepare(bench.hub)
        await bench.hub.start(NetworkSettings(channel=20))
        try:
            await scenario(bench)
        finally:
            await bench.hub.stop()
            await bench.hub.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not bench.radio.opened

    with contextlib.closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(main())
