"""What a bench is made of is told part by part, and an adapter's serial number with it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.errors import RigFault
from harness.rig import inventory as told
from harness.rig.load import load_rig
from tests.system.runs import VIRTUAL, changed_rig


class NotStarted:
    """A hub whose radio has not been opened."""

    @property
    def info(self):
        raise RigFault("not started")


def parts_of(rig):
    hubs = {name: SimpleNamespace(hub=NotStarted()) for name in rig.hubs}
    return {part["name"]: part for part in told.inventory(rig, SimpleNamespace(hubs=hubs))}


def test_every_part_of_a_rig_is_in_its_inventory():
    parts = parts_of(load_rig(VIRTUAL))
    assert set(parts) == {"smets1", "smets2", "ppmid", "sniffer", "power", "environment", "dcc"}
    assert parts["ppmid"]["eui64"] == "00-DB-12-34-56-78-90-A4"
    assert parts["ppmid"]["firmware"] == "01020304"
    assert parts["smets1"]["driver"] == "ezsp"
    assert "port" not in parts["smets1"]  # the environment gives it
    assert all(value not in (None, "") for part in parts.values() for value in part.values())


def test_a_hub_made_to_misbehave_says_so(tmp_path):
    old = "    profile: smets1\n"
    rig = load_rig(changed_rig(tmp_path, (old, f"{old}    defects: [ignores-window]\n")))
    assert parts_of(rig)["smets1"]["defects"] == "ignores-window"


@pytest.mark.parametrize("path", ["/dev/ttyACM7", "/dev/serial/by-id/usb-dongle"])
def test_a_usb_adapter_tells_its_serial_number(tmp_path, monkeypatch, path):
    port = SimpleNamespace(device="/dev/ttyACM7", vid=0x10C4, pid=0xEA60, serial_number="A1B2", product="D")
    monkeypatch.setattr(told.list_ports, "comports", lambda: [port])
    monkeypatch.setattr(told.os.path, "realpath", lambda name: name.replace(str(path), "/dev/ttyACM7"))
    rig = load_rig(changed_rig(tmp_path, ('path: "${environment.smets1}"', f"path: {path}")))
    part = parts_of(rig)["smets1"]
    assert (part["port"], part["usb"], part["serial_number"]) == (path, "10C4:EA60", "A1B2")
