"""What can go wrong on the line between a dongle and its host, switched on for so many frames.

Source: facts zigbee-ezsp §6 (faults that users of real dongles report).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class LineFaults:
    """Counts of frames from the dongle that are still to be spoilt; `silent` spoils all, both ways."""

    corrupt: int = 0
    drop: int = 0
    duplicate: int = 0
    delay: int = 0
    delay_s: float = 0.2
    silent: bool = False
    deaf: bool = False  # takes what the host sends, and its acknowledgements, but never answers
    junk: bytes = field(default=b"")  # goes out before the next frame

    def spoil(self, frame: bytes) -> tuple[bytes, float]:
        """Return what goes on the line in place of a frame, and how many seconds late."""
        if self.silent:
            return b"", 0.0
        junk, self.junk = self.junk, b""
        if self.drop:
            self.drop -= 1
            return junk, 0.0
        if self.corrupt:
            self.corrupt -= 1
            at = len(frame) // 2
            return junk + frame[:at] + bytes((frame[at] ^ 0x04,)) + frame[at + 1 :], 0.0
        if self.duplicate:
            self.duplicate -= 1
            return junk + frame + frame, 0.0
        if self.delay:
            self.delay -= 1
            return junk + frame, self.delay_s
        return junk + frame, 0.0
