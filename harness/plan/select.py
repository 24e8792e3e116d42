"""Which cases to run: ``-k EXPR``, words with `and`, `or`, `not` and parentheses.

A word matches when it is part of a case's id or title, whatever the case of its letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.plan.model import Case

Match = Callable[[Case], bool]
_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")


def select(cases: Iterable[Case], expression: str) -> tuple[Case, ...]:
    """Return the cases that an expression names, all of them when it is empty. Raises ConfigError."""
    chosen = matcher(expression)
    return tuple(case for case in cases if chosen(case))


def matcher(expression: str) -> Match:
    """Read an expression. Raises ConfigError that says what was expected where."""
    if not expression.strip():
        return lambda _: True
    reader = _Reader(expression, _TOKEN.findall(expression))
    match = reader.either()
    if reader.left:
        raise reader.error("`and`, `or` or the end")
    return match


@dataclass(slots=True)
class _Reader:
    expression: str
    left: list[str]

    def either(self) -> Match:
        match = self.both()
        while self.take("or"):
            match = _either(match, self.both())
        return match

    def both(self) -> Match:
        match = self.one()
        while self.take("and"):
            match = _both(match, self.one())
        return match

    def one(self) -> Match:
        if self.take("not"):
            match = self.one()
            return lambda case: not match(case)
        if self.take("("):
            match = self.either()
            if not self.take(")"):
                raise self.error("`)`")
            return match
        if not self.left or self.left[0] in (")", "and", "or"):
            raise self.error("a word of a case's id or title")
        return _word(self.left.pop(0))

    def take(self, token: str) -> bool:
        if self.left and self.left[0] == token:
            self.left.pop(0)
            return True
        return False

    def error(self, expected: str) -> ConfigError:
        found = f"`{self.left[0]}`" if self.left else "the end"
        return ConfigError(f"-k {self.expression!r}: expected {expected}, found {found}")


def _either(one: Match, other: Match) -> Match:
    return lambda case: one(case) or other(case)


def _both(one: Match, other: Match) -> Match:
    return lambda case: one(case) and other(case)


def _word(word: str) -> Match:
    wanted = word.lower()
    return lambda case: wanted in case.id.lower() or wanted in case.title.lower()
