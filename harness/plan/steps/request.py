"""Steps that send a service request to the PPMID and ask three witnesses which way it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.dcc.documents import ServiceResponse, Stage, Via
from harness.errors import (
    BenchError,
    DecodeError,
    DeviceSilent,
    DutFault,
    RadioUndelivered,
    StimulusImpossible,
    SystemFault,
)
from harness.plan import key_witnesses, witnesses
from harness.plan.context import CaseContext, Request
from harness.plan.expect import hold, refused
from harness.plan.steps.step import Seen, Step, step
from harness.smets.cpl import DeviceType
from harness.smets.han import FIRMWARE_READ
from harness.smets.routing import GbcsRoute, NoRoute, route

_FIRMWARE = "FirmwareVersion"
_SMETS1_RULE = {Via.S1SP: (FIRMWARE_READ,), Via.GBCS: ()}


@step("request")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest(Step):
    """Send a service request without parameters to the PPMID, such as 11.2; it must be answered."""

    srv: str

    async def run(self, case: CaseContext) -> Seen:
        """Send it. What keeps it from being answered says whose fault that is."""
        await case.bench.ppmid.received()  # what came earlier is no witness for this request
        response = await case.bench.dcc.request(self.srv, case.bench.device)
        way = case.bench.dcc.route_of(response)
        case.request = Request(srv=self.srv, response=response, route=way)
        case.rules.note(*response.rules)
        case.row.note("route", way.via.value)
        if not response.ok:
            raise self._unanswered(case, response)
        return {"code": response.code, "via": way.via.value, **response.fields}

    def _unanswered(self, case: CaseContext, response: ServiceResponse) -> BenchError:
        if response.stage is not Stage.DELIVERY:
            return refused(case, response, f"request {self.srv}")
        says = (
            f"request {self.srv} by way of {response.via.value} ended with {response.code}: {response.reason}"
        )
        astray = _astray(case, self.srv, response.via)
        if astray is not None:
            return SystemFault(f"{says}; {astray}")
        if response.body is not None or isinstance(response.cause, DecodeError):
            return DutFault(says)
        if isinstance(response.cause, DeviceSilent):
            return DeviceSilent(says)
        if isinstance(response.cause, RadioUndelivered):
            return RadioUndelivered(says)
        return SystemFault(says)


@step("expect_firmware")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectFirmware(Step):
    """The last response has the firmware version that the rig file says of the PPMID."""

    async def run(self, case: CaseContext) -> Seen:
        """Compare; where it is read on SMETS1 rests on an assumption."""
        request = last_request(case)
        seen = request.response.fields.get(_FIRMWARE)
        hold(
            case,
            f"firmware version in the response to {request.srv}",
            wanted=case.bench.ppmid_device.firmware.upper(),
            seen=seen,
            ruled=None,
            rules=_SMETS1_RULE.get(request.route.via, ()),
            fault=DutFault,
        )
        return {"firmware": seen}


@step("expect_route")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRoute(Step):
    """The last request went this way: so say the DSP, the tunnel on the air (or the hub), and the PPMID."""

    via: Literal["gbcs", "s1sp"]
    use_case: str | None = None

    def __post_init__(self) -> None:
        if self.via == "s1sp" and self.use_case is not None:
            raise ValueError("`use_case` is a GBCS use case; by way of the S1SP there is none")

    async def run(self, case: CaseContext) -> Seen:
        """Ask them one after the other; none of them can speak for another."""
        request = last_request(case)
        ruled = route(case.version, request.srv, DeviceType.PPMID, case.bench.rules)
        hold(
            case,
            f"route of {request.srv} at the DSP",
            wanted=self.via,
            seen=request.route.via.value,
            ruled=_via(ruled),
            rules=ruled.rules,
            fault=SystemFault,
        )
        if self.use_case is not None:
            hold(
                case,
                f"GBCS use case of {request.srv} at the DSP",
                wanted=self.use_case,
                seen=request.route.use_case,
                ruled=ruled.use_case if isinstance(ruled, GbcsRoute) else None,
                rules=ruled.rules,
                fault=SystemFault,
            )
        prove = witnesses.of_gbcs if self.via == "gbcs" else witnesses.of_s1sp
        seen = await prove(case, request)
        await key_witnesses.link_key_is_used(case)
        return seen


def last_request(case: CaseContext) -> Request:
    """Return the last request; StimulusImpossible when the plan has sent none."""
    if case.request is None:
        raise StimulusImpossible("no request has been sent to the PPMID; put a `request` step before")
    return case.request


def _astray(case: CaseContext, srv: str, via: Via) -> str | None:
    """Say that a request took a way that the rulebook does not give it; None when it took the right one."""
    if case.version is None:
        return None
    ruled = route(case.version, srv, DeviceType.PPMID, case.bench.rules)
    if isinstance(ruled, NoRoute) or _via(ruled) == via.value:
        return None
    case.rules.note(*ruled.rules)
    if case.bench.rules.assumptions(ruled.rules):
        return None
    return (
        f"a device that is {case.version.value} is reached by way of {_via(ruled)} ({', '.join(ruled.rules)})"
    )


def _via(ruled: object) -> str | None:
    if isinstance(ruled, NoRoute):
        return None
    return Via.GBCS.value if isinstance(ruled, GbcsRoute) else Via.S1SP.value
