"""The medium carries frames on a channel, in order, with loss that a seed decides; taps miss nothing."""

from __future__ import annotations

import asyncio
import random

from drivers.virtual.medium import Medium, lqi_of
from harness.eui64 import Eui64

A, B, C = Eui64(1), Eui64(2), Eui64(3)


class Radio:
    def __init__(self, eui64, channel=20):
        self.eui64 = eui64
        self.listens_on = channel
        self.heard = []

    def hear(self, psdu, rssi_dbm, lqi):
        self.heard.append((psdu, rssi_dbm, lqi))


def on_air(*channels, **fields):
    clock = iter(range(1, 1000))
    medium = Medium(random.Random(7), clock=lambda: float(next(clock)), **fields)
    radios = [Radio(eui64, channel) for eui64, channel in zip((A, B, C), channels, strict=True)]
    for radio in radios:
        medium.attach(radio)
    return medium, *radios


def run(scenario):
    asyncio.run(scenario())


def test_only_who_is_on_the_channel_hears_and_never_the_sender():
    async def scenario():
        medium, one, other, elsewhere = on_air(20, 20, 15)
        medium.transmit(one, 20, b"hello")
        await asyncio.sleep(0)
        assert (len(one.heard), len(other.heard), len(elsewhere.heard)) == (0, 1, 0)

    run(scenario)


def test_a_radio_that_is_off_or_gone_hears_nothing():
    async def scenario():
        medium, one, other, third = on_air(20, None, 20)
        medium.transmit(one, 20, b"hello")
        medium.detach(third)  # while the frame is on its way
        await asyncio.sleep(0)
        assert other.heard == third.heard == []

    run(scenario)


def test_taps_hear_everything_in_order_with_times_that_do_not_overlap():
    async def scenario():
        medium, one, other, _ = on_air(20, 15, 11, loss=1.0)
        taken = []
        remove = medium.add_tap(taken.append)
        for number in range(3):
            medium.transmit(one if number % 2 else other, 20, bytes([number]) * 60)
        remove()
        medium.transmit(one, 20, b"late")
        await asyncio.sleep(0)
        assert [sent.psdu[0] for sent in taken] == [0, 1, 2]
        ends = [sent.time_s + (6 + 60) * 32e-6 for sent in taken]
        assert all(later.time_s >= end for later, end in zip(taken[1:], ends, strict=False))
        assert other.heard == []

    run(scenario)


def test_a_seed_decides_what_is_lost():
    def losses():
        async def scenario():
            medium, one, other, _ = on_air(20, 20, 15, loss=0.5)
            for number in range(50):
                medium.transmit(one, 20, bytes([number]))
            await asyncio.sleep(0)
            found.append([psdu[0] for psdu, _, _ in other.heard])

        run(scenario)

    found = []
    losses()
    losses()
    assert found[0] == found[1]
    assert 10 < len(found[0]) < 40


def test_a_link_has_its_own_loss_and_strength():
    async def scenario():
        medium, one, other, third = on_air(20, 20, 20)
        medium.set_link(A, B, loss=1.0)
        medium.set_link(A, C, rssi_dbm=-90.0)
        medium.transmit(one, 20, b"x")
        await asyncio.sleep(0)
        assert other.heard == []
        assert third.heard == [(b"x", -90.0, lqi_of(-90.0))]

    run(scenario)


def test_latency_delays_and_keeps_the_order():
    async def scenario():
        medium, one, other, _ = on_air(20, 20, 15, latency_s=0.01)
        medium.transmit(one, 20, b"1")
        medium.transmit(one, 20, b"2")
        await asyncio.sleep(0)
        assert other.heard == []
        await asyncio.sleep(0.03)
        assert [psdu for psdu, _, _ in other.heard] == [b"1", b"2"]

    run(scenario)


def test_lqi_follows_the_signal_strength():
    assert [lqi_of(dbm) for dbm in (-20, -35, -65, -95, -120)] == [255, 255, 128, 0, 0]
