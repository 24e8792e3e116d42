"""MP202 at whitelisting: from the SMI, the hub and the CPL to the table, and back to a record for the SMI."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from harness.dcc.defects import DccDefect
from harness.smets.cpl import Cpl, CplRow, DeviceModel, state_of
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord
from harness.smets.table import FIRMWARE, FirmwareAfter, Outcome, Resolution, applies_to, resolve
from harness.smets.version import SmetsVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioning:
    """What the table says, None for a device that it does not apply to, and the record as it will be."""

    resolution: Resolution | None
    record: DeviceRecord


def version_on(
    hub: DeviceRecord,
    record: DeviceRecord,
    cpl: Cpl,
    rules: Rulebook,
    defects: Collection[DccDefect] = (),
) -> Versioning:
    """Apply the table to a device that is being whitelisted on a hub."""
    if not applies_to(record.device_type, rules):
        return Versioning(resolution=None, record=record)
    after = rules.rule(FIRMWARE).choice(FirmwareAfter)
    rows = {family: _row(cpl, record.model, family, after) for family in SmetsVersion}
    states = {family: state_of(row) for family, row in rows.items()}
    resolution = resolve(record.family, hub.family, states, rules)
    resolution = _spoilt(resolution, defects)
    if resolution.version is None or not resolution.flipped or resolution.outcome is Outcome.REFUSE:
        return Versioning(resolution=resolution, record=record)
    return Versioning(
        resolution=resolution,
        record=_flipped(record, resolution.version, rows[resolution.version], after),
    )


def _row(cpl: Cpl, model: DeviceModel, family: SmetsVersion, after: FirmwareAfter) -> CplRow | None:
    return cpl.find_any_firmware(model, family) if after is FirmwareAfter.ROW else cpl.find(model, family)


def _flipped(
    record: DeviceRecord, version: SmetsVersion, row: CplRow | None, after: FirmwareAfter
) -> DeviceRecord:
    if row is None:
        return replace(record, family=version, version=version.value, gbcs_version="")
    model = replace(record.model, firmware=row.model.firmware) if after is FirmwareAfter.ROW else record.model
    return replace(record, family=version, version=row.version, gbcs_version=row.gbcs_version, model=model)


def _spoilt(resolution: Resolution, defects: Collection[DccDefect]) -> Resolution:
    if DccDefect.SWAP_TABLE in defects and resolution.version is not None:
        return replace(resolution, outcome=Outcome.APPLY, version=resolution.version.other, code=None)
    if DccDefect.IGNORE_HUB in defects:
        return replace(resolution, outcome=Outcome.KEEP, version=resolution.before, code=None)
    return resolution
