"""Who watches a run and answers its questions: the live page, the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.plan.desk import Desk, Question

TERMINAL = "terminal"
LOOPBACK = "127.0.0.1"
_YES, _NO = ("y", "yes"), ("n", "no")
T = TypeVar("T")
Said = Callable[[str], None]


def place(at: str) -> tuple[str, int]:
    """Return host and port of ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT``; port 0 is any."""
    host, colon, port = at.rpartition(":")
    if not colon or at.endswith("]"):
        host, port = at, "0"
    if not port.isdecimal() or int(port) > 0xFFFF:
        raise click.BadParameter(f"`{at}` is no HOST[:PORT]")
    return host.strip("[]") or LOOPBACK, int(port)


async def watched(
    run: Callable[[Desk], Coroutine[Any, Any, T]],
    folder: Path,
    *,
    at: str | None,
    said: Said,
) -> T:
    """Run with a desk that the terminal sits at, if there is one, and with the live page where `at` says."""
    desk = Desk()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(terminal(desk, said))
        if at is not None:
            from harness.evidence.live.server import LivePage

            host, port = place(at)
            page = await stack.enter_async_context(LivePage(folder, desk, host=host, port=port))
            stack.callback(desk.attend(lambda _: None))
            said(f"live: {page.address}")
        return await run(desk)


@contextlib.asynccontextmanager
async def terminal(desk: Desk, said: Said) -> AsyncIterator[None]:
    """Let whoever sits at the terminal answer, by a line that begins with y or n."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    asked: list[Question] = []
    typed = bytearray()

    def told(question: Question | None) -> None:
        asked[:] = [question] if question is not None else []
        typed.clear()
        if question is not None:
            said(f"{question.text} [y/n, and a remark]")

    def read() -> None:
        octets = os.read(sys.stdin.fileno(), 4096)
        if not octets:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            return
        typed.extend(octets)
        while b"\n" in typed:
            line, _, rest = bytes(typed).partition(b"\n")
            typed[:] = rest
            if asked:
                _answer(desk, asked[0], line.decode(errors="replace"), said)

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), read)
    leave = desk.attend(told)
    try:
        yield
    finally:
        leave()
        loop.remove_reader(sys.stdin.fileno())


def _answer(desk: Desk, question: Question, line: str, said: Said) -> None:
    word, _, remark = line.strip().partition(" ")
    if word.lower() not in (*_YES, *_NO):
        said("answer with y or n")
        return
    desk.answer(question.id, yes=word.lower() in _YES, remark=remark, by=TERMINAL)
