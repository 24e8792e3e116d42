"""A device on a real pty that says exactly what a test wants, and the driver at the other end."""

from __future__ import annotations

import asyncio
import os
import threading

from drivers.ppmid import framing
from drivers.ppmid.framing import Frame, FrameReader
from drivers.ppmid.lines import parse
from drivers.ppmid.test_port import TestPortOptions, TestPortPpmid
from harness.documents import Seconds
from harness.rig.faces import DriverContext
from harness.tap import NullTap
from tests.drivers.ppmid.pty_port import TestPty

INFO = "eui64=00-DB-12-34-56-78-90-A4 manufacturer=1234 model=00090100 firmware=01020304"
JOINED = (
    "state=joined mode=SMETS2+ suites=2 channel=20 pan=5678 extended-pan=00-DB-12-34-56-78-91-02 "
    "short=796F parent=00-DB-12-34-56-78-91-02"
)
OUT = "state=out mode=none suites=0"


class ListTap(NullTap):
    def __init__(self):
        self.events = []

    def record(self, boundary, source, destination, summary, data=b"", **details):
        self.events.append((boundary, source, destination, summary, data))


class Scripted:
    """`answer(line)` is called with each command and returns octets to send, or None."""

    def __init__(self, answer):
        self.answer = answer
        self.commands = []
        self.reader = FrameReader()
        self.pty = TestPty()
        self.pty.received = self.received
        self.tap = ListTap()
        self.commanded = asyncio.Event()

    def received(self, octets):
        for found in self.reader.feed(octets):
            assert isinstance(found, Frame)
            line = parse(found.line)
            self.commands.append(line)
            self.commanded.set()
            said = self.answer(line)
            if said:
                self.pty.write(said)

    def driver(self, **changes):
        options = {"answer_timeout": Seconds(0.1), "leave_timeout": Seconds(0.5), "join_grace": Seconds(0.1)}
        options |= {"path": self.pty.path, **changes}
        return TestPortPpmid(TestPortOptions(**options), DriverContext(name="ppmid", tap=self.tap))


def say(*lines):
    return b"".join(framing.encode(line) for line in lines)


def ok(line, fields=""):
    return say(f"ok seq={line.fields['seq']} {fields}".strip())


def run(answer, scenario, **changes):
    """Run a scenario; afterwards no task, thread or file descriptor is left."""

    async def main():
        device = Scripted(answer)
        await device.pty.open()
        port = device.driver(**changes)
        try:
            await port.open()
            await scenario(device, port)
        finally:
            await port.close()
            await device.pty.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = len(os.listdir("/proc/self/fd"))
    threads = threading.enumerate()
    asyncio.run(main())
    assert threading.enumerate() == threads
    assert len(os.listdir("/proc/self/fd")) == before
