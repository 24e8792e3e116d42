"""What recording costs: the same cases on the virtual bench with the recorder and with nothing written.

Run it with ``python -m tests.benchmarks.recording``. Frames are decoded in both, as expectations need them;
the report, which is made when the run is over, in neither.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from harness.evidence.pcapng import PcapngWriter
from harness.evidence.recorder import CaseRecorder
from harness.evidence.timeline import RunClock, Timeline
from harness.plan.observe import NullObserver
from harness.plan.session import certify, prepare
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary
from tests.system.runs import CHECKOUT, VIRTUAL

ROUNDS = 5
EVENTS = 20_000


class Unwritten(CaseRecorder):
    """A recorder that keeps what expectations ask of the air, and writes nothing of what it hears."""

    def record(self, *event: object, **details: object) -> None:
        """Drop the event."""

    def save(self, name: str, content: bytes | str) -> Path:
        """Write no file."""
        return self.folder / name

    def air(self, frame: SniffedFrame):
        """Decode the frame for the expectations."""
        return self.air_record.heard(frame)


@contextmanager
def nothing_written() -> Iterator[None]:
    """Let a run write no timeline, no capture, no log and no checksums."""
    with (
        patch("harness.evidence.pack.CaseRecorder", Unwritten),
        patch.object(Timeline, "record", lambda *event, **details: None),
        patch.object(PcapngWriter, "write", lambda *frame: None),
        patch("harness.evidence.pack.EvidencePack._write_run", lambda pack: None),
        patch("harness.evidence.pack.write_lines", lambda timeline: None),
        patch("harness.evidence.recorder.write_lines", lambda timeline: None),
        patch("harness.evidence.sums.Sums.add", lambda sums, names: None),
        patch("harness.evidence.sums.Sums.write", lambda sums: None),
    ):
        yield


def one_run() -> tuple[float, float]:
    """Return the wall and processor seconds of a run of the four-row table's plan."""
    with tempfile.TemporaryDirectory() as folder:
        preparation = prepare([CHECKOUT / "test_plans" / "mp202" / "four-row-table.yaml"], VIRTUAL)
        with patch("harness.evidence.pack.EvidencePack._write_report", lambda pack: None):
            began, worked = time.perf_counter(), time.process_time()
            outcome = asyncio.run(certify(preparation, Path(folder) / "pack", NullObserver()))
            took = time.perf_counter() - began, time.process_time() - worked
        wrong = [f"{case.id}: {case.reason}" for case in outcome.results if case.reason]
        assert outcome.exit_code == 0, wrong
    return took


def recorded_an_event() -> float:
    """Return the seconds that one event takes, as a run has them on average."""
    with tempfile.TemporaryDirectory() as folder:
        timeline = Timeline(Path(folder) / "timeline.jsonl", RunClock.start())
        began = time.perf_counter()
        for number in range(EVENTS):
            timeline.record(Boundary.AIR, "0x0000", "0x1234", "NWK 0000 -> 1234", bytes(70), frame=number)
        took = (time.perf_counter() - began) / EVENTS
        timeline.close()
    return took


def main() -> None:
    """Print what recording costs."""
    one_run()  # warms imports and caches
    with_it, without = [], []
    for _ in range(ROUNDS):
        with_it.append(one_run())
        with nothing_written():
            without.append(one_run())
    wall, work = (statistics.median(run[which] for run in with_it) for which in (0, 1))
    bare_wall, bare_work = (statistics.median(run[which] for run in without) for which in (0, 1))
    print(f"wall: {wall:.3f} s with, {bare_wall:.3f} s without the recorder: {wall / bare_wall - 1:+.1%}")
    share = (work - bare_work) / wall
    print(f"processor: {work:.3f} s with, {bare_work:.3f} s without: {share:+.1%} of the run")
    print(f"an event of a timeline: {recorded_an_event() * 1e6:.1f} µs")


if __name__ == "__main__":
    main()
