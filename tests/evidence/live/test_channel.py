"""The door for another process: who may open it, what goes through it, what becomes of one that is left."""

from __future__ import annotations

import asyncio
import socket
import stat
from contextlib import asynccontextmanager

import pytest

from harness.evidence.live import channel
from harness.evidence.live.channel import SOCKET, forget_left, offered, steering
from harness.evidence.sums import files_of
from harness.plan.desk import Desk
from tests.evidence.live.test_server import Run

_WITHIN_S = 10


class Seat(Run):
    """A run that also notes who sits at it."""

    def __init__(self):
        super().__init__()
        self.there = 0

    def attend(self, told):
        self.there += 1

        def leave():
            self.there -= 1

        return leave


async def until(true):
    async with asyncio.timeout(_WITHIN_S):
        while not true():  # noqa: ASYNC110 - what is waited for is another's state
            await asyncio.sleep(0.01)


@asynccontextmanager
async def steered(folder):
    """Another process's side: what it may steer by, as it is told of it."""
    told = []
    task = asyncio.create_task(steering(folder, told.append))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_run_is_paused_answered_and_stopped_through_it(tmp_path):
    async def case():
        run = Seat()
        async with steered(tmp_path) as told:
            async with offered(tmp_path, run):
                await until(lambda: told)
                remote = told[-1]
                assert not remote.paused
                assert run.there == 1, "a question would be declined though somebody is there"
                remote.pause("page")
                await until(lambda: remote.paused)
                remote.resume()
                await until(lambda: not remote.paused)
                remote.answer("q1", yes=False, remark="dark", by="page")
                remote.stop("page")
                await until(run.stopped.is_set)
            await until(lambda: told[-1] is None)
            assert not remote.stop("page"), "a run that has gone is not stopped"
        assert run.there == 0
        assert run.done == [
            ("pause", "page"),
            ("resume",),
            ("answer", "q1", False, "dark", "page"),
            ("stop", "page"),
        ]

    asyncio.run(case())


def test_its_owner_alone_may_open_it_and_it_goes_with_the_run(tmp_path):
    deep = tmp_path / ("d" * 120) / "pack"  # longer than a socket's name may be
    deep.mkdir(parents=True)

    async def case():
        async with offered(deep, Desk()):
            mode = (deep / SOCKET).stat().st_mode
            assert stat.S_ISSOCK(mode)
            assert stat.S_IMODE(mode) == 0o600
            assert files_of(deep) == [], "it is no file of the pack"
        assert list(deep.iterdir()) == []

    asyncio.run(case())


def test_a_second_run_or_a_folder_that_takes_no_socket_only_goes_without(tmp_path):
    (tmp_path / SOCKET).write_text("taken")

    async def case():
        async with offered(tmp_path, Desk()):
            pass

    asyncio.run(case())
    assert (tmp_path / SOCKET).read_text() == "taken"


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b"[]\n", b'{"do": "fly"}\n', b"x" * 40_000 + b"\n"])
def test_what_is_no_request_does_no_harm(tmp_path, line):
    async def case():
        run = Seat()
        async with offered(tmp_path, run):
            _, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET))
            writer.write(line)
            await writer.drain()
            async with steered(tmp_path) as told:
                await until(lambda: told)
                told[-1].pause("page")
                await until(lambda: run.done)
            writer.close()
        assert run.done == [("pause", "page")]

    asyncio.run(case())


def test_what_a_killed_run_left_is_taken_away_and_steers_nothing(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET))

    async def case():
        async with steered(tmp_path) as told:
            await until(lambda: not (tmp_path / SOCKET).exists())
        assert told == []

    asyncio.run(case())
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET))
    forget_left(tmp_path)
    assert not (tmp_path / SOCKET).exists()


def test_a_run_that_hangs_is_given_up_and_its_socket_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(channel, "_GREETS_WITHIN_S", 0.05)
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(tmp_path / SOCKET))
        hanging.listen()

        async def case():
            async with steered(tmp_path) as told:
                await until(lambda: told)
            assert set(told) == {None}

        asyncio.run(case())
        forget_left(tmp_path)
        assert (tmp_path / SOCKET).exists()
