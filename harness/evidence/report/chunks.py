"""The traffic of every attempt as a page carries it: deflated json in base64, within a budget for all.

Where all of it would be too much, routine frames are left out of cases that passed, the largest first, then
messages, then of the others too; each case says what it lacks. The pack itself keeps everything.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import signal
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.evidence.report.case import case_view
from harness.evidence.report.events import FRAME, MESSAGE
from harness.evidence.report.parties import Parties

BUDGET = 14_000_000  # characters; what else is in a page of 500 cases takes some 4 million more
_WORTH_HELPERS = 80  # cases; starting helpers takes as long as some dozens of cases
_TOGETHER = 8  # cases that a helper takes at once
_LEFT_OUT = {
    FRAME: "Frames that only keep the network going are left out of this report; timeline.jsonl has them.",
    MESSAGE: "Messages and frames are left out of this report; timeline.jsonl has them.",
}


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
    folders = [attempt.folder for attempt in wanted]
    made = _made(folders, parties)
    return _within(budget, wanted, {attempt.key: chunk for attempt, chunk in zip(wanted, made, strict=True)})


def _made(folders: list[Path], parties: Parties) -> list[str]:
    helpers = min(os.cpu_count() or 1, 4)
    if len(folders) < _WORTH_HELPERS or helpers < 2:
        return [_chunk(folder, parties) for folder in folders]
    # A new interpreter each: the run's own threads and loop must not be copied into it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(helpers, mp_context=context, initializer=_heed_no_interrupt) as pool:
        return list(pool.map(_chunk, folders, [parties] * len(folders), chunksize=_TOGETHER))


def _heed_no_interrupt() -> None:
    """Leave Ctrl-C to the process that waits for this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _chunk(folder: Path, parties: Parties) -> str:
    return packed(case_view(folder, parties))


def _within(budget: int, attempts: list[Attempt], chunks: dict[str, str]) -> dict[str, str]:
    size = sum(map(len, chunks.values()))
    for passed, level in ((True, FRAME), (True, MESSAGE), (False, FRAME), (False, MESSAGE)):
        keys = [attempt.key for attempt in attempts if attempt.passed is passed]
        for key in sorted(keys, key=lambda key: -len(chunks[key])):
            if size <= budget:
                return chunks
            smaller = packed(without(unpacked(chunks[key]), level))
            size += len(smaller) - len(chunks[key])
            chunks[key] = smaller
    return chunks


def without(view: Mapping[str, Any], level: int) -> dict[str, Any]:
    """Return a case's view without the events of this level and below, and a note that says so."""
    kept = [event for event in view["events"] if event.get("lvl", 0) < level]
    notes = [note for note in view["notes"] if note not in _LEFT_OUT.values()]
    return {**view, "events": kept, "notes": [*notes, _LEFT_OUT[level]]}
