"""The device side of the test port, octet by octet: repeats, refusals, and no answer to damaged frames."""

from __future__ import annotations

import asyncio

import pytest

from drivers.ppmid import framing
from drivers.ppmid.framing import Frame, FrameReader
from drivers.virtual.ppmid.console import Console, Refusal


class Application:
    def __init__(self):
        self.done = []
        self.left = asyncio.Event()
        self.log = [{"kind": "zcl", "cluster": "0019"}, {"kind": "gbcs", "use_case": "CS08"}]

    def info(self):
        return {"eui64": "00-DB-12-34-56-78-90-A4"}

    def status(self):
        self.done.append("status")
        return {"state": "out"}

    def join(self, timeout_s, sequence):
        self.done.append(("join", timeout_s, sequence))

    async def leave(self):
        self.done.append("leave")
        await self.left.wait()

    def set_install_code(self, code):
        raise Refusal("bad-state", 'not "now"')

    def take_received(self):
        log, self.log = self.log, []
        return tuple(log)

    def reset(self):
        self.done.append("reset")


class Host:
    def __init__(self):
        self.application = Application()
        self.tasks = []
        self.reader = FrameReader()
        self.heard = []
        self.console = Console(
            lambda octets: self.heard.extend(self.reader.feed(octets)),
            self.application,
            lambda work: self.tasks.append(asyncio.ensure_future(work)),
        )

    def send(self, *lines):
        """Send lines and return what was said in answer."""
        self.heard.clear()
        for line in lines:
            self.console.receive(framing.encode(line))
        return self.lines()

    def lines(self):
        assert all(isinstance(each, Frame) for each in self.heard)
        return [each.line for each in self.heard]


def run(scenario):
    async def main():
        await scenario(Host())

    asyncio.run(main())


def test_every_answer_echoes_its_commands_number():
    async def scenario(host):
        assert host.send("info seq=1", "status seq=77") == [
            "ok seq=1 eui64=00-DB-12-34-56-78-90-A4",
            "ok seq=77 state=out",
        ]

    run(scenario)


def test_a_repeated_command_is_answered_again_and_not_done_again():
    async def scenario(host):
        assert host.send("join seq=1 timeout=2.5", "join seq=1 timeout=2.5") == ["ok seq=1", "ok seq=1"]
        assert host.application.done == [("join", 2.5, "1")]
        host.send("join seq=2 timeout=2.5")
        assert len(host.application.done) == 2

    run(scenario)


def test_a_repeated_list_is_the_same_list():
    async def scenario(host):
        first = host.send("received seq=1")
        assert first == [
            "evt received seq=1 n=1 kind=zcl cluster=0019",
            "evt received seq=1 n=2 kind=gbcs use-case=CS08",
            "ok seq=1 count=2",
        ]
        assert host.send("received seq=1") == first
        assert host.send("received seq=2") == ["ok seq=2 count=0"]

    run(scenario)


def test_a_command_repeated_while_it_is_being_done_is_answered_once():
    async def scenario(host):
        assert host.send("leave seq=1") == []
        await asyncio.sleep(0)
        assert host.send("leave seq=1") == []
        host.application.left.set()
        await asyncio.gather(*host.tasks)
        assert host.lines() == ["ok seq=1"]
        assert host.application.done == ["leave"]

    run(scenario)


def test_an_answer_that_comes_after_another_command_is_still_given():
    async def scenario(host):
        host.send("leave seq=1")
        host.send("status seq=2")
        host.application.left.set()
        await asyncio.gather(*host.tasks)
        assert host.lines() == ["ok seq=2 state=out", "ok seq=1"]
        assert host.send("status seq=2") == ["ok seq=2 state=out"], "the last command's answer is kept"
        assert host.application.done.count("status") == 1

    run(scenario)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("dance seq=1", "err seq=1 code=unknown-verb "),
        ("info", "err code=bad-argument "),
        ("join seq=1", 'err seq=1 code=bad-argument text="timeout= is missing"'),
        ("join seq=1 timeout=soon", "err seq=1 code=bad-argument "),
        ("join seq=1 timeout=0", "err seq=1 code=bad-argument "),
        ("join seq=1 timeout=99999999", "err seq=1 code=bad-argument "),
        ("install-code seq=1 value=12", "err seq=1 code=bad-argument "),
        ("install-code seq=1", "err seq=1 code=bad-argument "),
        (f"install-code seq=1 value={'00' * 16}", r'err seq=1 code=bad-state text="not \"now\""'),
        ("info seq=1 seq=2", "err code=bad-line "),
        ('info seq="1', "err code=bad-line "),
    ],
)
def test_a_command_that_cannot_be_done_is_refused_with_a_reason(command, answer):
    async def scenario(host):
        (said,) = host.send(command)
        assert said.startswith(answer)
        assert host.application.done == []

    run(scenario)


def test_damaged_frames_get_no_answer():
    async def scenario(host):
        good = framing.encode("status seq=1")
        host.console.receive(b"noise" + good.replace(b"status", b"stat's"))
        host.console.receive(good[:-4])
        host.console.receive(b"\x7e\x7e")
        assert host.lines() == []
        host.console.receive(good[:7])
        host.console.receive(good[7:])
        assert host.lines() == ["ok seq=1 state=out"]

    run(scenario)


def test_a_reset_is_answered_before_it_happens():
    async def scenario(host):
        assert host.send("reset seq=1") == ["ok seq=1"]
        assert host.application.done == ["reset"]

    run(scenario)
