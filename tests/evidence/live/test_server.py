"""The live page's server: who may in, what each viewer gets, what a viewer may do."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from harness.errors import ConfigError
from harness.evidence.live.server import LivePage
from harness.evidence.pack import EvidencePack
from harness.tap import Boundary
from tests.evidence.test_pack import result

_WITHIN_S = 10


class Run:
    """A run that notes how it is steered."""

    def __init__(self):
        self.paused = False
        self.done = []
        self.stopped = asyncio.Event()

    def pause(self, by):
        self.paused = True
        self.done.append(("pause", by))

    def resume(self):
        self.paused = False
        self.done.append(("resume",))

    def stop(self, by):
        self.done.append(("stop", by))
        self.stopped.set()
        return True

    def answer(self, question, *, yes, remark, by):
        self.done.append(("answer", question, yes, remark, by))
        return True


class Viewer:
    def __init__(self, socket):
        self.socket = socket

    async def until(self, kind, fits=lambda told: True):
        while True:
            told = json.loads((await self.socket.receive(timeout=_WITHIN_S)).data)
            if told["type"] == kind and fits(told):
                return told

    async def events(self, count):
        found = []
        while len(found) < count:
            found += (await self.until("events"))["events"]
        return found

    async def does(self, **asked):
        await self.socket.send_str(json.dumps(asked))


class Page:
    def __init__(self, live, session):
        self.live, self.session = live, session
        self.base = live.address.split("?")[0]

    async def get(self, path="", **headers):
        async with self.session.get(f"{self.base}{path}", headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers

    @asynccontextmanager
    async def viewer(self, **headers):
        headers = {"Origin": self.base.rstrip("/"), **headers}
        async with self.session.ws_connect(f"{self.base}live", headers=headers) as socket:
            yield Viewer(socket)


def served(folder, work, *, control=None, **where):
    """Run `work(page)` against a server of a pack; nothing is left running."""

    async def main():
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as session,
            LivePage(folder, control, **where) as live,
        ):
            await work(Page(live, session))
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.fixture
def pack(tmp_path):
    pack = EvidencePack(tmp_path / "pack")
    pack.describe(selected=["A", "B"], rig={"name": "bench", "hubs": []})
    pack.begin_case("A")
    pack.tap.record(Boundary.SERIAL, "bench", "ppmid", "info <script>")
    pack.end_case(result("A"))
    pack.begin_case("B")
    yield pack
    pack.finish(0)


def test_what_happens_reaches_every_viewer_and_who_comes_later_gets_the_picture(pack):
    async def work(page):
        async with page.viewer() as one, page.viewer() as two:
            await one.until("picture")
            await two.until("picture")
            pack.tap.record(Boundary.STEP, "plan", "B", "join {within: 60 s}", step=1)
            pack.tap.record(Boundary.AIR, "a", "b", "NWK")
            told = [(await viewer.until("events"))["events"] for viewer in (one, two)]
            assert told[0] == told[1]
            assert [(entry["k"], entry["s"]) for entry in told[0]] == [
                ("B", "join {within: 60 s}"),
                ("B", "NWK"),
            ]
        async with page.viewer() as late:
            progress = await late.until("progress")
            assert (progress["done"], progress["of"], progress["case"]) == (1, 2, "B")
            picture = await late.until("picture")
            assert (picture["step"], picture["frames"][0]["s"]) == ("join {within: 60 s}", "NWK")
            run = await late.until("run")
            assert [case["key"] for case in run["overview"]["cases"]] == ["A"]
            assert "case-A" in run["markup"]

    served(pack.folder, work)


def test_the_end_of_a_case_and_of_the_run_is_told_as_it_comes(pack):
    async def work(page):
        async with page.viewer() as viewer:
            await viewer.until("run", lambda told: len(told["overview"]["cases"]) == 1)
            pack.end_case(result("B"))
            await viewer.until("run", lambda told: len(told["overview"]["cases"]) == 2)
            pack.finish(0)
            ended = await viewer.until("progress", lambda told: told["state"] == "finished")
            assert (ended["exit_code"], ended["done"]) == (0, 2)

    served(pack.folder, work)


def test_a_viewer_steers_and_every_viewer_sees_it(pack):
    run = Run()

    async def work(page):
        async with page.viewer() as one, page.viewer() as two:
            assert (await two.until("steering"))["can"]
            await one.does(do="pause")
            assert (await two.until("steering", lambda told: told["paused"]))["paused"]
            await one.does(do="resume")
            await one.does(do="answer", question="q1", yes=False, remark="x" * 5000)
            await one.does(do="stop")
            await two.until("steering", lambda told: not told["paused"])
            async with asyncio.timeout(_WITHIN_S):
                await run.stopped.wait()

    served(pack.folder, work, control=run)
    assert run.done == [
        ("pause", "page"),
        ("resume",),
        ("answer", "q1", False, "x" * 1000, "page"),
        ("stop", "page"),
    ]


@pytest.mark.parametrize(
    "text",
    ["no json", "[]", '{"do": "answer", "question": 1, "yes": "no", "remark": ""}', '{"do": "format disk"}'],
)
def test_what_is_no_request_of_the_pages_is_passed_over(pack, text):
    run = Run()

    async def work(page):
        async with page.viewer() as viewer:
            await viewer.socket.send_str(text)
            await viewer.does(do="pause")
            await viewer.until("steering", lambda told: told["paused"])

    served(pack.folder, work, control=run)
    assert run.done == [("pause", "page")]


def test_a_run_of_another_process_cannot_be_steered(pack):
    async def work(page):
        async with page.viewer() as viewer:
            assert (await viewer.until("steering"))["can"] is False
            await viewer.does(do="stop")
            pack.tap.record(Boundary.AIR, "a", "b", "still here")
            await viewer.until("events")

    served(pack.folder, work)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil"]
)
def test_a_name_that_was_made_to_point_here_is_refused(pack, host):
    async def work(page):
        for path in ("", "live", "run.json", "traffic/A"):
            status, text, _ = await page.get(path, Host=host)
            assert (status, "script" in text) == (421, False)

    served(pack.folder, work)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
def test_a_page_of_another_site_gets_no_socket(pack, origin):
    run = Run()

    async def work(page):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with page.viewer(Origin=origin):
                pass
        assert caught.value.status == 403

    served(pack.folder, work, control=run)
    assert run.done == []


def test_localhost_is_this_machine_too(pack):
    async def work(page):
        port = page.base.rstrip("/").rpartition(":")[2]
        assert (await page.get(Host=f"localhost:{port}"))[0] == 200

    served(pack.folder, work)


def test_beyond_this_machine_only_the_token_opens(pack):
    async def work(page):
        local = f"http://127.0.0.1:{page.base.rstrip('/').rpartition(':')[2]}/"
        token = page.live.address.partition("?token=")[2]
        assert len(token) > 20
        page.base = local
        for path in ("", "live", "run.json", "traffic/A", "?token=wrong"):
            assert (await page.get(path))[0] == 403, path
        async with page.session.get(f"{local}?token={token}", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            cookie = answer.headers["Set-Cookie"]
            assert ("HttpOnly" in cookie, "SameSite=Strict" in cookie) == (True, True)
        assert (await page.get())[0] == 200
        async with page.viewer() as viewer:
            await viewer.until("picture")

    served(pack.folder, work, host="0.0.0.0")


def test_a_page_may_fetch_from_here_alone_and_be_framed_by_nobody(pack):
    async def work(page):
        status, text, headers = await page.get()
        assert status == 200
        assert "connect-src &#39;self&#39;" in text or "connect-src 'self'" in text
        assert "default-src" in text
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")

    served(pack.folder, work)


def test_files_of_the_pack_are_handed_over_and_no_others(pack):
    (pack.folder.parent / "secret").write_text("secret")
    (pack.folder / "link").symlink_to(pack.folder.parent / "secret")

    async def work(page):
        status, text, headers = await page.get("cases/A/timeline.jsonl")
        assert (status, "info <script>" in text) == (200, True)
        assert headers["Content-Disposition"] == "attachment"
        for path in ("../secret", "%2e%2e/secret", "cases/../../secret", "link", "cases", "nowhere"):
            assert (await page.get(path))[0] == 404, path
        assert (await page.get("traffic/A"))[0] == 200
        assert (await page.get("traffic/B"))[0] == 404

    served(pack.folder, work)
    (pack.folder / "link").unlink()


def test_a_viewer_that_takes_nothing_gets_the_picture_instead_of_everything(pack):
    async def work(page):
        async with page.viewer() as viewer:
            await viewer.until("picture")
            live = page.live
            for number in range(3000):
                live._tell({"type": "events", "events": [{"n": number}]})
            (kept,) = live._viewers
            assert len(kept.waiting) <= 401
            await viewer.until("picture")

    served(pack.folder, work)


def test_a_page_before_there_is_a_pack_waits_for_it(tmp_path):
    async def work(page):
        assert (await page.get())[0] == 200
        async with page.viewer() as viewer:
            await viewer.until("picture")
            pack = EvidencePack(tmp_path / "pack")
            await viewer.until("progress", lambda told: told["of"] == 0)
            pack.finish(0)
            await viewer.until("progress", lambda told: told["state"] == "finished")

    served(tmp_path / "pack", work)


def test_an_address_that_is_taken_is_said(tmp_path):
    async def work(page):
        port = int(page.base.rstrip("/").rpartition(":")[2])
        with pytest.raises(ConfigError, match="cannot listen on"):
            async with LivePage(tmp_path, port=port):
                pass

    served(tmp_path, work)
