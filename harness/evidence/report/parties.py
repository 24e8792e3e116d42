"""Who is who in a timeline: each name, EUI-64 or short address as a lane of the sequence diagram."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.evidence.timeline import Event
from harness.tap import Boundary

USER, DSP, SMI, S1SP, AIR, PPMID, OTHER, BENCH = (
    "user",
    "dsp",
    "smi",
    "s1sp",
    "air",
    "ppmid",
    "other",
    "bench",
)
_LABELS = {
    USER: "Service user",
    DSP: "DSP",
    SMI: "SMI",
    S1SP: "S1SP",
    AIR: "Air",
    PPMID: "PPMID",
    OTHER: "Other device",
    BENCH: "Test port",
}
_HUB = "hub:"
_ORDER = (USER, DSP, SMI, S1SP, _HUB, AIR, PPMID, OTHER, BENCH)
_NAMES = {"dsp": DSP, "smi": SMI, "s1sp": S1SP, "ppmid.port": PPMID, "bench": BENCH, "ppmid": PPMID}
_COORDINATOR, _BROADCASTS = "0x0000", ("0xFFFF", "0xFFFD", "0xFFFC", "0xFFFB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A certificate of a pack: whose key signs documents, and by what a signature names it."""

    issuer: str
    serial: str
    owner: str
    public: str  # an uncompressed point of P-256, hex


@dataclass(frozen=True, slots=True)
class Parties:
    """Knows the bench's parties: hubs by name, EUI-64 and channel, the PPMID's EUI-64, who signs."""

    hubs: Mapping[str, str] = field(default_factory=dict)  # EUI-64 -> name
    names: frozenset[str] = frozenset()
    channels: Mapping[int, str] = field(default_factory=dict)  # channel -> name
    ppmid: str | None = None
    signers: tuple[Signer, ...] = ()

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> Parties:
        """Read them from what a pack says of its bench."""
        hubs = [part for part in run.get("bench", ()) if part.get("kind") == "hub"]
        device: Mapping[str, Any] = next(
            (part for part in run.get("bench", ()) if part.get("kind") == "ppmid"), {}
        )
        known = set(run.get("rig", {}).get("hubs", ()))
        return cls(
            hubs={part["eui64"]: part["name"] for part in hubs if part.get("eui64")},
            names=frozenset(known | {part["name"] for part in hubs}),
            channels={part["channel"]: part["name"] for part in hubs if part.get("channel") is not None},
            ppmid=device.get("eui64"),
            signers=tuple(
                Signer(**{name: str(entry.get(name, "")) for name in ("issuer", "serial", "owner", "public")})
                for entry in run.get("signers", ())
                if isinstance(entry, dict)
            ),
        )

    def lanes_of(self, event: Event) -> tuple[str, str]:
        """Return the lanes that an event goes from and to; the same lane twice for what stays inside.

        Steps of the plan are on none.
        """
        match event.boundary:
            case Boundary.STEP:
                return "", ""
            case Boundary.AIR:
                channel = event.details.get("channel")
                source = self._on_air(event.source, channel)
                return source, self._on_air(event.destination, channel)
            case Boundary.RADIO:
                inwards = event.destination.startswith("hubs.")
                hub = self._named(event.destination if inwards else event.source)
                return (AIR, hub) if inwards else (hub, AIR)
            case Boundary.HUB:
                hub = self._named(event.source)
                return hub, hub
            case Boundary.DUIS:
                return self._named(event.source, USER), self._named(event.destination, USER)
        return self._named(event.source), self._named(event.destination)

    def _named(self, name: str, otherwise: str | None = None) -> str:
        if name in _NAMES:
            return _NAMES[name]
        if name in self.hubs:
            return _HUB + self.hubs[name]
        bare = name.removeprefix("hubs.").removesuffix(".radio")
        if bare in self.names or bare != name:
            return _HUB + bare
        if name == self.ppmid:
            return PPMID
        return otherwise or OTHER

    def _on_air(self, name: str, channel: object) -> str:
        if name == "?" or name in _BROADCASTS:
            return AIR
        if name == _COORDINATOR and isinstance(channel, int) and channel in self.channels:
            return _HUB + self.channels[channel]
        if name == _COORDINATOR:
            return AIR
        if name in self.hubs:
            return _HUB + self.hubs[name]
        if self.ppmid is None or name == self.ppmid or name.startswith("0x"):
            return PPMID
        return OTHER


def lanes(used: Iterable[str], parties: Parties) -> list[dict[str, str]]:
    """Return the lanes of a diagram from left to right, each with its label and what it is."""
    named = {name: eui64 for eui64, name in parties.hubs.items()}
    shown = []
    for lane in sorted(set(used), key=_place):
        if lane.startswith(_HUB):
            name = lane.removeprefix(_HUB)
            shown.append({"id": lane, "label": f"Hub {name}", "note": named.get(name, "")})
        else:
            shown.append({"id": lane, "label": _LABELS[lane], "note": _note(lane, parties)})
    return shown


def _place(lane: str) -> tuple[int, str]:
    return (_ORDER.index(_HUB if lane.startswith(_HUB) else lane), lane)


def _note(lane: str, parties: Parties) -> str:
    return parties.ppmid or "" if lane == PPMID else ""
