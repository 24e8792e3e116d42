"""Captures as Wireshark reads them: pcapng, IEEE 802.15.4 TAP frames (linktype 283), one interface a channel.

Network keys go into the file as Decryption Secrets Blocks, before the first frame that needs them. Wireshark
names these blocks and does not use them (4.0): `wireshark` writes what it does use. All numbers are
little-endian. Source: pcapng (draft-ietf-opsawg-pcapng), IEEE 802.15.4 TAP link type specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.evidence.limits import Allowance

LINKTYPE_IEEE802_15_4_TAP = 283
LINKTYPE_IEEE802_15_4_NO_FCS = 230

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 0x0000000A
_BYTE_ORDER = 0x1A2B3C4D
_SNAP = 65535
_OPT_END, _OPT_COMMENT, _IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL, _SHB_APPLICATION = 0, 1, 2, 3, 9, 4
_MICROSECONDS = 6
_TAP_FCS, _TAP_RSS, _TAP_CHANNEL, _TAP_LQI = 0, 1, 3, 10
_FCS_16_BIT = 1
SECRETS_ZIGBEE_NWK_KEY = 0x5A4E574B
SECRETS_ZIGBEE_APS_KEY = 0x5A415053


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFrame:
    """One frame of a capture: the PSDU with its FCS, and how it was heard. `time_s` is Unix time."""

    time_s: float
    channel: int
    psdu: bytes
    rssi_dbm: float
    lqi: int
    page: int = 0
    comments: tuple[str, ...] = ()


def section(application: str) -> bytes:
    """Return a section header block, the start of a file."""
    body = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1) + _options((_SHB_APPLICATION, application.encode()))
    return _block(_SECTION, body)


def interface(name: str, linktype: int = LINKTYPE_IEEE802_15_4_TAP, description: str = "") -> bytes:
    """Return an interface description block; interfaces are numbered from 0 in the file's order."""
    body = struct.pack("<HHI", linktype, 0, _SNAP)
    told = [(_IF_NAME, name.encode()), (_IF_TSRESOL, bytes([_MICROSECONDS]))]
    if description:
        told.append((_IF_DESCRIPTION, description.encode()))
    return _block(_INTERFACE, body + _options(*told))


def packet(number: int, frame: CapturedFrame) -> bytes:
    """Return an enhanced packet block for a frame heard on interface `number`."""
    return plain_packet(number, frame.time_s, tap_header(frame) + frame.psdu, frame.comments)


def plain_packet(number: int, time_s: float, data: bytes, comments: Sequence[str] = ()) -> bytes:
    """Return an enhanced packet block; `time_s` is Unix time."""
    time_us = round(time_s * 1_000_000)
    head = struct.pack("<IIIII", number, time_us >> 32, time_us & 0xFFFFFFFF, len(data), len(data))
    return _block(_PACKET, head + _padded(data) + _comments(comments))


def _comments(comments: Sequence[str]) -> bytes:
    if not comments:
        return b""
    return _options(*((_OPT_COMMENT, text.encode("utf-8", "backslashreplace")) for text in comments))


def tap_header(frame: CapturedFrame) -> bytes:
    """Return the TAP pseudo-header: FCS type, RSS in dBm, channel and page, LQI."""
    fields = (
        (_TAP_FCS, bytes([_FCS_16_BIT])),
        (_TAP_RSS, struct.pack("<f", frame.rssi_dbm)),
        (_TAP_CHANNEL, struct.pack("<HB", frame.channel, frame.page)),
        (_TAP_LQI, bytes([frame.lqi])),
    )
    body = b"".join(struct.pack("<HH", kind, len(value)) + _padded(value) for kind, value in fields)
    return struct.pack("<BBH", 0, 0, 4 + len(body)) + body


def network_key_secret(key: bytes, pan_id: int) -> bytes:
    """Return a block that holds a network key."""
    return _secrets(SECRETS_ZIGBEE_NWK_KEY, key + struct.pack("<H", pan_id))


def _secrets(kind: int, secret: bytes) -> bytes:
    return _block(_SECRETS, struct.pack("<II", kind, len(secret)) + _padded(secret))


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _options(*options: tuple[int, bytes]) -> bytes:
    body = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return body + struct.pack("<HH", _OPT_END, 0)


class PcapngWriter:
    """Writes a capture, a block at a time; a killed run leaves whole blocks."""

    def __init__(self, path: Path, application: str, *, allowance: Allowance | None = None) -> None:
        self._allowance = allowance or Allowance()
        self._octets = 0
        self._full = False
        self._file = path.open("wb", buffering=0)
        self._interfaces: dict[int, int] = {}
        self._network_keys: set[bytes] = set()
        self._file.write(section(application))
        self.frames = 0

    def add_network_key(self, key: bytes, pan_id: int) -> None:
        """Put a network key (16 octets) into the file, unless it is in it already."""
        if key not in self._network_keys and not self._file.closed:
            self._network_keys.add(key)
            self._file.write(network_key_secret(key, pan_id))

    def write(self, frame: CapturedFrame) -> int | None:
        """Write a frame and return its number, counted from 1; None, and nothing is written, after `close`.

        The last frame of a full file says that it is full, and what comes then is not written either.
        """
        if self._file.closed or self._full:
            return None
        number = self._interfaces.get(frame.channel)
        if number is None:
            number = self._interfaces[frame.channel] = len(self._interfaces)
            self._file.write(interface(f"channel {frame.channel}"))
        block = packet(number, frame)
        self._octets += len(block)
        self._full = self._octets > self._allowance.limits.file or not self._allowance.take(len(block))
        if self._full:
            said = "the capture is full: later frames are left out"
            block = packet(number, replace(frame, comments=(*frame.comments, said)))
        self._file.write(block)
        self.frames += 1
        return self.frames

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()


def read_psdus(path: Path) -> Iterator[bytes]:
    """Yield the PSDUs of a capture of PcapngWriter, in order; a last block cut short is passed over."""
    for kind, block in _blocks(path.read_bytes()):
        if kind == _PACKET:
            (captured,) = struct.unpack_from("<I", block, 20)
            whole = block[28 : 28 + captured]
            (tap_length,) = struct.unpack_from("<H", whole, 2)
            yield whole[tap_length:]


def with_comments(capture: bytes, comments: Mapping[int, Sequence[str]]) -> bytes:
    """Return a capture of PcapngWriter with more comments on its frames, which are counted from 1."""
    told = bytearray()
    number = 0
    for kind, block in _blocks(capture):
        number += kind == _PACKET
        if kind == _PACKET and comments.get(number):
            (captured,) = struct.unpack_from("<I", block, 20)
            end = 28 + captured + -captured % 4
            kept = block[end:-4].removesuffix(bytes(4))  # the options that it has, without their end
            told += _block(_PACKET, block[8:end] + kept + _comments(comments[number]))
        else:
            told += block
    return bytes(told)


def _blocks(capture: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each block's type and its octets; a last block cut short is passed over."""
    at = 0
    while at + 12 <= len(capture):
        kind, length = struct.unpack_from("<II", capture, at)
        if length < 12 or at + length > len(capture):
            return
        yield kind, capture[at : at + length]
        at += length
