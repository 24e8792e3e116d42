"""The face of the tap: every octet that crosses a boundary passes `record` once.

Drivers, hubs and the DCC are handed a Tap; `harness.evidence` implements it. Nothing else logs traffic.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Boundary(Enum):
    """Where traffic is seen."""

    AIR = "air"  # IEEE 802.15.4 frames, as the sniffer hears them
    RADIO = "radio"  # APS messages between a hub and its dongle
    SERIAL = "serial"  # the PPMID's test port
    DUIS = "duis"  # service requests and responses between service user and DSP
    GBCS = "gbcs"  # GBCS messages between DSP and hub
    S1SP = "s1sp"  # between DSP and S1SP
    INVENTORY = "inventory"  # changes of the SMI
    HUB = "hub"  # a hub's own decisions: device log, trust centre
    STEP = "step"  # what the plan did


class Tap(Protocol):
    """Records one event; cheap, thread-safe, never raises."""

    def record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes = b"",
        **details: object,
    ) -> None:
        """Stamp and store. `details` must be plain json values (str, int, float, bool, None, list, dict)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What was recorded."""

    boundary: Boundary
    source: str
    destination: str
    summary: str
    data: bytes
    details: Mapping[str, object]


class EventTap(ABC):
    """A tap that takes an event as one thing."""

    def record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes = b"",
        **details: object,
    ) -> None:
        """Make an event of it."""
        self.take(
            Event(
                boundary=boundary,
                source=source,
                destination=destination,
                summary=summary,
                data=data,
                details=details,
            )
        )

    @abstractmethod
    def take(self, event: Event) -> None:
        """Take an event; cheap, thread-safe, never raises."""


class NullTap(EventTap):
    """A tap for code that runs outside a case."""

    def take(self, event: Event) -> None:
        """Drop the event."""
