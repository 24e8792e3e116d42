"""How far the live page is behind 1,000 frames a second: at a socket, and drawn in Chromium.

Run it with ``python -m tests.benchmarks.live_page``. The run, its frames and the server are one process,
as in ``certify --live``; the socket's client and Chromium are others. Delays are from the tap's stamp on.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from harness.evidence.live.server import LivePage
from harness.evidence.pack import EvidencePack
from harness.tap import Boundary
from tests.conformance.browser import WIDE, browser

A_SECOND, SECONDS = 1000, 10.0
_BURST_S, _WANTED_S = 0.005, 0.1


async def frames(pack: EvidencePack) -> tuple[int, list[float]]:
    """Record frames at the rate, in bursts; return how many there were, and how late each sleep ended."""
    began, count, late = time.monotonic(), 0, []
    while (elapsed := time.monotonic() - began) < SECONDS:
        while count < elapsed * A_SECOND:
            pack.tap.record(Boundary.AIR, "0x0000", "0x1234", f"ZCL Read Attributes {count}", bytes(70))
            count += 1
        slept = time.monotonic()
        await asyncio.sleep(_BURST_S)
        late.append(time.monotonic() - slept - _BURST_S)
    return count, late


async def listen(address: str) -> None:
    """Be a client: print the delays of all events as json when the server goes."""
    delays = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}live", headers={"Origin": address.rstrip("/")}) as socket,
    ):
        async for message in socket:
            now, told = time.time(), json.loads(message.data)
            if told["type"] == "events":
                delays += [now - event["at"] for event in told["events"]]
            if told["type"] == "gone":
                break
    print(json.dumps(delays))


async def at_a_socket(folder: Path) -> tuple[int, list[float], list[float]]:
    """Return frames, how late sleeps were, and the delays that a client in another process saw."""
    pack = EvidencePack(folder)
    pack.begin_case("BABBLE")
    async with LivePage(folder) as page:
        command = [sys.executable, "-m", "tests.benchmarks.live_page", page.address]
        client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        await asyncio.sleep(4)  # for the client to be there
        count, late = await frames(pack)
    out, _ = await client.communicate()
    pack.finish(0)
    return count, late, json.loads(out)


async def in_chromium(folder: Path, profile: Path) -> tuple[int, list[float], list[float]]:
    """Return frames, how late sleeps were, and the delays to when Chromium had drawn them."""
    pack = EvidencePack(folder)
    pack.begin_case("BABBLE")
    async with LivePage(folder) as page:

        def opened():
            started = browser(profile)
            found = started.__enter__()
            found.size(WIDE)
            found.open(page.address)
            found.until(lambda: found.run("return live.socket && live.socket.readyState === 1"))
            return started, found

        started, found = await asyncio.to_thread(opened)
        count, late = await frames(pack)
        await asyncio.sleep(0.5)
        delays = await asyncio.to_thread(found.run, "return live.delays")
        await asyncio.to_thread(started.__exit__, None, None, None)
    pack.finish(0)
    return count, late, delays


def say(where: str, count: int, late: list[float], delays: list[float]) -> None:
    """Print one line: how far behind, and how that is to how late this process itself was woken."""
    ranks, own = statistics.quantiles(delays, n=100), statistics.quantiles(late, n=100)
    beyond = sum(delay > _WANTED_S for delay in delays) / len(delays)
    print(f"{where}: {len(delays)} of {count} events; {beyond:.2%} more than {_WANTED_S * 1e3:.0f} ms behind")
    for name, rank in (("median", 49), ("99 %", 98)):
        told = f"{ranks[rank] * 1e3:.0f} ms behind, a sleep of 5 ms {own[rank] * 1e3:.0f} ms late"
        print(f"  {name}: {told}: {ranks[rank] / max(own[rank], 1e-4):.1f} times")


def main() -> None:
    """Measure both."""
    if len(sys.argv) > 1:
        asyncio.run(listen(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        say("socket", *asyncio.run(at_a_socket(Path(folder) / "socket")))
        say("Chromium", *asyncio.run(in_chromium(Path(folder) / "chromium", Path(folder) / "profile")))


if __name__ == "__main__":
    main()
