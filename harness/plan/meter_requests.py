"""Requests to the meters of a premises, and what they and the DSP make of them.

A critical request is sent, comes back as a pre-command, is signed as its supplier does, and sent again. What
a meter answers its supplier is checked with the supplier's keys: the DSP has not got them.
"""

from __future__ import annotations

from typing import Any, Literal

from harness.dcc.documents import GbcsResponse, PreCommand, ServiceResponse, Stage
from harness.dcc.duis.requests import ServiceRequest, SignedPreCommand
from harness.dcc.spoken import MESSAGE_SUCCESS
from harness.errors import BenchError, DecodeError, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.gbcs import parse
from harness.plan.context import CaseContext
from harness.plan.expect import refused, unmet
from harness.plan.steps.step import Seen
from harness.smets.cpl import DeviceType

Kind = Literal["ESME", "GSME"]
Answer = Literal["success", "failure"]
_REFUSES = {"8.1.1": "METER-CLOCK", "2.2": "METER-UTRN", "2.5": "METER-EMERGENCY-CREDIT"}


async def in_both_halves(
    case: CaseContext, meter: Kind, answer: Answer, kind: type[ServiceRequest], **fields: Any
) -> Seen:
    """Take a critical request through both halves, and judge what the meter says as `judged` does."""
    user = case.bench.dcc.service_user
    request = user.make(kind, installed(case, meter), **fields)
    made = await user.send_made(request)
    case.rules.note(*made.rules)
    if not isinstance(made.body, PreCommand):
        if made.ok:
            raise SystemFault(f"the DSP answered {request.srv} to an {meter} with no pre-command")
        raise refused(case, made, f"{request.srv} to an {meter}")
    signed = user.supplier.sign(made.body.message)
    second = SignedPreCommand(request_id=request.request_id, srv=request.srv, payload=signed)
    return judged(case, meter, answer, second, await user.send_made(second))


def judged(
    case: CaseContext, meter: Kind, answer: Answer, request: ServiceRequest, response: ServiceResponse
) -> Seen:
    """Judge the answer of a meter, and what the DSP makes of it; raises SystemFault, or by an assumption."""
    case.rules.note(*response.rules)
    what = f"{request.srv} to the {meter}"
    body = response.body
    if not isinstance(body, GbcsResponse):
        raise _unanswered(case, what, response)
    try:
        if parse(body.message).recipient != case.bench.dcc.dsp:  # what is for the DSP it has checked itself
            case.bench.dcc.service_user.supplier.check(body.message)
    except DecodeError as error:
        raise SystemFault(f"the {meter}'s response to {request.srv} does not hold: {error}") from error
    failed = response.fields.get(MESSAGE_SUCCESS) == "false"
    if failed != (answer == "failure"):
        says = f"{what}: expected {answer}, the {meter} says {dict(response.fields)}"
        rules = [_REFUSES[request.srv]] if answer == "failure" and request.srv in _REFUSES else []
        raise unmet(case, says, rules, SystemFault)
    if response.ok == failed:
        taken = "success" if response.ok else "failure"
        raise SystemFault(f"{what}: the {meter} says {dict(response.fields)}, the DSP takes it for a {taken}")
    if failed and request.srv in _REFUSES:
        case.rules.note(_REFUSES[request.srv])
    return {"code": response.code, "use_case": body.use_case, **response.fields}


def _unanswered(case: CaseContext, what: str, response: ServiceResponse) -> BenchError:
    if response.stage is not Stage.DELIVERY:
        return refused(case, response, what)
    return SystemFault(f"{what} by way of {response.via.value} ended with {response.code}: {response.reason}")


def installed(case: CaseContext, kind: Kind) -> Eui64:
    """Return the EUI-64 of a meter that the case has installed; StimulusImpossible without."""
    device = case.meters.get(DeviceType(kind))
    if device is None:
        raise StimulusImpossible(f"no {kind} is installed; put an `install_meter` step before")
    return device
