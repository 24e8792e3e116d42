"""Requests that commission a device, join it to another, and take it out: 8.1.1, 8.3, 8.7, 8.8, 8.13."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.dcc.duis.requests.request import CommandVariant, RequestId, ServiceRequest
from harness.eui64 import Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission(ServiceRequest):
    """8.1.1, critical: set the clock to `current` (UTC) if it is within `tolerance_s`, 0 to 86400."""

    srv: str = "8.1.1"
    command_variant: CommandVariant = CommandVariant.TRANSFORM
    current: datetime
    tolerance_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decommission(ServiceRequest):
    """8.3; the target is the DSP."""

    srv: str = "8.3"
    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    device: Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinOrUnjoin(ServiceRequest):
    """Tell the target device that it may, or may no longer, talk with `other`."""

    other: Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCritical(JoinOrUnjoin):
    """8.7.1, to a meter."""

    srv: str = "8.7.1"
    command_variant: CommandVariant = CommandVariant.TRANSFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinNonCritical(JoinOrUnjoin):
    """8.7.2, to a device that is no meter."""

    srv: str = "8.7.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjoinCritical(JoinOrUnjoin):
    """8.8.1, to a meter."""

    srv: str = "8.8.1"
    command_variant: CommandVariant = CommandVariant.TRANSFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjoinNonCritical(JoinOrUnjoin):
    """8.8.2, to a device that is no meter."""

    srv: str = "8.8.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLocalCommandResponse(ServiceRequest):
    """8.13: the GBCS `response` to a command that was delivered locally, and the request that it was for."""

    srv: str = "8.13"
    command_variant: CommandVariant = CommandVariant.NON_DEVICE
    original: RequestId | None = None
    response: bytes
