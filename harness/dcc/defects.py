"""Known ways in which a DCC may be wrong, to prove that a case notices them."""

from __future__ import annotations

from enum import Enum


class DccDefect(Enum):
    """What a deliberately defective DCC does."""

    SWAP_TABLE = "swap-table"  # resolves to the version that the table does not give
    ROUTE_BY_PRENOTIFIED = "route-by-prenotified"  # routes by the version of the pre-notification
    IGNORE_HUB = "ignore-hub"  # leaves the pre-notified version in the SMI, whatever the hub
    SKIP_RESPONSE_MAC_CHECK = "skip-response-mac-check"  # believes a response whose MAC is wrong
    STALE_INVENTORY = "stale-inventory"  # answers 8.2 with the record as it was first made
