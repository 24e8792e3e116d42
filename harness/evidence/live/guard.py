"""Who may see the live page: this machine alone, or whoever has the token when it is told to listen farther.

A page of another site must neither read it nor steer it, also not by a name that it makes point here (DNS
rebinding): the Host header must be an address that is served, and a socket's Origin must be that Host's.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

COOKIE = "ppmid-bench"
TOKEN = "token"  # noqa: S105 - the name of a parameter
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Say whether an address to listen on can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(slots=True, kw_only=True)
class Guard:
    """Lets requests in. `token` is None on the loopback; `port` is known when the server listens."""

    token: str | None
    port: int = 0

    @classmethod
    def of(cls, host: str) -> Guard:
        """Return the guard of a server that listens there."""
        return cls(token=None if is_loopback(host) else secrets.token_urlsafe(24))

    def host_is_ours(self, host: str) -> bool:
        """Say whether a Host header names what is served. With a token any name may lead here."""
        if self.token is not None:
            return bool(host)
        return host in {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    def origin_is_ours(self, origin: str | None, host: str) -> bool:
        """Say whether a page of ours, and of nobody else, opened a socket."""
        return origin in (f"http://{host}", f"https://{host}")

    def knows(self, request: web.Request) -> bool:
        """Say whether a request has the token, where one is asked for."""
        if self.token is None:
            return True
        given = request.cookies.get(COOKIE) or request.query.get(TOKEN) or ""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def middleware(self) -> Middleware:
        """Return what refuses who may not in, and puts the headers on what goes out."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = self._refusal(request) or await handler(request)
            if not response.prepared:
                response.headers.update(_HEADERS)
            return response

        return guarded

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.host_is_ours(request.host):
            return web.Response(status=421, text="this is not served under that name\n")
        if not self.knows(request):
            return web.Response(status=403, text="no token, or a wrong one: use the address as printed\n")
        if self.token is not None and TOKEN in request.query:
            # Out of the address and into a cookie: an address is shown, kept and passed on.
            moved = web.Response(status=303, headers={"Location": request.path})
            moved.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
            return moved
        return None
