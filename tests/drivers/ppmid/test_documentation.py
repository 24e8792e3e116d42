"""docs/port-your-console.md says what the driver and the virtual device do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drivers.ppmid import framing as host
from drivers.ppmid.lines import parse
from drivers.virtual.ppmid import framing as device
from drivers.virtual.ppmid.console import Console
from drivers.virtual.ppmid.nonvolatile import Mode
from drivers.virtual.stack.faces import JoinFailure
from harness.gbcs.acceptance import Refusal

PAGE = (Path(__file__).parents[3] / "docs" / "port-your-console.md").read_text()
EXAMPLES = re.findall(r"^\| `(.+?)` \| `((?:[0-9A-F]{2} )+7E)` \|$", PAGE, re.MULTILINE)
VERBS = re.findall(r"^\| `([a-z-]+)[^`]*` \| (?:`ok|one `evt)", PAGE, re.MULTILINE)


def test_the_page_has_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("line", "octets"), EXAMPLES, ids=[line for line, _ in EXAMPLES])
def test_an_example_frame_is_that_lines_frame(line, octets):
    assert host.encode(line) == device.frame(line) == bytes.fromhex(octets)
    assert str(parse(line)) == line


def test_the_verbs_are_those_of_the_device():
    console = Console(lambda octets: None, None, lambda work: None)
    assert sorted(VERBS) == sorted(console._verbs)


@pytest.mark.parametrize(
    "word",
    [
        *(failure.value for failure in JoinFailure),
        *(refusal.value for refusal in Refusal),
        *(mode.value for mode in Mode),
    ],
)
def test_every_word_that_the_device_says_is_on_the_page(word):
    assert re.search(rf"[`|=]{re.escape(word)}[`|]", PAGE)
