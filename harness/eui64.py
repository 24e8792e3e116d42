"""EUI-64, the one identifier that SEC, GBCS and Zigbee share, and the one place where its byte order turns.

DUIS and GBCS write it big-endian (``00-DB-12-34-56-78-90-A4``); Zigbee sends it little-endian.
Source: facts gb-domain §1.2 (EUI pattern); IEEE 802.15.4-2006 §7.2.1 (little-endian addresses).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(r"^(?:[0-9A-Fa-f]{2}[-: ]?){7}[0-9A-Fa-f]{2}$")


@dataclass(frozen=True, slots=True, order=True)
class Eui64:
    """An EUI-64 as the number that its canonical text spells, most significant octet first."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << 64:
            raise ValueError(f"EUI-64 out of range: {self.value:#x}")

    @classmethod
    def parse(cls, text: str) -> Eui64:
        """Read ``00-DB-…-A4``, with hyphens, colons, blanks or nothing between the octets.

        Raises ValueError for anything else.
        """
        if not _TEXT.match(text):
            raise ValueError(f"not an EUI-64: {text!r} (expected 8 octets such as 00-DB-12-34-56-78-90-A4)")
        return cls(int(re.sub(r"[-: ]", "", text), 16))

    @classmethod
    def from_bytes_be(cls, octets: bytes) -> Eui64:
        """Read 8 octets as GBCS and DUIS carry them."""
        return cls(_number(octets, "big"))

    @classmethod
    def from_bytes_le(cls, octets: bytes) -> Eui64:
        """Read 8 octets as Zigbee carries them."""
        return cls(_number(octets, "little"))

    def to_bytes_be(self) -> bytes:
        """Return 8 octets for GBCS and DUIS."""
        return self.value.to_bytes(8, "big")

    def to_bytes_le(self) -> bytes:
        """Return 8 octets for Zigbee."""
        return self.value.to_bytes(8, "little")

    def __str__(self) -> str:
        return self.to_bytes_be().hex("-").upper()


def _number(octets: bytes, order: str) -> int:
    if len(octets) != 8:
        raise ValueError(f"an EUI-64 has 8 octets, not {len(octets)}")
    return int.from_bytes(octets, "big" if order == "big" else "little")
