"""A step about requests for a later time, which the DSP holds until then."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from harness.dcc.counters import utc_now
from harness.dcc.documents import ServiceRequest, ServiceResponse, Stage
from harness.dcc.duis.requests import ReadDeviceLog, ReadFirmwareVersion
from harness.documents import Seconds
from harness.errors import BenchError, SystemFault
from harness.plan.context import CaseContext
from harness.plan.expect import refused, undelivered, unmet
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until
from harness.smets.future import CANCEL, HELD, cancellation_time
from harness.smets.requests import Answer, code_for

_KINDS: Mapping[str, type[ServiceRequest]] = {"8.9": ReadDeviceLog, "11.2": ReadFirmwareVersion}
_AFTER, _WITHIN, _SOONEST = Seconds(2), Seconds(10), Seconds(1)
_APART_S = 0.5  # so far the clock of the DSP may be apart from ours
_AFTERWARDS_S = 1.0  # so long after its time a request that was cancelled may still be answered, wrongly
_GIVES_UP_S = 6.0  # so long after the device's own time at the latest a DSP says that nothing came


@step("request_later")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLater(Step):
    """Sends the PPMID a request for `after` from now: acknowledged at once, answered when that has come.

    The answer must be that it succeeded. With `cancel` the request is taken back at once, and must not be
    answered at all.
    """

    srv: Literal["8.9", "11.2"]
    after: Seconds = _AFTER
    cancel: bool = False
    within: Seconds = _WITHIN

    def __post_init__(self) -> None:
        if self.after < _SOONEST:
            raise ValueError(
                f"`after` is {_SOONEST:g} s or more: sooner, nobody could tell early from in time"
            )

    async def run(self, case: CaseContext) -> Seen:
        """Send it and wait: too early, too late, or an answer to what was taken back is the DSP's fault."""
        dcc, kind = case.bench.dcc, _KINDS[self.srv]
        execution = utc_now() + timedelta(seconds=self.after)
        request = dcc.make(kind, case.bench.device, execution=execution)
        accepted = await dcc.send_made(request)
        case.rules.note(HELD, *accepted.rules)
        if not accepted.ok:
            raise refused(case, accepted, f"request {self.srv} for later")
        if self.cancel:
            return await self._cancelled(case, request, execution)
        answer = await self._answer(case, request, execution)
        case.rules.note(*answer.rules)
        wrong = self._wrong(case, answer)
        if wrong is not None:
            raise wrong
        return {"code": answer.code, "for": execution.isoformat(), **answer.fields}

    async def _answer(
        self, case: CaseContext, request: ServiceRequest, execution: datetime
    ) -> ServiceResponse:
        """Return the answer; raises when it comes too early, not at all, or well but too late.

        A DSP that waits for a silent device says so later than a good device answers: that is waited for.
        """
        dcc = case.bench.dcc

        def answered() -> bool:
            return dcc.answer_to(request) is not None

        if await until(answered, max(0.0, _left_s(execution) - _APART_S)):
            raise unmet(case, f"{self.srv} was answered before its time", (HELD,), SystemFault)
        in_time = await until(answered, max(0.0, _left_s(execution)) + self.within)
        longest_s = max(self.within, dcc.answer_within_s + _GIVES_UP_S)
        await until(answered, max(0.0, _left_s(execution) + longest_s))
        answer = dcc.answer_to(request)
        if answer is None or (answer.ok and not in_time):
            says = f"{self.srv} was acknowledged, and not answered within {self.within:g} s of its time"
            raise unmet(case, says, (HELD,), SystemFault)
        return answer

    def _wrong(self, case: CaseContext, answer: ServiceResponse) -> BenchError | None:
        """Say what is wrong with an answer that came in time, and whose fault that is."""
        what = f"request {self.srv} for later"
        if not answer.ok:
            if answer.stage is not Stage.DELIVERY:
                return refused(case, answer, f"{what}, when its time had come,")
            by = f"{what} by way of {answer.via.value}"
            return undelivered(answer, f"{by} ended with {answer.code}: {answer.reason}")
        success = code_for(Answer.SUCCESS, case.bench.rules)
        if answer.code == success.code:
            return None
        says = f"{what} was answered with {answer.code}: expected {success.code}, success"
        return unmet(case, says, success.rules, SystemFault)

    async def _cancelled(self, case: CaseContext, request: ServiceRequest, execution: datetime) -> Seen:
        dcc = case.bench.dcc
        when = cancellation_time(case.bench.rules)
        taken_back = await dcc.send(type(request), case.bench.device, execution=when)
        case.rules.note(CANCEL, *taken_back.rules)
        if not taken_back.ok:
            raise refused(case, taken_back, f"to take {self.srv} back")
        await asyncio.sleep(max(0.0, _left_s(execution)) + _AFTERWARDS_S)
        if dcc.answer_to(request) is not None:
            says = f"{self.srv} was taken back before its time, and answered all the same"
            raise unmet(case, says, (CANCEL,), SystemFault)
        return {"code": taken_back.code}


def _left_s(execution: datetime) -> float:
    return (execution - utc_now()).total_seconds()
