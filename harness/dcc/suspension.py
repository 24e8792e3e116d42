"""What a new Central Products List does to the devices in the SMI: some are Suspended, some restored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.dcc.defects import DccDefect
from harness.dcc.enquiry import Estate
from harness.smets.cpl import Cpl, DeviceType, state_of, suspends
from harness.smets.smi import DeviceRecord, DeviceStatus, SmiEvent, transition

_HUB = (DeviceType.CHF, DeviceType.GPF)


def cpl_changes(estate: Estate, before: Cpl) -> Iterator[DeviceRecord]:
    """Yield the records that the estate's list changes, which takes the place of `before`, as they will be.

    A device of no known family has no row that could be withdrawn, and is left alone; so is a hub of the
    bench's own that had none before either: a user's list need not know it.
    """
    if DccDefect.NEVER_SUSPEND in estate.defects:
        return
    for record in estate.store.records():
        if record.family is None:
            continue
        row = estate.cpl.find(record.model, record.family)
        if row is None and record.device_type in _HUB and before.find(record.model, record.family) is None:
            continue
        gone = suspends(state_of(row), estate.rules)
        changed = _suspended(record, estate) if gone else _restored(record, estate)
        if changed is not None:
            yield changed


def _suspended(record: DeviceRecord, estate: Estate) -> DeviceRecord | None:
    moved = transition(record.status, SmiEvent.SUSPENDED, record.device_type, estate.rules)
    if moved.status is None or moved.status is record.status:
        return None
    return replace(record, status=moved.status, status_before=record.status)


def _restored(record: DeviceRecord, estate: Estate) -> DeviceRecord | None:
    if record.status is not DeviceStatus.SUSPENDED:
        return None
    moved = transition(
        record.status,
        SmiEvent.RESTORED,
        record.device_type,
        estate.rules,
        previous=record.status_before,
    )
    return None if moved.status is None else replace(record, status=moved.status, status_before=None)
