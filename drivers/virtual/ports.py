"""The ends of cables: a pty with a stable name, or a tcp port, as a device on the virtual bench has them.

A port can be unplugged and plugged in again, as a USB device can.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_READ = 4096
_LARGEST_BACKLOG = 1 << 20  # octets kept for a host that does not read; beyond, they are lost as on a wire


class BytePort(Protocol):
    """The device's end. `received` is called with what the host sends, on the loop."""

    received: Callable[[bytes], None] | None

    @property
    def path(self) -> str:
        """Where a host opens it."""

    async def open(self) -> None:
        """Make it appear."""

    async def close(self) -> None:
        """Make it disappear; may be called twice."""

    def write(self, octets: bytes) -> None:
        """Put octets on it; lost when nobody is there to take them."""

    async def unplug(self) -> None:
        """Make it vanish under whoever has it open."""

    async def replug(self) -> None:
        """Bring it back under the same name."""


class PtyPort:
    """A pseudo-terminal behind a symlink, raw from the start.

    The bench keeps the host's end open too, so that a host may come and go without a hang-up.
    """

    def __init__(self, link: Path) -> None:
        self.received: Callable[[bytes], None] | None = None
        self._link = link
        self._device = self._host = -1
        self._backlog = bytearray()

    @property
    def path(self) -> str:
        """The symlink's path."""
        return str(self._link)

    async def open(self) -> None:
        """Make the symlink appear."""
        self._device, self._host = pty.openpty()
        tty.setraw(self._host)
        os.set_blocking(self._device, False)
        beside = self._link.with_name(f".{self._link.name}.new")
        beside.symlink_to(os.ttyname(self._host))
        beside.replace(self._link)
        asyncio.get_running_loop().add_reader(self._device, self._readable)

    async def close(self) -> None:
        """Make it disappear; may be called twice."""
        if self._device < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._device)
        loop.remove_writer(self._device)
        with contextlib.suppress(FileNotFoundError):
            self._link.unlink()
        device, host, self._device, self._host = self._device, self._host, -1, -1
        self._backlog.clear()
        os.close(host)
        os.close(device)

    async def unplug(self) -> None:
        """Hang up on whoever has it open, and make the name disappear."""
        await self.close()

    async def replug(self) -> None:
        """Bring it back under the same name; nothing happens when it is there."""
        if self._device < 0:
            await self.open()

    def write(self, octets: bytes) -> None:
        """Put octets on the line; what the kernel does not take at once follows later."""
        if self._device < 0:
            return
        if not self._backlog:
            octets = octets[self._written(octets) :]
            if not octets:
                return
            asyncio.get_running_loop().add_writer(self._device, self._writable)
        self._backlog += octets[: max(0, _LARGEST_BACKLOG - len(self._backlog))]

    def _written(self, octets: bytes | bytearray) -> int:
        try:
            return os.write(self._device, octets)
        except BlockingIOError:
            return 0
        except OSError:
            return len(octets)  # nobody will ever take them

    def _writable(self) -> None:
        del self._backlog[: self._written(self._backlog)]
        if not self._backlog:
            asyncio.get_running_loop().remove_writer(self._device)

    def _readable(self) -> None:
        try:
            octets = os.read(self._device, _READ)
        except (BlockingIOError, OSError):
            return  # the host's end is ours too, so there is no hang-up to see
        if octets and self.received is not None:
            self.received(octets)


class TcpPort:
    """A listening tcp socket for one host at a time; a second one is hung up on."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.received: Callable[[bytes], None] | None = None
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._client: asyncio.Transport | None = None

    @property
    def path(self) -> str:
        """``tcp://host:port``; the port is known once it is open."""
        return f"tcp://{self._host}:{self._port}"

    async def open(self) -> None:
        """Listen; a port of 0 is chosen by the system, once."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Client(self), self._host, self._port, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hang up and listen no more; may be called twice."""
        server, self._server = self._server, None
        client, self._client = self._client, None
        if client is not None:
            client.abort()
        if server is not None:
            server.close()
            await asyncio.sleep(0)  # the transport closes its socket in the loop's next round

    async def unplug(self) -> None:
        """Hang up, and refuse connections."""
        await self.close()

    async def replug(self) -> None:
        """Listen again on the same port; nothing happens when it does."""
        if self._server is None:
            await self.open()

    def write(self, octets: bytes) -> None:
        """Send to the host that is connected, if any."""
        if self._client is not None:
            self._client.write(octets)

    def _arrived(self, client: asyncio.Transport) -> None:
        if self._client is None:
            self._client = client
        else:
            client.abort()

    def _left(self, client: asyncio.Transport | None) -> None:
        if client is self._client:
            self._client = None

    def _octets(self, client: asyncio.Transport | None, octets: bytes) -> None:
        if client is self._client and self.received is not None:
            self.received(octets)


class _Client(asyncio.Protocol):
    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port._arrived(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._port._left(self._transport)

    def data_received(self, data: bytes) -> None:
        self._port._octets(self._transport, data)
