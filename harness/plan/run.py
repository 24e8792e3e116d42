"""Runs cases one after the other on a bench, and keeps to its word whatever happens.

A case that ends in `error` is tried once more after the rig was recovered, never one that ends otherwise;
every attempt stays in the pack. When the rig cannot be recovered, what is left is `error` too, never skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.evidence.pack import EvidencePack
from harness.evidence.recorder import CaseRecorder
from harness.evidence.verdict import NOTHING_RAN, CaseResult, Verdict, exit_code
from harness.plan import needs
from harness.plan.attempt import Attempt
from harness.plan.desk import Desk
from harness.plan.judge import health_of, reason_of
from harness.plan.model import Case
from harness.plan.observe import NullObserver, Observer
from harness.rig.bench import Bench
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary

ATTEMPTS = 2
_RECOVERS_WITHIN_S = 120.0


@dataclass(slots=True, kw_only=True)
class Runner:
    """Runs cases on an open bench. `offers` is what the rig has, in the words of `needs`."""

    bench: Bench
    pack: EvidencePack
    offers: frozenset[str]
    observer: Observer = field(default_factory=NullObserver)
    desk: Desk = field(default_factory=Desk)
    results: list[CaseResult] = field(default_factory=list)  # the last attempt at each case
    executed: int = 0
    lost: str | None = None  # why the rig is lost for good

    async def run(self, cases: Sequence[Case]) -> tuple[CaseResult, ...]:
        """Run them all and return the last attempt at each."""
        await self.listen()
        try:
            self.observer.run_started(cases)
            for case in cases:
                await self.desk.before_case(self.bench.tap)
                await self.run_case(case)
        finally:
            await self.stop_listening()
        return tuple(self.results)

    async def listen(self) -> None:
        """Have the sniffer, if there is one, hand what it hears to the case that is going on."""
        if self.bench.sniffer is not None:
            await self.bench.sniffer.start(self._hear)

    async def stop_listening(self) -> None:
        """Stop the sniffer."""
        if self.bench.sniffer is not None:
            await self.bench.sniffer.stop()

    @property
    def exit_code(self) -> int:
        """The run's exit code; a run in which no case was executed has proved nothing."""
        return exit_code(result.verdict for result in self.results) if self.executed else NOTHING_RAN

    async def run_case(self, case: Case) -> CaseResult:
        """Run one case, a second time when the first ended in `error` and the rig could be recovered."""
        result = await self._run_case(case)
        self.results.append(result)
        return result

    async def _run_case(self, case: Case) -> CaseResult:
        lacking = needs.missing(case, self.offers)
        if lacking:
            return self._unexecuted(case, Verdict.INCONCLUSIVE, f"the rig has no {', no '.join(lacking)}")
        if self.lost is not None:
            return self._unexecuted(case, Verdict.ERROR, f"not executed, as the rig was lost: {self.lost}")
        self.executed += 1
        for number in range(1, ATTEMPTS + 1):
            result = await self._attempt(case, number)
            if result.verdict is Verdict.ERROR and (number < ATTEMPTS or result.health is not None):
                await self._recover(case)
            again = result.verdict is Verdict.ERROR and number < ATTEMPTS and self.lost is None
            self.observer.case_finished(case, result, again=again)
            if not again:
                break
        return result

    async def _attempt(self, case: Case, number: int) -> CaseResult:
        self.observer.case_started(case, number)
        recorder = self.pack.begin_case(case.id, number)
        attempt = Attempt(
            case=case,
            number=number,
            bench=self.bench,
            pack=self.pack,
            recorder=recorder,
            observer=self.observer,
            desk=self.desk,
        )
        return await attempt.run()

    async def _recover(self, case: Case) -> None:
        try:
            async with asyncio.timeout(_RECOVERS_WITHIN_S):
                done = await self.bench.recover()
        except TimeoutError:
            self.lost = f"after {case.id} it could not be recovered within {_RECOVERS_WITHIN_S:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it was, the rig is not back
            self.lost = f"after {case.id}: {reason_of(error)}"
        else:
            wrong = await health_of(self.bench)
            self.lost = f"after {case.id}: {wrong}" if wrong is not None else None
            self.bench.tap.record(Boundary.STEP, "runner", "rig", f"recovered: {done}")
        if self.lost is not None:
            self.bench.tap.record(Boundary.STEP, "runner", "rig", f"lost: {self.lost}")

    def _unexecuted(self, case: Case, verdict: Verdict, reason: str) -> CaseResult:
        self.observer.case_started(case, 1)
        (result,) = unexecuted((case,), self.pack, verdict, reason)
        self.observer.case_finished(case, result, again=False)
        return result

    def _hear(self, frame: SniffedFrame) -> None:
        recorder = self.pack.current_tap()
        if isinstance(recorder, CaseRecorder):
            recorder.air(frame)


def unexecuted(
    cases: Iterable[Case], pack: EvidencePack, verdict: Verdict, reason: str
) -> tuple[CaseResult, ...]:
    """Put cases into the pack that were not executed, with the reason; return their results."""
    results = []
    for case in cases:
        pack.begin_case(case.id, 1)
        result = CaseResult(
            id=case.id,
            title=case.title,
            plan=str(case.plan),
            verdict=verdict,
            reason=reason,
            attempt=1,
            started_s=time.time(),
            elapsed_s=0.0,
            covers=case.covers,
            row=case.cells if case.row is not None else None,
        )
        pack.end_case(result)
        results.append(result)
    return tuple(results)
