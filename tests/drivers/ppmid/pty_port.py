"""A pty as a device has it: the master end in a test's hands, the slave end a serial port for the driver."""

from __future__ import annotations

import asyncio
import os
import pty
import tty


class TestPty:
    __test__ = False

    def __init__(self):
        self.received = None
        self.path = None
        self._master = self._slave = None

    async def open(self):
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _readable(self):
        octets = os.read(self._master, 4096)
        if self.received is not None:
            self.received(octets)

    def write(self, octets):
        os.write(self._master, octets)

    async def unplug(self):
        if self._master is not None:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = None

    async def close(self):
        await self.unplug()
