"""What every service request has: its id, its command variant, its place in a sequence.

Source: facts gb-domain §1.2 (command variants, ids), §1.3 (the header).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from harness.eui64 import Eui64

SCHEMA_VERSION = "5.4"
_LARGEST_U64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class RequestId:
    """``originator:target:counter``, the counter of the originator's own."""

    originator: Eui64
    target: Eui64
    counter: int

    def __post_init__(self) -> None:
        if not 0 <= self.counter <= _LARGEST_U64:
            raise ValueError(f"counter out of range: {self.counter}")

    @classmethod
    def parse(cls, text: str) -> RequestId:
        """Read the text form; raises ValueError."""
        parts = text.split(":")
        if len(parts) != 3 or not (parts[2].isascii() and parts[2].isdigit()):
            raise ValueError(f"not a request id: {text!r} (expected originator:target:counter)")
        return cls(Eui64.parse(parts[0]), Eui64.parse(parts[1]), int(parts[2]))

    @property
    def response_id(self) -> RequestId:
        """The id of the response: target and originator change places."""
        return RequestId(self.target, self.originator, self.counter)

    def __str__(self) -> str:
        return f"{self.originator}:{self.target}:{self.counter}"


class CommandVariant(Enum):
    """What is to become of a request; the value is DUIS's number."""

    SEND = 1  # make a command and send it over the WAN
    LOCAL = 2  # make a command and hand it back, for local delivery
    SEND_AND_LOCAL = 3
    TRANSFORM = 4  # critical: hand back a pre-command, which its sender signs
    SEND_SIGNED = 5  # a signed pre-command
    LOCAL_SIGNED = 6
    SEND_AND_LOCAL_SIGNED = 7
    NON_DEVICE = 8  # for the DSP itself
    INTERNAL = 9  # the DCC's own

    @property
    def signed_pre_command(self) -> bool:
        """Whether the body is a signed pre-command."""
        return self in (self.SEND_SIGNED, self.LOCAL_SIGNED, self.SEND_AND_LOCAL_SIGNED)

    @property
    def sends(self) -> bool:
        """Whether something goes to a device over the WAN, so that the response comes later."""
        return self.value in (1, 3, 5, 7)

    @property
    def returns_command(self) -> bool:
        """Whether the command is handed back for local delivery."""
        return self.value in (2, 3, 6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """Any service request; `srv` is its service reference variant.

    By itself, one to a device of which no more than that is known.
    """

    request_id: RequestId
    srv: str
    command_variant: CommandVariant = CommandVariant.SEND
    first_in_sequence: bool | None = None
    preceding: RequestId | None = None
    schema_version: str = SCHEMA_VERSION

    @property
    def reference(self) -> str:
        """The service reference, such as 8.7 of 8.7.2."""
        return reference_of(self.srv)


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureDatable(ServiceRequest):
    """A request that may be for a later time. `execution` is in UTC; None is at once."""

    execution: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPreCommand(FutureDatable):
    """The second half of a critical request: the pre-command `payload` (GBCS) with its sender's signature."""

    command_variant: CommandVariant = CommandVariant.SEND_SIGNED
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRequest(ServiceRequest):
    """A request that has no class here: its body's `element`, and the whole of that as `content` (XML)."""

    element: str
    content: bytes


def reference_of(srv: str) -> str:
    """Return the service reference of a service reference variant: its first two numbers."""
    return ".".join(srv.split(".")[:2])
