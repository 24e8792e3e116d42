"""docs/use-gbcs.md runs as it stands, and docs/gbcs-vectors.md lists what the tests rebuild."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

import harness.gbcs as gbcs
from harness.gbcs.use_cases import ALERT_CASES, USE_CASES
from tests.gbcs import rebuilt

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "use-gbcs.md").read_text(encoding="utf-8")


def test_every_example_runs_and_prints_what_its_comments_say():
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, "docs/use-gbcs.md", "exec"), names)
        promised = re.findall(r"print\(.*\)\s+# (.*)", block)
        assert printed.getvalue().splitlines() == promised


def test_the_page_has_every_use_case():
    for case in (*USE_CASES.values(), *ALERT_CASES.values()):
        name = {"CCS05CCS04": "0004", "CS06 future-dated alert": "CS06 with its alert"}.get(
            case.name, case.name
        )
        assert name in PAGE, case.name


def test_what_the_room_gives_out_is_there():
    assert [name for name in gbcs.__all__ if not hasattr(gbcs, name)] == []
    assert gbcs.__all__ == sorted(
        gbcs.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )


@pytest.mark.dcc_data
def test_the_table_of_rebuilt_messages_is_the_one_that_the_tests_make():
    page = (DOCS / "gbcs-vectors.md").read_text(encoding="utf-8")
    assert "\n".join(rebuilt.table()) in page, "write it again: python -m tests.gbcs.rebuilt"
