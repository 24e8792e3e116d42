"""An EZSP `nop` through bellows and back: the virtual dongle against a peer that answers a constant.

Run as ``python -m tests.benchmarks.nop``. Both peers sit on a pty, each on a loop in a thread of its own, and
are asked in turn. The fastest tenth of the rounds counts: what else the machine does can only add to them.
"""

from __future__ import annotations

import asyncio
import binascii
import os
import pty
import random
import statistics
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from bellows.ash import PSEUDO_RANDOM_DATA_SEQUENCE
from bellows.ezsp import EZSP
from zigpy.config import SCHEMA_DEVICE

from drivers.virtual.medium import Medium
from drivers.virtual.ncp.dongle import Dongle
from drivers.virtual.ports import PtyPort
from drivers.virtual.stack.node import Node
from harness.eui64 import Eui64

ROUNDS, NOPS = 300, 15
WANTED = 1.3
VERSION = 13
EUI64 = Eui64.parse("00-DB-12-34-56-78-91-01")
_STUFFED = b"\x7e\x7d\x11\x13\x18\x1a"


class ConstantPeer:
    """ASH for a line that loses nothing, and an answer that depends on nothing but the command's number."""

    async def open(self, folder: Path) -> str:
        self._device, self._host = pty.openpty()
        tty.setraw(self._host)
        self._sent = self._taken = 0
        self._buffer = b""
        asyncio.get_running_loop().add_reader(self._device, self._readable)
        return os.ttyname(self._host)

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._device)
        os.close(self._device)
        os.close(self._host)

    def _readable(self) -> None:
        *frames, self._buffer = (self._buffer + os.read(self._device, 4096)).split(b"\x7e")
        for frame in frames:
            body = frame.rpartition(b"\x1a")[2]
            if body[:1] == b"\xc0":
                self._sent = self._taken = 0
                self._write(b"\xc1\x02\x0b")
            elif body and body[0] < 0x80:
                self._answer(_unstuffed(body))

    def _answer(self, body: bytes) -> None:
        self._taken = ((body[0] >> 4) + 1) % 8
        asked = _randomised(body[1:-2])
        if asked[1:3] == b"\x00\x00":
            answer = bytes((asked[0], 0x80, 0x00, VERSION, 2, 0x40, 0x74))
        elif asked[3:5] == b"\x00\x00":
            answer = bytes((asked[0], 0x80, 0x01, 0, 0, VERSION, 2, 0x40, 0x74))
        elif asked[3:5] == b"\x05\x00":
            answer = bytes((asked[0], 0x80, 0x01, 0x05, 0x00))
        else:
            answer = bytes((asked[0], 0x80, 0x01, 0x58, 0x00, 0x31))
        number, self._sent = self._sent, (self._sent + 1) % 8
        self._write(bytes((number << 4 | self._taken,)) + _randomised(answer))

    def _write(self, body: bytes) -> None:
        body += binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")
        out = b"".join(
            bytes((0x7D, octet ^ 0x20)) if octet in _STUFFED else bytes((octet,)) for octet in body
        )
        os.write(self._device, out + b"\x7e")


class VirtualDongle:
    """The virtual bench's."""

    async def open(self, folder: Path) -> str:
        rng = random.Random(1)
        port = PtyPort(folder / "dongle")
        node = partial(Node, Medium(rng), EUI64, coordinator=True, reassemble=False, rng=rng)
        self._dongle = Dongle(node, port, eui64=EUI64, ezsp_version=VERSION, rng=rng)
        await self._dongle.open()
        return port.path

    async def close(self) -> None:
        await self._dongle.close()


def _randomised(data: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, PSEUDO_RANDOM_DATA_SEQUENCE, strict=False))


def _unstuffed(body: bytes) -> bytes:
    first, *rest = body.split(b"\x7d")
    return first + b"".join(bytes((part[0] ^ 0x20,)) + part[1:] for part in rest)


@asynccontextmanager
async def hosted(peer: ConstantPeer | VirtualDongle, folder: Path):
    """Run a peer in a thread, and bellows here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def there(work: Awaitable):
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    class Owner:
        def connection_lost(self, _):
            pass

    try:
        host = EZSP(SCHEMA_DEVICE({"path": await there(peer.open(folder)), "baudrate": 115200}), Owner())
        await host.connect(use_thread=False)
        yield host.nop
        await host.disconnect()
        await there(peer.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def seconds_each(nop: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    for _ in range(NOPS):
        await nop()
    return (time.perf_counter() - begun) / NOPS


async def measured() -> tuple[float, float]:
    """Return seconds: the constant peer's, the virtual dongle's."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            hosted(ConstantPeer(), Path(folder)) as constant,
            hosted(VirtualDongle(), Path(folder)) as dongle,
        ):
            rounds = [(await seconds_each(constant), await seconds_each(dongle)) for _ in range(ROUNDS)]
    first, second = (statistics.fmean(sorted(took)[: ROUNDS // 10]) for took in zip(*rounds, strict=True))
    return first, second


def main() -> int:
    constant, dongle = asyncio.run(measured())
    ratio = dongle / constant
    print(f"nop, a constant:     {constant * 1e6:7.0f} us")
    print(f"nop, virtual dongle: {dongle * 1e6:7.0f} us")
    print(f"ratio {ratio:.2f}, wanted at most {WANTED} ({ROUNDS} rounds of {NOPS}, the fastest tenth)")
    return 0 if ratio <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
