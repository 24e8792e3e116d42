"""Steps of a premises: meters are installed, commissioned, joined to the PPMID, topped up, written on.

A critical request is sent, comes back as a pre-command, is signed as its supplier does, and sent again. What
a meter answers its supplier is checked with the supplier's keys: the DSP has not got them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from harness.dcc.documents import (
    GbcsResponse,
    PreCommand,
    Prenotification,
    RequestId,
    ServiceResponse,
    Stage,
)
from harness.dcc.duis.requests import (
    ActivateEmergencyCredit,
    Commission,
    DisplayMessage,
    JoinCritical,
    JoinNonCritical,
    ServiceRequest,
    SignedPreCommand,
    TopUp,
)
from harness.dcc.spoken import MESSAGE_SUCCESS
from harness.documents import Seconds
from harness.errors import BenchError, DecodeError, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.gbcs import parse
from harness.hub.device_log import DeviceState
from harness.plan.context import CaseContext
from harness.plan.expect import hold_status, refused, unmet
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until
from harness.rig.bench import HubOnBench, MeterOnBench
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus

Kind = Literal["ESME", "GSME"]
Answer = Literal["success", "failure"]
_WINDOW_S = 90
_DEFAULT_WITHIN = Seconds(60)
_TOLERANCE = timedelta(seconds=60)
_REFUSES = {"8.1.1": "METER-CLOCK", "2.2": "METER-UTRN", "2.5": "METER-EMERGENCY-CREDIT"}
_MOST_PENCE = 8191


@step("install_meter")
@dataclass(frozen=True, slots=True, kw_only=True)
class InstallMeter(Step):
    """A meter of the rig is pre-notified (12.2), whitelisted (8.11), switched on, and joins the HAN."""

    meter: Kind
    hub: str
    within: Seconds = _DEFAULT_WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Install it; it is on the HAN when the hub says so, with a link key that was established."""
        device_type, meter = DeviceType(self.meter), _of_rig(case, self.meter)
        entry, hub = meter.entry, case.bench.hub(self.hub)
        notice = Prenotification(
            device=entry.eui64,
            device_type=device_type,
            manufacturer=entry.manufacturer,
            model=entry.model,
            firmware=entry.firmware,
            version=hub.family.value,
        )
        dcc = case.bench.dcc
        for what, sending in (
            ("pre-notified", dcc.prenotify(notice)),
            ("whitelisted", dcc.whitelist(hub.hub.eui64, entry.eui64, bytes(entry.install_code), _WINDOW_S)),
        ):
            response = await sending
            case.rules.note(*response.rules)
            if not response.ok:
                raise refused(case, response, f"an {self.meter} to be {what}")
        if meter.supply is not None:
            await meter.supply.switch(on=True)

        def on_han() -> bool:
            logged = {one.eui64: one.state for one in hub.hub.device_log()}
            return logged.get(entry.eui64) is DeviceState.JOINED and (
                hub.hub.profile.tunnel is None or hub.hub.has_tunnel(entry.eui64)
            )

        joined = await until(on_han, self.within)
        case.note_keys()
        if not joined:
            raise SystemFault(
                f"{self.within:g} s after it was whitelisted the {self.meter} {entry.eui64} is not on the"
                f" HAN of hub {self.hub}, or has no tunnel there"
            )
        case.meters[device_type] = entry.eui64
        return {"eui64": str(entry.eui64)}


@step("commission_meter")
@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionMeter(Step):
    """Set a meter's clock (8.1.1); with `wrong_time` to a time of an hour ago, which it must refuse."""

    meter: Kind
    wrong_time: bool = False

    async def run(self, case: CaseContext) -> Seen:
        """Send it in both halves; a meter that refuses must be in the SMI as before."""
        dcc, device = case.bench.dcc, _installed(case, self.meter)
        start = datetime.now(UTC).replace(microsecond=0) - _TOLERANCE
        if self.wrong_time:
            start -= timedelta(hours=1)
        before = await dcc.read_inventory(device)
        span_s = int(2 * _TOLERANCE.total_seconds())
        answer: Answer = "failure" if self.wrong_time else "success"
        seen = await _signed(case, self.meter, answer, Commission, current=start, tolerance_s=span_s)
        after = await dcc.read_inventory(device)
        if self.wrong_time and after != before:
            raise SystemFault(f"the {self.meter} refused to be commissioned, and yet the SMI changed")
        return seen


@step("join_meter")
@dataclass(frozen=True, slots=True, kw_only=True)
class JoinMeter(Step):
    """Join a meter to the PPMID from the meter's side (8.7.1), or a GSME to its hub's GPF (8.7.2)."""

    meter: Kind
    with_: Literal["PPMID", "GPF"] = "PPMID"
    answer: Answer = "success"

    def __post_init__(self) -> None:
        if self.with_ == "GPF" and self.meter != "GSME":
            raise ValueError("only a GSME is joined to a GPF")

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.7.1 in both halves, or 8.7.2."""
        if self.with_ == "GPF":
            user, device = case.bench.dcc.service_user, _installed(case, self.meter)
            request = user.make(JoinNonCritical, device, other=_hub_of(case, device).gpf)
            return _judged(case, self.meter, self.answer, request, await user.send_made(request))
        return await _signed(case, self.meter, self.answer, JoinCritical, other=case.bench.device)


@step("activate_emergency_credit")
@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyCredit(Step):
    """Activate a meter's emergency credit (2.5)."""

    meter: Kind
    answer: Answer = "success"

    async def run(self, case: CaseContext) -> Seen:
        """Send it in both halves."""
        return await _signed(case, self.meter, self.answer, ActivateEmergencyCredit)


@step("top_up")
@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpMeter(Step):
    """Top a meter up (2.2) by a UTRN of so many `pence`.

    With `again` by the last one once more, as another request; with `of` by one made for another meter.
    """

    meter: Kind
    pence: int = 0
    again: bool = False
    of: Kind | None = None
    answer: Answer = "success"

    def __post_init__(self) -> None:
        if self.again == bool(self.pence) or not 0 <= self.pence <= _MOST_PENCE:
            raise ValueError(f"either `pence`, 1 to {_MOST_PENCE}, or `again: true`")

    async def run(self, case: CaseContext) -> Seen:
        """Make the UTRN under the request's counter, and send it."""
        user, device = case.bench.dcc.service_user, _installed(case, self.meter)
        device_type = DeviceType(self.meter)
        counter = user.supplier.prepayment_counter()
        if not self.again:
            good_for = device if self.of is None else _installed(case, self.of)
            case.utrns[device_type] = user.supplier.utrn(good_for, self.pence, counter)
        if device_type not in case.utrns:
            raise StimulusImpossible("there is no UTRN to send again; put a `top_up` step before")
        request = TopUp(request_id=RequestId(user.eui64, device, counter), utrn=case.utrns[device_type])
        return _judged(case, self.meter, self.answer, request, await user.send_made(request))


@step("show_message")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShowMessage(Step):
    """Put a message on a meter's display (3.1)."""

    meter: Kind
    text: str
    answer: Answer = "success"

    async def run(self, case: CaseContext) -> Seen:
        """Send it."""
        user = case.bench.dcc.service_user
        request = user.make(DisplayMessage, _installed(case, self.meter), message=self.text)
        return _judged(case, self.meter, self.answer, request, await user.send_made(request))


@step("expect_meter")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectMeter(Step):
    """The SMI has a meter in this status (read with 8.2)."""

    meter: Kind
    status: DeviceStatus

    async def run(self, case: CaseContext) -> Seen:
        """Read the inventory."""
        device = _installed(case, self.meter)
        record = await case.bench.dcc.read_inventory(device)
        if record is None:
            raise unmet(case, f"the SMI does not know {device}", ("SMI-PRENOTIFY",), SystemFault)
        hold_status(case, record, self.status)
        return dict(record.plain())


async def _signed(
    case: CaseContext, meter: Kind, answer: Answer, kind: type[ServiceRequest], **fields: Any
) -> Seen:
    """Take a critical request through both halves, and judge what the meter says."""
    user = case.bench.dcc.service_user
    request = user.make(kind, _installed(case, meter), **fields)
    made = await user.send_made(request)
    case.rules.note(*made.rules)
    if not isinstance(made.body, PreCommand):
        if made.ok:
            raise SystemFault(f"the DSP answered {request.srv} to an {meter} with no pre-command")
        raise refused(case, made, f"{request.srv} to an {meter}")
    signed = user.supplier.sign(made.body.message)
    second = SignedPreCommand(request_id=request.request_id, srv=request.srv, payload=signed)
    return _judged(case, meter, answer, second, await user.send_made(second))


def _judged(
    case: CaseContext, meter: Kind, answer: Answer, request: ServiceRequest, response: ServiceResponse
) -> Seen:
    """Judge the answer of a meter, and what the DSP makes of it."""
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


def _of_rig(case: CaseContext, kind: Kind) -> MeterOnBench:
    meter = case.bench.meters.get(DeviceType(kind))
    if meter is None:
        raise StimulusImpossible(f"this rig has no {kind}", remedy="give it one under `meters`")
    return meter


def _hub_of(case: CaseContext, device: Eui64) -> HubOnBench:
    for entry in case.bench.hubs.values():
        if any(logged.eui64 == device for logged in entry.hub.device_log()):
            return entry
    raise StimulusImpossible(f"{device} is in no hub's device log")


def _installed(case: CaseContext, kind: Kind) -> Eui64:
    device = case.meters.get(DeviceType(kind))
    if device is None:
        raise StimulusImpossible(f"no {kind} is installed; put an `install_meter` step before")
    return device
