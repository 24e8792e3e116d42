"""The Smart Metering Inventory's record of a device, and the machine of its nine statuses.

The names of the statuses are published (DUIS 5.4 `DeviceStatus`); which event leads from which to which is a
table in the rulebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from harness.eui64 import Eui64
from harness.smets.cpl import DeviceModel, DeviceType
from harness.smets.rulebook import Rulebook, RuleError
from harness.smets.version import SmetsVersion

TRANSITION = "SMI-"
STATUS_REFUSED = "RESPONSE-STATUS"
_PREVIOUS = "previous"
_ABSENT = "none"


class DeviceStatus(Enum):
    """A device's status in the SMI."""

    PENDING = "Pending"
    WHITELISTED = "Whitelisted"
    INSTALLED_NOT_COMMISSIONED = "InstalledNotCommissioned"
    COMMISSIONED = "Commissioned"
    DECOMMISSIONED = "Decommissioned"
    WITHDRAWN = "Withdrawn"
    SUSPENDED = "Suspended"
    RECOVERY = "Recovery"
    RECOVERED = "Recovered"


class SmiEvent(Enum):
    """What may change a status."""

    PRENOTIFIED = "prenotified"  # 12.2
    WHITELISTED = "whitelisted"  # 8.11 Add
    UNLISTED = "unlisted"  # 8.11 Remove
    JOINED_HAN = "joined-han"  # the hub says that it is on the HAN
    COMMISSIONED = "commissioned"  # 8.1.1, or 8.7.x for a device that is not a meter
    DECOMMISSIONED = "decommissioned"  # 8.3
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"  # its CPL row was removed
    RESTORED = "restored"  # its CPL row is back
    INSTALLED = "installed"  # 8.14.2
    SET_PENDING = "set-pending"  # 8.4, as are those below
    SET_INSTALLED = "set-installed"
    SET_COMMISSIONED = "set-commissioned"
    SET_WITHDRAWN = "set-withdrawn"
    RECOVERY_BEGUN = "recovery-begun"
    RECOVERY_ENDED = "recovery-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """A device in the SMI. `version` is the SMETS/CHTS version text, `family` what it names.

    `notified_as` is the family of the pre-notification, from which the table's result may differ; `hub` is
    the CHF it is whitelisted on; `status_before` is the one to restore after a suspension; `gpf` is the one
    that it was pre-notified with; `joined` are the devices that it was joined with (8.7.x), in order.
    """

    device: Eui64
    model: DeviceModel
    status: DeviceStatus
    version: str
    family: SmetsVersion | None
    notified_as: SmetsVersion | None
    gbcs_version: str = ""
    hub: Eui64 | None = None
    status_before: DeviceStatus | None = None
    commissioned: date | None = None
    import_mpxn: str | None = None
    secondary_import_mpan: str | None = None
    export_mpan: str | None = None
    esme_variant: str | None = None
    gpf: Eui64 | None = None
    joined: tuple[Eui64, ...] = ()

    @property
    def device_type(self) -> DeviceType:
        """The device's type."""
        return self.model.device_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Where an event leads. `status` is None when the event is refused in that status, with `code`."""

    status: DeviceStatus | None
    rules: tuple[str, ...]
    code: str | None = None


def transition(
    status: DeviceStatus | None,
    event: SmiEvent,
    device_type: DeviceType,
    rules: Rulebook,
    *,
    previous: DeviceStatus | None = None,
) -> Transition:
    """Return where `event` leads a device of this type from `status` (None: not in the SMI yet).

    `previous` is the status before a suspension, to which ``to: previous`` leads back.
    """
    name = _ABSENT if status is None else status.value
    for row in rules.derived(_rows):
        if row.event is event and name in row.came_from and device_type in row.types:
            return Transition(status=row.to or previous or DeviceStatus.PENDING, rules=(row.rule,))
    refusal = rules.rule(STATUS_REFUSED)
    return Transition(status=None, rules=(refusal.id,), code=refusal.text("code"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A transition's rule, read. `to` is None where it leads to the previous status."""

    rule: str
    event: SmiEvent
    came_from: frozenset[str]
    types: frozenset[DeviceType]
    to: DeviceStatus | None


def _rows(rules: Rulebook) -> tuple[_Row, ...]:
    return tuple(
        _Row(
            rule=rule.id,
            event=rule.choice(SmiEvent, "event"),
            came_from=frozenset(rule.texts("from")),
            types=frozenset(rule.choices(DeviceType, "types") if "types" in rule.entries() else DeviceType),
            to=None if rule.text("to") == _PREVIOUS else rule.choice(DeviceStatus, "to"),
        )
        for rule in rules.starting(TRANSITION)
    )


def check(rules: Rulebook) -> None:
    """Raise RuleError unless every transition is of the right shape."""
    rules.rule(STATUS_REFUSED).text("code")
    names = {member.value for member in DeviceStatus} | {_ABSENT}
    for row in rules.derived(_rows):
        for name in sorted(row.came_from - names):
            raise RuleError(row.rule, f"`from` names `{name}`, which is no status")
