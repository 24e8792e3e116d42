"""A record of the SMI as text, for a store that keeps it: json, its fields by their names.

A field that the text has not got takes its default, so that a file of an older bench can be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from enum import Enum
from typing import Any

from harness.eui64 import Eui64
from harness.smets.cpl import DeviceModel, DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion

_MODEL = ("manufacturer", "model", "device_type", "firmware")
_READ: Mapping[str, Callable[[Any], Any]] = {
    "device": Eui64.parse,
    "hub": Eui64.parse,
    "gpf": Eui64.parse,
    "model": lambda parts: DeviceModel(
        manufacturer=parts[0], model=parts[1], device_type=DeviceType(parts[2]), firmware=parts[3]
    ),
    "status": DeviceStatus,
    "status_before": DeviceStatus,
    "family": SmetsVersion,
    "notified_as": SmetsVersion,
    "commissioned": date.fromisoformat,
    "joined": lambda devices: tuple(map(Eui64.parse, devices)),
}
_NAMES = tuple(field.name for field in fields(DeviceRecord))


def record_text(record: DeviceRecord) -> str:
    """Return a record as text."""
    told = {name: _plain(getattr(record, name)) for name in _NAMES}
    return json.dumps({name: value for name, value in told.items() if value is not None})


def read_record(text: str) -> DeviceRecord:
    """Read a record from what `record_text` made of it."""
    told = json.loads(text)
    missing = dict.fromkeys(("family", "notified_as"))
    return DeviceRecord(
        **{
            **missing,
            **{name: _READ[name](value) if name in _READ else value for name, value in told.items()},
        }
    )


def _plain(value: object) -> object:
    if isinstance(value, DeviceModel):
        return [_plain(getattr(value, name)) for name in _MODEL]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Eui64 | date):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value
