"""What a user refuses for good is given up after a while: kept, told, and nobody waits behind it."""

import asyncio
import contextlib

import aiohttp
import pytest
from aiohttp import web

from harness.dcc.http.outbox import Outbox
from harness.dcc.http.postman import Postman
from harness.dcc.http.serve import Address, serving
from harness.gbcs import SUPPLIER
from tests.dcc.estate import RecordingTap
from tests.dcc.http.test_service import Bench


class Inbox:
    """A user's inbox that answers some documents with a status, the others with 204."""

    def __init__(self, status):
        self.status = status
        self.refused = 0
        self.taken = asyncio.Queue()

    async def take(self, request):
        document = await request.read()
        if document == b"bad" and self.status is not None:
            self.refused += 1
            return web.Response(status=self.status)
        self.taken.put_nowait(document)
        return web.Response(status=204)


@contextlib.asynccontextmanager
async def delivering(outbox, inbox, tap, **options):
    app = web.Application()
    app.router.add_post("/inbox", inbox.take)
    async with serving(app, Address()) as url:
        postman = Postman(outbox, {SUPPLIER: f"{url}/inbox"}, tap, first_pause_s=0.01, **options)
        await postman.start()
        try:
            yield postman
        finally:
            await postman.stop()


def run(status, *, outbox=None, wanted=1, **options):
    """Deliver `bad` and then `good`; return the inbox and the tap when so many were taken."""
    outbox = outbox or Outbox()
    tap = RecordingTap()
    outbox.put(SUPPLIER, b"bad")
    outbox.put(SUPPLIER, b"good")

    async def work():
        inbox = Inbox(status)
        async with delivering(outbox, inbox, tap, **options):
            got = [await asyncio.wait_for(inbox.taken.get(), 5) for _ in range(wanted)]
        return inbox, got

    return *asyncio.run(work()), outbox, [event[3] for event in tap.events]


def test_it_is_given_up_after_so_many_refusals_and_the_next_one_goes_out():
    inbox, got, outbox, told = run(400, give_up_after=3)
    assert (inbox.refused, got) == (3, [b"good"])
    assert outbox.waiting() == {}
    [(user, gone)] = outbox.given_up().items()
    assert (user, gone.count, gone.reason) == (SUPPLIER, 1, "HTTP status 400")
    assert told[-1].endswith("HTTP status 400, 3 times; given up, and kept in the outbox")


@pytest.mark.parametrize(("status", "never"), [(503, 6), (429, 6), (302, 6), (400, 0)])
def test_what_may_heal_is_never_given_up(status, never):
    outbox = Outbox()
    outbox.put(SUPPLIER, b"bad")

    async def work():
        inbox = Inbox(status)
        async with delivering(outbox, inbox, RecordingTap(), give_up_after=min(never, 2)), asyncio.timeout(5):
            while inbox.refused < 4:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.01)
            inbox.status = None
            return await inbox.taken.get()

    assert asyncio.run(work()) == b"bad"
    assert outbox.given_up() == {}


def test_it_is_kept_over_a_restart_and_can_be_taken_up_again(tmp_path):
    with contextlib.closing(Outbox(tmp_path / "outbox")) as outbox:
        run(400, give_up_after=1, outbox=outbox)
    with contextlib.closing(Outbox(tmp_path / "outbox")) as outbox:
        assert outbox.given_up()[SUPPLIER].count == 1
        assert outbox.waiting() == {}
        assert outbox.take_up_again(SUPPLIER) == 1
        assert (outbox.given_up(), outbox.first(SUPPLIER).document) == ({}, b"bad")


def test_the_health_page_names_it(tmp_path):
    outbox = Outbox()
    outbox.put(SUPPLIER, b"bad")
    outbox.give_up(outbox.first(SUPPLIER), "HTTP status 400")

    async def work():
        async with (
            Bench(outbox=outbox).running() as bench,
            aiohttp.ClientSession() as session,
            session.get(f"{bench.url}/health") as answer,
        ):
            return await answer.json()

    told = asyncio.run(work())
    assert told["given_up"] == {str(SUPPLIER): {"count": 1, "last": "HTTP status 400"}}
