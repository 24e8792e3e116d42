"""ASH as the network processor speaks it, against bellows as the host, on lines that lose and spoil."""

from __future__ import annotations

import asyncio
import random

import bellows.ash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.virtual.ncp.ash import (
    AshNcp,
    Deframer,
    HostData,
    HostReset,
    ResetCode,
    encode,
    randomised,
)

RST = b"\x1a" * 32 + bytes.fromhex("C038BC7E")


def connected():
    ncp = AshNcp(ack_timeout_s=1.0)
    assert ncp.feed(RST, 0.0) == [HostReset()]
    ncp.started(ResetCode.SOFTWARE)
    ncp.take_output()
    return ncp


def data(number, payload, *, ack=0, again=False):
    return encode(bytes([number << 4 | (8 if again else 0) | ack]) + randomised(payload))


def test_a_reset_is_answered_with_its_cause():
    ncp = AshNcp()
    assert ncp.feed(RST, 0.0) == [HostReset()]
    ncp.started(ResetCode.SOFTWARE)
    assert ncp.take_output() == [bytes.fromhex("C1020B0A527E")]


@given(st.binary(min_size=1, max_size=128))
def test_bellows_reads_our_frames_and_we_read_its(payload):
    frame = bellows.ash.DataFrame(frm_num=3, re_tx=True, ack_num=5, ezsp_frame=payload)
    ours = bytes([3 << 4 | 8 | 5]) + randomised(payload)
    assert frame.to_bytes()[:-2] == ours
    assert bellows.ash.parse_frame(bellows.ash.AshProtocol._unstuff_bytes(encode(ours)[:-1])) == frame
    assert Deframer().feed(bellows.ash.AshProtocol._stuff_bytes(frame.to_bytes()) + b"\x7e") == [ours]


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 9))
def test_frames_come_out_whole_however_the_line_cuts_them(bodies, size):
    bodies = [b"\x81" + body for body in bodies]
    line = b"".join(encode(body) for body in bodies)
    deframer = Deframer()
    found = []
    for start in range(0, len(line), size):
        found += deframer.feed(line[start : start + size])
    assert found == bodies


@given(st.binary(min_size=3, max_size=60), st.data())
def test_a_flipped_bit_is_never_taken_for_a_frame(body, choose):
    line = bytearray(encode(body))
    at = choose.draw(st.integers(0, len(line) - 2))
    line[at] ^= 1 << choose.draw(st.integers(0, 7))
    assert body not in Deframer().feed(bytes(line))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\x18" + encode(b"\x00abc"), id="substitute"),
        pytest.param(b"\x7d" + b"\x7e", id="escape before flag"),
        pytest.param(b"\x01\x02\x7e", id="too short"),
        pytest.param(bytes(200) + b"\x7e", id="too long"),
    ],
)
def test_what_is_spoilt_is_told_apart_from_nothing(line):
    assert Deframer().feed(line) == [None]
    assert Deframer().feed(b"\x11\x13\x1aboot\x1a\x7e\x7e") == []


def test_data_is_acknowledged_by_what_is_sent_next_or_by_itself():
    ncp = connected()
    assert ncp.feed(data(0, b"one"), 0.0) == [HostData(b"one")]
    assert ncp.take_output() == [encode(b"\x81")]
    assert ncp.feed(data(1, b"two"), 0.0) == [HostData(b"two")]
    ncp.send(b"answer", 0.0)
    assert ncp.take_output() == [data(0, b"answer", ack=2)]


def test_a_gap_is_rejected_once_until_it_is_filled():
    ncp = connected()
    assert ncp.feed(data(2, b"early") + data(3, b"earlier"), 0.0) == []
    assert ncp.take_output() == [encode(b"\xa0")]
    assert ncp.feed(data(0, b"at last"), 0.0) == [HostData(b"at last")]
    assert ncp.feed(data(3, b"again"), 0.0) == []
    assert ncp.take_output() == [encode(b"\xa1")]


def test_a_repeat_is_acknowledged_and_not_delivered_again():
    ncp = connected()
    ncp.feed(data(0, b"one"), 0.0)
    ncp.take_output()
    assert ncp.feed(data(0, b"one", again=True), 0.0) == []
    assert ncp.take_output() == [encode(b"\x81")]


def test_at_most_three_frames_are_under_way():
    ncp = connected()
    for number in range(5):
        ncp.send(bytes([number]), 0.0)
    assert len(ncp.take_output()) == 3
    ncp.feed(encode(b"\x82"), 0.0)  # the host has the first two
    assert ncp.take_output() == [data(3, b"\x03"), data(4, b"\x04")]


def test_what_is_not_acknowledged_is_repeated_and_then_given_up():
    ncp = connected()
    ncp.send(b"x", 0.0)
    assert ncp.take_output() == [data(0, b"x")]
    for second in (1.0, 2.0, 3.0):
        assert ncp.next_deadline() == second
        ncp.tick(second - 0.01)
        assert ncp.take_output() == []
        ncp.tick(second)
        assert ncp.take_output() == [data(0, b"x", again=True)]
    ncp.tick(4.0)
    assert ncp.take_output() == [encode(b"\xc2\x02\x51")]
    assert ncp.next_deadline() is None
    assert not ncp.connected


def test_a_nak_has_everything_repeated():
    ncp = connected()
    ncp.send(b"a", 0.0)
    ncp.send(b"b", 0.0)
    ncp.take_output()
    ncp.feed(encode(b"\xa0"), 0.5)
    assert ncp.take_output() == [data(0, b"a", again=True), data(1, b"b", again=True)]
    assert ncp.next_deadline() == 1.5


def test_before_a_reset_nothing_is_said():
    ncp = AshNcp()
    assert ncp.feed(data(0, b"one"), 0.0) == []
    ncp.send(b"x", 0.0)
    assert ncp.take_output() == []


class Line(asyncio.Transport):
    """A line between bellows' host and our network processor that spoils frames by a seed."""

    def __init__(self, rng, loss):
        super().__init__()
        self.rng, self.loss = rng, loss
        self.ncp = AshNcp(ack_timeout_s=0.01)
        self.host = None
        self.heard = []
        self.clean = 2  # frames since the last one spoilt; a question and its answer get through

    def write(self, octets):
        self._deliver(self._spoil(octets), self._to_ncp)

    def _spoil(self, octets):
        chance = self.rng.random()
        spoilt = chance < 2 * self.loss and self.clean >= 2
        self.clean = 0 if spoilt else self.clean + 1
        if spoilt and chance < self.loss:
            return b""
        if spoilt:
            at = self.rng.randrange(len(octets))
            return octets[:at] + bytes([octets[at] ^ 1 << self.rng.randrange(8)]) + octets[at + 1 :]
        return octets + octets if chance < 2.5 * self.loss else octets

    def _deliver(self, octets, taker):
        if octets:
            asyncio.get_running_loop().call_soon(taker, octets)

    def _to_ncp(self, octets):
        now = asyncio.get_running_loop().time()
        for event in self.ncp.feed(octets, now):
            if isinstance(event, HostReset):
                self.ncp.started(ResetCode.SOFTWARE)
            else:
                self.heard.append(event.frame)
                self.ncp.send(b"answer to " + event.frame, now)
        self.flush()

    def flush(self):
        for frame in self.ncp.take_output():
            self._deliver(self._spoil(frame), self.host.data_received)
        deadline = self.ncp.next_deadline()
        if deadline is not None:
            asyncio.get_running_loop().call_at(deadline, self._tick)

    def _tick(self):
        self.ncp.tick(asyncio.get_running_loop().time())
        self.flush()

    def is_closing(self):
        return False

    def close(self):
        pass


class Gateway:
    """What bellows' ASH hands up to."""

    def __init__(self):
        self.frames = []
        self.reset = asyncio.get_running_loop().create_future()

    def connection_made(self, _):
        pass

    def connection_lost(self, _):
        pass

    def reset_received(self, code):
        if not self.reset.done():
            self.reset.set_result(code)

    def error_received(self, code):
        self.reset.set_exception(AssertionError(code))

    def data_received(self, frame):
        self.frames.append(frame)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.2]))
def test_bellows_and_we_lose_and_double_nothing_on_a_bad_line(seed, loss):
    async def talk():
        line = Line(random.Random(seed), 0.0)
        gateway = Gateway()
        line.host = host = bellows.ash.AshProtocol(gateway)
        host._t_rx_ack = 0.01
        host._change_ack_timeout = lambda _: None
        host.connection_made(line)
        host.send_reset()
        await gateway.reset
        line.loss = loss
        asked = [b"frame %d" % number for number in range(12)]
        async with asyncio.timeout(20):
            for frame in asked:
                await host.send_data(frame)
        line.loss = 0.0
        async with asyncio.timeout(5):
            while len(gateway.frames) < len(asked):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        assert line.heard == asked
        assert gateway.frames == [b"answer to " + frame for frame in asked]

    asyncio.run(talk())
