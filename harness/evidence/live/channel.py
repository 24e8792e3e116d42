"""The door through which another process of the same user steers a run: a socket in the pack's folder.

While a run goes on, ``.control`` in its pack is a Unix socket that its owner alone may open; it is gone when
the run has ended. Lines of json go both ways: what a viewer asks for (`control.obey`), and how the run
stands, first of all when somebody comes. What a killed run leaves answers nobody, and who finds that takes
it away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

from harness.evidence.live.control import Control, obey

SOCKET = ".control"
_EVERY_S = 0.05
_LOOKS_EVERY_S = 0.25
_GREETS_WITHIN_S = 2.0
_LONGEST_LINE = 16 * 1024
_log = logging.getLogger(__name__)


class Steered(Control, Protocol):
    """A run that also wants to know whether anybody is there to answer."""

    def attend(self, told: Callable[[object], None]) -> Callable[[], None]:
        """Sit down at it; return how to leave."""


@contextlib.asynccontextmanager
async def offered(folder: Path, run: Steered) -> AsyncIterator[None]:
    """Let others steer the run whose pack is in `folder`. Where no socket can be, the run goes on without."""
    visits: set[asyncio.Task[None]] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            visits.add(task)
            task.add_done_callback(visits.discard)
        with contextlib.suppress(ConnectionError, ValueError, asyncio.CancelledError):
            await _visit(run, reader, writer)
        writer.close()

    try:
        listening = _listening(folder / SOCKET)
    except OSError as error:
        _log.info("no other process can steer this run: %s: %s", folder / SOCKET, error.strerror or error)
        yield
        return
    server = await asyncio.start_unix_server(visited, sock=listening, limit=_LONGEST_LINE)
    try:
        yield
    finally:
        (folder / SOCKET).unlink(missing_ok=True)
        server.close()
        for visit in tuple(visits):
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _visit(run: Steered, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    leave = run.attend(lambda _: None)
    telling = asyncio.create_task(_tell(run, writer))
    try:
        while line := await reader.readline():
            with contextlib.suppress(json.JSONDecodeError, UnicodeDecodeError):
                obey(run, json.loads(line))
    finally:
        leave()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(run: Control, writer: asyncio.StreamWriter) -> None:
    told: bool | None = None
    while True:
        if run.paused is not told:
            told = run.paused
            writer.write(_line(paused=told))
            await writer.drain()
        await asyncio.sleep(_EVERY_S)


class RemoteControl:
    """A run of another process, steered through its socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._paused = False

    @property
    def paused(self) -> bool:
        """Whether no further case may begin, as the run last said."""
        return self._paused

    def take(self, line: bytes) -> None:
        """Take in what the run says of itself. Raises ValueError for what is no line of it."""
        said = json.loads(line)
        if not isinstance(said, dict) or not isinstance(said.get("paused"), bool):
            raise ValueError("a run says whether it is paused")
        self._paused = said["paused"]

    def pause(self, by: str) -> None:  # noqa: ARG002 - the run says itself that it was a page
        """Let no further case begin."""
        self._ask(do="pause")

    def resume(self) -> None:
        """Go on."""
        self._ask(do="resume")

    def stop(self, by: str) -> bool:  # noqa: ARG002 - as above
        """End the run now."""
        return self._ask(do="stop")

    def answer(self, question: str, *, yes: bool, remark: str, by: str) -> bool:  # noqa: ARG002 - as above
        """Answer a question; the run passes over what is settled already."""
        return self._ask(do="answer", question=question, yes=yes, remark=remark)

    def _ask(self, **asked: object) -> bool:
        if self._writer.is_closing():
            return False
        self._writer.write(_line(**asked))
        return True


async def steering(folder: Path, told: Callable[[Control | None], None]) -> None:
    """Say how the run in `folder` can be steered, and None when it no longer can; until it is cancelled."""
    while True:
        with contextlib.suppress(OSError, ValueError):
            await _steered(folder / SOCKET, told)
        await asyncio.sleep(_LOOKS_EVERY_S)


async def _steered(path: Path, told: Callable[[Control | None], None]) -> None:
    try:
        with _short(path) as short:
            reader, writer = await asyncio.open_unix_connection(short, limit=_LONGEST_LINE)
    except ConnectionRefusedError:
        forget_left(path.parent)
        return
    try:
        remote = RemoteControl(writer)
        async with asyncio.timeout(_GREETS_WITHIN_S):
            remote.take(await reader.readline())
        told(remote)
        while line := await reader.readline():
            remote.take(line)
    finally:
        told(None)
        writer.close()


def forget_left(folder: Path) -> None:
    """Take away the socket that a killed run left, if nobody listens on it."""
    path = folder / SOCKET
    if not path.is_socket():
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking, _short(path) as short:
        asking.settimeout(_GREETS_WITHIN_S)
        try:
            asking.connect(short)
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)


def _listening(path: Path) -> socket.socket:
    """Return a socket of the owner alone. Raises OSError."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as short:
            listening.bind(short)
        # Nobody has been let in before: who connects to a socket that does not listen is refused.
        path.chmod(0o600)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give a name of a socket that is short enough for one, however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        by_number = Path(f"/proc/self/fd/{folder}")
        yield str(by_number / path.name if by_number.exists() else path)
    finally:
        os.close(folder)


def _line(**said: object) -> bytes:
    return json.dumps(said).encode() + b"\n"
