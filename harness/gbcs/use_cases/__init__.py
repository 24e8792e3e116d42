"""GBCS use cases, one module a family: messages built from fields, and read back.

`use_case_of` and `alert_case_of` find the use case of a message code. What is not among them parses to its
headers and an opaque content.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.gbcs.use_case import AlertCase, UseCase
from harness.gbcs.use_cases import (
    clock,
    credentials,
    cs08,
    device_log,
    device_log_reads,
    display_message,
    event_logs,
    firmware,
    gas_proxy,
    joining,
    prepayment,
    unsupported,
)

_MODULES = (
    device_log,
    device_log_reads,
    joining,
    gas_proxy,
    firmware,
    cs08,
    event_logs,
    prepayment,
    clock,
    display_message,
    credentials,
    unsupported,
)

# The fields of each use case have a type of their own, which a mapping of all of them cannot name.
USE_CASES: Mapping[int, UseCase[Any, Any]] = MappingProxyType(
    {one.code: one for module in _MODULES for one in vars(module).values() if isinstance(one, UseCase)}
)
"""Use cases of command and response, by message code."""

ALERT_CASES: Mapping[int, AlertCase[Any]] = MappingProxyType(
    {one.code: one for module in _MODULES for one in vars(module).values() if isinstance(one, AlertCase)}
)
"""Alerts, by message code."""


def use_case_of(message_code: int) -> UseCase[Any, Any] | None:
    """Return the use case of a command's or response's message code, None when it is not built here."""
    return USE_CASES.get(message_code)


def alert_case_of(message_code: int) -> AlertCase[Any] | None:
    """Return the use case of an alert's message code, None when it is not built here."""
    return ALERT_CASES.get(message_code)
