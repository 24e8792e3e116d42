"""The Central Products List: its rows, its key before and under MP202, and look-ups.

Before MP202 a row's key is firmware version, device model, device type and manufacturer: one row a firmware
version. MP202 lets two rows share these, one of each SMETS family. Which key is in force is a rule.
Source: MP202 Modification Report §3; facts sec-cpl-testing §2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion

CPL_REGIME = "CPL-REGIME"
CPL_SUSPENDS = "CPL-SUSPENDS"


class DeviceType(Enum):
    """Device types of the SMI (DUIS 5.4 `DeviceType`)."""

    ESME = "ESME"
    GSME = "GSME"
    GPF = "GPF"
    CHF = "CHF"
    HCALCS = "HCALCS"
    PPMID = "PPMID"
    IHD = "IHD"
    CAD = "CAD"


class CplStatus(Enum):
    """A row's status (DUIS 5.4 `CPLStatus`)."""

    ACTIVE = "Active"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"


class RowState(Enum):
    """What a look-up finds: a row's status, or that there is no row."""

    ACTIVE = "Active"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"
    MISSING = "missing"


class CplRegime(Enum):
    """Which key is in force. The value is the end of the id of the rule that holds the key."""

    INTERIM = "INTERIM"  # one row a firmware version; a dual-mode PPMID's SMETS1 row has a fictitious one
    MP202 = "MP202"  # two rows may share a firmware version, one of each family


class KeyField(Enum):
    """Parts of a row's key."""

    FIRMWARE = "firmware"
    MODEL = "model"
    TYPE = "type"
    MANUFACTURER = "manufacturer"
    SMETS = "smets"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceModel:
    """What a device is, as the SMI spells it; `model` includes the hardware version."""

    manufacturer: str
    model: str
    device_type: DeviceType
    firmware: str

    def with_firmware(self, firmware: str) -> DeviceModel:
        """Return the same model under another firmware version."""
        return replace(self, firmware=firmware)

    def __str__(self) -> str:
        return f"{self.device_type.value} {self.manufacturer}/{self.model} firmware {self.firmware}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CplRow:
    """One row. `family` is what its SMETS/CHTS version text `version` names; `line` its place in a file."""

    model: DeviceModel
    version: str
    family: SmetsVersion
    gbcs_version: str = ""
    status: CplStatus = CplStatus.ACTIVE
    added: date | None = None
    removed: date | None = None
    image_hash: str = ""
    line: int | None = None

    def key(self, fields: Iterable[KeyField]) -> tuple[str, ...]:
        """Return the row's key made of these fields; hex digits compare in either case."""
        parts = {
            KeyField.FIRMWARE: self.model.firmware.upper(),
            KeyField.MODEL: self.model.model.upper(),
            KeyField.TYPE: self.model.device_type.value,
            KeyField.MANUFACTURER: self.model.manufacturer.upper(),
            KeyField.SMETS: self.family.value,
        }
        return tuple(parts[field] for field in fields)


class DuplicateRow(ValueError):
    """Two rows have the same key."""

    def __init__(self, first: CplRow, second: CplRow) -> None:
        super().__init__(f"two rows for {second.model}")
        self.first = first
        self.second = second


class Cpl:
    """The list. Immutable; raises DuplicateRow when two rows have the same key."""

    def __init__(self, rows: Iterable[CplRow], key: Iterable[KeyField]) -> None:
        self.key_fields = tuple(key)
        found: dict[tuple[str, ...], CplRow] = {}
        for row in rows:
            first = found.setdefault(row.key(self.key_fields), row)
            if first is not row:
                raise DuplicateRow(first, row)
        self.rows = tuple(found.values())
        self._by_model: dict[tuple[str, ...], list[CplRow]] = {}
        for row in self.rows:
            self._by_model.setdefault(_identity(row.model), []).append(row)

    def rows_of(self, model: DeviceModel) -> tuple[CplRow, ...]:
        """Return a model's rows, whichever family they are of."""
        return tuple(self._by_model.get(_identity(model), ()))

    def find(self, model: DeviceModel, family: SmetsVersion) -> CplRow | None:
        """Return a model's row of one family."""
        return next((row for row in self.rows_of(model) if row.family is family), None)

    def find_any_firmware(self, model: DeviceModel, family: SmetsVersion) -> CplRow | None:
        """Return the row of one family under the model's own firmware version, else under any other."""
        own = self.find(model, family)
        if own is not None:
            return own
        return next(
            (
                row
                for row in self.rows
                if row.family is family and _identity(row.model)[:-1] == _identity(model)[:-1]
            ),
            None,
        )

    def with_status(self, model: DeviceModel, family: SmetsVersion, status: CplStatus) -> Cpl:
        """Return a list in which that row, if there is one, has another status."""
        wanted = self.find(model, family)
        return Cpl(
            (replace(row, status=status) if row is wanted else row for row in self.rows), self.key_fields
        )

    def with_row(self, row: CplRow) -> Cpl:
        """Return a list with one row more."""
        return Cpl((*self.rows, row), self.key_fields)

    def without(self, model: DeviceModel, family: SmetsVersion) -> Cpl:
        """Return a list without that row."""
        unwanted = self.find(model, family)
        return Cpl((row for row in self.rows if row is not unwanted), self.key_fields)


def state_of(row: CplRow | None) -> RowState:
    """Return what a look-up found."""
    return RowState.MISSING if row is None else RowState(row.status.value)


def key_in_force(rules: Rulebook) -> tuple[KeyField, ...]:
    """Return the key's fields under the regime that the rulebook says is in force."""
    regime = rules.rule(CPL_REGIME).choice(CplRegime)
    return rules.rule(f"CPL-KEY-{regime.value}").choices(KeyField)


def suspends(state: RowState, rules: Rulebook) -> bool:
    """Whether a device is suspended when its row is in this state."""
    return state in rules.rule(CPL_SUSPENDS).choices(RowState)


def check(rules: Rulebook) -> None:
    """Raise RuleError unless the rules about the key are of the right shape."""
    key_in_force(rules)
    rules.rule(CPL_SUSPENDS).choices(RowState)
    for regime in CplRegime:
        rules.rule(f"CPL-KEY-{regime.value}").choices(KeyField)


def _identity(model: DeviceModel) -> tuple[str, ...]:
    return (
        model.manufacturer.upper(),
        model.model.upper(),
        model.device_type.value,
        model.firmware.upper(),
    )
