"""ASH version 2 as the network processor speaks it: frames on a byte stream, numbered, repeated, checked.

Sans-I/O: octets and clock readings (seconds) come in as arguments, frames and octets go out.
Source: UG101 UART-EZSP Gateway Protocol Reference (frame formats §2, protocol §3).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

import crcmod

_FLAG = b"\x7e"
FLAG, ESCAPE, XON, XOFF, SUBSTITUTE, CANCEL = 0x7E, 0x7D, 0x11, 0x13, 0x18, 0x1A
_SPECIAL = re.compile(rb"[\x7E\x7D\x11\x13\x18\x1A]")
_FLIP = 0x20
_VERSION = 2
_RST, _RSTACK, _ERROR = 0xC0, 0xC1, 0xC2
_NAK_BIT, _NOT_READY, _RETRANSMITTED = 0x20, 0x08, 0x08
_LONGEST_FRAME = 131  # control, 128 octets of data, CRC
_SHORTEST_DATA = 3
_MODULO = 8
_WINDOW = 3
_TIMEOUTS_ALLOWED = 4

_crc: Callable[[bytes], int] = crcmod.mkCrcFun(0x11021, initCrc=0xFFFF, rev=False, xorOut=0)


class ResetCode(IntEnum):
    """Why the network processor has reset (RSTACK), or has stopped (ERROR)."""

    UNKNOWN = 0x00
    EXTERNAL = 0x01
    POWER_ON = 0x02
    WATCHDOG = 0x03
    ASSERT = 0x06
    BOOTLOADER = 0x09
    SOFTWARE = 0x0B
    MAXIMUM_ACK_TIMEOUTS = 0x51


@dataclass(frozen=True, slots=True)
class HostReset:
    """The host has asked for a reset."""


@dataclass(frozen=True, slots=True)
class HostData:
    """An EZSP frame from the host."""

    frame: bytes


AshEvent = HostReset | HostData


def _pseudo_random(length: int) -> bytes:
    value, sequence = 0x42, bytearray()
    for _ in range(length):
        sequence.append(value)
        value = value >> 1 ^ 0xB8 if value & 1 else value >> 1
    return bytes(sequence)


_PSEUDO_RANDOM = _pseudo_random(256)


def randomised(data: bytes) -> bytes:
    """Return data (256 octets at most) exclusive-or the pseudo-random sequence; twice undoes it (§4.3)."""
    length = len(data)
    mask = int.from_bytes(_PSEUDO_RANDOM[:length], "big")
    return (int.from_bytes(data, "big") ^ mask).to_bytes(length, "big")


def _stuffed(found: re.Match[bytes]) -> bytes:
    return bytes((ESCAPE, found[0][0] ^ _FLIP))


def encode(body: bytes) -> bytes:
    """Return a frame as it goes on the line: CRC, stuffing, flag."""
    return _SPECIAL.sub(_stuffed, body + _crc(body).to_bytes(2, "big")) + _FLAG


class Deframer:
    """Takes octets, gives frame bodies without CRC; None stands for a frame that was spoilt."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._escaped = self._spoilt = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """Take octets; return the frames that they complete."""
        bodies: list[bytes | None] = []
        *ended, begun = data.split(_FLAG)
        for piece in ended:
            self._take(piece)
            bodies += self._ended()
        self._take(begun)
        return bodies

    def _take(self, piece: bytes) -> None:
        if not self._escaped and _SPECIAL.search(piece) is None:
            self._octets += piece
        else:
            self._take_singly(piece)
        self._spoilt = self._spoilt or len(self._octets) > _LONGEST_FRAME
        if self._spoilt:
            self._octets.clear()

    def _take_singly(self, piece: bytes) -> None:
        for octet in piece:
            if octet == CANCEL:
                self._begin()
            elif octet == SUBSTITUTE:
                self._spoilt = True
            elif octet in (XON, XOFF):
                continue
            elif octet == ESCAPE:
                self._escaped = True
            else:
                self._octets.append(octet ^ _FLIP if self._escaped else octet)
                self._escaped = False

    def _begin(self) -> None:
        self._octets.clear()
        self._escaped = self._spoilt = False

    def _ended(self) -> list[bytes | None]:
        octets, spoilt = bytes(self._octets), self._spoilt or self._escaped
        self._begin()
        if spoilt:
            return [None]
        if not octets:
            return []
        if len(octets) < _SHORTEST_DATA or _crc(octets[:-2]) != int.from_bytes(octets[-2:], "big"):
            return [None]
        return [octets[:-2]]


@dataclass(slots=True)
class _Sent:
    number: int
    data: bytes
    sent: bool = False


class AshNcp:
    """The protocol machine. After `feed`, `send` and `tick`, `take_output` gives the frames to write."""

    def __init__(self, *, ack_timeout_s: float = 0.8) -> None:
        self._ack_timeout_s = ack_timeout_s
        self._deframer = Deframer()
        self._out: list[bytes] = []
        self.connected = False
        self._disconnect()

    def _disconnect(self) -> None:
        self.connected = False
        self._queue: deque[_Sent] = deque()
        self._next = self._expected = 0
        self._rejecting = self._owes_ack = False
        self._deadline: float | None = None
        self._timeouts = 0

    # What the host sends.

    def feed(self, octets: bytes, now: float) -> list[AshEvent]:
        """Take octets of the line."""
        events: list[AshEvent] = []
        for body in self._deframer.feed(octets):
            if body is None:
                self._reject()
                continue
            control = body[0]
            if control == _RST:
                self._disconnect()
                events.append(HostReset())
            elif not self.connected:
                continue
            elif not control & 0x80:
                events += self._data(control, body[1:], now)
            elif control & 0xC0 == 0x80:
                self._acknowledged(control, now)
        return events

    def _data(self, control: int, data: bytes, now: float) -> list[AshEvent]:
        self._release(control & 7, now)
        number = control >> 4 & 7
        if number == self._expected:
            self._expected = (number + 1) % _MODULO
            self._rejecting = False
            self._owes_ack = True
            return [HostData(randomised(data))]
        if control & _RETRANSMITTED:
            self._owes_ack = True  # our acknowledgement was lost
        else:
            self._reject()
        return []

    def _reject(self) -> None:
        if self.connected and not self._rejecting:
            self._rejecting = True
            self._owes_ack = False
            self._out.append(encode(bytes((0xA0 | self._expected,))))

    def _acknowledged(self, control: int, now: float) -> None:
        self._release(control & 7, now)
        if control & _NAK_BIT:
            self._repeat(now)

    def _release(self, number: int, now: float) -> None:
        """Let go of frames before `number`, which is what the host expects next."""
        if not self._queue:
            return
        while any(entry.number == (number - 1) % _MODULO and entry.sent for entry in self._queue):
            self._queue.popleft()
            self._timeouts = 0
            self._deadline = now + self._ack_timeout_s if self._sent_count() else None
        self._transmit(now)

    # What we send.

    def started(self, code: int) -> None:
        """Say that the network processor has reset (ResetCode); from now on it is connected."""
        self._disconnect()
        self.connected = True
        self._out.append(encode(bytes((_RSTACK, _VERSION, code))))

    def fail(self, code: int) -> None:
        """Say that the network processor has stopped (ResetCode); only a reset helps."""
        self._disconnect()
        self._out.append(encode(bytes((_ERROR, _VERSION, code))))

    def send(self, frame: bytes, now: float) -> None:
        """Send an EZSP frame; dropped when the host is not connected."""
        if not self.connected:
            return
        self._queue.append(_Sent(self._next, randomised(frame)))
        self._next = (self._next + 1) % _MODULO
        self._transmit(now)

    def _sent_count(self) -> int:
        return sum(entry.sent for entry in self._queue)

    def _transmit(self, now: float) -> None:
        for entry in islice(self._queue, _WINDOW):
            if not entry.sent:
                entry.sent = True
                self._write(entry, repeated=False)
                if self._deadline is None:
                    self._deadline = now + self._ack_timeout_s

    def _repeat(self, now: float) -> None:
        for entry in self._queue:
            if entry.sent:
                self._write(entry, repeated=True)
                self._deadline = now + self._ack_timeout_s

    def _write(self, entry: _Sent, *, repeated: bool) -> None:
        control = entry.number << 4 | (_RETRANSMITTED if repeated else 0) | self._expected
        self._owes_ack = False
        self._out.append(encode(bytes((control,)) + entry.data))

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Repeat what was not acknowledged in time; give up after several times."""
        if self._deadline is None or now < self._deadline:
            return
        self._timeouts += 1
        if self._timeouts >= _TIMEOUTS_ALLOWED:
            self.fail(ResetCode.MAXIMUM_ACK_TIMEOUTS)
        else:
            self._repeat(now)

    def take_output(self) -> list[bytes]:
        """Return the frames to write, in order; an acknowledgement owed goes last if nothing carried it."""
        if self._owes_ack and self.connected:
            self._owes_ack = False
            self._out.append(encode(bytes((0x80 | self._expected,))))
        out, self._out = self._out, []
        return out
