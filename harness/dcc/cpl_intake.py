"""A DCC takes another Central Products List while it runs: looked over first, and refused when it is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.dcc.cpl_file import cpl_of, rows_of, text_of
from harness.dcc.cpl_lint import Finding, Severity, lint
from harness.errors import ConfigError
from harness.smets.cpl import Cpl
from harness.smets.rulebook import Rulebook
from harness.tap import Boundary, Tap


@dataclass(frozen=True, slots=True, kw_only=True)
class CplVerdict:
    """What became of a list: whether it is in force now, and what was found in it.

    `error` says why one could not be read at all.
    """

    taken: bool
    rows: int = 0
    findings: tuple[Finding, ...] = ()
    error: str = ""

    def plain(self) -> dict[str, object]:
        """Return it as json has it."""
        return {
            "taken": self.taken,
            "rows": self.rows,
            "findings": [finding.plain() for finding in self.findings],
            "error": self.error,
        }

    def __str__(self) -> str:
        if self.error:
            return f"CPL refused, the old one stays: {self.error}"
        worst = next((one for one in self.findings if one.severity is Severity.ERROR), None)
        if worst is not None:
            return f"CPL refused, the old one stays: line {worst.line}: {worst.says}"
        return f"CPL of {self.rows} row(s) taken, {len(self.findings)} finding(s)"


class CplIntake:
    """Gives lists that no linter calls wrong to `replace`; `header_map` says how their columns are called."""

    def __init__(
        self,
        replace: Callable[[Cpl], None],
        rules: Rulebook,
        tap: Tap,
        header_map: Mapping[str, str] | None = None,
    ) -> None:
        self._replace = replace
        self._rules = rules
        self._tap = tap
        self._header_map = header_map

    def take_file(self, path: Path) -> CplVerdict:
        """Take the list in a file."""
        try:
            text = text_of(path)
        except ConfigError as error:
            return self._told(CplVerdict(taken=False, error=str(error)))
        return self.take(text, path)

    def take(self, text: str, path: Path) -> CplVerdict:
        """Take a list's text; messages name `path`."""
        try:
            rows = rows_of(text, path, self._rules, self._header_map)
        except ConfigError as error:
            return self._told(CplVerdict(taken=False, error=str(error)))
        findings = lint(rows, self._rules)
        wrong = any(finding.severity is Severity.ERROR for finding in findings)
        if not wrong:
            self._replace(cpl_of(rows, path, self._rules))
        return self._told(CplVerdict(taken=not wrong, rows=len(rows), findings=findings))

    def _told(self, verdict: CplVerdict) -> CplVerdict:
        self._tap.record(Boundary.INVENTORY, "operator", "dsp", str(verdict), verdict=verdict.plain())
        return verdict
