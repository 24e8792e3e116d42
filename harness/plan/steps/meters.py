"""Steps of a premises: meters are installed, commissioned, joined to the PPMID, and unjoined from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from harness.dcc.documents import (
    Prenotification,
)
from harness.dcc.duis.requests import (
    Commission,
    JoinCritical,
    JoinNonCritical,
    ReadDeviceLog,
    UnjoinCritical,
)
from harness.dcc.use_cases import DEVICE_LOG
from harness.documents import Seconds
from harness.errors import StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.hub.device_log import DeviceState
from harness.plan.context import CaseContext
from harness.plan.expect import hold_status, refused, unmet
from harness.plan.meter_requests import Answer, Kind, in_both_halves, installed, judged
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until
from harness.rig.bench import HubOnBench, MeterOnBench
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus

_WINDOW_S = 90
_DEFAULT_WITHIN = Seconds(60)
_TOLERANCE = timedelta(seconds=60)


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
        dcc, device = case.bench.dcc, installed(case, self.meter)
        start = datetime.now(UTC).replace(microsecond=0) - _TOLERANCE
        if self.wrong_time:
            start -= timedelta(hours=1)
        before = await dcc.read_inventory(device)
        span_s = int(2 * _TOLERANCE.total_seconds())
        answer: Answer = "failure" if self.wrong_time else "success"
        seen = await in_both_halves(case, self.meter, answer, Commission, current=start, tolerance_s=span_s)
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
            user, device = case.bench.dcc.service_user, installed(case, self.meter)
            request = user.make(JoinNonCritical, device, other=_hub_of(case, device).gpf)
            return judged(case, self.meter, self.answer, request, await user.send_made(request))
        return await in_both_halves(case, self.meter, self.answer, JoinCritical, other=case.bench.device)


@step("unjoin_meter")
@dataclass(frozen=True, slots=True, kw_only=True)
class UnjoinMeter(Step):
    """Unjoin a meter from the PPMID, from the meter's side (8.8.1)."""

    meter: Kind
    answer: Answer = "success"

    async def run(self, case: CaseContext) -> Seen:
        """Send it in both halves."""
        return await in_both_halves(case, self.meter, self.answer, UnjoinCritical, other=case.bench.device)


@step("expect_meter_log")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectMeterLog(Step):
    """A meter says that it is joined to these and not to those (8.9): the PPMID, its hub's GPF."""

    meter: Kind
    has: tuple[Literal["PPMID", "GPF"], ...] = ()
    lacks: tuple[Literal["PPMID", "GPF"], ...] = ()

    def __post_init__(self) -> None:
        if not self.has and not self.lacks:
            raise ValueError("`has` or `lacks` must name somebody")

    async def run(self, case: CaseContext) -> Seen:
        """Ask it."""
        user, device = case.bench.dcc.service_user, installed(case, self.meter)
        request = user.make(ReadDeviceLog, device)
        seen = judged(case, self.meter, "success", request, await user.send_made(request))
        log = seen[DEVICE_LOG]
        known = {"PPMID": case.bench.device, "GPF": _hub_of(case, device).gpf}
        for name in (*self.has, *self.lacks):
            if (str(known[name]) in log) != (name in self.has):
                expected = "in it" if name in self.has else "not in it"
                raise SystemFault(f"device log of the {self.meter}: expected the {name} {expected}: {log}")
        return seen


@step("expect_meter")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectMeter(Step):
    """The SMI has a meter in this status (read with 8.2)."""

    meter: Kind
    status: DeviceStatus

    async def run(self, case: CaseContext) -> Seen:
        """Read the inventory."""
        device = installed(case, self.meter)
        record = await case.bench.dcc.read_inventory(device)
        if record is None:
            raise unmet(case, f"the SMI does not know {device}", ("SMI-PRENOTIFY",), SystemFault)
        hold_status(case, record, self.status)
        return dict(record.plain())


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
