"""A cursor over octets that knows the name of the field it is reading, and DLMS/COSEM lengths.

A length below 128 is one octet; 81 and 82 announce one or two octets of length, big-endian. The shortest
form is the only one accepted, so whatever is read can be written back octet for octet.
Source: DLMS/COSEM A-XDR lengths as GBCS uses them (facts: gb-domain §3.3).
"""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import DecodeError

_SHORT_LENGTHS = tuple(bytes((count,)) for count in range(0x80))


def length_octets(count: int) -> bytes:
    """Write a length of 0 to 65535; raises ValueError beyond that."""
    if 0 <= count < 0x80:
        return _SHORT_LENGTHS[count]
    if not 0 <= count <= 0xFFFF:
        raise ValueError(f"a length of {count} does not fit a GBCS message")
    return bytes([0x81, count]) if count < 0x100 else b"\x82" + count.to_bytes(2, "big")


def with_length(octets: bytes) -> bytes:
    """Put the length of `octets` before them."""
    return length_octets(len(octets)) + octets


class Reader:
    """Reads fields in turn; each method raises DecodeError naming the field and its offset."""

    __slots__ = ("_base", "_octets", "position")

    def __init__(self, octets: bytes, *, base: int = 0) -> None:
        self._octets = octets
        self._base = base
        self.position = 0

    @property
    def remaining(self) -> int:
        """How many octets are left."""
        return len(self._octets) - self.position

    @property
    def offset(self) -> int:
        """Where the next octet stands in the whole message."""
        return self._base + self.position

    def error(self, field: str, reason: str) -> DecodeError:
        """Return (not raise) an error at the next octet."""
        return DecodeError(field, reason, offset=self.offset)

    def take(self, count: int, field: str) -> bytes:
        """Read `count` octets."""
        if count > self.remaining:
            raise self.error(field, f"needs {count} octets, {self.remaining} are left")
        self.position += count
        return self._octets[self.position - count : self.position]

    def rest(self) -> bytes:
        """Read whatever is left."""
        return self.take(self.remaining, "rest")

    def number(self, size: int, field: str) -> int:
        """Read an unsigned number of `size` octets, big-endian."""
        return int.from_bytes(self.take(size, field), "big")

    def literal(self, expected: bytes, field: str) -> None:
        """Read octets that can only be these."""
        start = self.position
        found = self.take(len(expected), field)
        if found != expected:
            self.position = start
            raise self.error(field, f"expected {expected.hex().upper()}, found {found.hex().upper()}")

    def length(self, field: str) -> int:
        """Read a DLMS/COSEM length in its shortest form."""
        start = self.position
        first = self.number(1, field)
        if first < 0x80:
            return first
        size = {0x81: 1, 0x82: 2}.get(first)
        value = self.number(size, field) if size else -1
        if length_octets(max(value, 0)) != self._octets[start : self.position]:
            self.position = start
            raise self.error(field, f"not a length in its shortest form (starts with {first:02X})")
        return value

    def counted(self, field: str) -> bytes:
        """Read octets that a length precedes."""
        return self.take(self.length(f"length of {field}"), field)

    def since(self, read: Callable[[], None]) -> bytes:
        """Return the octets that `read` goes over."""
        start = self.position
        read()
        return self._octets[start : self.position]

    def end(self, field: str) -> None:
        """Raise unless everything is read."""
        if self.remaining:
            raise self.error(field, f"{self.remaining} octets too many")
