"""A step that a person takes or judges: what no port can do or see, such as what a display shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.documents import Seconds
from harness.errors import DutFault, OperatorDeclined
from harness.plan.context import CaseContext
from harness.plan.steps.step import Seen, Step, step

_WITHIN = Seconds(600)


@step("ask")
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Step):
    """Put a question to the operator, on the terminal and the live page; yes goes on.

    No declines the step, or fails the PPMID where `no` says `fail`. The case's time stands still meanwhile.
    """

    question: str
    within: Seconds = _WITHIN
    no: Literal["declined", "fail"] = "declined"

    async def run(self, case: CaseContext) -> Seen:
        """Ask and wait."""
        with case.clock_stopped():
            answer = await case.desk.ask(self.question, self.within, case.bench.tap)
        if answer.yes:
            return {"answer": str(answer), "by": answer.by}
        said = f"the operator answered `{self.question}` with {answer}"
        raise DutFault(said) if self.no == "fail" else OperatorDeclined(said)
