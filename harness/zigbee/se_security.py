"""Which Smart Energy messages must be secured with the link key, and how one that is not is refused.

The clusters and the status are those of ZSE §5.4.6 as the published source of a certified stack has them: its
list cites the clause, and it answers FAILURE, NOT_AUTHORIZED only outside Smart Energy. Basic, Identify and
Key Establishment go under the network key.
"""

from __future__ import annotations

from harness.zigbee.zcl import ZclFrame, ZclFrameType, ZclStatus
from harness.zigbee.zcl_general import DefaultResponse

PROFILE = 0x0109

REFUSAL = ZclStatus.FAILURE
"""Status of the Default Response to a command that came under the network key alone."""

LINK_KEY_CLUSTERS = frozenset(
    (
        0x000A,  # Time
        0x0015,  # Commissioning
        0x0019,  # OTA Upgrade
        0x0025,  # Keep-Alive
        0x0600,  # Generic Tunnel
        *range(0x0700, 0x070C),  # Price to Sub-GHz
    )
)
"""Clusters of the Smart Energy profile whose unicasts are secured with the link key."""

_OTA, _IMAGE_NOTIFY = 0x0019, 0x00


def needs_link_key(profile: int, cluster: int, *, broadcast: bool = False) -> bool:
    """Whether a message of this cluster has to be secured with the link key.

    What a device broadcasts itself need not: there is no link key with everybody.
    """
    return profile == PROFILE and cluster in LINK_KEY_CLUSTERS and not broadcast


def is_unsecured(
    profile: int, cluster: int, frame: ZclFrame, *, link_key_secured: bool, broadcast: bool
) -> bool:
    """Whether a message that came should have been secured with the link key and is not.

    Broadcasts too, but for Image Notify, which is meant to be broadcast; a Default Response may be a refusal,
    which goes as the message that it refuses.
    """
    if link_key_secured or not needs_link_key(profile, cluster) or _is_default_response(frame):
        return False
    notify = cluster == _OTA and frame.frame_type is ZclFrameType.CLUSTER and frame.command == _IMAGE_NOTIFY
    return not (notify and broadcast)


def may_be_refused(frame: ZclFrame, *, broadcast: bool) -> bool:
    """Whether a Default Response goes back: not to a broadcast, and not to a Default Response."""
    return not broadcast and not _is_default_response(frame)


def _is_default_response(frame: ZclFrame) -> bool:
    return frame.frame_type is ZclFrameType.GLOBAL and frame.command == DefaultResponse.COMMAND
