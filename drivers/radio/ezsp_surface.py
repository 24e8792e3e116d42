"""The whole of bellows and zigpy that the bench stands on, listed in one place.

Both move fast. What is used: `bellows.ezsp.EZSP` with its commands by name, its per-version helpers
(`add_transient_link_key`, `get_network_key`, `send_unicast`, `initialize_network`), its status waiters
and `add_callback`; the EZSP types below; zigpy's device schema. Nothing else of either is imported
anywhere, zigpy's application and device layers least of all (they drop the Smart Energy profile).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import bellows.types as t
from bellows.ash import AshException, NcpFailure
from bellows.exception import EzspError, InvalidCommandError, InvalidTxPower
from bellows.ezsp import EZSP
from zigpy.config import SCHEMA_DEVICE
from zigpy.exceptions import ZigbeeException

from harness.eui64 import Eui64

__all__ = [
    "AshException",
    "EzspError",
    "EzspPort",
    "FragmentHook",
    "InvalidCommandError",
    "InvalidTxPower",
    "LossListener",
    "NcpFailure",
    "ZigbeeException",
    "device_config",
    "eui64_from",
    "eui64_to",
    "new_layout",
    "status_of",
    "t",
]

_INCOMING_MESSAGE = 0x0045
_FIRST_LONG_HEADER = 8  # from EZSP 8 on: sequence, frame control (2), frame id (2, little-endian)
_FIRST_NEW_LAYOUT = 14  # from EZSP 14 on the APS frame stays second, other fields move

FragmentHook = Callable[[int, list[Any]], None]


class LossListener(Protocol):
    """What bellows tells of a port that it lost."""

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the reason, None when the other side just closed."""


class EzspPort(EZSP):  # type: ignore[misc]  # bellows is untyped
    """`EZSP` that hands APS fragments to us instead of putting them together itself.

    bellows reassembles wrongly from EZSP 14 on (it reads the fields at their old places), and before that
    leaves a timer behind for every fragment; so it must not see them at any version.
    """

    def __init__(self, config: dict[str, Any], owner: LossListener, fragment: FragmentHook) -> None:
        super().__init__(config, owner)
        self._fragment_hook = fragment

    def frame_received(self, data: bytes) -> None:
        """Take an EZSP frame from the ASH layer."""
        values = self._fragment_values(data)
        if values is None:
            super().frame_received(data)
        else:
            self._fragment_hook(self.ezsp_version, values)

    def _fragment_values(self, data: bytes) -> list[Any] | None:
        if self.ezsp_version < _FIRST_LONG_HEADER or len(data) < 5:
            return None
        if int.from_bytes(data[3:5], "little") != _INCOMING_MESSAGE:
            return None
        schema = self._protocol.COMMANDS["incomingMessageHandler"][2]
        try:
            fields, _ = t.deserialize_dict(data[5:], schema)
        except ValueError:
            return None  # cut short: bellows says so in its log
        values = list(fields.values())
        return values if values[1].options & t.EmberApsOption.APS_OPTION_FRAGMENT else None


def device_config(path: str, baudrate: int, flow_control: str | None) -> dict[str, Any]:
    """Return a checked device section; `flow_control` is None, "hardware" or "software"."""
    config: dict[str, Any] = SCHEMA_DEVICE({"path": path, "baudrate": baudrate, "flow_control": flow_control})
    return config


def eui64_to(eui64: Eui64) -> Any:
    """Turn an Eui64 into EZSP's."""
    value, _ = t.EUI64.deserialize(eui64.to_bytes_le())
    return value


def eui64_from(value: Any) -> Eui64:
    """Turn EZSP's EUI-64 (or extended PAN id) into an Eui64."""
    return Eui64.from_bytes_le(bytes(value.serialize()))


def status_of(value: Any) -> Any:
    """Return any EZSP status, old or new, as an `sl_Status`."""
    return t.sl_Status.from_ember_status(value)


def new_layout(version: int) -> bool:
    """Whether this EZSP version has the callbacks' fields in their new order."""
    return version >= _FIRST_NEW_LAYOUT
