"""The traffic of every attempt as a page carries it: deflated json in base64, within a budget for all.

Where all of it would be too much, routine frames are left out of cases that passed, the largest first, then
messages, then of the others too; each case says what it lacks. The pack itself keeps everything.
"""

from __future__ import annotations

import base64
import functools
import json
import multiprocessing
import os
import signal
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.evidence.report.case import case_view
from harness.evidence.report.events import FRAME, MESSAGE
from harness.evidence.report.parties import Parties

BUDGET = 14_000_000  # characters; what else is in a page of 500 cases takes some 4 million more
_WORTH_HELPERS = 80  # cases; starting helpers takes as long as some dozens of cases
_TOGETHER, _AT_ONCE = 8, 64  # cases that a helper takes at once; cases that are made smaller together
_LEFT_OUT = {
    FRAME: "Frames that only keep the network going are left out of this report; timeline.jsonl has them.",
    MESSAGE: "Messages and frames are left out of this report; timeline.jsonl has them.",
}

Each = Callable[..., Iterable[str]]  # as `map`


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt whose traffic is wanted: its key, its folder, whether it passed."""

    key: str
    folder: Path
    passed: bool


def packed(value: Any) -> str:
    """Return plain json values as a page carries them."""
    octets = json.dumps(value, separators=(",", ":"), default=str).encode()
    return base64.b64encode(zlib.compress(octets, 6)).decode()


def unpacked(chunk: str) -> Any:
    """Read what `packed` returned."""
    return json.loads(zlib.decompress(base64.b64decode(chunk)))


def chunks_of(attempts: Iterable[Attempt], parties: Parties, *, budget: int = BUDGET) -> dict[str, str]:
    """Return each attempt's traffic by its key, all together within the budget as far as that can be."""
    wanted = list(attempts)
    with _each(len(wanted)) as each:
        made = each(_chunk, [attempt.folder for attempt in wanted], [parties] * len(wanted))
        chunks = {attempt.key: chunk for attempt, chunk in zip(wanted, made, strict=True)}
        return _within(budget, wanted, chunks, each)


@contextmanager
def _each(cases: int) -> Iterator[Each]:
    """Give what applies a function to many values in their order: by helpers where that is worth it."""
    helpers = min(os.cpu_count() or 1, 4)
    if cases < _WORTH_HELPERS or helpers < 2:
        yield map
        return
    # A new interpreter each: the run's own threads and loop must not be copied into it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(helpers, mp_context=context, initializer=_heed_no_interrupt) as pool:
        yield functools.partial(pool.map, chunksize=_TOGETHER)


def _heed_no_interrupt() -> None:
    """Leave Ctrl-C to the process that waits for this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _chunk(folder: Path, parties: Parties) -> str:
    return packed(case_view(folder, parties))


def _smaller(chunk: str, level: int) -> str:
    return packed(without(unpacked(chunk), level))


def _within(budget: int, attempts: list[Attempt], chunks: dict[str, str], each: Each) -> dict[str, str]:
    size = sum(map(len, chunks.values()))
    for passed, level in ((True, FRAME), (True, MESSAGE), (False, FRAME), (False, MESSAGE)):
        keys = [attempt.key for attempt in attempts if attempt.passed is passed]
        keys.sort(key=lambda key: -len(chunks[key]))
        for some in (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)):
            if size <= budget:
                return chunks
            made = each(_smaller, [chunks[key] for key in some], [level] * len(some))
            for key, smaller in zip(some, made, strict=True):
                if size > budget:
                    size += len(smaller) - len(chunks[key])
                    chunks[key] = smaller
    return chunks


def without(view: Mapping[str, Any], level: int) -> dict[str, Any]:
    """Return a case's view without the events of this level and below, and a note that says so."""
    kept = [event for event in view["events"] if event.get("lvl", 0) < level]
    notes = [note for note in view["notes"] if note not in _LEFT_OUT.values()]
    return {**view, "events": kept, "notes": [*notes, _LEFT_OUT[level]]}
