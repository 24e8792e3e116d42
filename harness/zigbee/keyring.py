"""What a passive decoder knows: network keys, link keys, and which EUI-64 goes by which short address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps, nwk
from harness.zigbee.aps import ApsFrame
from harness.zigbee.nwk import NwkFrame
from harness.zigbee.security import AuthenticationFailed, AuxHeader, KeyId


class KeyRing:
    """Keys, and trying them on a frame until one opens it.

    A network key is known by its sequence number, which says which to try first and no more: two
    networks on one bench both begin at 0. A link key may belong to an EUI-64, or to nobody known.
    """

    def __init__(
        self,
        network_keys: Iterable[tuple[int, bytes]] = (),
        link_keys: Mapping[Eui64, bytes] | None = None,
        other_link_keys: Iterable[bytes] = (),
    ) -> None:
        self._network: dict[bytes, int] = {key: sequence for sequence, key in network_keys}
        self._link: dict[Eui64, list[bytes]] = {eui: [key] for eui, key in (link_keys or {}).items()}
        self._other: list[bytes] = list(other_link_keys)

    def add_network_key(self, key: bytes, sequence: int = 0) -> None:
        """Know one more network key."""
        self._network[key] = sequence

    def add_link_key(self, key: bytes, eui64: Eui64 | None = None) -> None:
        """Know one more link key; those of a device that were known before stay."""
        keys = self._other if eui64 is None else self._link.setdefault(eui64, [])
        if key not in keys:
            keys.insert(0, key)

    @property
    def network_keys(self) -> tuple[tuple[int, bytes], ...]:
        """The network keys known by now, each after its sequence number."""
        return tuple((sequence, key) for key, sequence in self._network.items())

    def open_nwk(self, frame: NwkFrame) -> tuple[NwkFrame, AuxHeader] | None:
        """Return a secured NWK frame in clear, or None when no key opens it. Raises DecodeError if cut."""
        sequence = nwk.auxiliary_header(frame).key_sequence
        for key in self._network_keys_for(sequence):
            try:
                return nwk.unprotect(frame, key)
            except AuthenticationFailed:
                continue
        return None

    def open_aps(
        self, frame: ApsFrame, source: Eui64 | None, destination: Eui64 | None
    ) -> tuple[ApsFrame, AuxHeader] | None:
        """Return a secured APS frame in clear, or None when no key opens it. Raises DecodeError if cut.

        The addresses say which link keys to try first, and stand in for a source that the frame leaves out.
        """
        aux = aps.auxiliary_header(frame)
        if aux.source is None and source is None:
            raise DecodeError("source EUI-64", "is neither in the frame nor known by its short address")
        if aux.key_id is KeyId.NETWORK:
            keys = self._network_keys_for(aux.key_sequence)
        else:
            keys = self._link_keys_for(aux.source or source, destination)
        for key in keys:
            try:
                return aps.unprotect(frame, key, source=source)
            except AuthenticationFailed:
                continue
        return None

    def _network_keys_for(self, sequence: int | None) -> list[bytes]:
        return sorted(self._network, key=lambda key: self._network[key] != sequence)

    def _link_keys_for(self, *parties: Eui64 | None) -> list[bytes]:
        first = [key for party in parties if party is not None for key in self._link.get(party, ())]
        rest = [key for keys in self._link.values() for key in keys] + self._other
        return list(dict.fromkeys(first + rest))


class AddressBook:
    """Which EUI-64 goes by which short address on which PAN, as last heard."""

    def __init__(self) -> None:
        self._eui64: dict[tuple[int, int], Eui64] = {}

    def learn(self, pan: int | None, short_address: int, eui64: Eui64 | None) -> None:
        """Note a pair, unless a part of it is missing or is no address of one node."""
        if pan is None or eui64 is None or nwk.is_broadcast(short_address):
            return
        self._eui64[pan, short_address] = eui64

    def eui64(self, pan: int | None, short_address: int | None) -> Eui64 | None:
        """Return who goes by a short address, or None."""
        if pan is None or short_address is None:
            return None
        return self._eui64.get((pan, short_address))
