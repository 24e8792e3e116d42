"""The CHF Device Log: which devices may be on this HAN, since when, and how far each has got.

Source: CCS01 (add device) and CCS02 (remove device) of GBCS; the Historic Device Log keeps 15 entries, the
oldest overwritten (facts sec-cpl-testing §5.1).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum

from harness.eui64 import Eui64
from harness.hub.link_quality import UNHEARD, LinkQuality
from harness.zigbee.install_code import link_key
from harness.zigbee.swap_out import swap_out_key

_HISTORIC_ENTRIES = 15


class DeviceState(Enum):
    """How far a device in the log has got."""

    WHITELISTED = "whitelisted"  # its join window is open
    JOINED = "joined"  # it has announced itself on the network
    REMOVED = "removed"  # it was told to leave, or left
    EXPIRED = "expired"  # its join window is over and it has not joined
    RESTORED = "restored"  # from the log of the hub that this one replaces; it has yet to come back


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogEntry:
    """One device. Times are the hub's clock in seconds; `install_code` has 16 octets and no CRC.

    `link_key` is the install code's; `derived_key` is what key establishment put in its place, in `suite` 1
    or 2. A device of the log of a hub that was replaced has no install code, and for `link_key` the hash of
    the link key that it had with that one.
    """

    eui64: Eui64
    install_code: bytes
    link_key: bytes
    added_at: float
    window_s: float
    state: DeviceState = DeviceState.WHITELISTED
    short_address: int | None = None
    joined_at: float | None = None
    heard_at: float | None = None  # Unix time
    derived_key: bytes | None = None
    suite: int | None = None
    link: LinkQuality = UNHEARD
    historic_key: bytes | None = None  # the link key that it had here before it was removed

    @property
    def established(self) -> bool:
        """Whether the device, on the network, has established a link key with the hub."""
        return self.state is DeviceState.JOINED and self.derived_key is not None

    @property
    def trust_centre_link_key(self) -> bytes:
        """The key that hub and device share now: the derived one, before that the install code's."""
        return self.derived_key or self.link_key

    @property
    def link_key_hash(self) -> bytes:
        """The hash of the link key that it has established; empty when it has none."""
        if self.derived_key is not None:
            return swap_out_key(self.derived_key)
        return b"" if self.install_code else self.link_key

    @property
    def half_time(self) -> float:
        """When a historic key is no longer good for joining."""
        return self.added_at + self.window_s / 2

    def join_key(self, now: float) -> bytes:
        """Return the key that the device may join by now."""
        return self.historic_key if self.historic_key is not None and now < self.half_time else self.link_key

    @property
    def window_end(self) -> float:
        """When the join window ends."""
        return self.added_at + self.window_s


class DeviceLog:
    """The log and its history; the time is always an argument.

    With `historic_keys` a device that comes back may join by the link key that it had.
    """

    def __init__(self, *, historic_keys: bool = False) -> None:
        self._historic_keys = historic_keys
        self._entries: dict[Eui64, DeviceLogEntry] = {}
        self._historic: deque[DeviceLogEntry] = deque(maxlen=_HISTORIC_ENTRIES)

    def add(self, eui64: Eui64, install_code: bytes, *, window_s: float, now: float) -> DeviceLogEntry:
        """Add a device and open its window. A device that is on the network is left as it is (CCS01).

        Raises ValueError for an install code of a wrong length, or a window of none.
        """
        if window_s <= 0:
            raise ValueError(f"a join window lasts some time, not {window_s} s")
        entry = DeviceLogEntry(
            eui64=eui64,
            install_code=install_code,
            link_key=link_key(install_code),
            added_at=now,
            window_s=window_s,
            historic_key=self._key_of_then(eui64),
        )
        present = self._entries.get(eui64)
        if present is not None and present.state is DeviceState.JOINED:
            return present
        self._entries[eui64] = entry
        return entry

    def remove(self, eui64: Eui64) -> DeviceLogEntry | None:
        """Take a device out; None when it was not in the log (CCS02).

        One that has established a link key here goes into the history, which has it once, as it was removed
        last. What the history has of any other stays.
        """
        entry = self._entries.pop(eui64, None)
        if entry is not None and entry.derived_key is not None:
            self._forget_history_of(eui64)
            self._historic.append(replace(entry, state=DeviceState.REMOVED))
        return entry

    def forget_history(self) -> None:
        """Forget everybody who was removed."""
        self._historic.clear()

    def _key_of_then(self, eui64: Eui64) -> bytes | None:
        if not self._historic_keys:
            return None
        return next((entry.derived_key for entry in self._historic if entry.eui64 == eui64), None)

    def _forget_history_of(self, eui64: Eui64) -> None:
        for known in [entry for entry in self._historic if entry.eui64 == eui64]:
            self._historic.remove(known)

    def get(self, eui64: Eui64) -> DeviceLogEntry | None:
        """Return a device's entry."""
        return self._entries.get(eui64)

    def by_short_address(self, short_address: int) -> DeviceLogEntry | None:
        """Return the entry of a joined device by its address."""
        joined = (entry for entry in self._entries.values() if entry.state is DeviceState.JOINED)
        return next((entry for entry in joined if entry.short_address == short_address), None)

    def joined(self, eui64: Eui64, short_address: int, *, now: float, afresh: bool = False) -> DeviceLogEntry:
        """Note that a device is on the network; one that joined afresh has yet to establish a key."""
        entry = self._entries[eui64]
        if afresh:
            entry = replace(entry, derived_key=None, suite=None)
        return self._set(replace(entry, state=DeviceState.JOINED, short_address=short_address, joined_at=now))

    def heard(
        self, short_address: int, *, at: float, rssi_dbm: int | None = None, lqi: int | None = None
    ) -> None:
        """Note that a device on the network was heard, and how well; `at` is Unix time."""
        entry = self.by_short_address(short_address)
        if entry is not None:
            self._set(replace(entry, heard_at=at, link=entry.link.heard(rssi_dbm, lqi)))

    def sent(self, short_address: int, *, ok: bool) -> None:
        """Note that a message to a device on the network was delivered, or was not."""
        entry = self.by_short_address(short_address)
        if entry is not None:
            self._set(replace(entry, link=entry.link.sent(ok=ok)))

    def restore(self, eui64: Eui64, link_key: bytes, *, now: float) -> DeviceLogEntry:
        """Take in a device of another hub's log, with the key that it will come back by (CCS03)."""
        return self._set(
            DeviceLogEntry(
                eui64=eui64,
                install_code=b"",
                link_key=link_key,
                added_at=now,
                window_s=0,
                state=DeviceState.RESTORED,
            )
        )

    def established(self, eui64: Eui64, derived_key: bytes, suite: int) -> None:
        """Note the link key that a device has established, in suite 1 or 2."""
        entry = self._entries.get(eui64)
        if entry is not None:
            self._set(replace(entry, derived_key=derived_key, suite=suite))

    def left(self, eui64: Eui64) -> DeviceLogEntry | None:
        """Note that a device is no longer on the network; it stays in the log."""
        entry = self._entries.get(eui64)
        if entry is None:
            return None
        return self._set(replace(entry, state=DeviceState.REMOVED, short_address=None))

    def expire(self, now: float) -> tuple[DeviceLogEntry, ...]:
        """End the windows that are over; return their entries."""
        over = [
            entry
            for entry in self._entries.values()
            if entry.state is DeviceState.WHITELISTED and entry.window_end <= now
        ]
        return tuple(self._set(replace(entry, state=DeviceState.EXPIRED)) for entry in over)

    def next_window_end(self) -> float | None:
        """Return when the next open window ends."""
        waiting = (entry for entry in self._entries.values() if entry.state is DeviceState.WHITELISTED)
        return min((entry.window_end for entry in waiting), default=None)

    @property
    def entries(self) -> tuple[DeviceLogEntry, ...]:
        """The log, in the order of adding."""
        return tuple(self._entries.values())

    def link_key_hashes(self) -> dict[Eui64, bytes]:
        """Return the hash of each device's link key, empty for one that has established none."""
        return {entry.eui64: entry.link_key_hash for entry in self._entries.values()}

    @property
    def historic(self) -> tuple[DeviceLogEntry, ...]:
        """What was removed, the oldest first."""
        return tuple(self._historic)

    def _set(self, entry: DeviceLogEntry) -> DeviceLogEntry:
        self._entries[entry.eui64] = entry
        return entry
