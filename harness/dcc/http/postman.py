"""Delivers what is in the outbox to the users' own web services, in order, until it is taken or given up."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from harness.dcc.http.outbox import Letter, Outbox
from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.tap import Boundary, Tap

_ATTEMPT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_XML = {"Content-Type": "application/xml"}
_PASSING = (408, 425, 429)  # statuses from 400 to 499 that say "later", not "never"
GIVE_UP_AFTER = 6


@dataclass(frozen=True, slots=True)
class _NotTaken:
    """Why a document was not taken; `refused` when trying again is not likely to change that."""

    says: str
    refused: bool = False


class Postman:
    """POSTs to `urls`, by user; what is for anybody else stays in the outbox.

    Any status from 200 to 299 means that it was taken. After a failure the same document is tried again, with
    pauses that double from `first_pause_s` to a minute; later ones for that user wait behind it. A document
    that a user answers with a status from 400 to 499 (but 408, 425, 429) `give_up_after` times in a row is
    given up: kept, and not sent any more. 0 is never.
    """

    def __init__(
        self,
        outbox: Outbox,
        urls: Mapping[Eui64, str],
        tap: Tap,
        *,
        trust: ssl.SSLContext | None = None,
        first_pause_s: float = _FIRST_PAUSE_S,
        give_up_after: int = GIVE_UP_AFTER,
    ) -> None:
        for url in urls.values():
            _check(url)
        self._outbox = outbox
        self._urls = dict(urls)
        self._tap = tap
        self._trust = trust
        self._first_pause_s = first_pause_s
        self._give_up_after = give_up_after
        self._news: dict[Eui64, asyncio.Event] = {}
        self._rounds: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    @property
    def users(self) -> tuple[Eui64, ...]:
        """Those who have a URL."""
        return tuple(self._urls)

    async def start(self) -> None:
        """Begin, with what is there already."""
        timeout = aiohttp.ClientTimeout(total=_ATTEMPT_S)
        connector = aiohttp.TCPConnector(ssl=self._trust if self._trust is not None else True)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        for user in self._urls:
            self._begin(user, self._session)

    def serve(self, user: Eui64, url: str) -> None:
        """Deliver to this URL of a user's from now on, also what waits; raises ConfigError for none."""
        _check(url)
        self._urls[user] = url
        if user not in self._news and self._session is not None:
            self._begin(user, self._session)

    def look(self, user: Eui64) -> None:
        """There is something new for a user."""
        if user in self._news:
            self._news[user].set()

    async def stop(self) -> None:
        """Stop; what was not taken stays in the outbox."""
        for task in self._rounds:
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)
        self._rounds.clear()
        if self._session is not None:
            await self._session.close()

    def _begin(self, user: Eui64, session: aiohttp.ClientSession) -> None:
        self._news[user] = asyncio.Event()
        self._news[user].set()
        self._rounds.append(asyncio.create_task(self._serve(user, session)))

    async def _serve(self, user: Eui64, session: aiohttp.ClientSession) -> None:
        while True:
            await self._news[user].wait()
            self._news[user].clear()
            letter = self._outbox.first(user)
            while letter is not None:
                await self._deliver(letter, session)
                letter = self._outbox.first(user)

    async def _deliver(self, letter: Letter, session: aiohttp.ClientSession) -> None:
        pause_s, refusals = self._first_pause_s, 0
        while True:
            url = self._urls[letter.user]
            why = await self._post(letter, url, session)
            if why is None:
                self._outbox.delivered(letter)
                return
            refusals = refusals + 1 if why.refused else 0
            if self._give_up_after and refusals >= self._give_up_after:
                self._outbox.give_up(letter, why.says)
                self._tell(letter, url, f"{why.says}, {refusals} times; given up, and kept in the outbox")
                return
            self._outbox.failed(letter)
            self._tell(letter, url, f"{why.says}; tried again in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _tell(self, letter: Letter, url: str, says: str) -> None:
        summary = f"not taken by {url}: {says}"
        self._tap.record(Boundary.DUIS, "dsp", str(letter.user), summary, number=letter.number)

    async def _post(self, letter: Letter, url: str, session: aiohttp.ClientSession) -> _NotTaken | None:
        """Try once; return what went wrong."""
        try:
            async with session.post(url, data=letter.document, headers=_XML, allow_redirects=False) as answer:
                if 200 <= answer.status < 300:
                    return None
                refused = 400 <= answer.status < 500 and answer.status not in _PASSING
                return _NotTaken(f"HTTP status {answer.status}", refused)
        except TimeoutError:
            return _NotTaken(f"no answer within {_ATTEMPT_S:g} s")
        except aiohttp.ClientError as error:
            return _NotTaken(str(error) or type(error).__name__)


def _check(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"{url!r} is no URL to send responses to (http:// or https://)")
