"""What a bench is made of, part by part, as plain data for the evidence: drivers, versions, serials."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from serial.tools import list_ports

from harness.documents import Node
from harness.errors import RigFault
from harness.hub.gbcs_hub import GbcsHub
from harness.rig.bench import Bench, HubOnBench
from harness.rig.model import HubEntry, Rig

Part = dict[str, Any]


def inventory(rig: Rig, bench: Bench) -> list[Part]:
    """Return the parts of an open bench. Each has `kind` and `name`.

    What a part does not tell is left out.
    """
    parts = [_hub(name, bench.hubs[name], entry) for name, entry in rig.hubs.items() if name in bench.hubs]
    parts.append(_ppmid(rig))
    for kind, node in (("sniffer", rig.sniffer), ("power", rig.power), ("environment", rig.environment)):
        if node is not None:
            parts.append({"kind": kind, "name": kind, **_reached_by(node)})
    parts.append({"kind": "dcc", "name": "dcc", "driver": rig.dcc.type, "cpl": rig.dcc.cpl.name})
    defects = {"dcc": rig.dcc.defects, **{name: entry.defects for name, entry in rig.hubs.items()}}
    for part in parts:
        if defects.get(part["name"]):
            part["defects"] = ", ".join(defects[part["name"]])
    return [{key: value for key, value in part.items() if value not in (None, "")} for part in parts]


def _hub(name: str, hub: HubOnBench, entry: HubEntry) -> Part:
    part: Part = {"kind": "hub", "name": name, "profile": entry.profile, **_reached_by(entry.radio)}
    try:
        info, network = hub.hub.info, hub.hub.network
    except RigFault:
        return part
    return {
        **part,
        "eui64": str(info.eui64),
        "gpf": str(hub.gpf) if isinstance(hub.hub, GbcsHub) else None,
        "stack": info.stack,
        "firmware": info.firmware,
        "board": info.board,
        "maker": info.manufacturer,
        "channel": network.channel,
        "pan_id": f"{network.pan_id:04X}",
        "extended_pan_id": str(network.extended_pan_id),
    }


def _ppmid(rig: Rig) -> Part:
    device = rig.ppmid.device
    return {
        "kind": "ppmid",
        "name": "ppmid",
        "eui64": str(device.eui64),
        "manufacturer": device.manufacturer,
        "model": device.model,
        "firmware": device.firmware,
        **_reached_by(rig.ppmid.port),
    }


def _reached_by(node: Node) -> Part:
    said: Mapping[str, Any] = node.plain()
    path = said.get("path") or said.get("port")
    found: Part = {"driver": said.get("driver")}
    if isinstance(path, str) and "${" not in path:  # else the environment gives it, for this run alone
        found["port"] = path
        found.update(_usb(path))
    return found


def _usb(path: str) -> Part:
    """Return what a USB adapter says of itself; nothing for ports that are none."""
    device = os.path.realpath(path)
    for port in list_ports.comports():
        if os.path.realpath(port.device) == device:
            return {
                "usb": f"{port.vid:04X}:{port.pid:04X}" if port.vid is not None else None,
                "serial_number": port.serial_number,
                "product": port.product,
            }
    return {}
