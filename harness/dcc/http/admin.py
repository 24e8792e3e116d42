"""The administrative interface of a DCC of ours: what a tester does to it that no service user can.

::

    GET  /admin                  regime, users, hubs that are attached
    PUT  /admin/cpl              another Central Products List (CSV); answered with what became of it
    POST /admin/suppliers        {"hub", "to"}: a user becomes the supplier where a hub is
    GET  /admin/devices/EUI      on which hub a device is, which 8.2 has no room for
    PUT  /admin/users/EUI        {"url"}: where a user takes responses and alerts from now on
    POST /admin/outbox/EUI       have what was given up for a user delivered after all
    POST /admin/cases            begin afresh: no devices in the SMI but the hubs
    GET  /admin/hubs             a web socket by which a rig lends its hubs (`harness.dcc.http.hub_wire`)

Without a token it is for this machine alone, with one for whoever has it; never for a page in a browser.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
from aiohttp import web

from harness.dcc.cpl_intake import CplIntake
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.http.distant_hubs import HubLine
from harness.dcc.http.hub_wire import Message
from harness.dcc.http.outbox import Outbox
from harness.dcc.http.postman import Postman
from harness.errors import BenchError
from harness.eui64 import Eui64
from harness.smets.cpl import CPL_REGIME

PATH = "/admin"
_LARGEST_LINE = 4 << 20  # octets, of a web socket
_BEAT_S = 20.0
_BAD = (ValueError, KeyError, TypeError, AttributeError)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Admin:
    """Of one DCC and its web services. `token`, if there is one, must come with every request."""

    def __init__(
        self,
        dcc: EmbeddedDcc,
        intake: CplIntake,
        outbox: Outbox,
        postman: Postman,
        *,
        token: str | None = None,
    ) -> None:
        self._dcc = dcc
        self._intake = intake
        self._outbox = outbox
        self._postman = postman
        self._token = token
        self._lines: set[HubLine] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def add_to(self, application: web.Application) -> None:
        """Put it beside the web services."""
        router = application.router
        router.add_get(PATH, self._guarded(self._described))
        router.add_put(f"{PATH}/cpl", self._guarded(self._cpl))
        router.add_post(f"{PATH}/suppliers", self._guarded(self._supplier))
        router.add_get(f"{PATH}/devices/{{eui64}}", self._guarded(self._device))
        router.add_put(f"{PATH}/users/{{eui64}}", self._guarded(self._user))
        router.add_post(f"{PATH}/outbox/{{eui64}}", self._guarded(self._take_up_again))
        router.add_post(f"{PATH}/cases", self._guarded(self._case))
        router.add_get(f"{PATH}/hubs", self._guarded(self._hubs))
        application.on_shutdown.append(self._shut)

    def _guarded(self, handle: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            try:
                return await handle(request)
            except BenchError as error:
                return web.json_response({"error": str(error)}, status=409)
            except web.HTTPException:
                raise
            except _BAD as error:
                return web.json_response({"error": f"not understood: {error!r}"}, status=400)

        return guarded

    def _refusal(self, request: web.Request) -> web.Response | None:
        if "Origin" in request.headers:
            return web.Response(status=403, text="not for pages in a browser")
        if self._token is not None:
            given = request.headers.get("Authorization", "")
            right = hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())
            return None if right else web.Response(status=401, text="the token is missing or wrong")
        if not _is_loopback(request.remote):
            return web.Response(status=403, text="without a token it is for this machine alone")
        return None

    async def _described(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "regime": self._dcc.rules.rule(CPL_REGIME).text(),
                "cpl-rows": len(self._dcc.cpl.rows),
                "users": {name: str(eui64) for name, eui64 in self._dcc.directory.items()},
                "hubs": sorted(str(hub) for line in self._lines for hub in line.hubs),
            }
        )

    async def _cpl(self, request: web.Request) -> web.Response:
        text = (await request.read()).decode("utf-8-sig")
        verdict = self._intake.take(text, Path("the list sent"))
        return web.json_response(verdict.plain(), status=200 if verdict.taken else 422)

    async def _supplier(self, request: web.Request) -> web.Response:
        told = await request.json()
        mpxn = self._dcc.register_supplier(Eui64.parse(told["hub"]), str(told["to"]))
        return web.json_response({"mpxn": mpxn})

    async def _device(self, request: web.Request) -> web.Response:
        hub = self._dcc.hub_of(Eui64.parse(request.match_info["eui64"]))
        return web.json_response({"hub": str(hub) if hub else None})

    async def _user(self, request: web.Request) -> web.Response:
        told = await request.json()
        self._postman.serve(Eui64.parse(request.match_info["eui64"]), str(told["url"]))
        return web.json_response({})

    async def _take_up_again(self, request: web.Request) -> web.Response:
        user = Eui64.parse(request.match_info["eui64"])
        taken = self._outbox.take_up_again(user)
        self._postman.look(user)
        return web.json_response({"taken": taken})

    async def _case(self, _: web.Request) -> web.Response:
        self._dcc.forget_devices()
        return web.json_response({})

    # --- the hubs of a rig ---------------------------------------------------------------------------------

    async def _hubs(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=_BEAT_S, max_msg_size=_LARGEST_LINE)
        await socket.prepare(request)
        out: asyncio.Queue[Message] = asyncio.Queue()
        line = HubLine(self._dcc, out.put_nowait)
        writer = asyncio.create_task(_write(socket, out))
        self._lines.add(line)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._heard(socket, line, message.data)
        finally:
            self._lines.discard(line)
            self._sockets.discard(socket)
            line.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def _heard(self, socket: web.WebSocketResponse, line: HubLine, text: str) -> None:
        try:
            line.take(json.loads(text))
        except _BAD as error:
            reason = f"not understood: {error!r}"[:100].encode()
            await socket.close(code=aiohttp.WSCloseCode.INVALID_TEXT, message=reason)

    async def _shut(self, _: web.Application) -> None:
        for socket in tuple(self._sockets):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)


async def _write(socket: web.WebSocketResponse, out: asyncio.Queue[Message]) -> None:
    with suppress(ConnectionError):
        while True:
            await socket.send_str(json.dumps(await out.get()))


def _is_loopback(remote: str | None) -> bool:
    try:
        return remote is not None and ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False
