"""Steps about the alerts that the DCC sends its users by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.dcc.dcc_alerts import ALERTS_RAISED, DccAlertKind
from harness.dcc.duis import alerts as a
from harness.dcc.duis.responses import DccAlertMessage, Response
from harness.documents import Seconds
from harness.errors import SystemFault
from harness.eui64 import Eui64
from harness.plan.context import CaseContext
from harness.plan.expect import unmet
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until

_WITHIN, _QUIET_FOR = Seconds(5), Seconds(0.5)
_CHANGES: Mapping[a.StatusChange, DccAlertKind] = {
    a.StatusChange.SUSPENDED: DccAlertKind.SUSPENDED,
    a.StatusChange.RESTORED: DccAlertKind.RESTORED,
    a.StatusChange.HUB_DECOMMISSIONED: DccAlertKind.HUB_DECOMMISSIONED,
    a.StatusChange.REMOVED: DccAlertKind.REMOVED,
}
_BODIES: Mapping[type, DccAlertKind] = {
    a.PpmidAlert: DccAlertKind.PPMID,
    a.PpmidRemoval: DccAlertKind.PPMID_REMOVAL,
    a.CommsHubAlert: DccAlertKind.HUB,
    a.FirmwareVersionMismatch: DccAlertKind.FIRMWARE_MISMATCH,
    a.FirmwareDelivery: DccAlertKind.FIRMWARE_DELIVERY,
    a.FirmwareDistributionFailure: DccAlertKind.FIRMWARE_FAILURE,
}


@step("expect_dcc_alert")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectDccAlert(Step):
    """The DCC has sent this alert about the PPMID by itself, `times` since the case began, and to whom.

    Without `to` only the user in whose name the case sends requests is looked at; with it, nobody else of the
    rig's users may have got it. When it has come, no more of it may come for `quiet_for`; with `times: 0`
    none may come for the whole of `within`.
    """

    alert: DccAlertKind
    to: tuple[str, ...] | None = None
    times: int = 1
    within: Seconds = _WITHIN
    quiet_for: Seconds = _QUIET_FOR

    def __post_init__(self) -> None:
        if self.times < 0:
            raise ValueError(f"`times` is 0 or more, not {self.times}")
        if self.times == 0 and self.within <= 0:
            raise ValueError("`times: 0` goes with a `within` in which the alert could still come")
        if self.to is not None and not self.to:
            raise ValueError("`to` names one user or more; left out, it is the user of the case")

    async def run(self, case: CaseContext) -> Seen:
        """Wait for it at each user; too many, somebody else's, another alert code: the DCC is at fault."""
        dcc = case.bench.dcc
        wanted = {dcc.user} if self.to is None else {dcc.user_named(name) for name in self.to}
        others = set(dcc.told) - wanted if self.to is not None else set[Eui64]()

        def too_many() -> bool:
            more = any(len(self._of(case, user)) > self.times for user in wanted)
            return more or any(self._of(case, user) for user in others)

        if self.times:
            await until(lambda: all(len(self._of(case, user)) >= self.times for user in wanted), self.within)
        await until(too_many, self.quiet_for if self.times else self.within)
        case.rules.note(self.alert.rule)
        for user in sorted(wanted, key=str):
            self._hold_count(case, user)
        for user in sorted(others, key=str):
            if self._of(case, user):
                says = f"alert `{self.alert.value}` went to {user}, whom it is not for"
                raise unmet(case, says, (self.alert.rule,), SystemFault)
        self._hold_code(case, wanted)
        return {"alert": self.alert.value, "to": sorted(map(str, wanted))}

    def _hold_count(self, case: CaseContext, user: Eui64) -> None:
        got = len(self._of(case, user))
        if got == self.times:
            return
        listed = self.alert.value in case.bench.rules.rule(ALERTS_RAISED).texts()
        somebody = any(self._of(case, other) for other in case.bench.dcc.told)
        rules = (ALERTS_RAISED,) if listed and (got or not somebody) else (self.alert.rule,)
        sent = [_text(one) for one in case.bench.dcc.told.get(user, ())]
        says = f"alert `{self.alert.value}` for {user}: {got} within {self.within:g} s, expected {self.times}"
        raise unmet(case, f"{says}; it was sent {', '.join(sent) or 'nothing at all'}", rules, SystemFault)

    def _hold_code(self, case: CaseContext, users: set[Eui64]) -> None:
        code = case.bench.rules.rule(self.alert.rule).text("code")
        for sent in (one for user in users for one in self._of(case, user)):
            assert isinstance(sent.body, DccAlertMessage)
            if sent.body.code != code:
                says = f"alert `{self.alert.value}` has code {sent.body.code}, expected {code}"
                raise unmet(case, says, (self.alert.rule,), SystemFault)

    def _of(self, case: CaseContext, user: Eui64) -> list[Response]:
        """Return what a user was sent that is this alert, about the PPMID."""
        return [sent for sent in case.bench.dcc.told.get(user, ()) if self._is_it(case, sent)]

    def _is_it(self, case: CaseContext, sent: Response) -> bool:
        if not isinstance(sent.body, DccAlertMessage):
            return False
        body, code = sent.body.alert, sent.body.code
        if isinstance(body, a.UpdateHanDeviceLogResult):  # good or bad: the code alone tells
            bad = case.bench.rules.rule(DccAlertKind.LOG_UNCONFIRMED.rule).text("code")
            kind = DccAlertKind.LOG_UNCONFIRMED if code == bad else DccAlertKind.LOG_UPDATED
        elif isinstance(body, a.DeviceStatusChange):
            kind = _CHANGES[body.change]
        else:
            found = _BODIES.get(type(body))
            if found is None:
                return False
            kind = found
        return kind is self.alert and _is_about(body, case)


def _text(sent: Response) -> str:
    body = sent.body
    if not isinstance(body, DccAlertMessage):
        return type(body).__name__
    change = f" {body.alert.change.value}" if isinstance(body.alert, a.DeviceStatusChange) else ""
    return f"{body.code} {type(body.alert).__name__}{change}"


def _is_about(alert: object, case: CaseContext) -> bool:
    """Whether it is about the PPMID, a request of the case, or a hub of the bench."""
    device = case.bench.device
    match alert:
        case a.UpdateHanDeviceLogResult(request_id=request_id):
            return any(route.request_id == request_id for route in case.bench.dcc.routes)
        case a.PpmidRemoval(ppmid=ppmid):
            return ppmid == device
        case a.FirmwareDistributionFailure(devices=devices):
            return device in devices
        case a.CommsHubAlert(transfer=transfer):
            return transfer is None or transfer.device == device
        case a.DeviceStatusChange(device=about, change=a.StatusChange.HUB_DECOMMISSIONED):
            return about in {entry.hub.eui64 for entry in case.bench.hubs.values()}
        case a.PpmidAlert() | a.FirmwareVersionMismatch() | a.FirmwareDelivery() | a.DeviceStatusChange():
            return alert.device == device
        case _:
            return True
