"""Frames of the reference test port, host side: HDLC-like, one line a frame. No I/O.

::

    7E | line (ASCII) and its FCS-16/X-25, least significant octet first, both stuffed | 7E

An octet 7E or 7D between the flags goes as 7D and the octet with bit 5 inverted. One flag may close a frame
and open the next. Source: docs/port-your-console.md; ISO/IEC 13239 (flags, octet stuffing, FCS).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import crcmod

FLAG = 0x7E
ESCAPE = 0x7D
TURN = 0x20
LONGEST_LINE = 512
"""Octets in a line, at most."""

_FCS_OCTETS = 2
_PRINTABLE = range(0x20, 0x7F)

fcs16: Callable[[bytes], int] = crcmod.mkCrcFun(0x11021, initCrc=0, rev=True, xorOut=0xFFFF)
"""FCS-16/X-25; 0x906E for the octets ``123456789``."""


class Damage(Enum):
    """Why octets were no frame."""

    NO_FLAG = "octets outside a frame"
    TOO_SHORT = "frame of less than three octets"
    TOO_LONG = "frame too long"
    CUT = "frame broken off"
    WRONG_FCS = "wrong FCS"
    NOT_ASCII = "line not printable ASCII"


@dataclass(frozen=True, slots=True)
class Frame:
    """A good frame: its line, and its octets between the flags as they were on the wire."""

    line: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Dropped:
    """Octets that were no good frame."""

    damage: Damage
    octets: bytes


def encode(line: str) -> bytes:
    """Return a line's frame, flags included. Raises ValueError for what no frame may carry."""
    if not line or len(line) > LONGEST_LINE:
        raise ValueError(f"a line has 1 to {LONGEST_LINE} octets, not {len(line)}")
    if any(ord(character) not in _PRINTABLE for character in line):
        raise ValueError(f"a line is printable ASCII: {line!r}")
    content = line.encode("ascii")
    return bytes([FLAG]) + _stuffed(content + fcs16(content).to_bytes(2, "little")) + bytes([FLAG])


def _stuffed(content: bytes) -> bytes:
    stuffed = bytearray()
    for octet in content:
        stuffed += bytes([ESCAPE, octet ^ TURN]) if octet in (FLAG, ESCAPE) else bytes([octet])
    return bytes(stuffed)


class FrameReader:
    """Cuts a stream of octets into frames, however it comes in pieces."""

    _LONGEST_ON_WIRE = 2 * (LONGEST_LINE + _FCS_OCTETS)

    def __init__(self) -> None:
        self._octets = bytearray()
        self._inside = False  # a flag has been seen, so what follows may be a frame
        self._overlong = False

    def feed(self, octets: bytes) -> list[Frame | Dropped]:
        """Take octets and return what they complete, in order."""
        found: list[Frame | Dropped] = []
        for octet in octets:
            if octet == FLAG:
                found += self._flag()
            elif len(self._octets) < self._LONGEST_ON_WIRE:
                self._octets.append(octet)
            else:
                self._overlong = True  # keep no more: a device gone mad must not fill the memory
        return found

    def _flag(self) -> list[Frame | Dropped]:
        octets, inside, overlong = bytes(self._octets), self._inside, self._overlong
        self._octets.clear()
        self._inside, self._overlong = True, False
        if not octets:
            return []  # flags may be repeated, and one flag may stand for two
        if not inside:
            return [Dropped(Damage.NO_FLAG, octets)]
        if overlong:
            return [Dropped(Damage.TOO_LONG, octets)]
        return [_judge(octets)]


def _judge(octets: bytes) -> Frame | Dropped:
    content = bytearray()
    escaped = False
    for octet in octets:
        if escaped:
            content.append(octet ^ TURN)
            escaped = False
        elif octet == ESCAPE:
            escaped = True
        else:
            content.append(octet)
    line, fcs = bytes(content[:-_FCS_OCTETS]), bytes(content[-_FCS_OCTETS:])
    damage: Damage | None = None
    if escaped:
        damage = Damage.CUT
    elif not line:
        damage = Damage.TOO_SHORT
    elif len(line) > LONGEST_LINE:
        damage = Damage.TOO_LONG
    elif fcs16(line) != int.from_bytes(fcs, "little"):
        damage = Damage.WRONG_FCS
    elif any(octet not in _PRINTABLE for octet in line):
        damage = Damage.NOT_ASCII
    return Dropped(damage, octets) if damage else Frame(line.decode("ascii"), octets)
