"""Where the Smart Metering Inventory is kept, with its whole history, and how 8.2 shows a record of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Protocol

from harness.dcc.documents import InventoryRecord, RequestId
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl, DeviceModel, RowState, state_of
from harness.smets.han import S1SP_NAME
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord
from harness.smets.version import SmetsVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing of a record that changed: `what`, from and to (None: not there), when, by which request.

    `what` is ``record`` for a record that was made or deleted. `by` is None for what no request did.
    """

    device: Eui64
    what: str
    before: str | None
    after: str | None
    when: datetime
    by: RequestId | None

    def plain(self) -> dict[str, str | None]:
        """Return it as json has it."""
        return {
            "device": str(self.device),
            "what": self.what,
            "from": self.before,
            "to": self.after,
            "when": self.when.isoformat(),
            "by": str(self.by) if self.by else None,
        }


class SmiStore(Protocol):
    """Where records are kept. A put is one step: after it all of it is there, or none."""

    def get(self, device: Eui64) -> DeviceRecord | None:
        """Return a record."""

    def put(self, record: DeviceRecord, when: datetime, by: RequestId | None) -> tuple[Change, ...]:
        """Make or replace a record; return what changed."""

    def delete(self, device: Eui64, when: datetime, by: RequestId | None) -> tuple[Change, ...]:
        """Delete a record; its history stays."""

    def records(self) -> Iterable[DeviceRecord]:
        """Return all records, in the order in which they were made."""

    def first(self, device: Eui64) -> DeviceRecord | None:
        """Return a record as it was when it was made, None when it is not there now."""

    def history(self, device: Eui64) -> tuple[Change, ...]:
        """Return everything that ever changed of a device, the oldest first."""


class MemorySmiStore:
    """An SMI in memory."""

    def __init__(self) -> None:
        self._records: dict[Eui64, DeviceRecord] = {}
        self._first: dict[Eui64, DeviceRecord] = {}
        self._history: dict[Eui64, list[Change]] = {}

    def get(self, device: Eui64) -> DeviceRecord | None:
        """Return a record."""
        return self._records.get(device)

    def put(self, record: DeviceRecord, when: datetime, by: RequestId | None) -> tuple[Change, ...]:
        """Make or replace a record; return what changed."""
        before = self._records.get(record.device)
        self._records[record.device] = record
        self._first.setdefault(record.device, record)
        return self._note(record.device, _changes(before, record, when, by))

    def delete(self, device: Eui64, when: datetime, by: RequestId | None) -> tuple[Change, ...]:
        """Delete a record; its history stays."""
        record = self._records.pop(device, None)
        self._first.pop(device, None)
        return self._note(device, _changes(record, None, when, by))

    def records(self) -> tuple[DeviceRecord, ...]:
        """Return all records, in the order in which they were made."""
        return tuple(self._records.values())

    def first(self, device: Eui64) -> DeviceRecord | None:
        """Return a record as it was when it was made, None when it is not there now."""
        return self._first.get(device)

    def history(self, device: Eui64) -> tuple[Change, ...]:
        """Return everything that ever changed of a device, the oldest first."""
        return tuple(self._history.get(device, ()))

    def _note(self, device: Eui64, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        self._history.setdefault(device, []).extend(changes)
        return changes


def row_states(cpl: Cpl, model: DeviceModel) -> dict[SmetsVersion, RowState]:
    """Return how the CPL stands to a model, by family."""
    return {family: state_of(cpl.find(model, family)) for family in SmetsVersion}


def inventory_record(record: DeviceRecord, cpl: Cpl, rules: Rulebook) -> InventoryRecord:
    """Return a record as 8.2 shows it."""
    row = cpl.find(record.model, record.family) if record.family else None
    smets1 = record.family is SmetsVersion.SMETS1
    name = rules.rule(S1SP_NAME)
    return InventoryRecord(
        device=record.device,
        device_type=record.device_type,
        status=record.status,
        manufacturer=record.model.manufacturer,
        model=record.model.model,
        firmware=record.model.firmware,
        version=record.version,
        family=record.family,
        gbcs_version=record.gbcs_version,
        cpl_status=row.status if row else None,
        csp_region=name.text("csp-region") if smets1 else None,
        s1sp=name.text("s1sp") if smets1 else None,
        hub=record.hub,
    )


def _changes(
    before: DeviceRecord | None, after: DeviceRecord | None, when: datetime, by: RequestId | None
) -> tuple[Change, ...]:
    some = after or before
    if some is None:
        return ()
    old, new = _plain(before), _plain(after)
    if old is None or new is None:
        return (
            Change(
                device=some.device,
                what="record",
                before=_told(old),
                after=_told(new),
                when=when,
                by=by,
            ),
        )
    return tuple(
        Change(device=some.device, what=name, before=old[name], after=new[name], when=when, by=by)
        for name in new
        if old[name] != new[name]
    )


def _plain(record: DeviceRecord | None) -> dict[str, str | None] | None:
    if record is None:
        return None
    return {field.name: _text(getattr(record, field.name)) for field in fields(record)}


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value.value if isinstance(value, Enum) else value)


def _told(record: Mapping[str, str | None] | None) -> str | None:
    if record is None:
        return None
    return ", ".join(f"{name} {value}" for name, value in record.items() if value and name != "device")
