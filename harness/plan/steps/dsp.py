"""Steps on the DCC alone: its CPL, its users, its inventory by hand, hub exchange, firmware, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.dcc.documents import FirmwareWarning, ServiceResponse, Stage
from harness.dcc.duis.requests import (
    Decommission,
    DeviceDetails,
    ReadFirmwareVersion,
    SetStatus,
    UpdateInventory,
    UpdatePpmidFirmware,
)
from harness.dcc.routes import RouteRecord
from harness.documents import Node
from harness.errors import AssumptionNotMet, BenchError, StimulusImpossible, SystemFault
from harness.plan.context import CaseContext
from harness.plan.expect import refused, unmet
from harness.plan.steps.step import Seen, Step, bind_step, step
from harness.smets.cpl import CplStatus
from harness.smets.routing import NOT_REGISTERED_FIRMWARE, OTA, OTA_LISTS
from harness.smets.rulebook import RuleError
from harness.smets.smi import DeviceStatus
from harness.smets.table import Outcome
from harness.smets.version import SmetsVersion, read_version
from harness.zigbee.ota import ota_file

_REMOVED = "removed"
_IMAGE = ota_file(b"no firmware at all", manufacturer=0x1234, image_type=0xFFBF, file_version=0)


@step("change_cpl")
@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCpl(Step):
    """The PPMID's CPL row of a SMETS version gets a status, or is removed, until the case ends."""

    smets: SmetsVersion
    status: Literal["Active", "Cancelled", "Expired", "Withdrawn", "removed"]

    async def run(self, case: CaseContext) -> Seen:
        """Publish such a list; devices whose row goes are suspended, those whose row is back restored."""
        dcc, model = case.bench.dcc, case.device_model
        rows = [row for row in dcc.own_cpl.rows_of(model) if row.family is self.smets]
        if not rows:
            raise StimulusImpossible(
                f"the rig's CPL has no {self.smets.value} row of {model}", remedy="give it one"
            )
        if self.status == _REMOVED:
            cpl = dcc.cpl.without(model, self.smets)
        elif dcc.cpl.find(model, self.smets) is None:
            cpl = dcc.cpl.with_row(rows[0]).with_status(model, self.smets, CplStatus(self.status))
        else:
            cpl = dcc.cpl.with_status(model, self.smets, CplStatus(self.status))
        await dcc.change_cpl(cpl)
        return {}


@step("act_as")
@dataclass(frozen=True, slots=True, kw_only=True)
class ActAs(Step):
    """Send the requests that follow as another user of the rig, until the case ends."""

    user: str

    async def run(self, case: CaseContext) -> Seen:
        """Tell the service user's side."""
        return {"user": str(case.bench.dcc.act_as(self.user))}


@step("change_supplier")
@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSupplier(Step):
    """From now on this user of the rig is the supplier where the PPMID is."""

    to: str

    async def run(self, case: CaseContext) -> Seen:
        """Register it for the meter point of the hub that the PPMID is on."""
        if case.hub is None:
            raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
        mpxn = await case.bench.dcc.change_supplier(case.hub.hub.eui64, self.to)
        return {"mpxn": mpxn}


@step("update_inventory")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateByHand(Step):
    """Change the PPMID's SMI record by hand (8.4): its SMETS version and firmware version, or its status."""

    smets: SmetsVersion | None = None
    firmware: str | None = None
    status: DeviceStatus | None = None

    def __post_init__(self) -> None:
        if (self.status is None) is (self.smets is None and self.firmware is None):
            raise ValueError("either `status`, or `smets` and `firmware`")
        if self.status is not None:
            SetStatus(self.status)

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.4; what it says of the version holds from now on."""
        change = SetStatus(self.status) if self.status is not None else self._details()
        dcc = case.bench.dcc
        response = await dcc.send(UpdateInventory, dcc.dsp, device=case.bench.device, change=change)
        case.rules.note(*response.rules)
        if not response.ok:
            raise refused(case, response, "a change of the inventory by hand")
        if self.smets is not None:
            reading = read_version(self.smets.value, case.bench.rules)
            case.version, case.version_rules = self.smets, reading.rules
        return {"code": response.code}

    def _details(self) -> DeviceDetails:
        return DeviceDetails(version=self.smets.value if self.smets else None, firmware=self.firmware)


@step("decommission")
@dataclass(frozen=True, slots=True, kw_only=True)
class DecommissionPpmid(Step):
    """Decommission the PPMID (8.3)."""

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.3."""
        dcc = case.bench.dcc
        response = await dcc.send(Decommission, dcc.dsp, device=case.bench.device)
        case.rules.note(*response.rules)
        if not response.ok:
            raise refused(case, response, "to decommission the PPMID")
        return {"code": response.code}


@step("send_firmware")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendFirmware(Step):
    """Give the DSP firmware for the PPMID (11.4); it is sent, or left out on a list of the warning."""

    firmware: str
    left_out: bool = False
    on_list: str | None = None
    image: str | None = None

    def __post_init__(self) -> None:
        if self.on_list is not None and not self.left_out:
            raise ValueError("`on_list` goes with `left_out: true`")

    async def run(self, case: CaseContext) -> Seen:
        """Send 11.4, and look for the PPMID in the answer."""
        dcc, device = case.bench.dcc, case.bench.device
        response = await dcc.send(
            UpdatePpmidFirmware, dcc.dsp, image=self._octets(), firmware=self.firmware, devices=(device,)
        )
        case.rules.note(*response.rules)
        if not response.ok:
            raise refused(case, response, "firmware for the PPMID")
        lists = _lists_with(device, response)
        if self.left_out and not lists:
            says = (
                f"the DSP takes firmware for the PPMID ({response.code}): expected it to leave the PPMID out"
            )
            raise unmet(case, says, (OTA,) if case.version is SmetsVersion.SMETS1 else (), SystemFault)
        if lists and not self.left_out:
            says = f"the DSP leaves the PPMID out of 11.4 ({response.code}), on {', '.join(lists)}"
            raise unmet(case, says, [rule for rule in response.rules if _left_out_by(rule)], SystemFault)
        if self.on_list is not None and self.on_list not in lists:
            says = f"the PPMID is left out on {', '.join(lists)}: expected {self.on_list}"
            raise unmet(case, says, (OTA_LISTS,), SystemFault)
        return {"code": response.code, "lists": list(lists)}

    def _octets(self) -> bytes:
        if self.image is None:
            return _IMAGE
        path = Path(self.where.file).parent / self.image
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.where.error(f"cannot read the image {path}: {error.strerror}") from error


def _left_out_by(rule: str) -> bool:
    """Whether a rule may be why a device is on a list."""
    return rule == NOT_REGISTERED_FIRMWARE or rule.startswith("STATUS-")


def _lists_with(device: object, response: ServiceResponse) -> tuple[str, ...]:
    if not isinstance(response.body, FirmwareWarning):
        return ()
    return tuple(name for name, devices in response.body.lists.items() if device in devices)


@step("replay")
@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Step):
    """Ask for the PPMID's firmware version (11.2) twice under one request id; the second one comes back."""

    async def run(self, case: CaseContext) -> Seen:
        """Send it twice; that the second is refused is for `expect_refused` to say."""
        first, again = await case.bench.dcc.send_twice(ReadFirmwareVersion, case.bench.device)
        case.rules.note(*first.rules, *again.rules)
        if not first.ok:
            raise refused(case, first, "request 11.2")
        if not again.ok:
            raise refused(case, again, "the same request 11.2 once more")
        return {"code": again.code}


@step("expect_refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRefused(Step):
    """The DSP refuses what a step asks of it, at this stage, by this rule and so with its code.

    `assuming` names what it rests on beside: rules that lead to there.
    """

    step: Node
    stage: Stage
    rule: str
    assuming: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bind_step(self.step)

    async def run(self, case: CaseContext) -> Seen:
        """Take the step and look at what the DSP made of its last request."""
        asked = bind_step(self.step)
        before = len(case.bench.dcc.routes)
        error: BenchError | None = None
        try:
            await asked.run(case)
        except BenchError as raised:
            error = raised
        routes = case.bench.dcc.routes[before:]
        wanted = self._code(case)
        if not routes or (error is not None and not routes[-1].refused):
            raise error or SystemFault(f"`{asked.word}` sent nothing that the DSP could refuse")
        last = routes[-1]
        if not last.refused:
            says = f"the DSP took {last.srv} ({last.code}): expected it refused at `{self.stage.value}`"
            raise unmet(case, says, (self.rule, *self.assuming), SystemFault)
        wrong = self._wrong(last, wanted)
        if wrong is not None:
            raise unmet(case, wrong, (self.rule, *self.assuming), SystemFault)
        case.rules.note(self.rule, *self.assuming)
        if not last.judged:
            return {"code": last.code, "stage": "not shown: a response has a code alone"}
        return {"code": last.code, "stage": self.stage.value, "reason": last.judged[-1].reason}

    def _wrong(self, last: RouteRecord, wanted: str) -> str | None:
        """Say what is wrong with a refusal; of a DSP whose stages nobody sees, its code speaks."""
        expected = f"expected {wanted} at `{self.stage.value}` by {self.rule}"
        if not last.judged:
            refused = f"the DSP refused {last.srv} with {last.code}"
            return None if last.code == wanted else f"{refused}; {expected}"
        at = last.judged[-1]
        if at.stage is self.stage and self.rule in at.rules and last.code == wanted:
            return None
        return f"the DSP refused {last.srv} with {last.code} at `{at.stage.value}`: {at.reason}; {expected}"

    def _code(self, case: CaseContext) -> str:
        """Return the code that the rule refuses with."""
        try:
            for name in self.assuming:
                case.bench.rules.rule(name)
            rule = case.bench.rules.rule(self.rule)
            code = rule.text("code")
        except RuleError as error:
            raise self.where.error(str(error), remedy="name the rule that refuses") from None
        outcome = rule.entries().get("outcome", Outcome.REFUSE.value)
        if outcome != Outcome.REFUSE.value:
            raise AssumptionNotMet(
                f"the plan wants a refusal by {self.rule}; the rulebook in force says `{outcome}` there",
                remedy="correct the plan or the --rules overlay: one of them is wrong",
            )
        return code
