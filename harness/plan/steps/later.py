"""A step about requests for a later time, which the DSP holds until then."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from harness.dcc.counters import utc_now
from harness.dcc.documents import RequestId, ServiceRequest
from harness.dcc.duis.requests import ReadDeviceLog, ReadFirmwareVersion
from harness.dcc.duis.responses import Response
from harness.documents import Seconds
from harness.errors import SystemFault
from harness.plan.context import CaseContext
from harness.plan.expect import refused, unmet
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until
from harness.smets.future import CANCEL, HELD, cancellation_time

_KINDS: Mapping[str, type[ServiceRequest]] = {"8.9": ReadDeviceLog, "11.2": ReadFirmwareVersion}
_AFTER, _WITHIN = Seconds(2), Seconds(10)
_APART_S = 0.5  # so far the clock of the DSP may be apart from ours
_AFTERWARDS_S = 1.0  # so long after its time a request that was cancelled may still be answered, wrongly


@step("request_later")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLater(Step):
    """Sends the PPMID a request for `after` from now: acknowledged at once, answered when that has come.

    With `cancel` it is taken back at once, and must not be answered at all.
    """

    srv: Literal["8.9", "11.2"]
    after: Seconds = _AFTER
    cancel: bool = False
    within: Seconds = _WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Send it and wait: too early, too late, or an answer to what was taken back is the DSP's fault."""
        dcc, device, kind = case.bench.dcc, case.bench.device, _KINDS[self.srv]
        execution = utc_now() + timedelta(seconds=self.after)
        accepted = await dcc.send(kind, device, execution=execution)
        case.rules.note(HELD, *accepted.rules)
        if not accepted.ok:
            raise refused(case, accepted, f"request {self.srv} for later")
        if self.cancel:
            return await self._cancelled(case, kind, accepted.request_id, execution)

        def answered() -> bool:
            return self._answer(case, accepted.request_id) is not None

        left_s = (execution - utc_now()).total_seconds()
        if await until(answered, max(0.0, left_s - _APART_S)):
            raise unmet(case, f"{self.srv} was answered before its time", (HELD,), SystemFault)
        await until(answered, max(0.0, left_s) + self.within)
        answer = self._answer(case, accepted.request_id)
        if answer is None:
            says = f"{self.srv} was acknowledged, and not answered within {self.within:g} s of its time"
            raise unmet(case, says, (HELD,), SystemFault)
        return {"code": answer.code, "for": execution.isoformat()}

    async def _cancelled(
        self, case: CaseContext, kind: type[ServiceRequest], sent: RequestId, execution: datetime
    ) -> Seen:
        dcc = case.bench.dcc
        when = cancellation_time(case.bench.rules)
        taken_back = await dcc.send(kind, case.bench.device, execution=when)
        case.rules.note(CANCEL, *taken_back.rules)
        if not taken_back.ok:
            raise refused(case, taken_back, f"to take {self.srv} back")
        await asyncio.sleep(max(0.0, (execution - utc_now()).total_seconds()) + _AFTERWARDS_S)
        if self._answer(case, sent) is not None:
            says = f"{self.srv} was taken back before its time, and answered all the same"
            raise unmet(case, says, (CANCEL,), SystemFault)
        return {"code": taken_back.code}

    def _answer(self, case: CaseContext, sent: RequestId) -> Response | None:
        told = case.bench.dcc.told.get(case.bench.dcc.user, ())
        return next((one for one in told if one.request_id == sent and one.response_id is not None), None)
