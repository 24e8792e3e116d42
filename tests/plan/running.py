"""Runs cases on a bench of fakes and returns what they came to."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from textwrap import indent

from harness.evidence.intact import verify
from harness.evidence.pack import EvidencePack
from harness.plan.desk import Desk
from harness.plan.load import read_plan
from harness.plan.observe import NullObserver
from harness.plan.run import Runner
from tests.plan.fake_bench import OFFERS, fake_bench

OUR_PLAN = Path(__file__).parents[2] / "test_plans" / "mp202" / "four-row-table.yaml"


class Notes(NullObserver):
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def run_started(self, cases):
        self.told.append(("run", [case.id for case in cases]))

    def case_started(self, case, attempt):
        self.told.append(("case", case.id, attempt))

    def step_finished(self, case, step):
        self.told.append(("step", case.id, step.title, step.verdict.value))

    def case_finished(self, case, result, *, again):
        self.told.append(("end", case.id, result.verdict.value, again))


def our_cases(*ids):
    plan, errors = read_plan(OUR_PLAN)
    assert not errors
    return tuple(case for case in plan.cases if not ids or case.id in ids)


def cases_of(tmp_path, *bodies):
    """Return cases, each with these lines of steps."""
    path = tmp_path / "plan.yaml"
    text = "schema: ppmid-bench/plan@1\ntitle: t\ncases:\n"
    for number, body in enumerate(bodies, start=1):
        head, _, steps = body.rpartition("--\n")
        text += f"  - id: C{number}\n    title: t\n" + indent(head, "    ")
        text += "    steps:\n" + indent(steps.strip(), "      ") + "\n"
    path.write_text(text)
    plan, errors = read_plan(path)
    assert not errors, [str(error) for error in errors]
    return plan.cases


class Ran:
    def __init__(self, runner, folder, notes):
        self.runner, self.folder, self.notes = runner, folder, notes
        self.results = runner.results

    @property
    def verdicts(self):
        return [result.verdict.value for result in self.results]

    @property
    def only(self):
        (result,) = self.results
        return result

    def said(self):
        return self.only.verdict.value, self.only.reason

    def run_json(self):
        return json.loads((self.folder / "run.json").read_text())


def run(tmp_path, cases, arrange=None, *, offers=OFFERS, desk=None, **bench):
    """Run cases; `arrange(parts)` breaks something first. The pack is intact and nothing is left running."""

    async def main():
        pack = EvidencePack(tmp_path / "pack")
        notes = Notes()
        async with fake_bench(tap=pack.tap, **bench) as parts:
            if arrange is not None:
                arrange(parts)
            runner = Runner(bench=parts.bench, pack=pack, offers=offers, observer=notes, desk=desk or Desk())
            try:
                await runner.run(cases)
            finally:
                pack.finish(runner.exit_code)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return Ran(runner, pack.folder, notes)

    ran = asyncio.run(main())
    assert verify(ran.folder).ok
    return ran
