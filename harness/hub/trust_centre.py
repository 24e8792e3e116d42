"""Who is on this HAN and who was refused: the trust centre's book, kept from what the radio tells.

The radio enforces (it holds the keys and the join window); the book says what that meant. A device
that was sent the network key and never announces itself could not open it: its install code is not the
one in the device log. Sans-I/O: times are arguments, deadlines are asked for.
Source: Zigbee 2017 §4.6.3.2 (joining with a preconfigured link key); ZSE 1.4a §5.4 (install codes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from harness.eui64 import Eui64
from harness.hub.device_log import DeviceLog, DeviceLogEntry, DeviceState
from harness.rig.faces import JoinKind, JoinNotice

ANNOUNCE_WITHIN_S = 5.0
BY_HISTORIC_KEY = "by its historic link key"
BY_HASHED_KEY = "trust-centre rejoin: under the hash of the link key that it had with the hub before"
TRUST_CENTRE_REJOIN = "trust-centre rejoin: without the network key, under its link key"


class HubEventKind(Enum):
    """What a hub did or saw."""

    WHITELISTED = "whitelisted"
    ALREADY_JOINED = "already joined"
    KEY_SENT = "network key sent"
    JOINED = "joined"
    REJOINED = "rejoined"
    REFUSED = "refused"
    LEFT = "left"
    REMOVED = "removed"
    WINDOW_OVER = "join window over"
    KEY_ESTABLISHED = "key established"  # with `suite`; the radio has the link key, the device log too
    KEY_NOT_ESTABLISHED = "key not established"
    KEY_NOT_TAKEN = "link key not taken by the radio"
    UNSECURED = "message without link key refused"
    NETWORK_KEY = "network key updated"  # of the hub itself
    RESTORED = "restored"
    IMAGE_ENDED = "image ended"  # a firmware image was handed over, or was given up
    UNDELIVERED = "message not delivered"  # with `cluster`, by the radio's own account
    TUNNEL_CLOSED = "tunnel closed"  # by the hub of its own accord, with `silent_s`


class Refusal(Enum):
    """Why a device is not on the network."""

    NOT_WHITELISTED = "not-whitelisted"
    WINDOW_OVER = "window-over"
    WRONG_INSTALL_CODE = "wrong-install-code"
    DENIED_BY_RADIO = "denied-by-radio"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubEvent:
    """One thing a hub did or saw, by the hub's clock (seconds); `suite` of key establishment is 1 or 2.

    `silent_s` is how long nothing had been said in a tunnel.
    """

    at: float
    kind: HubEventKind
    eui64: Eui64
    refusal: Refusal | None = None
    note: str = ""
    suite: int | None = None
    cluster: int | None = None
    silent_s: float | None = None

    def __str__(self) -> str:
        reason = f" ({self.refusal.value})" if self.refusal else ""
        return f"{self.eui64} {self.kind.value}{reason}" + (f": {self.note}" if self.note else "")


class TrustCentre:
    """Turns the radio's notices into entries of the device log and into events."""

    def __init__(self, log: DeviceLog, record: Callable[[HubEvent], None]) -> None:
        self._log = log
        self._record = record
        self._awaited: dict[Eui64, tuple[float, bool]] = {}  # announcement due by; whether it joins afresh

    def whitelist(self, eui64: Eui64, install_code: bytes, *, window_s: float, now: float) -> DeviceLogEntry:
        """Add a device to the log; ValueError for a bad install code or window."""
        known = self._log.get(eui64)
        entry = self._log.add(eui64, install_code, window_s=window_s, now=now)
        already = known is not None and entry.state is DeviceState.JOINED
        kind = HubEventKind.ALREADY_JOINED if already else HubEventKind.WHITELISTED
        historic = ", the first half of it by its historic link key" if entry.historic_key else ""
        self._note(now, kind, eui64, note=f"join window {window_s:g} s{historic}")
        return entry

    def unlist(self, eui64: Eui64, *, now: float) -> DeviceLogEntry | None:
        """Take a device out of the log; None when it was not in it."""
        self._awaited.pop(eui64, None)
        entry = self._log.remove(eui64)
        if entry is not None:
            self._note(now, HubEventKind.REMOVED, eui64, note=f"was {entry.state.value}")
        return entry

    def restore(self, eui64: Eui64, link_key: bytes, *, now: float) -> None:
        """Take in a device from the log of the hub that this one replaces."""
        self._log.restore(eui64, link_key, now=now)
        self._note(now, HubEventKind.RESTORED, eui64)

    def join_notice(self, notice: JoinNotice, *, now: float) -> None:
        """Take what the radio says of a device that comes or goes."""
        if notice.kind is JoinKind.LEFT:
            self._left(notice.eui64, now)
        elif notice.kind is JoinKind.SECURED_REJOIN:
            self._rejoined(notice, now)
        elif notice.admitted:
            afresh = notice.kind is JoinKind.UNSECURED_JOIN
            self._awaited[notice.eui64] = (now + ANNOUNCE_WITHIN_S, afresh)
            self._note(now, HubEventKind.KEY_SENT, notice.eui64)
        else:
            self._refuse(notice.eui64, self._why(notice.eui64, now), now)

    def announced(self, eui64: Eui64, short_address: int, *, now: float) -> bool:
        """Take a Device_annce; return whether that device is in the log, as it must be."""
        awaited = self._awaited.pop(eui64, None)
        entry = self._log.get(eui64)
        if entry is None:
            self._note(
                now, HubEventKind.JOINED, eui64, note="not in the device log: the radio let it in unasked"
            )
            return False
        afresh = awaited is not None and awaited[1]
        again = entry.state in (DeviceState.JOINED, DeviceState.RESTORED) and not afresh
        self._log.joined(eui64, short_address, now=now, afresh=afresh)
        note = TRUST_CENTRE_REJOIN if again and awaited is not None else ""
        if entry.state is DeviceState.RESTORED and note:
            note = BY_HASHED_KEY
        if afresh and entry.join_key(now) == entry.historic_key:
            note = BY_HISTORIC_KEY
        self._note(now, HubEventKind.REJOINED if again else HubEventKind.JOINED, eui64, note=note)
        return True

    def tick(self, now: float) -> None:
        """Do what is due: end windows, give up on announcements."""
        for eui64, (due, _) in tuple(self._awaited.items()):
            if due <= now:
                del self._awaited[eui64]
                self._refuse(
                    eui64,
                    Refusal.WRONG_INSTALL_CODE,
                    now,
                    note=f"was sent the network key, no announcement within {ANNOUNCE_WITHIN_S:g} s",
                )
        for entry in self._log.expire(now):
            self._note(now, HubEventKind.WINDOW_OVER, entry.eui64, note="it has not joined")

    def next_deadline(self) -> float | None:
        """Return when `tick` is due next."""
        dues = [due for due, _ in self._awaited.values()]
        window_end = self._log.next_window_end()
        return min([*dues, *([window_end] if window_end is not None else [])], default=None)

    def _why(self, eui64: Eui64, now: float) -> Refusal:
        entry = self._log.get(eui64)
        if entry is None:
            return Refusal.NOT_WHITELISTED
        if entry.state is DeviceState.RESTORED:
            return Refusal.DENIED_BY_RADIO  # its window has no end
        over = entry.state is not DeviceState.WHITELISTED or entry.window_end <= now
        return Refusal.WINDOW_OVER if over else Refusal.DENIED_BY_RADIO

    def _left(self, eui64: Eui64, now: float) -> None:
        awaited = self._awaited.pop(eui64, None)
        if awaited is not None:
            self._refuse(eui64, Refusal.WRONG_INSTALL_CODE, now, note="it left without announcing itself")
            return
        entry = self._log.get(eui64)
        if entry is not None and entry.state is DeviceState.JOINED:
            self._log.left(eui64)
        self._note(now, HubEventKind.LEFT, eui64)

    def _rejoined(self, notice: JoinNotice, now: float) -> None:
        entry = self._log.get(notice.eui64)
        if entry is not None:
            self._log.joined(notice.eui64, notice.short_address, now=now)
        self._note(now, HubEventKind.REJOINED, notice.eui64)

    def _refuse(self, eui64: Eui64, refusal: Refusal, now: float, *, note: str = "") -> None:
        self._record(HubEvent(at=now, kind=HubEventKind.REFUSED, eui64=eui64, refusal=refusal, note=note))

    def _note(self, now: float, kind: HubEventKind, eui64: Eui64, *, note: str = "") -> None:
        self._record(HubEvent(at=now, kind=kind, eui64=eui64, note=note))
