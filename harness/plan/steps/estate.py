"""Steps of a service user: pre-notify, whitelist, take off the device log, read the inventory."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.alert_effects import FIRMWARE_ALERT
from harness.dcc.documents import InventoryRecord, Prenotification
from harness.dcc.inventory import row_states
from harness.documents import HexBytes, Seconds
from harness.errors import StimulusImpossible, SystemFault
from harness.plan.context import CaseContext, Whitelisting
from harness.plan.expect import hold, hold_status, refused, unmet
from harness.plan.steps.step import Seen, Step, step
from harness.smets import table
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus
from harness.smets.version import SmetsVersion

DEFAULT_WINDOW = Seconds(90)
_LONGEST_WINDOW_S = 3600  # DUIS 5.4, JoinTimePeriod
_INSTALL_CODE_LENGTHS = (6, 8, 12, 16)


@step("prenotify")
@dataclass(frozen=True, slots=True, kw_only=True)
class Prenotify(Step):
    """Pre-notify the PPMID as of a SMETS version (12.2), under its own firmware version or another."""

    as_: SmetsVersion
    firmware: str | None = None

    async def run(self, case: CaseContext) -> Seen:
        """Send 12.2; a refusal is the DCC's fault, or an assumption's."""
        model = case.device_model
        response = await case.bench.dcc.prenotify(
            Prenotification(
                device=case.bench.device,
                device_type=DeviceType.PPMID,
                manufacturer=model.manufacturer,
                model=model.model,
                firmware=self.firmware or model.firmware,
                version=self.as_.value,
            )
        )
        case.rules.note(*response.rules)
        case.row.note("pre-notified", self.as_.value)
        if not response.ok:
            raise refused(case, response, f"pre-notification as {self.as_.value}")
        case.version, case.version_rules = self.as_, ()
        return {"code": response.code}


@step("whitelist")
@dataclass(frozen=True, slots=True, kw_only=True)
class Whitelist(Step):
    """Whitelist the PPMID on a hub (8.11 Add), by its own install code unless another is given."""

    hub: str
    install_code: HexBytes | None = None
    window: Seconds = DEFAULT_WINDOW

    def __post_init__(self) -> None:
        if not (1 <= self.window <= _LONGEST_WINDOW_S and self.window.is_integer()):
            raise ValueError(
                f"`window` is 1 to {_LONGEST_WINDOW_S} s, in whole seconds, not {self.window:g} s"
            )
        if self.install_code is not None and len(self.install_code) not in _INSTALL_CODE_LENGTHS:
            raise ValueError(
                f"`install_code` has 6, 8, 12 or 16 octets and no CRC, not {len(self.install_code)}"
            )

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.11; note what the rulebook makes of the SMI's version by that."""
        bench = case.bench
        entry = bench.hub(self.hub)
        await case.air_is_quiet()
        case.whitelisting = Whitelisting(
            hub=self.hub,
            frames=len(case.recorder.air_record.frames),
            routes=len(bench.dcc.routes),
        )
        resolution = table.resolve(
            case.version, entry.family, row_states(bench.dcc.cpl, case.device_model), bench.rules
        )
        code = self.install_code or bench.ppmid_device.install_code
        response = await bench.dcc.whitelist(entry.hub.eui64, bench.device, code, self.window)
        case.rules.note(*response.rules)
        case.row.note("hub", hub_cell(self.hub, entry.family))
        case.note_keys()
        if not response.ok:
            raise refused(case, response, f"whitelisting on hub {self.hub}")
        case.version, case.version_rules = resolution.version, resolution.rules
        return {"code": response.code, "via": response.via.value, "window_s": float(self.window)}


def hub_cell(name: str, family: SmetsVersion) -> str:
    """Return a hub as the table shows it: with its family, unless its name says that already."""
    return name if name.lower() == family.value.lower().rstrip("+") else f"{name} ({family.value})"


@step("unwhitelist")
@dataclass(frozen=True, slots=True, kw_only=True)
class Unwhitelist(Step):
    """Take the PPMID out of a hub's device log (8.11 Remove)."""

    hub: str

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.11; afterwards the hub's log must be without it."""
        entry = case.bench.hub(self.hub)
        response = await case.bench.dcc.unwhitelist(entry.hub.eui64, case.bench.device)
        case.rules.note(*response.rules)
        if not response.ok:
            raise refused(case, response, f"taking the PPMID out of hub {self.hub}'s device log")
        if any(logged.eui64 == case.bench.device for logged in entry.hub.device_log()):
            raise SystemFault(f"hub {self.hub} still has {case.bench.device} in its device log")
        return {"code": response.code}


@step("expect_inventory")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectInventory(Step):
    """The SMI says this SMETS version of the PPMID (read with 8.2), and what else is given."""

    smets: SmetsVersion
    status: DeviceStatus | None = None
    hub: str | None = None
    firmware: str | None = None

    async def run(self, case: CaseContext) -> Seen:
        """Read the inventory; the version rests on the table's row, a status on the rule that leads to it."""
        case.row.note("expected", self.smets.value)
        record = await case.bench.dcc.read_inventory(case.bench.device)
        if record is None:
            raise unmet(case, f"the SMI does not know {case.bench.device}", ("SMI-PRENOTIFY",), SystemFault)
        case.row.note("SMI", record.version)
        hold(
            case,
            "SMETS version in the SMI",
            wanted=self.smets,
            seen=record.family or f"{record.version!r}, which no rule can read",
            ruled=case.version,
            rules=case.version_rules,
            fault=SystemFault,
        )
        self._status(case, record)
        if self.hub is not None and not case.bench.dcc.shows_hubs:
            raise StimulusImpossible("no document of the DCC says on which hub a device is; leave `hub` out")
        if self.hub is not None and record.hub != case.bench.hub(self.hub).hub.eui64:
            raise SystemFault(f"the SMI has the PPMID on {record.hub or 'no hub'}: expected hub {self.hub}")
        if self.firmware is not None and record.firmware != self.firmware:
            says = f"firmware version in the SMI: expected {self.firmware}, seen {record.firmware}"
            raise unmet(case, says, (FIRMWARE_ALERT,), SystemFault)
        return dict(record.plain())

    def _status(self, case: CaseContext, record: InventoryRecord) -> None:
        if self.status is None:
            return
        hold_status(case, record, self.status)
