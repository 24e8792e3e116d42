"""Ports appear, carry octets, survive hosts that come and go, vanish and come back."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from drivers.virtual.ports import PtyPort, TcpPort


def run(scenario):
    async def main():
        await scenario()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = len(os.listdir("/proc/self/fd"))
    asyncio.run(main())
    assert len(os.listdir("/proc/self/fd")) == before


async def until(condition):
    async with asyncio.timeout(2):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def test_a_pty_keeps_its_name_while_hosts_come_and_go(tmp_path):
    async def scenario():
        port = PtyPort(tmp_path / "dongle")
        heard = bytearray()
        port.received = heard.extend
        await port.open()
        for word in (b"one", b"two"):
            host = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
            os.write(host, word)
            await until(lambda: heard.endswith(word))  # noqa: B023
            port.write(b"\x11\x13\x00\r\n" + word)  # raw: nothing is eaten or translated
            assert os.read(host, 100) == b"\x11\x13\x00\r\n" + word
            os.close(host)
        await port.close()
        await port.close()
        assert list(tmp_path.iterdir()) == []

    run(scenario)


def test_a_host_that_does_not_read_blocks_nobody(tmp_path):
    async def scenario():
        port = PtyPort(tmp_path / "dongle")
        await port.open()
        port.write(b"x" * 100_000)
        port.write(b"y" * 100_000)
        host = os.open(port.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        taken = bytearray()
        async with asyncio.timeout(5):
            while len(taken) < 200_000:
                try:
                    taken += os.read(host, 65536)
                except BlockingIOError:
                    await asyncio.sleep(0)
        assert taken == b"x" * 100_000 + b"y" * 100_000
        os.close(host)
        await port.close()

    run(scenario)


def test_an_unplugged_pty_hangs_up_and_comes_back_under_its_name(tmp_path):
    async def scenario():
        port = PtyPort(tmp_path / "dongle")
        await port.open()
        host = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
        await port.unplug()
        assert not (tmp_path / "dongle").is_symlink()
        with pytest.raises(OSError, match="Input/output error"):
            os.write(host, b"x")
        os.close(host)
        port.write(b"to nobody")
        await port.replug()
        await port.replug()
        assert (tmp_path / "dongle").is_symlink()
        await port.close()

    run(scenario)


def test_tcp_takes_one_host_at_a_time():
    async def scenario():
        port = TcpPort()
        heard = bytearray()
        port.received = heard.extend
        await port.open()
        address = ("127.0.0.1", int(port.path.rpartition(":")[2]))
        first = await asyncio.open_connection(*address)
        first[1].write(b"one")
        await until(lambda: heard == b"one")
        second = await asyncio.open_connection(*address)
        assert await second[0].read(1) == b""  # hung up on
        port.write(b"answer")
        assert await first[0].readexactly(6) == b"answer"
        first[1].close()
        await first[1].wait_closed()
        await asyncio.sleep(0.01)
        third = await asyncio.open_connection(*address)
        third[1].write(b"!")
        await until(lambda: heard == b"one!")
        for _, writer in (second, third):
            writer.close()
        await port.close()
        await port.close()

    run(scenario)


def test_an_unplugged_tcp_port_refuses_and_comes_back():
    async def scenario():
        port = TcpPort()
        await port.open()
        path = port.path
        address = ("127.0.0.1", int(path.rpartition(":")[2]))
        reader, writer = await asyncio.open_connection(*address)
        await until(lambda: port._client is not None)
        await port.unplug()
        assert await reader.read(1) == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError), socket.create_connection(address, timeout=1):
            pass
        await port.replug()
        assert port.path == path
        _, writer = await asyncio.open_connection(*address)
        writer.close()
        await port.close()

    run(scenario)
