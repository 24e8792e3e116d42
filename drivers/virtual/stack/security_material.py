"""What a node keeps to secure its frames: network keys, frame counters in and out, link keys.

Source: 05-3474-22 §4.3.1 (NWK security), §4.4.1 (APS security), §4.3.3 (security material).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps, nwk
from harness.zigbee.aps import ApsFrame
from harness.zigbee.nwk import NwkFrame
from harness.zigbee.security import AuthenticationFailed, AuxHeader, KeyId

F = TypeVar("F", NwkFrame, ApsFrame)

COUNTER_MARGIN = 1024
"""Counters are kept in flash rarely; after a restart a node goes on so far beyond what it kept."""


class Refused(DecodeError):
    """A frame was not let in: no key opens it, or its counter has been used."""


@dataclass(slots=True)
class SecurityMaterial:
    """Keys and counters of one node. Keys have 16 octets; counters 32 bits."""

    eui64: Eui64
    network_keys: dict[int, bytes] = field(default_factory=dict)  # by sequence number
    active_sequence: int = 0
    nwk_counter: int = 0
    aps_counter: int = 0
    _nwk_heard: dict[tuple[Eui64, int], int] = field(default_factory=dict)
    _aps_heard: dict[tuple[Eui64, bytes], int] = field(default_factory=dict)

    def protect_nwk(self, frame: NwkFrame) -> NwkFrame:
        """Return a frame secured with the active network key."""
        counter, self.nwk_counter = self.nwk_counter, self.nwk_counter + 1
        return nwk.protect(
            frame,
            self.network_keys[self.active_sequence],
            frame_counter=counter,
            source=self.eui64,
            key_sequence=self.active_sequence,
        )

    def unprotect_nwk(self, frame: NwkFrame) -> tuple[NwkFrame, AuxHeader]:
        """Return a frame in clear; raises Refused, or DecodeError when it is cut."""
        header = nwk.auxiliary_header(frame)
        sequence = header.key_sequence
        key = self.network_keys.get(sequence) if sequence is not None else None
        if key is None or sequence is None or header.source is None:
            raise Refused("key sequence", f"{sequence} is no key of this node")
        clear, aux = _opened(lambda: nwk.unprotect(frame, key))
        name = (header.source, sequence)
        if aux.frame_counter <= self._nwk_heard.get(name, -1):
            raise Refused("frame counter", f"{aux.frame_counter} of {header.source} was used before")
        self._nwk_heard[name] = aux.frame_counter
        return clear, aux

    def switch_network_key(self, sequence: int) -> None:
        """Use a network key that is known already; the others open nothing any more."""
        self.active_sequence = sequence
        self.network_keys = {sequence: self.network_keys[sequence]}

    def protect_aps(
        self, frame: ApsFrame, link_key: bytes, key_id: KeyId = KeyId.DATA, *, named: bool = False
    ) -> ApsFrame:
        """Return a frame secured with a link key; `named` puts the sender's EUI-64 into it."""
        counter, self.aps_counter = self.aps_counter, self.aps_counter + 1
        return aps.protect(
            frame,
            link_key,
            frame_counter=counter,
            source=self.eui64,
            key_id=key_id,
            extended_nonce=named,
        )

    def unprotect_aps(self, frame: ApsFrame, link_key: bytes, source: Eui64) -> tuple[ApsFrame, AuxHeader]:
        """Return a frame in clear; raises Refused, or DecodeError when it is cut."""
        clear, aux = _opened(lambda: aps.unprotect(frame, link_key, source=source))
        name = (source, link_key)
        if aux.frame_counter <= self._aps_heard.get(name, -1):
            raise Refused("APS frame counter", f"{aux.frame_counter} of {source} was used before")
        self._aps_heard[name] = aux.frame_counter
        return clear, aux

    def forget_peer(self, eui64: Eui64) -> None:
        """Forget what was heard of a node that joins anew, whose counters begin again."""
        self._nwk_heard = {name: last for name, last in self._nwk_heard.items() if name[0] != eui64}
        self._aps_heard = {name: last for name, last in self._aps_heard.items() if name[0] != eui64}

    def forget_network(self) -> None:
        """Forget the network's keys and everybody on it; own counters go on."""
        self.network_keys.clear()
        self._nwk_heard.clear()
        self._aps_heard.clear()

    def save(self) -> dict[str, Any]:
        """Return what is kept without power, as plain json values."""
        return {
            "network_keys": {str(number): key.hex() for number, key in self.network_keys.items()},
            "active_sequence": self.active_sequence,
            "nwk_counter": self.nwk_counter,
            "aps_counter": self.aps_counter,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take what `save` told, counters moved on by their margin."""
        self.network_keys = {int(number): bytes.fromhex(key) for number, key in saved["network_keys"].items()}
        self.active_sequence = saved["active_sequence"]
        self.nwk_counter = saved["nwk_counter"] + COUNTER_MARGIN
        self.aps_counter = saved["aps_counter"] + COUNTER_MARGIN


def _opened(attempt: Callable[[], tuple[F, AuxHeader]]) -> tuple[F, AuxHeader]:
    try:
        return attempt()
    except AuthenticationFailed as error:
        raise Refused(error.field, error.reason) from None
