"""How long the stack waits for what. Shorter than on a real radio, where nothing is lost by that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Durations in seconds, and numbers of tries."""

    mac_ack_s: float = 0.02
    mac_tries: int = 4
    scan_s: float = 0.012  # a channel
    association_s: float = 1.0  # a busy machine is not to look like a refusal
    response_wait_s: float = 0.005  # before an association response is polled for
    key_s: float = 0.6  # for the network key, after association
    authentication_s: float = 2.0  # a parent keeps a child that does not prove its key
    rejoin_s: float = 0.5
    aps_ack_s: float = 0.25
    aps_tries: int = 4
    indirect_s: float = 7.68  # a parent keeps a frame for a sleeping child
    poll_s: float = 0.1  # of a sleeping child
    poll_wait_s: float = 0.03  # for a frame that the parent said was pending
    keep_alive_s: float = 4.0  # between an end device's signs of life
    keep_alive_again_s: float = 0.5  # after one that was not acknowledged
    lost_after: int = 3  # unanswered unicasts to the parent in a row
