"""How many signed service requests a served DCC takes: ``python -m tests.benchmarks.duis``.

`dcc serve` runs as a process of its own, its SMI in SQLite, and is sent signed pre-notifications (12.2) at a
fixed rate over loopback, each for another device; each response is verified. The time of a request counts
from the moment when it was due, so that a service that falls behind shows it. First one service is loaded for
``--seconds`` on end. Then two of them, one whose SMI began empty and one with 100,000 devices, are loaded in
turn, a window of ``--window`` seconds each, ``--rounds`` times (first empty, then full; first full, then
empty; and so on): what the machine does besides falls on both alike, and each full window is held against the
empty one beside it. Beside it stand what the bare cryptography and one commit cost on this machine, measured
in the same run, and the processor time of the service, which other programs on the machine do not lengthen.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from harness.dcc.documents import Prenotification
from harness.dcc.duis.requests import Prenotify, RequestId
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response_tree
from harness.dcc.duis.xml_keys import BenchXmlKeys
from harness.dcc.inventory import Transaction
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion

RATE, P99_MS, ESTATE, FIFTH = 300, 100.0, 100_000, 1.2
KEYS = BenchXmlKeys("ppmid-bench")
KEY = KEYS.signing_key(SUPPLIER)
NOTICE = Prenotification(
    device=Eui64(0),
    device_type=DeviceType.PPMID,
    manufacturer="1234",
    model="00090100",
    firmware="01020304",
    version="SMETS1",
)
HEADERS = {"Content-Type": "application/xml"}


@dataclass(frozen=True)
class Figures:
    """What one run showed: requests a second, milliseconds, MiB of the service at start, middle and end.

    `cpu` is the service's processor time for a request, in milliseconds.
    """

    rate: float
    p50: float
    p99: float
    worst: float
    cpu: float
    memory: tuple[float, float, float]

    def __str__(self) -> str:
        memory = " > ".join(f"{entry:.0f}" for entry in self.memory)
        return (
            f"{self.rate:6.1f} requests/s  p50 {self.p50:6.1f} ms  p99 {self.p99:6.1f} ms"
            f"  worst {self.worst:6.1f} ms  cpu {self.cpu:.2f} ms  memory {memory} MiB"
        )


def document(number: int) -> bytes:
    """Return a signed pre-notification of a device of this number."""
    device = Eui64((0xD0 << 56) | number)
    root = request_tree(
        Prenotify(request_id=RequestId(SUPPLIER, ACB, number), prenotification=replace(NOTICE, device=device))
    )
    sign(root, KEY)
    return serialise(root)


def fill(path: Path, count: int) -> None:
    """Put so many devices into an SMI."""
    store = SqliteSmiStore(path)
    for first in range(0, count, 5000):
        records = tuple(
            DeviceRecord(
                device=Eui64((0xE0 << 56) | number),
                model=NOTICE.device_model,
                status=DeviceStatus.PENDING,
                version="SMETS1",
                family=SmetsVersion.SMETS1,
                notified_as=SmetsVersion.SMETS1,
                gbcs_version="",
            )
            for number in range(first, min(first + 5000, count))
        )
        store.apply(Transaction(when=datetime.now(UTC), by=None, put=records))
        store.flush()
    store.close()


@contextlib.contextmanager
def served(smi: Path):
    """Run `dcc serve`; give its URL and process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "dcc", "serve", "--port", "0", "--json", "--smi", str(smi)],
        stdout=(log := smi.with_suffix(".log")).open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 60
        while not (text := log.read_text()).endswith("\n") and time.monotonic() < deadline:
            time.sleep(0.05)
        yield json.loads(text.splitlines()[0])["url"], process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def memory_of(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_of(pid: int) -> float:
    """Return a process's processor time in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def drive(url: str, pid: int, documents: list[bytes]) -> Figures:
    """Send every document when it is due."""
    took: list[float] = []
    answers: list[bytes] = []
    memory, cpu = [memory_of(pid)], cpu_of(pid)
    connector = aiohttp.TCPConnector(limit=200)
    gc.collect()
    gc.disable()  # the client's own pauses are none of the service's
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:

        async def one(content: bytes, due: float) -> None:
            async with session.post(f"{url}/api/v1/serviceD", data=content) as answer:
                answers.append(await answer.read())
            took.append(time.perf_counter() - due)

        begun = time.perf_counter()
        tasks = []
        for number, content in enumerate(documents):
            due = begun + number / RATE
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(one(content, due)))
            if number == len(documents) // 2:
                memory.append(memory_of(pid))
        await asyncio.gather(*tasks)
        lasted = time.perf_counter() - begun
    gc.enable()
    memory.append(memory_of(pid))
    for content in answers:
        root = parse_xml(content)
        assert verify(root, KEYS).owner == ACB
        assert read_response_tree(root).code == "I99"
    took.sort()
    return Figures(
        rate=len(documents) / lasted,
        p50=1000 * took[len(took) // 2],
        p99=1000 * took[len(took) * 99 // 100],
        worst=1000 * took[-1],
        cpu=1000 * (cpu_of(pid) - cpu) / len(documents),
        memory=(memory[0], memory[1], memory[2]),
    )


class Numbers:
    """Signed documents, each for another device."""

    def __init__(self) -> None:
        self._next = 1

    def documents(self, seconds: float) -> list[bytes]:
        """Return as many as are sent in so many seconds."""
        count = int(RATE * seconds)
        self._next += count
        return [document(number) for number in range(self._next - count, self._next)]


def in_turn(folder: Path, numbers: Numbers, window: float, rounds: int) -> dict[int, list[Figures]]:
    """Load a service that began empty and one with an estate in turn; the first round warms both up."""
    found: dict[int, list[Figures]] = {0: [], ESTATE: []}
    with contextlib.ExitStack() as stack:
        services = {}
        for devices in found:
            smi = folder / f"turn-{devices}"
            fill(smi, devices)
            services[devices] = stack.enter_context(served(smi))
        for number in range(rounds + 1):
            order = (0, ESTATE) if number % 2 else (ESTATE, 0)
            for devices in order:
                figures = asyncio.run(drive(*services[devices], numbers.documents(window)))
                print(f"round {number:2} {devices:7} devices: {figures}{'' if number else '  (warm-up)'}")
                if number:
                    found[devices].append(figures)
    return found


@dataclass(frozen=True)
class Ratio:
    """Full to empty over pairs of windows: the median, and where the middle half begins and ends."""

    low: float
    middle: float
    high: float


def told_ratio(name: str, found: dict[int, list[Figures]], of: Callable[[Figures], float]) -> Ratio:
    """Print medians over the windows of one figure and the ratio full to empty, pair by pair; return it."""
    small, large = ([of(figures) for figures in found[devices]] for devices in (0, ESTATE))
    ratios = sorted(full / empty for empty, full in zip(small, large, strict=True))
    quarter = len(ratios) // 4
    ratio = Ratio(low=ratios[quarter], middle=statistics.median(ratios), high=ratios[-1 - quarter])
    print(
        f"{name}: median {statistics.median(small):.2f} empty, {statistics.median(large):.2f} full; "
        f"full to empty x {ratio.middle:.2f} (median of {len(ratios)} pairs; the middle half "
        f"{ratio.low:.2f} to {ratio.high:.2f}, all {ratios[0]:.2f} to {ratios[-1]:.2f})"
    )
    return ratio


def bare(folder: Path) -> float:
    """Return the milliseconds of what no service can do without: verify, sign, commit; one after another."""
    content = document(1)
    store = SqliteSmiStore(folder / "bare")
    begun = time.perf_counter()
    for number in range(100):
        root = parse_xml(content)
        verify(root, KEYS)
        response = request_tree(Prenotify(request_id=RequestId(SUPPLIER, ACB, 1), prenotification=NOTICE))
        sign(response, KEY)
        store.note_request(SUPPLIER, number, "bare")
        store.flush()
    took = time.perf_counter() - begun
    store.close()
    return 10 * took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--window", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=12)
    wanted = parser.parse_args()
    numbers = Numbers()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        floor = bare(folder)
        print(f"bare: verify, sign and commit one after another take {floor:.2f} ms")
        with served(folder / "smi") as (url, pid):
            alone = asyncio.run(drive(url, pid, numbers.documents(wanted.seconds)))
        print(f"{wanted.seconds:g} s on end, empty: {alone}")
        found = in_turn(folder, numbers, wanted.window, wanted.rounds)
    print(f"p50 over bare: {alone.p50 / floor:.2f}")
    rate = told_ratio("requests/s", found, lambda figures: figures.rate)
    p99 = told_ratio("p99, ms", found, lambda figures: figures.p99)
    told_ratio("p50, ms", found, lambda figures: figures.p50)
    told_ratio("cpu of the service, ms a request", found, lambda figures: figures.cpu)
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")
    fast = alone.rate > 0.99 * RATE and alone.p99 < P99_MS
    word = "reached" if fast else "not reached"
    print(f"{word}: {RATE} requests/s for {wanted.seconds:g} s, p99 under {P99_MS:g} ms")
    print(f"{steady(rate, p99)}: {ESTATE} devices change neither by more than a fifth")


def steady(rate: Ratio, p99: Ratio) -> str:
    """Say whether an estate changes neither figure by more than a fifth, or that the pairs do not tell."""
    if rate.middle * FIFTH > 1 and p99.middle < FIFTH:
        return "reached"
    if p99.low < FIFTH <= p99.high or rate.low * FIFTH < 1 <= rate.high * FIFTH:
        return "not to be told, the pairs are too far apart (a busy machine?)"
    return "not reached"


if __name__ == "__main__":
    main()
