"""A hub that takes another's place (8.12.1): every device of the old one moves, and may change its version.

That MP202's table is applied then as at a whitelisting is an assumption of the rulebook.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from harness.dcc.defects import DccDefect
from harness.dcc.versioning import version_on
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord, SmiEvent, transition
from harness.smets.table import EXCHANGE, Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class HubExchange:
    """What an exchange does: the records as they will be, and which devices stand in its way and why."""

    records: tuple[DeviceRecord, ...]
    refused: tuple[tuple[Eui64, Resolution], ...]
    rules: tuple[str, ...]


def exchange(
    old: DeviceRecord,
    new: DeviceRecord,
    devices: Iterable[DeviceRecord],
    cpl: Cpl,
    rules: Rulebook,
    defects: Collection[DccDefect] = (),
) -> HubExchange:
    """Work out an exchange of hub `old` for `new`, which changes nothing yet."""
    used = rules.consult()
    applies = used.rule(EXCHANGE).part("versioning") is True
    applies = applies and DccDefect.LEAVE_ON_EXCHANGE not in defects
    moved: list[DeviceRecord] = []
    refused: list[tuple[Eui64, Resolution]] = []
    for device in devices:
        record = device
        if applies:
            versioning = version_on(new, device, cpl, rules)
            record = versioning.record
            if versioning.resolution is not None:
                used.note(*versioning.resolution.rules)
                if versioning.resolution.code is not None:
                    refused.append((device.device, versioning.resolution))
        moved.append(replace(record, hub=new.device))
    for hub, event in ((old, SmiEvent.DECOMMISSIONED), (_at_the_place_of(old, new), SmiEvent.COMMISSIONED)):
        step = transition(hub.status, event, hub.device_type, rules)
        if step.status is not None:
            used.note(*step.rules)
            moved.append(replace(hub, status=step.status))
    return HubExchange(records=tuple(moved), refused=tuple(refused), rules=used.rules)


def _at_the_place_of(old: DeviceRecord, new: DeviceRecord) -> DeviceRecord:
    """Return the new hub at the old one's meter points: who is responsible there stays so."""
    return replace(
        new,
        import_mpxn=new.import_mpxn or old.import_mpxn,
        secondary_import_mpan=new.secondary_import_mpan or old.secondary_import_mpan,
        export_mpan=new.export_mpan or old.export_mpan,
    )
