"""Reading octets from the front, with a DecodeError where they end too soon."""

from __future__ import annotations

from harness.errors import DecodeError


class Cursor:
    """A place in some octets; whatever is taken beyond their end is a DecodeError."""

    __slots__ = ("octets", "offset")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.offset = 0

    @property
    def remaining(self) -> int:
        """How many octets are left."""
        return len(self.octets) - self.offset

    def take(self, count: int, field: str) -> bytes:
        """Return the next `count` octets. Raises DecodeError when there are fewer."""
        start = self.offset
        end = start + count
        if end > len(self.octets):
            reason = f"needs {count} octets, {self.remaining} are left"
            raise DecodeError(field, reason, offset=start)
        self.offset = end
        return self.octets[start:end]

    def number(self, count: int, field: str, *, signed: bool = False) -> int:
        """Return the next `count` octets as a little-endian number."""
        start = self.offset
        end = start + count
        if end > len(self.octets):
            self.take(count, field)  # says so
        self.offset = end
        return int.from_bytes(self.octets[start:end], "little", signed=signed)

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(self.remaining, "rest")
