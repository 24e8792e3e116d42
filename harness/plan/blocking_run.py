"""A run as a synchronous program drives it, case by case or test by test; pytest is one.

The rig is opened with the first use and stays open until `close`.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ConfigError, HarnessBug, RigFault
from harness.evidence.pack import EvidencePack
from harness.evidence.recorder import CaseRecorder
from harness.evidence.secrets import Policy
from harness.evidence.verdict import CaseResult, Verdict
from harness.plan import needs
from harness.plan.door import Door
from harness.plan.model import Case, Plan
from harness.plan.observe import NullObserver
from harness.plan.run import Runner
from harness.plan.session import INTERRUPTED, Preparation, facts, open_runner
from harness.rig.load import load_rig, load_rules
from harness.rig.open import close_bench


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recording:
    """A test that is being recorded. `began` is of the monotonic clock, `began_s` Unix time."""

    name: str
    title: str
    began: float
    began_s: float


@dataclass(slots=True)
class BlockingRun:
    """One rig, one pack, one background thread. `folder` is where the pack goes."""

    rig_file: Path
    overlays: tuple[Path, ...]
    folder: Path
    plans: tuple[Plan, ...] = ()
    door: Door = field(default_factory=Door)
    pack: EvidencePack | None = None
    _preparation: Preparation | None = None
    _runner: Runner | None = None
    _scratch: tempfile.TemporaryDirectory[str] | None = None
    _fault: RigFault | None = None
    _recording: _Recording | None = None

    @property
    def preparation(self) -> Preparation:
        """The rig and the rulebook, checked. Raises ConfigError."""
        if self._preparation is None:
            rig = load_rig(self.rig_file)
            self._preparation = Preparation(
                plans=self.plans,
                cases=tuple(case for plan in self.plans for case in plan.cases),
                rig=rig,
                rules=load_rules(rig, *self.overlays),
                overlays=self.overlays,
            )
        return self._preparation

    @property
    def runner(self) -> Runner:
        """The open rig. Raises ConfigError, and RigFault, the same one each time, when it does not open."""
        if self._fault is not None:
            raise RigFault(self._fault.message, remedy=self._fault.remedy)
        if self._runner is None:
            self._runner = self._open()
        return self._runner

    def _open(self) -> Runner:
        preparation = self.preparation
        self.pack = self.pack or EvidencePack(self.folder, secrets=Policy(preparation.rig.secrets))
        self.pack.describe(**facts(preparation))
        self._scratch = tempfile.TemporaryDirectory(prefix="ppmid-bench-")
        try:
            runner = self.door.call(
                open_runner, preparation, self.pack, NullObserver(), Path(self._scratch.name)
            )
            self.door.call(runner.listen)
        except RigFault as fault:
            self._fault = fault
            self.pack.describe(reason=f"the rig could not be opened: {fault}")
            raise
        return runner

    def run_case(self, case: Case) -> CaseResult:
        """Run one case of a plan. Raises ConfigError, RigFault when the rig does not open."""
        needs.check_hubs((case,), self.preparation.offers)
        runner = self.runner
        return self.door.call(runner.run_case, case)

    def begin_recording(self, name: str, title: str) -> CaseRecorder:
        """Record a test as a case of this name, until `end_recording`.

        Raises ConfigError for a test that was recorded before: only an `error` is tried again, and not by
        whoever wants another verdict.
        """
        runner = self.runner
        if any(result.id == name for result in runner.results):
            raise ConfigError(
                f"`{name}` has its verdict in this pack already",
                remedy="run without what repeats tests until they pass",
            )
        recorder = runner.pack.begin_case(name)
        self._recording = _Recording(name=name, title=title, began=time.monotonic(), began_s=time.time())
        runner.executed += 1
        return recorder

    def end_recording(self, verdict: Verdict, reason: str | None) -> None:
        """Say what the test came to. Raises HarnessBug when none is being recorded."""
        recording, self._recording = self._recording, None
        if recording is None:
            raise HarnessBug("a test has ended that had not begun")
        result = CaseResult(
            id=recording.name,
            title=recording.title,
            plan="pytest",
            verdict=verdict,
            reason=reason,
            attempt=1,
            started_s=recording.began_s,
            elapsed_s=time.monotonic() - recording.began,
        )
        self.runner.results.append(result)
        self.runner.pack.end_case(result)

    def close(self, *, interrupted: bool = False) -> None:
        """Close the rig, the pack and the thread; may be called twice.

        A test that is still being recorded never came to its end, and is an `error`.
        """
        try:
            if self._recording is not None:
                self.end_recording(Verdict.ERROR, "interrupted")
        finally:
            self._close(interrupted=interrupted)

    def _close(self, *, interrupted: bool) -> None:
        runner, self._runner = self._runner, None
        try:
            if runner is not None:
                self.door.call(runner.stop_listening)
                self.door.call(close_bench, runner.bench)
        finally:
            self.door.shut()
            if self._scratch is not None:
                self._scratch.cleanup()
            if self.pack is not None:
                code = runner.exit_code if runner is not None else 3
                self.pack.finish(INTERRUPTED if interrupted else code)
