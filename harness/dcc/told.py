"""A request as the evidence shows it: json values, without install codes, credentials or images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from harness.dcc.duis.requests import RequestId, ServiceRequest
from harness.eui64 import Eui64

_SECRET = ("install_code", "utrn", "image", "payload", "response", "content")
_MOST = 20


def told(request: ServiceRequest) -> Mapping[str, Any]:
    """Return what a request says."""
    found: dict[str, Any] = {"request_id": str(request.request_id), "srv": request.srv}
    for field in fields(request):
        value = getattr(request, field.name)
        if field.name in ("request_id", "srv", "schema_version") or value is None:
            continue
        found |= _entry(field.name, value)
    return found


def _entry(name: str, value: Any) -> dict[str, Any]:
    if name in _SECRET:
        return {f"{name}_octets": len(value)} if isinstance(value, bytes) and value else {}
    if is_dataclass(value) and not isinstance(value, Eui64 | RequestId):
        entries: dict[str, Any] = {}
        for field in fields(value):
            inner = getattr(value, field.name)
            entries |= {} if inner is None else _entry(field.name, inner)
        return entries if name == "prenotification" else {name: {"is": type(value).__name__, **entries}}
    return {name: _plain(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        some = [_plain(entry) for entry in value[:_MOST]]
        return [*some, f"and {len(value) - _MOST} more"] if len(value) > _MOST else some
    if isinstance(value, bytes):
        return value.hex().upper()
    return str(value) if isinstance(value, Eui64 | RequestId) else value
