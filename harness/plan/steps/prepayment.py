"""Steps of a supplier with a meter that is paid for beforehand: emergency credit, top-ups, messages."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.documents import RequestId
from harness.dcc.duis.requests import ActivateEmergencyCredit, DisplayMessage, TopUp
from harness.errors import StimulusImpossible
from harness.plan.context import CaseContext
from harness.plan.meter_requests import Answer, Kind, in_both_halves, installed, judged
from harness.plan.steps.step import Seen, Step, step
from harness.smets.cpl import DeviceType

_MOST_PENCE = 8191


@step("activate_emergency_credit")
@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyCredit(Step):
    """Activate a meter's emergency credit (2.5)."""

    meter: Kind
    answer: Answer = "success"

    async def run(self, case: CaseContext) -> Seen:
        """Send it in both halves."""
        return await in_both_halves(case, self.meter, self.answer, ActivateEmergencyCredit)


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
        user, device = case.bench.dcc.service_user, installed(case, self.meter)
        device_type = DeviceType(self.meter)
        counter = user.supplier.prepayment_counter()
        if not self.again:
            good_for = device if self.of is None else installed(case, self.of)
            case.utrns[device_type] = user.supplier.utrn(good_for, self.pence, counter)
        if device_type not in case.utrns:
            raise StimulusImpossible("there is no UTRN to send again; put a `top_up` step before")
        request = TopUp(request_id=RequestId(user.eui64, device, counter), utrn=case.utrns[device_type])
        return judged(case, self.meter, self.answer, request, await user.send_made(request))


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
        request = user.make(DisplayMessage, installed(case, self.meter), message=self.text)
        return judged(case, self.meter, self.answer, request, await user.send_made(request))
