"""What a GBCS message says, by the fields of its use case: a name and a value each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from harness.errors import DecodeError
from harness.gbcs.header import Cra
from harness.gbcs.message import GbcsMessage
from harness.gbcs.use_cases import alert_case_of, use_case_of

_LONGEST = 60  # fields of one message


def said(message: GbcsMessage) -> list[tuple[str, str]]:
    """Return a message's fields; nothing where its use case is not known here or its content does not fit."""
    try:
        value = _fields_of(message)
    except (DecodeError, ValueError):
        return []
    return list(_named(value, ""))[:_LONGEST]


def _fields_of(message: GbcsMessage) -> Any:
    if message.cra is Cra.ALERT:
        alert = alert_case_of(message.message_code)
        return None if alert is None else alert.content.read(message.content, message.counter)
    case = use_case_of(message.message_code)
    if case is None:
        return None
    return case.command_fields(message) if message.cra is Cra.COMMAND else case.response_fields(message)


def _named(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if is_dataclass(value) and not _is_plain(value):
        for field in fields(value):
            yield from _named(getattr(value, field.name), f"{name} {field.name.replace('_', ' ')}".strip())
    elif isinstance(value, tuple | list):
        for number, entry in enumerate(value, start=1):
            yield from _named(entry, f"{name} {number}".strip())
    else:
        yield name or "value", _text(value)


def _is_plain(value: Any) -> bool:
    """Whether a value has a text of its own (an EUI-64, a time) that says more than its parts."""
    return "__str__" in vars(type(value)) or len(fields(value)) == 0


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return f"{value.name} ({value.value})"
    if isinstance(value, bytes):
        return value.hex(" ").upper()
    return str(value)
