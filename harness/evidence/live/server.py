"""Serves the live page of one pack: the page, a socket with what is new, and what a person does there.

Every viewer gets the same messages; one that comes later, or comes back, gets the picture so far first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from harness.errors import ConfigError
from harness.evidence.live.control import Control, obey
from harness.evidence.live.follow import Follower, News
from harness.evidence.live.guard import TOKEN, Guard
from harness.evidence.live.picture import Picture
from harness.evidence.report.case import case_view
from harness.evidence.report.overview import folder_of, key_of, overview, parties_of
from harness.evidence.report.page import live_page, middle

_ASSETS = Path(__file__).parent / "assets"
_EVERY_S = 0.02
_MIDDLE_EVERY_S, _MIDDLE_SHARE = 0.5, 20  # a page of many cases takes 5 % of the time at most
_WAITING = 400  # messages for a viewer who does not take them; then it gets the picture anew
_LEAVES_WITHIN_S = 2.0


@dataclass(slots=True, eq=False)
class _Viewer:
    """One socket, and what waits for it."""

    socket: web.WebSocketResponse
    waiting: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, message: str) -> bool:
        """Add a message; False when too many wait already."""
        self.news.set()
        self.idle.clear()
        if len(self.waiting) >= _WAITING:
            return False
        self.waiting.append(message)
        return True


class LivePage:
    """A server that runs within ``async with``. Raises ConfigError when the address cannot be listened on."""

    def __init__(
        self, folder: Path, control: Control | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._folder = folder
        self._control = control
        self._host, self._port = host, port
        self._guard = Guard.of(host)
        self._follower = Follower(folder)
        self._picture = Picture()
        self._viewers: set[_Viewer] = set()
        self._middle = ""  # the last message with the page's middle
        self._middle_due = False
        self._paused: bool | None = None
        self._task: asyncio.Task[None] | None = None
        application = web.Application(middlewares=[self._guard.middleware()])
        application.router.add_get("/", self._page)
        application.router.add_get("/live", self._socket)
        application.router.add_get("/traffic/{key}", self._traffic)
        application.router.add_get("/{name:.+}", self._file)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_LEAVES_WITHIN_S)

    @property
    def address(self) -> str:
        """Where to open it, the token included."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        token = f"?{TOKEN}={self._guard.token}" if self._guard.token is not None else ""
        return f"http://{host}:{self._guard.port}/{token}"

    def steer(self, control: Control | None) -> None:
        """From now on steer the run by this; by nothing when it is None."""
        self._control = control
        self._paused = control.paused if control is not None else None
        self._tell(self._steering())

    async def __aenter__(self) -> LivePage:
        """Listen, and begin to follow the pack."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            place = f"{self._host}:{self._port}"
            raise ConfigError(f"the live page cannot listen on {place}: {error.strerror}") from None
        self._guard.port = self._runner.addresses[0][1]
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell the viewers the last of it, and go."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._look()
        await self._send_middle()
        self._tell({"type": "gone"})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVES_WITHIN_S):
                await asyncio.gather(*(self._leave(viewer) for viewer in tuple(self._viewers)))
        await self._runner.cleanup()

    # --- what is new -------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        due, loop = 0.0, asyncio.get_running_loop()
        while True:
            self._look()
            if self._middle_due and loop.time() > due:
                worked_s = await self._send_middle()
                due = loop.time() + max(_MIDDLE_EVERY_S, _MIDDLE_SHARE * worked_s)
            await asyncio.sleep(_EVERY_S)

    def _look(self) -> None:
        """Take in what the pack has by now, and tell the viewers."""
        news = self._follower.poll()
        told = [self._picture.take(key, event) for key, event in news.events]
        self._picture.turn_to(self._follower.key)
        if told:
            self._tell({"type": "events", "events": told})
        if news.run is not None:
            self._middle_due = True
            self._tell(self._progress(news))
        if self._control is not None and self._control.paused != self._paused:
            self._paused = self._control.paused
            self._tell(self._steering())

    def _progress(self, news: News | None = None) -> dict[str, Any]:
        run = (news.run if news is not None else None) or self._follower.run
        ended = {case.get("id") for case in run.get("cases", ())} - {run.get("current_case")}
        return {
            "type": "progress",
            "state": run.get("state", "running"),
            "case": self._follower.key,
            "done": len(ended),
            "of": len(run.get("selected", ())),
            "exit_code": run.get("exit_code"),
        }

    def _steering(self) -> dict[str, Any]:
        paused = self._control.paused if self._control is not None else self._picture.paused
        return {"type": "steering", "can": self._control is not None, "paused": paused}

    async def _send_middle(self) -> float:
        """Tell the viewers how the cases stand; return the seconds of work that it was."""
        self._middle_due = False
        run = self._follower.run
        if not run:
            return 0.0
        try:
            self._middle, worked_s = await asyncio.to_thread(_middle_of, run)
        except ConfigError:
            return 0.0
        for viewer in self._viewers:
            viewer.put(self._middle)
        return worked_s

    def _tell(self, message: dict[str, Any]) -> None:
        if not self._viewers:
            return
        told = json.dumps(message, separators=(",", ":"))
        for viewer in self._viewers:
            if not viewer.put(told):
                viewer.waiting[:] = self._so_far()

    def _so_far(self) -> list[str]:
        parts = (self._progress(), self._steering(), {"type": "picture", **self._picture.plain()})
        told = [json.dumps(part, separators=(",", ":")) for part in parts]
        return [*told, self._middle] if self._middle else told

    # --- who asks ----------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        del request
        panel, script, style = (
            (_ASSETS / name).read_text(encoding="utf-8") for name in ("panel.html", "live.js", "live.css")
        )
        run = self._follower.run or {"state": "running", "cases": []}
        try:
            page = await asyncio.to_thread(live_page, run, panel=panel, script=script, style=style)
        except ConfigError as error:
            return web.Response(status=500, text=f"{error}\n")
        return web.Response(text=page, content_type="text/html")

    async def _traffic(self, request: web.Request) -> web.Response:
        run, wanted = self._follower.run, request.match_info["key"]
        for case in run.get("cases", ()):
            if key_of(case["id"], case["attempt"]) == wanted:
                folder = folder_of(self._folder, case)
                return web.json_response(await asyncio.to_thread(case_view, folder, parties_of(run)))
        raise web.HTTPNotFound

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """Hand a file of the pack over as a file: nothing of a pack is shown as a page of this server."""
        root = self._folder.resolve()
        path = (root / request.match_info["name"]).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise web.HTTPNotFound
        attached = {"Content-Disposition": "attachment", "Content-Type": "application/octet-stream"}
        return web.FileResponse(path, headers=attached)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self._guard.origin_is_ours(request.headers.get("Origin"), request.host):
            return web.Response(status=403, text="a page of another site has no business here\n")
        socket = web.WebSocketResponse(heartbeat=10.0, max_msg_size=16 * 1024)
        await socket.prepare(request)
        async with self._watching(socket):
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._obey(message.data)
        return socket

    @contextlib.asynccontextmanager
    async def _watching(self, socket: web.WebSocketResponse) -> AsyncIterator[None]:
        viewer = _Viewer(socket, self._so_far())
        viewer.news.set()
        self._viewers.add(viewer)
        sender = asyncio.create_task(_send(viewer))
        try:
            yield
        finally:
            self._viewers.discard(viewer)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender

    async def _leave(self, viewer: _Viewer) -> None:
        await viewer.idle.wait()
        await viewer.socket.close(code=WSCloseCode.GOING_AWAY)

    def _obey(self, text: str) -> None:
        """Do what a viewer asks for; what is no request of the page's is passed over."""
        try:
            asked = json.loads(text)
        except ValueError:
            return
        if self._control is not None:
            obey(self._control, asked)


async def _send(viewer: _Viewer) -> None:
    while True:
        await viewer.news.wait()
        viewer.news.clear()
        while viewer.waiting:
            told = viewer.waiting[0]
            await viewer.socket.send_str(told)
            if viewer.waiting and viewer.waiting[0] is told:
                del viewer.waiting[0]
        viewer.idle.set()


def _middle_of(run: Any) -> tuple[str, float]:
    began_s = time.thread_time()
    view = overview(run)
    told = json.dumps({"type": "run", "markup": middle(view), "overview": view}, separators=(",", ":"))
    return told, time.thread_time() - began_s
