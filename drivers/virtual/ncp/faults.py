"""What can go wrong with a dongle: on the line between it and its host, and in what it says of its network.

Counts say for how many of the next frames, messages or notices; what lasts is a flag.
Source: facts zigbee-ezsp §6 (faults that users of real dongles report).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FLAG, CANCEL = b"\x7e", b"\x1a"
_ACK_OR_NAK, _ACK = 0xE0, 0x80
# How long a frame is on its way when the line spoils all of them: at 115200 baud, or both ends would repeat
# theirs as fast as the machine can.
_ON_ITS_WAY_S = 0.005


@dataclass(slots=True)
class Direction:
    """What happens to the next frames one way."""

    corrupt: int = 0
    drop: int = 0
    duplicate: int = 0
    cut: int = 0
    delay: int = 0
    delay_s: float = 0.2

    def spoil(self, frame: bytes) -> tuple[bytes, float]:
        """Return what goes on the line in place of a frame, and how many seconds late."""
        if self.drop:
            self.drop -= 1
            return b"", 0.0
        if self.corrupt:
            self.corrupt -= 1
            at = len(frame) // 2
            return frame[:at] + bytes((frame[at] ^ 0x04,)) + frame[at + 1 :], 0.0
        if self.cut:
            self.cut -= 1
            return frame[: len(frame) // 2], 0.0
        if self.duplicate:
            self.duplicate -= 1
            return frame + frame, 0.0
        if self.delay:
            self.delay -= 1
            return frame, self.delay_s
        return frame, 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing is to be spoilt."""
        return not (self.corrupt or self.drop or self.duplicate or self.cut or self.delay)


@dataclass(slots=True)
class LineFaults:
    """The line. `silent` lets nothing pass either way; `deaf` leaves acknowledgements, but no answers."""

    to_host: Direction = field(default_factory=Direction)
    to_dongle: Direction = field(default_factory=Direction)
    silent: bool = False
    deaf: bool = False
    eats_nuls: bool = False  # a flow control that the two ends do not agree on
    starved: bool = False  # the host's acknowledgements do not arrive
    junk: bytes = b""  # goes out before the next frame
    _begun: bytes = b""  # of a frame of the host's

    def spoil(self, frame: bytes) -> tuple[bytes, float]:
        """Return what goes to the host in place of a frame, and how many seconds late."""
        if self.silent:
            return b"", 0.0
        junk, self.junk = self.junk, b""
        octets, late_s = self.to_host.spoil(frame)
        if self.eats_nuls:
            octets, late_s = octets.replace(b"\0", b""), max(late_s, _ON_ITS_WAY_S)
        return junk + octets, late_s

    def spoil_incoming(self, octets: bytes) -> Iterable[tuple[bytes, float]]:
        """Yield what reaches the dongle of what its host sent, each with how many seconds late it is."""
        if self.silent:
            return
        if not self._begun and not self.starved and self.to_dongle.clean:
            yield octets, 0.0
            return
        *frames, self._begun = (self._begun + octets).split(FLAG)
        for frame in frames:
            if not (self.starved and _acknowledges(frame)):
                yield self.to_dongle.spoil(frame + FLAG)


def _acknowledges(frame: bytes) -> bool:
    return frame[:1] != b"" and frame[0] & _ACK_OR_NAK == _ACK


@dataclass(slots=True)
class Mishaps:
    """What goes wrong behind the line: with messages, with the network's notices, with who may join."""

    failures: int = 0  # unicasts reported as not delivered, and not sent
    refusals: int = 0  # unicasts refused as too many
    repeats: int = 0  # reports of a message's end that come twice
    status_missing: int = 0
    status_twice: int = 0
    status_late: int = 0
    status_late_s: float = 0.5
    stays_shut: bool = False  # says that devices may join, and lets none
    forgets_keys: bool = False  # says that it keeps a joiner's key, and does not
    keys_full: bool = False  # has room for no further link key
    refuses_keys: bool = False  # keeps no link key that it is given, and says so
    scans_partly: bool = False
    scans_twice: bool = False
