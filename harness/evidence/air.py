"""The air as it is heard in a case: each frame decoded once, with what expectations ask of it kept."""

from __future__ import annotations

from dataclasses import dataclass

from harness.eui64 import Eui64
from harness.rig.faces import SniffedFrame
from harness.zigbee.aps_commands import KeyType, TransportKey
from harness.zigbee.decoder import DecodedFrame, Decoder


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFrame:
    """One frame: when (Unix time), on which channel, who to whom, what it was, and the decoder's record."""

    time_s: float
    channel: int
    source: str
    destination: str
    summary: str
    record: DecodedFrame


class AirRecord:
    """Decodes what is heard. Keys may be added while it goes on, before the frames that need them."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._frames: list[HeardFrame] = []

    def add_network_key(self, key: bytes, sequence: int = 0) -> None:
        """Know one more network key (16 octets)."""
        self._decoder.keys.add_network_key(key, sequence)

    def add_link_key(self, eui64: Eui64, key: bytes) -> None:
        """Know one more link key of a device (16 octets)."""
        self._decoder.keys.add_link_key(key, eui64)

    def heard(self, frame: SniffedFrame) -> HeardFrame:
        """Decode one frame and keep it."""
        record = self._decoder.feed(frame.psdu)
        heard = HeardFrame(
            time_s=frame.time_s,
            source=_party(record.source_eui64, record.nwk.source if record.nwk else _mac(record, "source")),
            destination=_party(
                record.destination_eui64,
                record.nwk.destination if record.nwk else _mac(record, "destination"),
            ),
            summary=record.summary,
            channel=frame.channel,
            record=record,
        )
        self._frames.append(heard)
        return heard

    @property
    def frames(self) -> tuple[HeardFrame, ...]:
        """Everything heard so far."""
        return tuple(self._frames)

    def network_keys_in_clear(self) -> tuple[HeardFrame, ...]:
        """Return the frames that carried a network key for everybody to read."""
        return tuple(frame for frame in self._frames if _is_clear_key(frame.record))

    def undecoded(self) -> tuple[HeardFrame, ...]:
        """Return the frames that the decoder could not read to the end."""
        return tuple(frame for frame in self._frames if frame.record.error is not None)


def _is_clear_key(record: DecodedFrame) -> bool:
    command = record.aps_command
    return (
        isinstance(command, TransportKey)
        and command.key_type is KeyType.STANDARD_NETWORK_KEY
        and not record.aps_decrypted
    )


def _mac(record: DecodedFrame, side: str) -> int | Eui64 | None:
    address: int | Eui64 | None = getattr(record.mac, side) if record.mac is not None else None
    return address


def _party(eui64: Eui64 | None, address: int | Eui64 | None) -> str:
    if eui64 is not None:
        return str(eui64)
    if isinstance(address, int):
        return f"0x{address:04X}"
    return str(address) if address is not None else "?"
