"""Which keys a hub has had in use, and whether it has the certificates to establish new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.zigbee.cbke.authority import CredentialStore
from harness.zigbee.cbke.suites import SUITES


@dataclass(frozen=True, slots=True, kw_only=True)
class HubKeys:
    """The keys that a decoder needs to read a hub's HAN; 16 octets each.

    Of each device every link key that has been in use: the install code's, and those established.
    """

    network_key: bytes
    link_keys: Mapping[Eui64, tuple[bytes, ...]]


class LinkKeys:
    """Every link key since the start, by device, in the order of their use."""

    def __init__(self) -> None:
        self._keys: dict[Eui64, dict[bytes, None]] = {}

    def add(self, eui64: Eui64, key: bytes) -> None:
        """Know one more."""
        self._keys.setdefault(eui64, {})[key] = None

    def all(self) -> Mapping[Eui64, tuple[bytes, ...]]:
        """Return them all."""
        return {eui64: tuple(keys) for eui64, keys in self._keys.items()}


def check_credentials(name: str, own: Eui64, suites: int, credentials: CredentialStore) -> None:
    """Raise RigFault unless hub `name` has a certificate of its own for each suite of the bitmap `suites`."""
    for number, suite in SUITES.items():
        if not number & suites:
            continue
        try:
            credentials.credentials(own, suite)
        except KeyError:
            raise RigFault(
                f"hub {name} has no {suite.name} certificate for its dongle, {own}",
                remedy="name its file under `pki.certificates`, or give the dongle the certificate's EUI-64",
            ) from None
