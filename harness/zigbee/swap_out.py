"""Trust centre swap-out: how a network's devices come to a coordinator that takes another's place.

The new trust centre has a backup of the old one: its extended PAN id, by which devices look for their
network, and of each device's link key a hash, never the key. It forms a network of its own under that
extended PAN id. A device comes by a trust-centre rejoin: it is sent the network key under the hash of its
link key, takes the sender for its new trust centre, and establishes a new link key.
Source: 05-3474-23 §4.7.4.1.2; SE 1.4 §5.4.2.2; as the published sources of two stacks have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.eui64 import Eui64
from harness.zigbee.security import mmo_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCentreBackup:
    """What a coordinator needs that takes another's place.

    `link_key_hashes` has each device's `swap_out_key` (16 octets), empty for one without a link key.
    """

    extended_pan_id: Eui64
    link_key_hashes: Mapping[Eui64, bytes]


def swap_out_key(link_key: bytes) -> bytes:
    """Return the key that a device with this link key (16 octets) comes to another trust centre by."""
    return mmo_hash(link_key)
