"""The way from a service user to a DSP over HTTP, and the inbox where the DSP's later answers arrive."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
from aiohttp import web

from harness.dcc.duis.xml.parser import LARGEST_DOCUMENT
from harness.dcc.http.serve import Address, serving
from harness.dcc.web_services import Reply, WebService
from harness.errors import RigFault, SystemFault

_XML = {"Content-Type": "application/xml"}
_ANSWER_S = 30.0
INBOX = "/inbox"
Take = Callable[[bytes], None]


class HttpLink:
    """A Link to a DSP whose web services begin with `url`. Made by `http_link`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session

    async def post(self, service: WebService, document: bytes) -> Reply:
        """Send a request and return what is answered at once. Raises RigFault when nobody is there."""
        url = self._url + service.path
        try:
            async with self._session.post(url, data=document, headers=_XML, allow_redirects=False) as answer:
                return Reply(status=answer.status, content=await answer.read())
        except (TimeoutError, aiohttp.ClientError) as error:
            says = str(error) or f"no answer within {_ANSWER_S:g} s"
            raise RigFault(f"no DSP at {url}: {says}", remedy="is it running, and is `url` right?") from error


@asynccontextmanager
async def http_link(url: str, *, trust: ssl.SSLContext | None = None) -> AsyncIterator[HttpLink]:
    """Give a link; its connections are closed at the end."""
    connector = aiohttp.TCPConnector(ssl=trust if trust is not None else True)
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield HttpLink(url, session)


@asynccontextmanager
async def inbox(take: Take, address: Address, others: Mapping[str, Take] | None = None) -> AsyncIterator[str]:
    """Hand every document that is POSTed there to `take`, and answer 204; give the URL.

    What `take` refuses with SystemFault is answered 400: the DSP is told that it was not taken. `others` have
    inboxes of their own below that URL, by name.
    """
    application = web.Application(client_max_size=LARGEST_DOCUMENT)
    application.router.add_post(INBOX, partial(_post, take))
    for name, other in (others or {}).items():
        application.router.add_post(f"{INBOX}/{name}", partial(_post, other))
    async with serving(application, address) as url:
        yield url + INBOX


async def _post(take: Take, request: web.Request) -> web.Response:
    document = await request.read()
    try:
        take(document)
    except SystemFault as fault:
        return web.Response(status=400, text=str(fault))
    return web.Response(status=204)
