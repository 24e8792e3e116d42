"""Where a person steers a run, from a terminal or the live page: questions that a step asks, pause, stop.

What is asked, answered and steered goes through the tap, so that the pack, and everybody who watches, has it.
For use on the loop that runs the cases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.errors import OperatorDeclined
from harness.tap import Boundary, Tap

PLAN, OPERATOR, RUNNER = "plan", "operator", "runner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; answered by yes or no, and a remark."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said; `by` is where: ``terminal`` or ``page``."""

    yes: bool
    remark: str = ""
    by: str

    def __str__(self) -> str:
        word = "yes" if self.yes else "no"
        return f"{word}: {self.remark}" if self.remark else word


Told = Callable[[Question | None], None]


class Desk:
    """Nobody sits at it until `attend`; then questions wait for an answer instead of being declined."""

    def __init__(self) -> None:
        self._told: list[Told] = []
        self._asked = 0
        self._question: Question | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._paused_by = ""
        self._stop: Callable[[], object] | None = None
        self._stopped_by = ""

    def attend(self, told: Told) -> Callable[[], None]:
        """Sit down: `told` hears of each question, and None when it is settled. Return how to leave."""
        self._told.append(told)
        if self._question is not None:
            told(self._question)
        return lambda: self._told.remove(told)

    async def ask(self, text: str, within_s: float, tap: Tap) -> Answer:
        """Ask, and wait for the answer. Raises OperatorDeclined when nobody is there or nobody answers."""
        if not self._told:
            raise OperatorDeclined(
                f"nobody is there to answer `{text}`", remedy="run certify on a terminal, or with --live"
            )
        self._asked += 1
        self._question = Question(id=f"q{self._asked}", text=text)
        self._answer = asyncio.get_running_loop().create_future()
        tap.record(Boundary.STEP, PLAN, OPERATOR, text, question=self._question.id, within_s=within_s)
        self._tell(self._question)
        try:
            async with asyncio.timeout(within_s):
                answer = await self._answer
        except TimeoutError:
            tap.record(Boundary.STEP, OPERATOR, PLAN, "no answer", answer=self._question.id)
            raise OperatorDeclined(f"nobody answered `{text}` within {within_s:g} s") from None
        else:
            tap.record(Boundary.STEP, OPERATOR, PLAN, str(answer), answer=self._question.id, by=answer.by)
            return answer
        finally:
            self._question = self._answer = None
            self._tell(None)

    def answer(self, question: str, *, yes: bool, remark: str = "", by: str) -> bool:
        """Answer a question; False when it is settled already, or was never asked."""
        waits = self._question is not None and self._question.id == question
        if not waits or self._answer is None or self._answer.done():
            return False
        self._answer.set_result(Answer(yes=yes, remark=remark.strip(), by=by))
        return True

    def pause(self, by: str) -> None:
        """Let no further case begin until `resume`."""
        self._paused_by = by
        self._may_go_on.clear()

    def resume(self) -> None:
        """Go on."""
        self._may_go_on.set()

    def stop(self, by: str) -> bool:
        """End the run now, as Ctrl-C does; False when there is none."""
        if self._stop is None:
            return False
        self._stopped_by = by
        self._stop()
        return True

    @contextmanager
    def stops(self, task: asyncio.Task[object] | None) -> Iterator[None]:
        """Let `stop` cancel this task, as Ctrl-C would."""
        self._stop = task.cancel if task is not None else None
        try:
            yield
        finally:
            self._stop = None

    @property
    def paused(self) -> bool:
        """Whether no further case may begin."""
        return not self._may_go_on.is_set()

    @property
    def stopped_by(self) -> str:
        """Who ended the run; empty when nobody did."""
        return self._stopped_by

    async def before_case(self, tap: Tap) -> None:
        """Wait while the run is paused."""
        if self._may_go_on.is_set():
            return
        tap.record(Boundary.STEP, OPERATOR, RUNNER, f"paused by the {self._paused_by}", paused=True)
        await self._may_go_on.wait()
        tap.record(Boundary.STEP, OPERATOR, RUNNER, "goes on", paused=False)

    def _tell(self, question: Question | None) -> None:
        for told in tuple(self._told):
            told(question)
