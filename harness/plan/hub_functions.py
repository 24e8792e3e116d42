"""The two functions of a hub that a plan may speak to: its CHF, and its GPF."""

from __future__ import annotations

from typing import Literal

from harness.errors import StimulusImpossible
from harness.eui64 import Eui64
from harness.hub.chf import Chf
from harness.hub.gbcs_hub import GbcsHub
from harness.hub.gpf import Gpf
from harness.rig.bench import HubOnBench
from harness.smets.cpl import DeviceType

Function = Literal["CHF", "GPF"]


def eui64_of(entry: HubOnBench, function: Function) -> Eui64:
    """Return the EUI-64 of a hub's function, as the SMI has it; a SMETS1 hub has a GPF there alone."""
    return entry.gpf if function == "GPF" else entry.hub.eui64


def type_of(function: Function) -> DeviceType:
    """Return what the SMI calls it."""
    return DeviceType(function)


def device_of(entry: HubOnBench, function: Function) -> Chf | Gpf:
    """Return the logical device that obeys commands to it; StimulusImpossible on a hub without GBCS."""
    if not isinstance(entry.hub, GbcsHub):
        raise StimulusImpossible(f"hub {entry.hub.name} knows no GBCS")
    return entry.hub.gpf if function == "GPF" else entry.hub.chf


async def command(entry: HubOnBench, function: Function, message: bytes, within_s: float) -> bytes:
    """Hand a GBCS command to it and return the response; raises as `HubFace.command_chf` does."""
    hand = entry.hub.command_gpf if function == "GPF" else entry.hub.command_chf
    return await hand(message, within_s)
