"""Expectations of what the last request was answered: fields, device logs, and no GBCS on SMETS1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.dcc.meters import METERS
from harness.dcc.use_cases import DEVICE_LOG, HISTORIC_DEVICE_LOG
from harness.errors import DutFault, StimulusImpossible, SystemFault
from harness.plan import witnesses
from harness.plan.context import CaseContext
from harness.plan.steps.request import last_request
from harness.plan.steps.step import Seen, Step, step
from harness.smets.cpl import DeviceType

Listed = Literal["ESME", "GSME", "PPMID", "GPF"]


@step("expect_answer")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectAnswer(Step):
    """The last response says this, field by field."""

    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError("`fields` names one field or more that the answer must have")

    async def run(self, case: CaseContext) -> Seen:
        """Compare; what a hub answered is the system's, what the PPMID answered its own."""
        request = last_request(case)
        seen = {name: request.response.fields.get(name) for name in self.fields}
        wrong = [name for name, value in self.fields.items() if seen[name] != value]
        if wrong:
            fault = DutFault if request.hub is None else SystemFault
            told = ", ".join(f"{name} is {seen[name]!r}, expected {self.fields[name]!r}" for name in wrong)
            raise fault(f"the response to {request.srv}: {told}")
        return seen


@step("expect_log")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectLog(Step):
    """The last response is a device log with these in it and without those.

    `historic` looks at a hub's historic device log (8.9 with `security`).
    """

    has: tuple[Listed, ...] = ()
    lacks: tuple[Listed, ...] = ()
    historic: bool = False

    def __post_init__(self) -> None:
        if not self.has and not self.lacks:
            raise ValueError("`has` or `lacks` must name somebody")

    async def run(self, case: CaseContext) -> Seen:
        """Compare by EUI-64."""
        request = last_request(case)
        name = HISTORIC_DEVICE_LOG if self.historic else DEVICE_LOG
        log = request.response.fields.get(name)
        if log is None:
            raise StimulusImpossible(f"the response to {request.srv} has no {name}; put an 8.9 before")
        fault = DutFault if request.hub is None else SystemFault
        for listed in self.has:
            if listed_eui64(case, listed) not in log:
                raise fault(f"{name}: the {listed} is not in it ({log or 'empty'})")
        for listed in self.lacks:
            if listed_eui64(case, listed) in log:
                raise fault(f"{name}: the {listed} is in it ({log})")
        return {"log": log}


@step("expect_no_gbcs")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectNoGbcs(Step):
    """No GBCS octet was anywhere since the whitelisting: at the DSP, in a tunnel on the air, at the PPMID."""

    async def run(self, case: CaseContext) -> Seen:
        """Ask them."""
        return await witnesses.no_gbcs(case)


def listed_eui64(case: CaseContext, listed: Listed) -> str:
    """Return what a device log shows of it."""
    if listed == "GPF":
        if case.hub is None:
            raise StimulusImpossible("the case has whitelisted the PPMID on no hub whose GPF could be meant")
        return str(case.hub.gpf)
    if listed == "PPMID":
        return str(case.bench.device)
    return str(case.meters.get(DeviceType(listed), METERS[DeviceType(listed)]))
