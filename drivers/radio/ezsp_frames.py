"""EZSP callbacks as plain records, whichever order this EZSP version has their fields in.

Source: UG100 `incomingMessageHandler`, `messageSentHandler`, `trustCenterJoinHandler`; from EZSP 14 on the
first two have another order and the sender's EUI-64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drivers.radio.ezsp_surface import eui64_from, new_layout, status_of, t
from drivers.radio.fragments import MessageKey
from harness.eui64 import Eui64
from harness.rig.faces import ApsMessage, JoinKind, JoinNotice

_NO_EUI64 = (0, (1 << 64) - 1)
_BROADCAST = (t.EmberIncomingMessageType.INCOMING_MULTICAST, t.EmberIncomingMessageType.INCOMING_BROADCAST)
_UNICAST = (
    t.EmberIncomingMessageType.INCOMING_UNICAST,
    t.EmberIncomingMessageType.INCOMING_UNICAST_REPLY,
)
_KINDS = {
    t.EmberDeviceUpdate.STANDARD_SECURITY_SECURED_REJOIN: JoinKind.SECURED_REJOIN,
    t.EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN: JoinKind.UNSECURED_JOIN,
    t.EmberDeviceUpdate.DEVICE_LEFT: JoinKind.LEFT,
    t.EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_REJOIN: JoinKind.TRUST_CENTRE_REJOIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An incoming APS frame. `aps` is EZSP's own structure, needed again to acknowledge a fragment."""

    aps: Any
    sender: int
    sender_eui64: Eui64 | None
    lqi: int
    rssi_dbm: int
    payload: bytes
    broadcast: bool
    own: bool  # looped back or not a message at all

    @property
    def fragment_index(self) -> int:
        """The index of a fragment."""
        return int(self.aps.groupId) & 0xFF

    @property
    def fragment_total(self) -> int | None:
        """The number of fragments, known from the first one only."""
        return int(self.aps.groupId) >> 8 if self.fragment_index == 0 else None

    @property
    def key(self) -> MessageKey:
        """What a fragment has in common with the others of its message."""
        return MessageKey(
            sender=self.sender,
            aps_counter=int(self.aps.sequence),
            profile=int(self.aps.profileId),
            cluster=int(self.aps.clusterId),
            source_endpoint=int(self.aps.sourceEndpoint),
            destination_endpoint=int(self.aps.destinationEndpoint),
        )

    def message(self, payload: bytes, peer_eui64: Eui64 | None) -> ApsMessage:
        """Return the message that this frame is, or ends."""
        return ApsMessage(
            peer=self.sender,
            peer_eui64=peer_eui64,
            profile=int(self.aps.profileId),
            cluster=int(self.aps.clusterId),
            source_endpoint=int(self.aps.sourceEndpoint),
            destination_endpoint=int(self.aps.destinationEndpoint),
            payload=payload,
            link_key_secured=bool(self.aps.options & t.EmberApsOption.APS_OPTION_ENCRYPTION),
            broadcast=self.broadcast,
            lqi=self.lqi,
            rssi_dbm=self.rssi_dbm,
        )


def incoming(version: int, values: list[Any]) -> Incoming:
    """Read the values of an `incomingMessageHandler`."""
    eui64: Eui64 | None = None
    if new_layout(version):
        kind, aps, sender, long, _, _, lqi, rssi, _, payload = values
        eui64 = eui64_from(long)
        eui64 = None if eui64.value in _NO_EUI64 else eui64
    else:
        kind, aps, lqi, rssi, sender, _, _, payload = values
    return Incoming(
        aps=aps,
        sender=int(sender),
        sender_eui64=eui64,
        lqi=int(lqi),
        rssi_dbm=int(rssi),
        payload=bytes(payload),
        broadcast=kind in _BROADCAST,
        own=kind not in _BROADCAST and kind not in _UNICAST,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a unicast ended; `status` is an `sl_Status`."""

    tag: int
    status: Any


def sent(version: int, values: list[Any]) -> Sent:
    """Read the values of a `messageSentHandler`."""
    if new_layout(version):
        status, _, _, _, tag, _ = values
    else:
        _, _, _, tag, status, _ = values
    return Sent(tag=int(tag), status=status_of(status))


def join_notice(values: list[Any]) -> JoinNotice | None:
    """Read the values of a `trustCenterJoinHandler`; None for a kind that Zigbee has not."""
    short, long, kind, decision, parent = values
    known = _KINDS.get(kind)
    if known is None:
        return None
    return JoinNotice(
        kind=known,
        eui64=eui64_from(long),
        short_address=int(short),
        parent=int(parent),
        admitted=decision != t.EmberJoinDecision.DENY_JOIN,
    )
