"""Install codes: what is printed on a device, and the link key that it stands for.

A code has 6, 8, 12 or 16 octets; a CRC-16/X-25 follows it, least significant octet first; the link key is
the AES-MMO hash of both. Source: 13-0402 (Base Device Behavior) §10.1; Zigbee SE 1.4 §5.4.8.1.
"""

from __future__ import annotations

from collections.abc import Callable

import crcmod

from harness.errors import DecodeError
from harness.zigbee.security import mmo_hash

LENGTHS = (6, 8, 12, 16)
"""Octets of an install code, without its CRC."""

_crc_x25: Callable[[bytes], int] = crcmod.mkCrcFun(0x11021, initCrc=0, rev=True, xorOut=0xFFFF)


def with_crc(code: bytes) -> bytes:
    """Return an install code followed by its CRC. Raises ValueError for a wrong length."""
    if len(code) not in LENGTHS:
        raise ValueError(f"an install code has 6, 8, 12 or 16 octets, not {len(code)}")
    return code + _crc_x25(code).to_bytes(2, "little")


def check_crc(printed: bytes) -> bytes:
    """Return the code of a code with CRC. Raises DecodeError for a wrong length or CRC."""
    if len(printed) - 2 not in LENGTHS:
        reason = f"has {len(printed)} octets with its CRC, must have 8, 10, 14 or 18"
        raise DecodeError("install code", reason)
    code, crc = printed[:-2], printed[-2:]
    expected = with_crc(code)[-2:]
    if crc != expected:
        reason = f"is {crc.hex().upper()}, must be {expected.hex().upper()}"
        raise DecodeError("install code CRC", reason, offset=len(code))
    return code


def link_key(code: bytes) -> bytes:
    """Return the 16-octet link key of an install code given without CRC. Raises ValueError."""
    return mmo_hash(with_crc(code))


def link_key_of_printed(printed: bytes) -> bytes:
    """Return the link key of an install code given with its CRC. Raises DecodeError."""
    return link_key(check_crc(printed))
