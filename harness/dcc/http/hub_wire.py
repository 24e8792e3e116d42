"""What a rig and a DCC that is not in its program say to each other of the rig's hubs: json, both ways.

::

    rig > DCC   {"n": 1, "attach": {"hub", "version", "gpf", "backup"}}    the hub is here
                {"n": 2, "joined": {"hub", "device"}}            a SMETS1 hub's report
                {"n": 3, "alert": {"hub", "message"}}            a GBCS message that nobody asked for
                {"n": 4, "meter": {"type", "hub"}}               put a meter of the bench into the SMI
                {"n": 5, "old-hub": {"hub", "version", "devices"}}
                {"n": 6, "old-gpf": {"gpf", "hub", "log"}}
                {"n": 7, "settle": {"backups"}}                  how the hubs are; what came before is seen to
    DCC > rig   {"done": 1, …}                                   with "fault" if it could not be done
                {"call": 1, "hub", "do", …}                      `do` is a word of HubFace, see DistantHub
    rig > DCC   {"answer": 1, "value"}                           or with "fault"

Octets are hex, EUI-64s as everywhere, a fault its kind and its sentence, a backup what a hub needs that takes
another's place. Both ways keep their order.
"""

from __future__ import annotations

from typing import Any

from harness.errors import DeviceSilent, RadioUndelivered, RigFault, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.zigbee.swap_out import TrustCentreBackup

Message = dict[str, Any]

_FAULTS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (DeviceSilent, RadioUndelivered, RigFault, StimulusImpossible, SystemFault, ValueError)
}


def fault_told(error: Exception) -> list[str]:
    """Return a fault as it is told."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return [next((name for name in names if name in _FAULTS), SystemFault.__name__), str(error)]


def fault_read(told: list[str]) -> Exception:
    """Return (not raise) a fault that was told."""
    kind, sentence = told
    return _FAULTS.get(kind, SystemFault)(sentence)


def backup_told(backup: TrustCentreBackup) -> Message:
    """Return what a hub needs that takes another's place, as it is told."""
    hashes = {str(device): key.hex() for device, key in backup.link_key_hashes.items()}
    return {"extended-pan-id": str(backup.extended_pan_id), "link-key-hashes": hashes}


def backup_read(told: Message) -> TrustCentreBackup:
    """Return a backup that was told."""
    hashes = {Eui64.parse(device): bytes.fromhex(key) for device, key in told["link-key-hashes"].items()}
    return TrustCentreBackup(extended_pan_id=Eui64.parse(told["extended-pan-id"]), link_key_hashes=hashes)


def value_told(value: object) -> list[object]:
    """Return an attribute's value as it is told: octets apart from text and numbers."""
    return ["octets", value.hex()] if isinstance(value, bytes) else ["plain", value]


def value_read(told: list[Any]) -> object:
    """Return a value that was told."""
    kind, value = told
    return bytes.fromhex(value) if kind == "octets" else value
