"""Which keys a hub has had in use, how one comes into use, and whether it can establish new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.hub.device_log import DeviceLog
from harness.hub.events import EventBook
from harness.hub.trust_centre import HubEventKind
from harness.rig.faces import Radio
from harness.zigbee.cbke.authority import CredentialStore
from harness.zigbee.cbke.suites import SUITES, Suite


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


class KeyKeeper:
    """Has link keys that were established used: by the radio first, then in the device log.

    `trouble` is what the radio said when it did not take one.
    """

    def __init__(self, radio: Radio, log: DeviceLog, known: LinkKeys, book: EventBook) -> None:
        self._radio = radio
        self._log = log
        self._known = known
        self._book = book
        self.trouble: RigFault | None = None

    async def established(self, eui64: Eui64, link_key: bytes, suite: Suite) -> None:
        """Use a key that was established just now. Raises RigFault when the radio does not take it."""
        self._known.add(eui64, link_key)
        await self._give(eui64, link_key)
        self._log.established(eui64, link_key, suite.number)
        self._book.note(HubEventKind.KEY_ESTABLISHED, eui64, suite.name, suite=suite.number)

    async def _give(self, eui64: Eui64, link_key: bytes) -> None:
        try:
            await self._radio.set_link_key(eui64, link_key)
        except RigFault as fault:
            self.trouble = fault
            self._book.note(HubEventKind.KEY_NOT_TAKEN, eui64, fault.message)
            raise


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
