"""The driver with real bellows on real ptys that misbehave."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import pty
import tty
from pathlib import Path

import pytest

from drivers.radio.ezsp import EzspOptions, EzspRadio
from harness.documents import Seconds
from harness.errors import RigFault
from harness.rig.faces import DriverContext
from harness.tap import NullTap
from tests.drivers.radio.bench_of_one import Listener


def open_files():
    return sorted(os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.exists())


@pytest.fixture
def line():
    """A raw pty: (its other end, its path)."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    yield master, path
    os.close(master)


def fault_of(path, *, while_open=None, timeout_s=0.4):
    async def main():
        loop = asyncio.get_running_loop()
        radio = EzspRadio(
            EzspOptions(path=str(path), connect_timeout=Seconds(timeout_s)),
            DriverContext(name="hubs.smets1.radio", tap=NullTap()),
        )
        if while_open is not None:
            loop.call_later(0.05, while_open)
        started = loop.time()
        with pytest.raises(RigFault) as caught:
            await radio.open((), Listener())
        assert loop.time() - started < timeout_s + 1.0
        await radio.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return str(caught.value)

    before = open_files()
    text = asyncio.run(main())
    gc.collect()
    assert open_files() == before
    assert str(path) in text
    return text


def test_a_silent_port_is_given_up_in_time(line):
    assert "no EZSP answer within 0.4 s" in fault_of(line[1])


@pytest.mark.parametrize(
    "junk",
    [
        b"U-Boot 2024.01\r\nlogin: ",
        b"\x00\x11\x1a\x7e\x7e",
        bytes(range(256)) * 8,
        b"\xc1\x02\x0b\x00\x00\x7e",
    ],
    ids=["a console", "flags", "noise", "RSTACK with a bad CRC"],
)
def test_a_port_that_talks_something_else_is_not_taken_for_a_dongle(line, junk):
    text = fault_of(line[1], while_open=lambda: os.write(line[0], junk))
    assert "universal-silabs-flasher" in text


def test_a_port_that_is_in_use_is_called_so(line):
    with Path(line[1]).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "in use by another program" in fault_of(line[1])


def test_a_file_that_is_no_port_is_called_so(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert "cannot be opened" in fault_of(path)


def test_a_tcp_server_that_is_not_there_is_called_so():
    import socket

    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        assert "refuses the connection" in fault_of(f"tcp://127.0.0.1:{reserved.getsockname()[1]}")


def test_a_port_unplugged_while_it_is_opened_is_the_rigs_fault():
    master, slave = pty.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    before = open_files()

    async def main():
        radio = EzspRadio(
            EzspOptions(path=path, connect_timeout=Seconds(5.0)), DriverContext(name="x", tap=NullTap())
        )
        asyncio.get_running_loop().call_later(0.05, os.close, master)
        async with asyncio.timeout(2.0):
            with pytest.raises(RigFault, match=f"{path} was lost"):
                await radio.open((), Listener())
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    gc.collect()
    assert len(open_files()) == len(before) - 1
