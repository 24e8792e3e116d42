"""How long a join takes on the virtual bench with key establishment, against one without in the same run.

Besides, how long the harness's event loop stood still at most, and how much of that a join without has.
Run it with ``python -m tests.benchmarks.join``.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from harness.rig.load import load_rig
from harness.rig.open import close_bench, open_bench
from harness.rulebook import load_rulebook
from harness.tap import NullTap

RIGS = Path(__file__).parents[2] / "rigs"
ROUNDS = 10
DEVICE = '      firmware: "01020304"\n'
TICK_S = 0.001


def rig_file(folder: Path, *, with_keys: bool) -> Path:
    """Write the virtual rig, with a PPMID that establishes keys or one that does not."""
    text = (RIGS / "virtual.yaml").read_text()
    if not with_keys:
        text = text.replace(DEVICE, f"{DEVICE}      defects: [skips-key-establishment]\n", 1)
    (folder / "cpl-virtual.csv").write_bytes((RIGS / "cpl-virtual.csv").read_bytes())
    path = folder / f"{with_keys}.yaml"
    path.write_text(text)
    return path


async def watch(stalls: list[float]) -> None:
    """Note how late the loop wakes us."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK_S)
        stalls.append(time.perf_counter() - began - TICK_S)


async def joins(path: Path, hub_name: str) -> tuple[list[float], float]:
    """Return how long each join took in seconds, and the longest standstill of the loop during them."""
    bench = await open_bench(load_rig(path), load_rulebook(), NullTap())
    took: list[float] = []
    stalls: list[float] = [0.0]
    try:
        hub, device = bench.hub(hub_name).hub, bench.ppmid_device
        for _ in range(ROUNDS):
            await hub.add_to_device_log(device.eui64, bytes(device.install_code), 60.0)
            watching = asyncio.create_task(watch(stalls))
            began = time.perf_counter()
            outcome = await bench.ppmid.join(20.0)
            took.append(time.perf_counter() - began)
            watching.cancel()
            assert outcome.joined, outcome
            await bench.ppmid.leave()
            await hub.remove_from_device_log(device.eui64)
            await hub.begin_afresh()  # each join by the install code
    finally:
        await close_bench(bench)
    return took, max(stalls)


def main() -> None:
    """Print a line a hub."""
    with tempfile.TemporaryDirectory() as folder:
        for hub, suite in (("smets1", "suite 1"), ("smets2", "suite 2")):
            found = {}
            for with_keys in (False, True):
                took, stall = asyncio.run(joins(rig_file(Path(folder), with_keys=with_keys), hub))
                found[with_keys] = (statistics.median(took), max(took), stall)
            (plain, _, plain_stall), (keyed, longest, stall) = found[False], found[True]
            print(
                f"{suite}: join {keyed * 1e3:.0f} ms (longest of {ROUNDS} {longest * 1e3:.0f} ms),"
                f" without key establishment {plain * 1e3:.0f} ms, {keyed / plain:.2f} times;"
                f" loop stood still {stall * 1e3:.1f} ms at most, without {plain_stall * 1e3:.1f} ms"
            )


if __name__ == "__main__":
    main()
