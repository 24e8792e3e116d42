"""Requests that a customer feels: 2.2, 2.5, 3.1."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.duis.requests.request import CommandVariant, FutureDatable, ServiceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp(ServiceRequest):
    """2.2; `utrn` has 20 digits."""

    srv: str = "2.2"
    utrn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateEmergencyCredit(ServiceRequest):
    """2.5, critical."""

    srv: str = "2.5"
    command_variant: CommandVariant = CommandVariant.TRANSFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayMessage(FutureDatable):
    """3.1; `message` has 1 to 116 printable ASCII characters."""

    srv: str = "3.1"
    message: str
