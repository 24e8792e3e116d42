"""The pytest plugin: plans as test items, and fixtures for tests written in Python.

Inert beside other suites: nothing happens unless ``--rig`` is given or a YAML file has our ``schema:`` line.
A verdict becomes pytest's outcome so that none can be mistaken for another: `fail` is a failure, `error` an
error (of set-up, where the case is run), `inconclusive` a failure that says so, or a skip with
``--inconclusive=skip``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.plan.look import is_plan

if TYPE_CHECKING:
    from harness.evidence.recorder import CaseRecorder
    from harness.evidence.verdict import CaseResult, Verdict
    from harness.plan.blocking_run import BlockingRun
    from harness.plan.door import Blocking
    from harness.plan.model import Case, Plan
    from harness.rig.model import Rig

_RUN: pytest.StashKey[BlockingRun] = pytest.StashKey()
_PLANS: pytest.StashKey[list[Plan]] = pytest.StashKey()
_CASE_PLACES: pytest.StashKey[dict[str, str]] = pytest.StashKey()
_RECORDED: pytest.StashKey[list[tuple[pytest.CallInfo[None], pytest.TestReport]]] = pytest.StashKey()
_RECOVERY_S = 180.0
_SHOWN = {"inconclusive": ("failed", "I", "INCONCLUSIVE"), "error": ("error", "E", "RIG ERROR")}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options; none has an effect on tests that are not ours."""
    group = parser.getgroup("ppmid-bench", "PPMID bench")
    group.addoption("--rig", type=Path, metavar="FILE", help="the rig for plans and fixtures")
    group.addoption(
        "--rules", type=Path, action="append", default=[], metavar="OVERLAY", help="a rulebook overlay"
    )
    group.addoption("--evidence", type=Path, metavar="DIR", help="where the evidence pack goes")
    group.addoption(
        "--inconclusive",
        choices=("fail", "skip"),
        default="fail",
        help="what an inconclusive case is to pytest (fail)",
    )


# --- plans ------------------------------------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PlanFile | None:
    """Collect a YAML file that has our schema line."""
    if file_path.suffix in (".yaml", ".yml") and is_plan(file_path):
        return PlanFile.from_parent(parent, path=file_path)
    return None


class PlanFile(pytest.File):
    """A plan."""

    def collect(self) -> Iterator[CaseItem]:
        """Yield its cases; everything that is wrong with the plan is one collection error."""
        from harness.plan.load import read_plan

        plan, errors = read_plan(self.path)
        if plan is None:
            raise self.CollectError("\n".join(str(error) for error in errors))
        places = self.config.stash.setdefault(_CASE_PLACES, {})
        for case in plan.cases:
            first = places.setdefault(case.id, case.place)
            if first != case.place:
                raise self.CollectError(
                    f"{case.place}: case id `{case.id}` is given twice (first in {first})"
                )
            yield CaseItem.from_parent(self, name=case.id, case=case)
        self.config.stash.setdefault(_PLANS, []).append(plan)


class CaseItem(pytest.Item):
    """A case. It is run in the set-up phase, where pytest's errors are errors, and judged in the call."""

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self.result: CaseResult | None = None
        self.extra_keyword_matches.add(case.title)
        if self.config.pluginmanager.has_plugin("timeout"):
            self.add_marker(pytest.mark.timeout(2 * case.timeout + _RECOVERY_S))

    def setup(self) -> None:
        """Run the case; a rig or harness at fault ends here."""
        run = _run(self.config)
        self.result = run.run_case(self.case)
        self.user_properties += _properties(self.result, run.folder)
        if self.config.pluginmanager.has_plugin("allure_pytest"):
            _tell_allure(self.result, run.folder)
        if self.result.verdict.value == "error":
            raise CaseEnded(self.result)

    def runtest(self) -> None:
        """Say how it ended."""
        assert self.result is not None
        verdict = self.result.verdict.value
        if verdict == "inconclusive" and self.config.getoption("--inconclusive") == "skip":
            pytest.skip(f"inconclusive: {self.result.reason}")
        if verdict == "fail":
            raise CaseFailed(self.result)
        if verdict != "pass":
            raise CaseEnded(self.result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *more: Any) -> Any:
        """Show the case's steps and the reason instead of a traceback."""
        from harness.errors import BenchError, RigFault

        if isinstance(excinfo.value, CaseEnded):
            return excinfo.value.report()
        if isinstance(excinfo.value, BenchError):
            return f"{'rig error: ' if isinstance(excinfo.value, RigFault) else ''}{excinfo.value}"
        return super().repr_failure(excinfo, *more)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the case is written."""
        return self.path, self.case.where.line - 1, f"{self.case.id}: {self.case.title}"


class CaseEnded(Exception):
    """A case ended with another verdict than `pass`."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(f"{result.verdict.value}: {result.reason}")
        self.result = result

    def report(self) -> str:
        """Return verdict, reason and steps."""
        word = {"fail": "FAIL", "error": "rig error", "inconclusive": "INCONCLUSIVE"}
        steps = [f"    {step.verdict.value:12}  {step.title}  ({step.place})" for step in self.result.steps]
        return "\n".join([f"{word[self.result.verdict.value]}: {self.result.reason}", *steps])


class CaseFailed(CaseEnded, AssertionError):
    """A case ended with `fail`: an assertion to those who tell failed from broken, as Allure does."""


def _properties(result: CaseResult, folder: Path) -> list[tuple[str, str]]:
    """Return what JUnit, reportlog and others are told of a case beside its outcome."""
    told = [("title", result.title), ("verdict", result.verdict.value), ("evidence", str(folder))]
    told += [("reason", result.reason)] if result.reason else []
    told += [("requirement", name) for name in result.covers]
    told += [("rule", name) for name in result.rules]
    return told + [("assumption", name) for name in result.assumptions]


def _tell_allure(result: CaseResult, folder: Path) -> None:
    import allure

    from harness.evidence.layout import case_folder

    allure.dynamic.title(f"{result.id}: {result.title}")
    allure.dynamic.tag(*result.covers)
    allure.dynamic.description(result.reason or "")
    allure.dynamic.label("verdict", result.verdict.value)
    for path in sorted(case_folder(folder, result.id, result.attempt).iterdir()):
        if path.is_file():
            allure.attach.file(str(path), name=path.name, extension=path.suffix.lstrip("."))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep how a test of ours went: for its word on the terminal, and for the evidence.

    Outermost, to have the report as all others leave it. Never called for what Ctrl-C ends.
    """
    outcome: Any = yield
    report = outcome.get_result()
    if isinstance(item, CaseItem):
        report.ppmid_verdict = item.result.verdict.value if item.result is not None else None
        if call.when == "setup" and call.excinfo is not None:
            report.longrepr = item.repr_failure(call.excinfo)  # pytest asks for it in the call phase alone
    if _RECORDED not in item.stash:
        return
    item.stash[_RECORDED].append((call, report))
    if call.when == "teardown":
        verdict, reason = _came_to(item.stash[_RECORDED])
        del item.stash[_RECORDED]
        item.config.stash[_RUN].end_recording(verdict, reason)


def _came_to(
    phases: list[tuple[pytest.CallInfo[None], pytest.TestReport]],
) -> tuple[Verdict, str | None]:
    """Return what a recorded test came to over set-up, call and teardown: the gravest, the earliest of it."""
    from harness.evidence.verdict import Verdict, gravest

    if all(report.passed for _, report in phases) and not any(call.when == "call" for call, _ in phases):
        return Verdict.ERROR, "the test was not run"
    found = [_phase_came_to(call, report) for call, report in phases]
    worst = gravest(verdict for verdict, _ in found)
    return next(entry for entry in found if entry[0] is worst)


def _phase_came_to(call: pytest.CallInfo[None], report: pytest.TestReport) -> tuple[Verdict, str | None]:
    from harness.evidence.verdict import Verdict
    from harness.plan.judge import reason_of, verdict_of

    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, pytest.skip.Exception):
        return Verdict.INCONCLUSIVE, f"skipped: {error}"
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return Verdict.FAIL, str(error) or "an assertion of the test does not hold"
    if isinstance(error, Exception):
        return verdict_of(error), reason_of(error)
    if error is not None:
        return Verdict.ERROR, f"ended by {error!r}"
    if report.failed:  # another plugin's word: a strict xfail, an assertion that was noted and passed over
        return Verdict.FAIL, f"{report.when}: {report.longreprtext or 'failed'}"
    return Verdict.PASS, None


def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """Give an inconclusive case and a rig's error words of their own."""
    if not report.failed or report.when == "teardown":
        return None
    return _SHOWN.get(getattr(report, "ppmid_verdict", ""))


# --- the run ------------------------------------------------------------------------------------------------


def _run(config: pytest.Config) -> BlockingRun:
    if _RUN not in config.stash:
        from harness.cli import places
        from harness.plan.blocking_run import BlockingRun

        folder = (config.getoption("--evidence") or places.new_pack()).absolute()
        plans = config.stash.setdefault(_PLANS, [])
        worker = getattr(config, "workerinput", {}).get("workerid")
        config.stash[_RUN] = BlockingRun(
            places.rig_or_own(config.getoption("--rig")),
            tuple(config.getoption("--rules")),
            folder / worker if worker else folder,
            tuple(plans),
        )
    return config.stash[_RUN]


@pytest.hookimpl(hookwrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    """Close the rig and the pack, after the fixtures that Ctrl-C left standing were torn down."""
    yield
    if _RUN in session.config.stash:
        session.config.stash[_RUN].close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the evidence is."""
    if _RUN in config.stash and config.stash[_RUN].pack is not None:
        terminalreporter.write_line(f"evidence: {config.stash[_RUN].folder}")


# --- fixtures -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config) -> Rig:
    """The rig file, as a value."""
    if pytestconfig.getoption("--rig") is None:
        pytest.skip("needs a rig: give one with --rig FILE")
    return _run(pytestconfig).preparation.rig


@pytest.fixture
def evidence(rig: Rig, request: pytest.FixtureRequest) -> CaseRecorder:  # noqa: ARG001
    """The recorder of this test's evidence, which is a case of the pack.

    The case ends with the report of the teardown, so that what fails there counts too.
    """
    recorder = _run(request.config).begin_recording(request.node.nodeid, request.node.name)
    request.node.stash[_RECORDED] = []
    return recorder


@pytest.fixture
def bench(evidence: CaseRecorder, pytestconfig: pytest.Config) -> Blocking:
    """The bench, begun afresh. Methods of this and of the fixtures below are waited for."""
    from harness.plan.door import Blocking

    run = _run(pytestconfig)
    found = run.runner.bench
    run.door.call(found.reset_case)
    for entry in found.hubs.values():
        keys = entry.hub.keys()
        evidence.add_keys([keys.network_key], keys.link_keys)
    return Blocking(run.door, found)


@pytest.fixture
def dcc(bench: Blocking, pytestconfig: pytest.Config) -> Blocking:
    """The DCC, as a service user has it."""
    return _blocking(pytestconfig, bench.dcc)


@pytest.fixture
def ppmid(bench: Blocking, pytestconfig: pytest.Config) -> Blocking:
    """The PPMID under test, by its port."""
    return _blocking(pytestconfig, bench.ppmid)


@pytest.fixture
def smets1_hub(bench: Blocking, pytestconfig: pytest.Config) -> Blocking:
    """The rig's SMETS1 hub."""
    return _hub(bench, pytestconfig, "SMETS1")


@pytest.fixture
def smets2_hub(bench: Blocking, pytestconfig: pytest.Config) -> Blocking:
    """The rig's SMETS2+ hub."""
    return _hub(bench, pytestconfig, "SMETS2+")


def _hub(bench: Blocking, config: pytest.Config, family: str) -> Blocking:
    for entry in bench.hubs.values():
        if entry.family.value == family:
            return _blocking(config, entry.hub)
    pytest.skip(f"the rig has no {family} hub")


def _blocking(config: pytest.Config, target: object) -> Blocking:
    from harness.plan.door import Blocking

    return Blocking(_run(config).door, target)
