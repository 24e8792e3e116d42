"""Durable 12.2 requests a second, by the size of the SMI: ``python -m tests.benchmarks.smi``.

Requests come in at a fixed rate, each is answered when it is safe on the disk; XML and signatures are no part
of this. Compared with: the same on an SMI in memory, and on an empty one.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from harness.dcc.documents import Prenotify, RequestId
from harness.dcc.inventory import MemorySmiStore
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from tests.dcc.estate import NOTICE, S2, Estate
from tests.dcc.stores import numbered, put

_CHUNK = 10_000


def fill(store, devices):
    for start in range(0, devices, _CHUNK):
        numbers = range(start + 1, min(start + _CHUNK, devices) + 1)
        store.apply(put(*(numbered(number) for number in numbers)))
        store.flush()


async def run(store, rate, seconds):
    """Send requests at a rate; return how long each took, and how many were answered a second."""
    dcc = Estate(store=store).dcc
    took = []

    async def request(number):
        began = time.perf_counter()
        notice = replace(NOTICE, device=Eui64(1 << 40 | number), version=S2.value)
        request = Prenotify(request_id=RequestId(SUPPLIER, ACB, number), prenotification=notice)
        response = await dcc.handle(request)
        assert response.ok
        took.append(time.perf_counter() - began)

    began = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        tasks.append(asyncio.ensure_future(request(number)))
        await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
    await asyncio.gather(*tasks)
    return took, len(took) / (time.perf_counter() - began)


def measure(name, store, rate, seconds):
    busy = time.process_time()
    took, reached = asyncio.run(run(store, rate, seconds))
    busy = (time.process_time() - busy) / len(took)
    cuts = statistics.quantiles(took, n=100)
    print(
        f"{name:34} {reached:7.1f} requests/s   median {cuts[49] * 1e3:6.2f} ms   "
        f"p99 {cuts[98] * 1e3:6.2f} ms   cpu {busy * 1e3:5.2f} ms a request"
    )
    store.close()
    return busy


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--devices", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        memory = measure("in memory, empty", MemorySmiStore(), asked.rate, asked.seconds)
        empty = measure("in SQLite, empty", SqliteSmiStore(Path(folder, "empty")), asked.rate, asked.seconds)
        full_store = SqliteSmiStore(Path(folder, "full"))
        fill(full_store, asked.devices)
        full = measure(f"in SQLite, {asked.devices} devices", full_store, asked.rate, asked.seconds)
    print(f"cpu, SQLite to memory: {empty / memory:.2f}; full to empty: {full / empty:.2f}")


if __name__ == "__main__":
    main()
