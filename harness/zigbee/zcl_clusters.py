"""Cluster-specific ZCL commands: where a cluster's codec is entered so that the decoder finds it."""

from __future__ import annotations

from collections.abc import Mapping

from harness.zigbee import key_establishment, ota_commands, tunnel
from harness.zigbee.cbke import commands
from harness.zigbee.fields import Record
from harness.zigbee.zcl import Direction, ZclFrame

COMMANDS: Mapping[int, Mapping[tuple[Direction, int], type[Record]]] = {
    tunnel.CLUSTER: tunnel.COMMANDS,
    ota_commands.CLUSTER: ota_commands.COMMANDS,
    key_establishment.CLUSTER: commands.COMMANDS,
}
"""Tables of commands by cluster."""

NAMES: Mapping[int, str] = {
    0x0000: "Basic",
    0x0003: "Identify",
    0x000A: "Time",
    0x0019: "OTA Upgrade",
    0x0025: "Keep-Alive",
    0x0700: "Price",
    0x0701: "DRLC",
    0x0702: "Metering",
    0x0703: "Messaging",
    tunnel.CLUSTER: "Tunneling",
    0x0705: "Prepayment",
    0x0706: "Energy Management",
    0x0707: "Calendar",
    0x0708: "Device Management",
    0x0709: "Events",
    0x070A: "MDU Pairing",
    0x070B: "Sub-GHz",
    key_establishment.CLUSTER: "Key Establishment",
}
"""Names of the clusters of a GB HAN."""


def parse(cluster: int, frame: ZclFrame) -> Record | None:
    """Read a cluster-specific command, or return None when there is no table for it. Raises DecodeError."""
    kind = COMMANDS.get(cluster, {}).get((frame.direction, frame.command))
    if kind is None or frame.manufacturer is not None:
        return None
    return kind.from_bytes(frame.payload)
