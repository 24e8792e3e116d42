"""What a rig is made of: the faces that `drivers` implements and everything above works with.

A driver is found by name in the entry-point group ``ppmid_bench.drivers``; the entry is a DriverSpec.
All coroutines run on the harness's one event loop; a driver with threads of its own hides them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.eui64 import Eui64
from harness.tap import Tap


class Face(Enum):
    """What kind of thing a driver drives."""

    RADIO = "radio"
    PPMID = "ppmid"
    POWER = "power"
    SNIFFER = "sniffer"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverContext:
    """What a driver is given besides its options."""

    name: str  # the resource's name in the rig, e.g. "hubs.smets1.radio"
    tap: Tap
    environment: Environment | None = None
    run_dir: Path | None = None  # scratch, removed after the run


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSpec:
    """What an entry point names. `options` is a frozen dataclass, bound from the rig file."""

    face: Face
    options: type[Any]
    create: Callable[[Any, DriverContext], Any]
    summary: str


# --- environment: what must run before any port can be opened (the virtual bench, a farm lease) -----


class Environment(Protocol):
    """Something that provides ports; `start` returns values for ``${environment.NAME}`` in the rig."""

    def start(self) -> Mapping[str, str]:
        """Bring it up; blocking. Raises RigFault."""

    def stop(self) -> None:
        """Take it down and leave nothing behind; may be called twice."""

    def add_sniffer(self, callback: Callable[[SniffedFrame], None]) -> Callable[[], None]:
        """Hand every frame on the air to `callback` (from another thread); return what removes it."""

    def switch_power(self, node: str, *, on: bool) -> None:
        """Switch a node's supply."""

    def inject_fault(self, node: str, fault: str, **arguments: object) -> None:
        """Make a node misbehave, e.g. ``unplug`` / ``replug``; StimulusImpossible when it cannot."""


# --- the radio of a hub ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A simple descriptor that the coordinator shows."""

    number: int
    profile: int
    device_id: int
    input_clusters: tuple[int, ...]
    output_clusters: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How a hub forms its network. None lets the radio choose."""

    channel: int
    pan_id: int | None = None
    extended_pan_id: Eui64 | None = None
    network_key: bytes | None = None  # 16 octets
    tx_power_dbm: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioInfo:
    """What the radio says of itself."""

    eui64: Eui64
    stack: str  # e.g. "EZSP 13"
    firmware: str
    board: str | None = None
    manufacturer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkState:
    """The network as formed or resumed."""

    channel: int
    pan_id: int
    extended_pan_id: Eui64
    network_key: bytes
    network_key_sequence: int
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApsMessage:
    """An APS data message, whole (fragments are put together below this face)."""

    peer: int  # NWK short address of the other side
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    payload: bytes
    link_key_secured: bool = False
    broadcast: bool = False
    peer_eui64: Eui64 | None = None
    lqi: int | None = None
    rssi_dbm: int | None = None


class JoinKind(Enum):
    """How a device came or went, as the trust centre sees it."""

    SECURED_REJOIN = "secured rejoin"
    UNSECURED_JOIN = "unsecured join"
    LEFT = "left"
    TRUST_CENTRE_REJOIN = "trust centre rejoin"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinNotice:
    """The trust centre's notice of a device. `admitted` is False when the radio denied it the network key."""

    kind: JoinKind
    eui64: Eui64
    short_address: int
    parent: int
    admitted: bool


class RadioListener(Protocol):
    """Told of everything that a radio receives; called on the harness's loop, must not block."""

    def radio_message(self, message: ApsMessage) -> None:
        """Take an APS message (ZDO included, profile 0)."""

    def radio_join(self, notice: JoinNotice) -> None:
        """Take a join, rejoin or leave."""

    def radio_lost(self, reason: str) -> None:
        """Note that the radio is gone (unplugged, reset, silent); nothing works until it is opened again."""


class Radio(Protocol):
    """A coordinator's radio and trust centre. Every method raises RigFault when the radio is at fault."""

    async def open(self, endpoints: tuple[Endpoint, ...], listener: RadioListener) -> RadioInfo:
        """Open the port, talk to the radio, register endpoints. RigFault names the port and what to do."""

    async def form(self, settings: NetworkSettings) -> NetworkState:
        """Form a new Smart Energy network, or resume when the radio is already on one with these settings."""

    async def close(self) -> None:
        """Close the port; never raises; may be called twice."""

    async def permit(self, eui64: Eui64, link_key: bytes, window_s: float) -> None:
        """Let this one device in for `window_s`, under its install-code link key (16 octets)."""

    async def set_link_key(self, eui64: Eui64, link_key: bytes) -> None:
        """Share this link key (16 octets) with a device from now on, in place of the one before."""

    async def close_window(self) -> None:
        """Let nobody in from now, and forget transient keys."""

    async def send(self, message: ApsMessage, *, timeout_s: float = 10.0) -> None:
        """Send, fragmenting as needed, and wait for the APS acknowledgement.

        Raises RadioUndelivered when the peer did not acknowledge, RigFault when the radio is at fault.
        """

    async def remove(self, eui64: Eui64, short_address: int) -> None:
        """Tell a device to leave, and forget its keys."""

    async def forget_key(self, eui64: Eui64) -> None:
        """Erase the link key kept for a device; no error when there is none."""

    async def forget_all_keys(self) -> None:
        """Erase the link keys kept for all devices."""

    async def update_network_key(self, network_key: bytes) -> NetworkState:
        """Send everybody another network key (16 octets), have it used, and use it."""

    async def ping(self) -> None:
        """Prove that the radio answers; RigFault when it does not."""


# --- the PPMID under test ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidIdentity:
    """What a PPMID says of itself."""

    eui64: Eui64
    manufacturer: str  # 4 hex digits
    model: str  # 8 hex digits, hardware version included
    firmware: str  # 8 hex digits


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidStatus:
    """What a PPMID says of its place on a HAN. `mode` is its own text: "SMETS1", "SMETS2+" or "none".

    `suite_used` is the suite by which it has established its link key: 0 for none, None when it does not say.
    """

    state: str  # "out" | "joining" | "joined"
    mode: str
    suites_offered: int  # key-establishment suite bitmask read from the hub; 0 when none was read
    channel: int | None = None
    pan_id: int | None = None
    extended_pan_id: Eui64 | None = None
    short_address: int | None = None
    parent: Eui64 | None = None
    suite_used: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinOutcome:
    """How an attempt to join ended. `reason` is the PPMID's own word when it stayed out."""

    joined: bool
    reason: str | None
    elapsed_s: float
    status: PpmidStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCommand:
    """One command that reached the PPMID's application. `kind` is "gbcs" or "zcl"."""

    kind: str
    fields: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class UnsecuredReader(Protocol):
    """A PPMID that can be told to do wrong, to see whether its hub notices. Few can."""

    async def read_unsecured(self, cluster: int, attribute: int) -> int | None:
        """Have it read an attribute of the hub under the network key alone.

        Returns the ZCL status that the hub answered with, 0 when it gave the value, None for no answer.
        """


class PpmidPort(Protocol):
    """A PPMID as its bench driver reaches it. DutFault when it answers wrongly, RigFault when the port fails.

    A driver raises StimulusImpossible for a verb that its device does not have.
    """

    async def open(self) -> None:
        """Open the port; RigFault names the port and what to do."""

    async def close(self) -> None:
        """Close the port; never raises; may be called twice."""

    async def identify(self) -> PpmidIdentity:
        """Ask who it is; this also proves the port healthy."""

    async def status(self) -> PpmidStatus:
        """Ask where it is."""

    async def join(self, timeout_s: float) -> JoinOutcome:
        """Have it look for a network and join, and wait until it says how that ended."""

    async def leave(self) -> None:
        """Have it leave its network and forget its mode; no error when it is on none."""

    async def set_install_code(self, install_code: bytes) -> None:
        """Give it another install code (16 octets, without CRC)."""

    async def received(self) -> tuple[ReceivedCommand, ...]:
        """Return and clear what reached its application since the last call."""

    async def raise_alert(self, code: int) -> None:
        """Have it raise a GBCS alert, such as 0x8F8B, at once."""


# --- supply and sniffer ----------------------------------------------------------------------------------


class Power(Protocol):
    """A supply that can be switched."""

    async def switch(self, *, on: bool) -> None:
        """Switch; returns when the supply has the state asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SniffedFrame:
    """One frame on the air: the whole PSDU with its 2-octet FCS. `time_s` is Unix time."""

    time_s: float
    channel: int
    psdu: bytes
    rssi_dbm: float
    lqi: int
    page: int = 0


class Sniffer(Protocol):
    """A passive capture radio."""

    async def start(self, callback: Callable[[SniffedFrame], None]) -> None:
        """Capture from now; `callback` is called on the harness's loop."""

    async def drain(self) -> None:
        """Return when every frame that was on the air before the call has been handed to the callback."""

    async def stop(self) -> None:
        """Stop; never raises; may be called twice."""
