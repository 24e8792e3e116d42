"""`-k` chooses cases as pytest's does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.errors import ConfigError
from harness.plan.select import select

CASES = tuple(
    SimpleNamespace(id=name, title=title)
    for name, title in (("ROW-1", "on a SMETS1 hub"), ("ROW-2", "on a SMETS2+ hub"), ("OUT", "stays out"))
)


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("", "ROW-1 ROW-2 OUT"),
        ("row", "ROW-1 ROW-2"),
        ("smets1", "ROW-1"),
        ("row and not smets1", "ROW-2"),
        ("out or ROW-1", "ROW-1 OUT"),
        ("not (out or ROW-1)", "ROW-2"),
        ("not not out", "OUT"),
        ("out or row and smets1", "ROW-1 OUT"),
        ("(out)", "OUT"),
        ("SMETS2+", "ROW-2"),
        ("nothing", ""),
    ],
)
def test_words_and_operators(expression, chosen):
    assert [case.id for case in select(CASES, expression)] == chosen.split()


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("row and", "expected a word of a case's id or title, found the end"),
        ("or row", "expected a word of a case's id or title, found `or`"),
        ("(row", "expected `)`, found the end"),
        ("row out", "expected `and`, `or` or the end, found `out`"),
        ("row)", "expected `and`, `or` or the end, found `)`"),
        ("not", "found the end"),
        ("()", "found `)`"),
    ],
)
def test_what_is_wrong_is_said(expression, says):
    with pytest.raises(ConfigError) as caught:
        select(CASES, expression)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"-k {expression!r}: ")
