"""How long a virtual device waits for what, and how often it asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareTimings:
    """How long the firmware waits for what, in seconds, and how often it asks."""

    question_s: float = 1.5  # for the answer to one question to the hub
    question_tries: int = 3
    join_tries: int = 2  # of a join that ended without a network key
    key_tries: int = 2  # of a key establishment in which the hub fell silent
    leave_s: float = 2.0
    first_pause_s: float = 0.5  # before the next attempt at a tunnel or a rejoin; doubled each time
    longest_pause_s: float = 30.0
    fetch_s: float = 5.0  # between a sleeping device's questions for what waits at the hub
