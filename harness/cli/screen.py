"""What `certify` shows: the four rows as they complete on a terminal, plain lines off one, the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.evidence.verdict import ROW_COLUMNS, CaseResult, StepResult, Verdict
from harness.plan import row
from harness.plan.model import Case
from harness.plan.observe import Observer
from harness.plan.session import Outcome

_STYLE = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.ERROR: "bold magenta",
}
_WIDTH_OFF_TERMINAL = 140
_WAITING, _RUNNING = "·", "…"


def console(*, no_color: bool = False) -> Console:
    """Return the console for standard output."""
    found = Console(no_color=no_color or None, highlight=False, soft_wrap=False)
    if not found.is_terminal:
        return Console(no_color=no_color or None, highlight=False, width=_WIDTH_OFF_TERMINAL)
    return found


@contextmanager
def observer(target: Console, cases: Sequence[Case]) -> Iterator[Observer]:
    """Return who shows a run on this console as it goes on."""
    if not target.is_terminal:
        yield PlainLines(target)
        return
    board = Board(cases)
    with Live(board.render(), console=target, auto_refresh=False) as live:
        yield LiveBoard(board, live)


class Board:
    """The four-row table as far as it has got, and what is under way."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._rows = {case.id: dict(case.cells) for case in cases if case.row is not None}
        self._verdicts: dict[str, Text] = {case.id: Text(_WAITING) for case in cases}
        self._ended = 0
        self._doing = ""

    def begin(self, case: Case, attempt: int) -> None:
        """Note that a case is under way."""
        again = "" if attempt == 1 else f", attempt {attempt}"
        self._doing = f"{case.id}{again}"
        self._verdicts[case.id] = Text(_RUNNING)

    def step(self, case: Case, step: StepResult) -> None:
        """Note which step was taken last."""
        self._doing = f"{case.id}: {step.title}"

    def end(self, result: CaseResult, *, again: bool) -> None:
        """Note how a case ended."""
        self._verdicts[result.id] = styled(result.verdict)
        if result.row is not None:
            self._rows[result.id] = dict(result.row)
        self._ended += not again
        self._doing = ""

    def render(self) -> RenderableType:
        """Return what is to be seen now."""
        parts: list[RenderableType] = []
        if self._rows:
            table = Table(*ROW_COLUMNS, "verdict", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
            for case_id, cells in self._rows.items():
                table.add_row(*(cells[column] for column in ROW_COLUMNS), self._verdicts[case_id])
            parts.append(table)
        count = f"{self._ended} of {len(self._verdicts)} cases"
        parts.append(Text(f"{count}  {self._doing}".rstrip(), style="dim", overflow="ellipsis", no_wrap=True))
        return Group(*parts)


class LiveBoard:
    """An Observer that keeps a terminal's picture up to date."""

    def __init__(self, board: Board, live: Live) -> None:
        self._board = board
        self._live = live

    def run_started(self, cases: Sequence[Case]) -> None:  # noqa: ARG002 - the board has them already
        """Show what is to come."""
        self._show()

    def case_started(self, case: Case, attempt: int) -> None:
        """Show what is under way."""
        self._board.begin(case, attempt)
        self._show()

    def step_finished(self, case: Case, step: StepResult) -> None:
        """Show how far it has got."""
        self._board.step(case, step)
        self._show()

    def case_finished(self, case: Case, result: CaseResult, *, again: bool) -> None:  # noqa: ARG002
        """Show how it ended."""
        self._board.end(result, again=again)
        self._show()

    def _show(self) -> None:
        self._live.update(self._board.render(), refresh=True)


class PlainLines:
    """An Observer that prints one line an attempt."""

    def __init__(self, target: Console) -> None:
        self._console = target

    def run_started(self, cases: Sequence[Case]) -> None:
        """Say how much is to come."""
        self._console.print(f"running {len(cases)} case{'' if len(cases) == 1 else 's'}")

    def case_started(self, case: Case, attempt: int) -> None:
        """Say nothing yet."""

    def step_finished(self, case: Case, step: StepResult) -> None:
        """Say nothing: the evidence pack has every step."""

    def case_finished(self, case: Case, result: CaseResult, *, again: bool) -> None:
        """Say how it ended."""
        line = Text.assemble(styled(result.verdict), f"  {case.id}  {result.elapsed_s:.2f} s")
        if again:
            line.append("  (tried again)")
        self._console.print(line, soft_wrap=True)


def show_outcome(target: Console, outcome: Outcome) -> None:
    """Print the final table, a line a case with the reason for every verdict but pass, and how it ended."""
    rows = [result for result in outcome.results if result.row is not None]
    if rows and not target.is_terminal:
        target.print(_plain_table(rows), soft_wrap=True)
    for result in outcome.results:
        target.print(_line(result), soft_wrap=True)
        if result.reason:
            target.print(Text(f"    {result.reason}"), soft_wrap=True)
    assumed = sorted({rule for result in outcome.results for rule in result.assumptions})
    if assumed:
        target.print(
            f"{len(assumed)} rules on the way are only assumed (run.json names them, --rules confirms them)",
            soft_wrap=True,
        )
    target.print(Text(sentence(outcome)), soft_wrap=True)
    target.print(Text(f"evidence: {outcome.pack}"), soft_wrap=True)


def sentence(outcome: Outcome) -> str:
    """Say in one line how a run ended."""
    if outcome.reason:
        return f"exit {outcome.exit_code}: {outcome.reason}"
    count = {
        verdict: sum(result.verdict is verdict for result in outcome.results)
        for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)
    }
    told = ", ".join(f"{number} {verdict.value}" for verdict, number in count.items() if number)
    return f"exit {outcome.exit_code}: {told} of {len(outcome.results)}"


def styled(verdict: Verdict) -> Text:
    """Return a verdict's word in its colour."""
    return Text(verdict.value, style=_STYLE[verdict])


def _line(result: CaseResult) -> Text:
    word = styled(result.verdict)
    word.pad_right(len("inconclusive") - len(result.verdict.value))
    attempts = "" if result.attempt == 1 else f" (attempt {result.attempt})"
    return Text.assemble(word, f"  {result.id}{attempts}  {result.title}")


def _plain_table(results: Sequence[CaseResult]) -> Text:
    head = (*ROW_COLUMNS, "verdict")
    lines = [
        [*(str((result.row or {}).get(column, row.UNKNOWN)) for column in ROW_COLUMNS), result.verdict.value]
        for result in results
    ]
    widths = [max(len(line[index]) for line in (head, *lines)) for index in range(len(head))]
    return Text(
        "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in (head, *lines)
        )
    )
