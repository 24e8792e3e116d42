"""What the Zigbee stack core offers to what sits on it: an EZSP NCP or a PPMID's firmware.

One core serves coordinator and end device. Every coroutine and callback runs on the virtual bench's
own event loop. Keys are 16 octets; addresses are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from harness.eui64 import Eui64
from harness.zigbee.zdo import SimpleDescriptor


class DeliveryMode(Enum):
    """How an APS message was or is to be addressed."""

    UNICAST = "unicast"
    BROADCAST = "broadcast"
    GROUP = "group"


class Delivery(Enum):
    """How a send ended."""

    DELIVERED = "delivered"  # APS-acknowledged, or handed to the MAC when no APS ack was asked for
    NO_ACK = "no ack"
    NO_ROUTE = "no route"
    NO_KEY = "no key"
    NOT_JOINED = "not joined"
    TOO_LONG = "too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Where an APS block stands. `total` is given on the first block only (index 0)."""

    index: int
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApsRequest:
    """An APS data message to send; `destination` is a short address, a broadcast address or a group."""

    destination: int
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    payload: bytes
    mode: DeliveryMode = DeliveryMode.UNICAST
    acknowledged: bool = True
    link_key_secured: bool = False
    fragment: Fragment | None = None  # set by a host that fragments for itself
    counter: int | None = None  # APS counter, when the caller keeps one message's fragments together
    radius: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ApsIndication:
    """An APS data message that arrived."""

    source: int
    source_eui64: Eui64 | None
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int
    payload: bytes
    counter: int
    mode: DeliveryMode
    acknowledged: bool
    link_key_secured: bool
    lqi: int
    rssi_dbm: int
    fragment: Fragment | None = None


class JoinStatus(Enum):
    """How a device came to the trust centre (values of EmberDeviceUpdate)."""

    SECURED_REJOIN = 0
    UNSECURED_JOIN = 1
    LEFT = 2
    UNSECURED_REJOIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustDecision:
    """What the trust centre does with a joiner."""

    admit: bool
    link_key: bytes | None = None  # for the key-transport key; None sends the network key in the clear
    send_network_key: bool = True  # False on a secured rejoin: the device has it


class TrustCentre(Protocol):
    """Decides who gets the network key. Called on the coordinator only; must not block."""

    def decide(self, eui64: Eui64, status: JoinStatus) -> TrustDecision:
        """Decide on a joiner or rejoiner."""

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the APS link key shared with a device, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkParameters:
    """A network, as formed or joined."""

    channel: int
    pan_id: int
    extended_pan_id: Eui64
    network_key: bytes
    key_sequence: int = 0
    update_id: int = 0
    page: int = 0


class LeaveReason(Enum):
    """Why a node is no longer on its network."""

    OWN_WISH = "own wish"
    TOLD = "told to leave"
    LOST_PARENT = "lost parent"


class StackListener(Protocol):
    """Told of what happens on the air; called on the loop, must not block."""

    def aps_received(self, message: ApsIndication) -> None:
        """Take an APS data message (ZDO included, profile 0). ZDO server requests are already answered."""

    def device_update(
        self,
        eui64: Eui64,
        short_address: int,
        status: JoinStatus,
        decision: TrustDecision,
        parent: int,
    ) -> None:
        """Coordinator: a device joined, rejoined or left."""

    def child_update(self, short_address: int, eui64: Eui64, *, joining: bool) -> None:
        """A child associated or went."""

    def left_network(self, reason: LeaveReason) -> None:
        """End device: this node is off its network."""


class JoinFailure(Enum):
    """Why a join ended outside."""

    NO_NETWORK = "no-network"  # no beacon, or none that permits joining
    REFUSED = "refused"  # association denied
    NO_KEY = "no-key"  # associated, but no Transport Key came
    WRONG_KEY = "wrong-key"  # a Transport Key came that this link key does not open


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinResult:
    """How a join or rejoin ended: `network` and `short_address` when on a network, else `failure`.

    `swapped` says that another trust centre has taken the place of the one that the node had.
    """

    failure: JoinFailure | None
    network: NetworkParameters | None = None
    short_address: int | None = None
    parent_eui64: Eui64 | None = None
    swapped: bool = False


class CoordinatorStack(Protocol):
    """What an EZSP NCP stands on: the stack core in the coordinator's role."""

    @property
    def eui64(self) -> Eui64:
        """The node's EUI-64."""

    @property
    def network(self) -> NetworkParameters | None:
        """The network that the node has formed, or None."""

    def power(self, on: bool) -> None:
        """Switch the radio; what the node saves it keeps."""

    def form(self, network: NetworkParameters) -> None:
        """Begin a network. Raises ValueError when the node is on one."""

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Be on the network that `save` told, frame counters moved forward by their safety margin."""

    def save(self) -> dict[str, Any]:
        """Return, as plain json values, what the stack keeps without power."""

    def abandon(self) -> None:
        """Leave the network without a word on the air; children, counters and keys of it are forgotten."""

    def permit_joining(self, duration_s: int) -> None:
        """Set the beacon's association permit for so many seconds; 0 ends it, 255 lasts."""

    def add_endpoint(self, descriptor: SimpleDescriptor) -> None:
        """Show an endpoint to Match_Desc, Simple_Desc and Active_EP requests."""

    def next_counter(self) -> int:
        """Return the APS counter of the next message, for one whose sender must know it beforehand."""

    async def send(self, request: ApsRequest) -> Delivery:
        """Send an APS message, cut into blocks unless `request.fragment` is set, and wait for its end."""

    async def acknowledge_block(self, block: ApsIndication, received: int) -> None:
        """Acknowledge a block that its host reassembles; `received` is the bitmap of its window."""

    def clear_endpoints(self) -> None:
        """Show no endpoint any more."""

    async def close(self) -> None:
        """Switch off, and leave no task behind; may be called twice."""

    async def distribute_network_key(self, key: bytes) -> bool:
        """Broadcast the next network key (16 octets)."""

    async def switch_network_key(self) -> bool:
        """Have everybody use the key distributed before; False when none was."""

    async def remove_device(self, eui64: Eui64) -> Delivery:
        """Tell a child to leave."""

    def short_address_of(self, eui64: Eui64) -> int | None:
        """Return the short address of a node of the network."""

    def eui64_of(self, short_address: int) -> Eui64 | None:
        """Return the EUI-64 of a node of the network."""

    def children(self) -> tuple[tuple[Eui64, int], ...]:
        """Return EUI-64 and short address of the children."""

    def set_frame_counters(self, *, network: int | None = None, aps: int | None = None) -> None:
        """Set outgoing frame counters; only off a network."""

    def frame_counters(self) -> tuple[int, int]:
        """Return the outgoing frame counters, network and APS."""
