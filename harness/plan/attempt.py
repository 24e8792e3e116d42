"""One attempt at a case: begin afresh, take the steps, judge what stopped them, leave the evidence behind."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from dataclasses import dataclass, field
from functools import partial

from harness.errors import BenchError, DutFault, RadioUndelivered, SystemFault
from harness.evidence.pack import EvidencePack
from harness.evidence.recorder import CaseRecorder
from harness.evidence.verdict import CaseResult, StepResult, Verdict
from harness.hub.core import CommunicationsHub
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.plan.context import CaseContext
from harness.plan.desk import Desk
from harness.plan.judge import Judgement, judge, reason_of
from harness.plan.model import Case
from harness.plan.observe import Observer
from harness.plan.radio_witness import Undelivered, unsent
from harness.plan.steps.step import Seen, Step
from harness.plan.tunnel_witness import TunnelClosing, closed_by_hub
from harness.rig.bench import Bench
from harness.tap import Boundary

BEFORE, AFTER, BUG = "inventory-before.json", "inventory-after.json", "harness-error.txt"
_BEGIN, _END = "begin afresh", "hear the air out"
_QUIET_WITHIN_S = 2.0
_PASSED = Judgement(verdict=Verdict.PASS, reason="")


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt that is going on. `run` returns its result, and has closed its evidence then."""

    case: Case
    number: int
    bench: Bench
    pack: EvidencePack
    recorder: CaseRecorder
    observer: Observer
    desk: Desk = field(default_factory=Desk)
    steps: list[StepResult] = field(default_factory=list)
    _context: CaseContext = field(init=False)
    _undelivered: list[Undelivered] = field(default_factory=list)
    _tunnels_closed: list[TunnelClosing] = field(default_factory=list)
    _began_s: float = field(init=False)
    _began: float = field(init=False)
    _doing: tuple[str, str] = field(init=False)  # title and place of the step under way
    _doing_since: float = 0.0
    _limit_s: float | None = None  # of the step under way

    def __post_init__(self) -> None:
        self._context = CaseContext(
            bench=self.bench, recorder=self.recorder, rules=self.bench.rules.consult(), desk=self.desk
        )
        self._context.row.cells.update(self.case.cells)
        self._began_s, self._began = time.time(), time.monotonic()
        self._doing = (_BEGIN, self.case.place)

    async def run(self) -> CaseResult:
        """Take it to its end. Cancelled, it leaves a result that says so and passes the cancelling on."""
        hubs = [entry.hub for entry in self.bench.hubs.values()]
        forget = [hub.listen(partial(self._hub_told, hub)) for hub in hubs]
        try:
            return await self._run()
        finally:
            for stop in forget:
                stop()

    def _hub_told(self, hub: CommunicationsHub, event: HubEvent) -> None:
        """Know a link key before anything that it secures is on the air, and what a radio did not deliver."""
        if event.kind is HubEventKind.KEY_ESTABLISHED:
            self._context.note_keys()
        elif event.kind is HubEventKind.UNDELIVERED:
            self._undelivered.append((hub, event))
        elif event.kind is HubEventKind.TUNNEL_CLOSED:
            self._tunnels_closed.append((hub, event))

    async def _run(self) -> CaseResult:
        try:
            judgement = await self._judged()
        except asyncio.CancelledError:
            by = f" from the {self.desk.stopped_by}" if self.desk.stopped_by else ""
            self._ended(Judgement(verdict=Verdict.ERROR, reason=f"interrupted{by}"))
            raise
        return self._ended(judgement)

    async def _judged(self) -> Judgement:
        try:
            async with asyncio.timeout(self.case.timeout) as limit:
                self._context.limit = limit
                await self._take_steps()
        except TimeoutError as error:
            if not limit.expired():
                return await self._judge(error)
            return await self._judge(_hang(self.case, self._elapsed_s()))
        except Exception as error:  # noqa: BLE001 - the one place where an exception becomes a verdict
            return await self._judge(error)
        return _PASSED

    async def _take_steps(self) -> None:
        self._context.note_keys()
        await self.bench.reset_case()
        self._undelivered.clear()  # what was for the device before
        self._tunnels_closed.clear()
        self._context.note_keys()
        self._save_inventory(BEFORE)
        for step in self.case.steps:
            self._begin_step(step)
            seen = await step.run(self._context)
            self._end_step(_PASSED, seen)
        self._doing, self._doing_since = (_END, self.case.place), self._elapsed_s()
        self._limit_s = None
        await self._context.air_is_quiet()

    def _begin_step(self, step: Step) -> None:
        self._doing, self._doing_since = (step.title, step.place), self._elapsed_s()
        self._limit_s = getattr(step, "within", None)
        number = len(self.steps) + 1
        self.bench.tap.record(Boundary.STEP, "plan", self.case.id, step.title, place=step.place, step=number)

    def _end_step(self, judgement: Judgement, seen: Seen) -> None:
        # Masked here already: what is told on a terminal stays in the logs of a CI.
        secrets = self.pack.secrets
        title, place = self._doing
        result = StepResult(
            title=secrets.text(title),
            place=place,
            verdict=judgement.verdict,
            started_s=self._doing_since,
            elapsed_s=self._elapsed_s() - self._doing_since,
            reason=secrets.text(judgement.reason) or None,
            limit_s=self._limit_s,
            seen=secrets.plain(seen),
        )
        self.steps.append(result)
        self.observer.step_finished(self.case, result)

    async def _judge(self, error: Exception) -> Judgement:
        if not isinstance(error, BenchError):
            self.recorder.save(BUG, "".join(traceback.format_exception(error)))
        if isinstance(error, RadioUndelivered | DutFault):
            error = await self._not_without_tunnel(error)
        judgement = await judge(error, self.bench)
        await _quiet(self._context)
        return await self._not_for_the_radio(judgement) if judgement.verdict is Verdict.FAIL else judgement

    async def _not_without_tunnel(self, error: BenchError) -> BenchError:
        """Blame a hub that took the PPMID's tunnel away for what the PPMID did not do."""
        try:
            async with asyncio.timeout(_QUIET_WITHIN_S):
                closed = await closed_by_hub(self._context, self._tunnels_closed)
        except (BenchError, TimeoutError):  # the sniffer cannot be asked: the rig's health will say so
            return error
        return error if closed is None else SystemFault(f"{reason_of(error)}. But {closed}")

    async def _not_for_the_radio(self, failed: Judgement) -> Judgement:
        """Fail nobody in a case in which a hub's radio did not send what it was given."""
        try:
            wrong = await unsent(self._context, self._undelivered)
        except BenchError as error:
            wrong = f"the sniffer cannot be asked: {reason_of(error)}" if self._undelivered else None
        if wrong is None:
            return failed
        return Judgement(verdict=Verdict.ERROR, reason=f"{failed.reason}. But {wrong}", health=wrong)

    def _ended(self, judgement: Judgement) -> CaseResult:
        passed = judgement.verdict is Verdict.PASS
        if not passed:
            self._end_step(judgement, {})
            self.bench.tap.record(
                Boundary.STEP,
                "plan",
                self.case.id,
                f"{judgement.verdict.value}: {judgement.reason}",
                place=self._doing[1],
            )
        self._save_inventory(AFTER)
        result = self._result(judgement)
        self.pack.end_case(result)
        return result

    def _result(self, judgement: Judgement) -> CaseResult:
        context = self._context
        passed = judgement.verdict is Verdict.PASS
        return CaseResult(
            id=self.case.id,
            title=self.case.title,
            plan=str(self.case.plan),
            verdict=judgement.verdict,
            reason=None if passed else self.pack.secrets.text(f"{self._doing[0]}: {judgement.reason}"),
            attempt=self.number,
            started_s=self._began_s,
            elapsed_s=self._elapsed_s(),
            timeout_s=self.case.timeout,
            covers=self.case.covers,
            rules=context.rules.rules,
            assumptions=tuple(rule.id for rule in context.rules.assumptions),
            steps=tuple(self.steps),
            health=judgement.health,
            row=context.row.cells if self.case.row is not None else None,
        )

    def _save_inventory(self, name: str) -> None:
        records = [record.plain() for record in self.bench.dcc.inventory()]
        self.recorder.save(name, json.dumps(records, indent=2) + "\n")

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began


class Hang(BenchError):
    """A case did not end in time: verdict `error`, as nobody knows whose fault it is."""


def _hang(case: Case, elapsed_s: float) -> Hang:
    return Hang(
        f"still waiting when the case's {case.timeout:g} s were over ({elapsed_s:.1f} s)",
        remedy="look at the timeline for what it waited for, or give the case a longer `timeout`",
    )


async def _quiet(context: CaseContext) -> None:
    """Let the sniffer hand over the last frames, if it still can."""
    try:
        async with asyncio.timeout(_QUIET_WITHIN_S):
            await context.air_is_quiet()
    except (BenchError, TimeoutError) as error:
        context.bench.tap.record(
            Boundary.STEP, "plan", "sniffer", f"the last frames may be missing: {reason_of(error)}"
        )
