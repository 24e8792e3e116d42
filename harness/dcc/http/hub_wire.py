"""What a rig and a DCC that is not in its program say to each other of the rig's hubs: json, both ways.

::

    rig > DCC   {"n": 1, "attach": {"hub", "version", "gpf"}}    the hub is here, with this SMETS version
                {"n": 2, "joined": {"hub", "device"}}            a SMETS1 hub's report
                {"n": 3, "alert": {"hub", "message"}}            a GBCS message that nobody asked for
                {"n": 4, "meter": {"type", "hub"}}               put a meter of the bench into the SMI
                {"n": 5, "old-hub": {"hub", "version", "devices"}}
                {"n": 6, "settle": {}}                           nothing; what came before has been seen to
    DCC > rig   {"done": 1, …}                                   with "fault" if it could not be done
                {"call": 1, "hub", "do", …}                      `do` is a word of HubFace, see DistantHub
    rig > DCC   {"answer": 1, "value", "log"}                    or with "fault"; `log` is the device log now

Octets are hex, EUI-64s as everywhere, a fault its kind and its sentence. Both ways keep their order.
"""

from __future__ import annotations

from typing import Any

from harness.errors import (
    BenchError,
    DeviceSilent,
    RadioUndelivered,
    RigFault,
    StimulusImpossible,
    SystemFault,
)

Message = dict[str, Any]

_FAULTS: dict[str, type[BenchError]] = {
    kind.__name__: kind
    for kind in (DeviceSilent, RadioUndelivered, RigFault, StimulusImpossible, SystemFault)
}


def fault_told(error: BenchError) -> list[str]:
    """Return a fault as it is told."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return [next((name for name in names if name in _FAULTS), SystemFault.__name__), str(error)]


def fault_read(told: list[str]) -> BenchError:
    """Return (not raise) a fault that was told."""
    kind, sentence = told
    return _FAULTS.get(kind, SystemFault)(sentence)


def value_told(value: object) -> list[object]:
    """Return an attribute's value as it is told: octets apart from text and numbers."""
    return ["octets", value.hex()] if isinstance(value, bytes) else ["plain", value]


def value_read(told: list[Any]) -> object:
    """Return a value that was told."""
    kind, value = told
    return bytes.fromhex(value) if kind == "octets" else value
