"""Where the Smart Metering Inventory is kept, with its whole history, and how 8.2 shows a record of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Protocol

from harness.dcc.agenda import Agenda, MemoryAgenda
from harness.dcc.documents import InventoryRecord, RequestId
from harness.dcc.replay_memory import MemoryReplays
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


class Lookup(Enum):
    """By what, besides its EUI-64, records can be looked up. The value is a field of DeviceRecord."""

    HUB = "hub"
    GPF = "gpf"
    IMPORT_MPXN = "import_mpxn"
    SECONDARY_MPAN = "secondary_import_mpan"
    EXPORT_MPAN = "export_mpan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What one request, or one event (`by` is None), does to the SMI: all of it or nothing."""

    when: datetime
    by: RequestId | None
    put: tuple[DeviceRecord, ...] = ()
    delete: tuple[Eui64, ...] = ()


class SmiStore(Protocol):
    """Where records, their history, the requests taken so far and the agenda are kept.

    What was changed is safe from a crash once `durable` or `flush` is over; a transaction is safe as a whole
    or not at all. Methods raise RigFault when the store cannot be read or written.
    """

    @property
    def agenda(self) -> Agenda:
        """What is still to be done; an entry is as safe as the records are."""

    def get(self, device: Eui64) -> DeviceRecord | None:
        """Return a record."""

    def apply(self, transaction: Transaction) -> tuple[Change, ...]:
        """Make, replace and delete records; return what changed. The history of a deleted record stays."""

    def records(self) -> Iterable[DeviceRecord]:
        """Return all records, in the order in which they were made."""

    def having(self, what: Lookup, value: str) -> tuple[DeviceRecord, ...]:
        """Return the records with this value, in the order in which they were made."""

    def first(self, device: Eui64) -> DeviceRecord | None:
        """Return a record as it was when it was made, None when it is not there now."""

    def history(self, device: Eui64) -> tuple[Change, ...]:
        """Return everything that ever changed of a device, the oldest first."""

    def note_request(self, originator: Eui64, counter: int, step: str) -> bool:
        """Note that an originator's counter was used for a step; False when it was used for it before."""

    def last_counter(self, originator: Eui64) -> int | None:
        """Return the highest counter noted of an originator."""

    async def durable(self) -> None:
        """Wait until everything up to now is safe; callers that wait at the same time share one commit."""

    def flush(self) -> None:
        """Make everything up to now safe at once."""

    def close(self) -> None:
        """Make everything safe and let go of it. May be called twice."""


class MemorySmiStore:
    """An SMI in memory: there is nothing to be made safe."""

    def __init__(self) -> None:
        self._records: dict[Eui64, DeviceRecord] = {}
        self._first: dict[Eui64, DeviceRecord] = {}
        self._history: dict[Eui64, list[Change]] = {}
        self._replays = MemoryReplays()
        self.agenda = MemoryAgenda()

    def get(self, device: Eui64) -> DeviceRecord | None:
        """Return a record."""
        return self._records.get(device)

    def apply(self, transaction: Transaction) -> tuple[Change, ...]:
        """Make, replace and delete records; return what changed."""
        made = [self._put(record, transaction) for record in transaction.put]
        gone = [self._delete(device, transaction) for device in transaction.delete]
        return tuple(change for changes in (*made, *gone) for change in changes)

    def _put(self, record: DeviceRecord, transaction: Transaction) -> tuple[Change, ...]:
        before = self._records.get(record.device)
        self._records[record.device] = record
        self._first.setdefault(record.device, record)
        return self._note(record.device, changes_between(before, record, transaction))

    def _delete(self, device: Eui64, transaction: Transaction) -> tuple[Change, ...]:
        record = self._records.pop(device, None)
        self._first.pop(device, None)
        return self._note(device, changes_between(record, None, transaction))

    def records(self) -> tuple[DeviceRecord, ...]:
        """Return all records, in the order in which they were made."""
        return tuple(self._records.values())

    def having(self, what: Lookup, value: str) -> tuple[DeviceRecord, ...]:
        """Return the records with this value, in the order in which they were made."""
        return tuple(
            record for record in self._records.values() if _text(getattr(record, what.value)) == value
        )

    def first(self, device: Eui64) -> DeviceRecord | None:
        """Return a record as it was when it was made, None when it is not there now."""
        return self._first.get(device)

    def history(self, device: Eui64) -> tuple[Change, ...]:
        """Return everything that ever changed of a device, the oldest first."""
        return tuple(self._history.get(device, ()))

    def note_request(self, originator: Eui64, counter: int, step: str) -> bool:
        """Note that an originator's counter was used for a step; False when it was used for it before."""
        return self._replays.note(originator, counter, step)

    def last_counter(self, originator: Eui64) -> int | None:
        """Return the highest counter noted of an originator."""
        return self._replays.last(originator)

    async def durable(self) -> None:
        """Return at once."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

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
        commissioned=record.commissioned,
        import_mpxn=record.import_mpxn,
        secondary_import_mpan=record.secondary_import_mpan,
        export_mpan=record.export_mpan,
        esme_variant=record.esme_variant,
    )


def changes_between(
    before: DeviceRecord | None, after: DeviceRecord | None, transaction: Transaction
) -> tuple[Change, ...]:
    """Return what a transaction changes in a record, for its history."""
    some = after or before
    if some is None:
        return ()
    old, new = _plain(before), _plain(after)
    if old is None or new is None:
        differing: Iterable[tuple[str, str | None, str | None]] = [("record", _told(old), _told(new))]
    else:
        differing = [(name, old[name], new[name]) for name in new if old[name] != new[name]]
    return tuple(
        Change(device=some.device, what=what, before=was, after=now, when=transaction.when, by=transaction.by)
        for what, was, now in differing
    )


def _plain(record: DeviceRecord | None) -> dict[str, str | None] | None:
    if record is None:
        return None
    return {field.name: _text(getattr(record, field.name)) for field in fields(record)}


def _text(value: object) -> str | None:
    if value is None or value == ():
        return None
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value.value if isinstance(value, Enum) else value)


def _told(record: Mapping[str, str | None] | None) -> str | None:
    if record is None:
        return None
    return ", ".join(f"{name} {value}" for name, value in record.items() if value and name != "device")
