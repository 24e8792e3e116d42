"""What a PPMID says in fields of text, as values; a field that is missing or wrong is the PPMID's fault."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import DutFault
from harness.eui64 import Eui64
from harness.rig.faces import PpmidIdentity, PpmidStatus

STATES = ("out", "joining", "joined")


def identity(fields: Mapping[str, str]) -> PpmidIdentity:
    """Read the answer to `info`. Raises DutFault."""
    return PpmidIdentity(
        eui64=_eui64(fields, "eui64"),
        manufacturer=_hex(fields, "manufacturer", 4),
        model=_hex(fields, "model", 8),
        firmware=_hex(fields, "firmware", 8),
    )


def status(fields: Mapping[str, str]) -> PpmidStatus:
    """Read the status fields of an answer or event. Raises DutFault."""
    state = text(fields, "state")
    if state not in STATES:
        raise _fault("state", state, "out, joining or joined")
    return PpmidStatus(
        state=state,
        mode=text(fields, "mode"),
        suites_offered=_whole(fields, "suites"),
        channel=_whole(fields, "channel") if "channel" in fields else None,
        pan_id=int(_hex(fields, "pan", 4), 16) if "pan" in fields else None,
        extended_pan_id=_eui64(fields, "extended-pan") if "extended-pan" in fields else None,
        short_address=int(_hex(fields, "short", 4), 16) if "short" in fields else None,
        parent=_eui64(fields, "parent") if "parent" in fields else None,
        suite_used=_whole(fields, "key-establishment") if "key-establishment" in fields else None,
    )


def seconds(fields: Mapping[str, str], key: str) -> float:
    """Read a duration in seconds, such as ``1.25``. Raises DutFault."""
    value = text(fields, key)
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value):
        raise _fault(key, value, "seconds, such as 1.25")
    return float(value)


def zcl_status(fields: Mapping[str, str], key: str) -> int | None:
    """Read a ZCL status, 2 hex digits, or ``none``. Raises DutFault."""
    return None if text(fields, key) == "none" else int(_hex(fields, key, 2), 16)


def text(fields: Mapping[str, str], key: str) -> str:
    """Read any text. Raises DutFault when it is missing."""
    if key not in fields:
        said = " ".join(f"{name}={value}" for name, value in fields.items())
        raise DutFault(f"the PPMID's answer lacks `{key}`; it said: {said or 'nothing'}")
    return fields[key]


def _whole(fields: Mapping[str, str], key: str) -> int:
    value = text(fields, key)
    if not re.fullmatch(r"\d{1,5}", value):
        raise _fault(key, value, "a whole number")
    return int(value)


def _hex(fields: Mapping[str, str], key: str, digits: int) -> str:
    value = text(fields, key)
    if not re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", value):
        raise _fault(key, value, f"{digits} hex digits")
    return value.upper()


def _eui64(fields: Mapping[str, str], key: str) -> Eui64:
    value = text(fields, key)
    try:
        return Eui64.parse(value)
    except ValueError:
        raise _fault(key, value, "an EUI-64 such as 00-DB-12-34-56-78-90-A4") from None


def _fault(key: str, found: str, expected: str) -> DutFault:
    return DutFault(f"the PPMID says {key}={found}; expected {expected}")
