"""Steps that send a service request to the PPMID and ask three witnesses which way it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.dcc.documents import ServiceResponse, Stage, Via
from harness.dcc.duis.requests import (
    JoinNonCritical,
    ReadDeviceLog,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    UnjoinNonCritical,
)
from harness.dcc.use_cases import JOIN_RESPONSE
from harness.errors import BenchError, DutFault, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.gbcs.use_cases.joining import DeviceType as JoinedType
from harness.gbcs.use_cases.joining import JoinedDevice, JoinResult
from harness.plan import key_witnesses, witnesses
from harness.plan.context import CaseContext, Request
from harness.plan.expect import hold, refused, undelivered, unmet
from harness.plan.hub_functions import Function, eui64_of, type_of
from harness.plan.steps.step import Seen, Step, step
from harness.rig.bench import HubOnBench
from harness.smets.cpl import DeviceType
from harness.smets.han import FIRMWARE_READ
from harness.smets.routing import GbcsRoute, NoRoute, Route, pair_operation, route

_FIRMWARE = "FirmwareVersion"
_NO_METER = "JOIN-NO-METER"
_METER_GAVE_NO_KEY = (
    JoinResult.NO_PARTNER_LINK_KEY_RECEIVED.text,
    JoinResult.NO_CBKE_RESPONSE.text,
)
_TOLD_OF_GPF = "JOIN-PPMID-TOLD-OF-GPF"
_READ_LOG = "8.9"
_RESTORES: Mapping[str, Function] = {"8.12.1": "CHF", "8.12.2": "GPF"}
_JOINS = {"8.7.2": JoinNonCritical, "8.8.2": UnjoinNonCritical}
_OF_GPF = (*_JOINS, _READ_LOG, "8.12.2")
_SMETS1_RULE = {Via.S1SP: (FIRMWARE_READ,), Via.GBCS: ()}


@step("request")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest(Step):
    """Send a service request to the PPMID, or to a hub itself; it must be answered, with success.

    `function` says which of a hub's two is meant. `with` names the other device of a join or unjoin (8.7.2,
    8.8.2): a meter, the GPF of the PPMID's hub, or the PPMID, where the GPF is told. `from` is the hub, or
    the GPF, that this one replaces (8.12.1, 8.12.2), which is taken to have had the PPMID in its log.
    `security` asks for key hashes (8.9). `answer` is `failure` for a device that must say no, `any` for no
    matter.
    """

    srv: str
    hub: str | None = None
    function: Function = "CHF"
    with_: Literal["ESME", "GSME", "GPF", "PPMID"] | None = None
    security: bool = False
    from_: Eui64 | None = None
    answer: Literal["success", "failure", "any"] = "success"

    def __post_init__(self) -> None:
        if (self.with_ is not None) != (self.srv in _JOINS):
            raise ValueError(f"`with` and one of {', '.join(_JOINS)} go together")
        if (self.from_ is not None and self.hub is not None) != (self.srv in _RESTORES):
            raise ValueError(f"`hub`, `from` and one of {', '.join(_RESTORES)} go together")
        if self.function == "GPF" and (self.hub is None or self.srv not in _OF_GPF):
            raise ValueError(f"`function: GPF` goes with `hub` and one of {', '.join(_OF_GPF)}")
        if self.function != _RESTORES.get(self.srv, self.function):
            raise ValueError(f"{self.srv} is for the {_RESTORES[self.srv]} of a hub")
        if self.with_ is not None and (self.function == "GPF") != (self.hub is not None):
            raise ValueError(f"{self.srv} is for the PPMID, or for a hub's GPF")
        if (self.with_ == "PPMID" and self.hub is None) or (self.with_ in ("GPF", "ESME") and self.hub):
            raise ValueError(f"`with: {self.with_}` is no device that this one is joined with")
        if self.security and self.srv != _READ_LOG:
            raise ValueError(f"`security` goes with {_READ_LOG}")

    async def run(self, case: CaseContext) -> Seen:
        """Send it. What keeps it from being answered says whose fault that is."""
        await case.bench.ppmid.received()  # what came earlier is no witness for this request
        response = await self._send(case)
        way = case.bench.dcc.route_of(response)
        case.request = Request(
            srv=self.srv,
            response=response,
            route=way,
            hub=self.hub,
            function=self.function,
            operation=self._operation(),
        )
        case.rules.note(*response.rules)
        if self.hub is None:
            case.row.note("route", way.via.value)
        said_no = response.stage is Stage.DELIVERY and response.body is not None
        if response.ok and self.answer == "failure":
            raise DutFault(f"request {self.srv} succeeded, which it must not: {dict(response.fields)}")
        if not response.ok and not (said_no and self.answer != "success"):
            raise self._unanswered(case, response)
        return {"code": response.code, "via": way.via.value, **response.fields}

    async def _send(self, case: CaseContext) -> ServiceResponse:
        dcc = case.bench.dcc
        entry = None if self.hub is None else case.bench.hub(self.hub)
        target = case.bench.device if entry is None else eui64_of(entry, self.function)
        if self.with_ is not None:
            return await dcc.send(_JOINS[self.srv], target, other=_other(case, entry or case.hub, self.with_))
        if self.srv == _READ_LOG:
            return await dcc.send(ReadDeviceLog, target, security_details=self.security)
        if self.from_ is not None and entry is not None:
            return await self._restore(case, entry, target, self.from_)
        return await dcc.request(self.srv, target)

    async def _restore(
        self, case: CaseContext, entry: HubOnBench, target: Eui64, replaced: Eui64
    ) -> ServiceResponse:
        dcc, device = case.bench.dcc, case.bench.device
        if self.function == "GPF":
            dcc.provision_old_gpf(replaced, entry.hub.eui64, (JoinedDevice(device, JoinedType.PPMID),))
            return await dcc.send(RestoreGpfDeviceLog, target, old_gpf=replaced)
        dcc.provision_old_hub(replaced, entry.family, (device,))
        return await dcc.send(RestoreHanDeviceLog, target, old_hub=replaced)

    def _operation(self) -> str:
        if self.with_ is not None:
            target = DeviceType.PPMID if self.hub is None else type_of(self.function)
            return pair_operation(self.srv, target, DeviceType(self.with_))
        return "SECURITY" if self.security and self.hub is not None and self.function == "CHF" else ""

    def _unanswered(self, case: CaseContext, response: ServiceResponse) -> BenchError:
        if response.stage is not Stage.DELIVERY:
            return refused(case, response, f"request {self.srv}")
        says = (
            f"request {self.srv} by way of {response.via.value} ended with {response.code}: {response.reason}"
        )
        if self.hub is not None:
            return SystemFault(says)
        astray = _astray(case, last_request(case))
        if astray is not None:
            return SystemFault(f"{says}; {astray}")
        if self.with_ == "GPF":
            return unmet(case, says, (_TOLD_OF_GPF,), DutFault)
        if response.fields.get(JOIN_RESPONSE) in _METER_GAVE_NO_KEY:
            return unmet(case, says, (_NO_METER,), DutFault)
        return undelivered(response, says)


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
        ruled = _ruled(case, request)
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
        if request.hub is not None:
            return witnesses.of_hub(case, request, request.hub)
        prove = witnesses.of_gbcs if self.via == "gbcs" else witnesses.of_s1sp
        seen = await prove(case, request)
        await key_witnesses.link_key_is_used(case)
        return seen


def last_request(case: CaseContext) -> Request:
    """Return the last request; StimulusImpossible when the plan has sent none."""
    if case.request is None:
        raise StimulusImpossible("no request has been sent to the PPMID; put a `request` step before")
    return case.request


def _ruled(case: CaseContext, request: Request) -> Route:
    """Return the way that the rulebook gives a request: by the version of the PPMID or hub that it is to."""
    if request.hub is None:
        version, kind = case.version, DeviceType.PPMID
    else:
        version, kind = case.bench.hub(request.hub).family, type_of(request.function)
    return route(version, request.srv, kind, case.bench.rules, operation=request.operation)


def _astray(case: CaseContext, request: Request) -> str | None:
    """Say that a request took a way that the rulebook does not give it; None when it took the right one."""
    if case.version is None:
        return None
    ruled = _ruled(case, request)
    if isinstance(ruled, NoRoute) or _via(ruled) == request.route.via.value:
        return None
    case.rules.note(*ruled.rules)
    if case.bench.rules.assumptions(ruled.rules):
        return None
    return (
        f"a device that is {case.version.value} is reached by way of {_via(ruled)} ({', '.join(ruled.rules)})"
    )


def _other(case: CaseContext, hub: HubOnBench | None, named: str) -> Eui64:
    """Return the other device of a join on this hub: the PPMID, the hub's GPF, or a meter.

    That is the case's own of this type, or one of the SMI alone.
    """
    if named == "PPMID":
        return case.bench.device
    if hub is None:
        raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
    if named == "GPF":
        return hub.gpf
    if DeviceType(named) in case.meters:
        return case.meters[DeviceType(named)]
    return case.bench.dcc.provision_meter(DeviceType(named), hub.hub.eui64)


def _via(ruled: object) -> str | None:
    if isinstance(ruled, NoRoute):
        return None
    return Via.GBCS.value if isinstance(ruled, GbcsRoute) else Via.S1SP.value
