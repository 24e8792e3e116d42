"""What a hub did and saw: kept in order, recorded at the tap, told to whoever listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import RadioUndelivered, RigFault
from harness.eui64 import Eui64
from harness.hub.device_log import DeviceLog
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.rig.faces import ApsMessage
from harness.tap import Boundary, Tap

_LOG = logging.getLogger(__name__)


class EventBook:
    """The events of one hub. `clock` gives seconds."""

    def __init__(self, name: str, tap: Tap, clock: Callable[[], float]) -> None:
        self._name = name
        self._tap = tap
        self._clock = clock
        self._listeners: list[Callable[[HubEvent], None]] = []
        self.events: list[HubEvent] = []

    def listen(self, listener: Callable[[HubEvent], None]) -> Callable[[], None]:
        """Tell `listener` of every event from now, until what is returned is called."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    def note(self, kind: HubEventKind, eui64: Eui64, note: str = "", suite: int | None = None) -> None:
        """Record what happens now."""
        self.record(HubEvent(at=self._clock(), kind=kind, eui64=eui64, note=note, suite=suite))

    def tunnel_closed(self, eui64: Eui64, silent_s: float) -> None:
        """Record that the hub closes a device's tunnel, in which nothing was said for so long."""
        note, kind = f"by the hub, {silent_s:.1f} s after it was last used", HubEventKind.TUNNEL_CLOSED
        self.record(HubEvent(at=self._clock(), kind=kind, eui64=eui64, note=note, silent_s=silent_s))

    @contextmanager
    def delivering(self, message: ApsMessage, log: DeviceLog) -> Iterator[None]:
        """Note in the log how it went, and record what the radio did not deliver; the error goes on."""
        try:
            yield
            log.sent(message.peer, ok=True)
        except (RadioUndelivered, RigFault) as error:
            if isinstance(error, RadioUndelivered):
                log.sent(message.peer, ok=False)
            entry = log.by_short_address(message.peer)
            eui64 = message.peer_eui64 or (entry.eui64 if entry is not None else None)
            if eui64 is not None:
                kind, cluster = HubEventKind.UNDELIVERED, message.cluster
                self.record(
                    HubEvent(at=self._clock(), kind=kind, eui64=eui64, note=error.message, cluster=cluster)
                )
            raise

    def record(self, event: HubEvent) -> None:
        """Record an event."""
        self.events.append(event)
        for listener in tuple(self._listeners):
            listener(event)
        self._tap.record(
            Boundary.HUB,
            self._name,
            str(event.eui64),
            str(event),
            event=event.kind.value,
            refusal=event.refusal.value if event.refusal else None,
        )
        if event.kind is HubEventKind.REFUSED:
            _LOG.info("hub %s: %s", self._name, event)
