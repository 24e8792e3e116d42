"""A person answers, pauses, stops; who declines makes a case inconclusive; their time is not the case's."""

from __future__ import annotations

import asyncio

import pytest

from harness.plan.desk import Desk
from tests.plan.running import cases_of, run

ASK = """\
- prenotify: {as: SMETS1}
- ask: {question: "Does it show a mode?", within: 5 s}"""


def answering(desk, *, after_s=0.0, **answer):
    """Have somebody at the desk answer each question so."""

    def told(question):
        if question is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(after_s, lambda: desk.answer(question.id, by="page", **answer))

    desk.attend(told)
    return desk


def ran(tmp_path, body, desk):
    return run(tmp_path, cases_of(tmp_path, body), desk=desk)


def test_yes_goes_on_and_the_step_says_who_said_so(tmp_path):
    found = ran(tmp_path, ASK, answering(Desk(), yes=True, remark=" dimly "))
    assert found.said() == ("pass", None)
    assert found.only.steps[-1].seen == {"answer": "yes: dimly", "by": "page"}


def test_no_declines_the_step(tmp_path):
    verdict, reason = ran(tmp_path, ASK, answering(Desk(), yes=False, remark="no display")).said()
    assert verdict == "inconclusive"
    assert "answered `Does it show a mode?` with no: no display" in reason


def test_no_fails_the_ppmid_where_the_plan_says_so(tmp_path):
    body = ASK.replace("within: 5 s", "no: fail")
    assert ran(tmp_path, body, answering(Desk(), yes=False)).said()[0] == "fail"


def test_a_question_that_nobody_answers_is_declined_in_time(tmp_path):
    desk = Desk()
    desk.attend(lambda question: None)
    verdict, reason = ran(tmp_path, ASK.replace("5 s", "0.1 s"), desk).said()
    assert (verdict, "nobody answered" in reason) == ("inconclusive", True)


def test_with_nobody_there_a_question_is_declined_at_once(tmp_path):
    verdict, reason = ran(tmp_path, ASK, Desk()).said()
    assert (verdict, "nobody is there" in reason, "--live" in reason) == ("inconclusive", True, True)


def test_the_cases_time_stands_still_while_a_person_thinks(tmp_path):
    thinking = answering(Desk(), after_s=0.5, yes=True)
    assert ran(tmp_path, f"timeout: 0.4 s\n--\n{ASK}", thinking).said() == ("pass", None)
    hangs = f"timeout: 0.4 s\n--\n{ASK}\n- wait: {{for: 5 s}}"
    (tmp_path / "again").mkdir()
    verdict, reason = ran(tmp_path / "again", hangs, answering(Desk(), after_s=0.5, yes=True)).said()
    assert (verdict, "still waiting" in reason) == ("error", True)


def test_question_and_answer_are_in_the_timeline(tmp_path):
    ran(tmp_path, ASK, answering(Desk(), yes=True))
    timeline = (tmp_path / "pack" / "cases" / "C1" / "timeline.jsonl").read_text()
    assert '"question": "q1"' in timeline
    assert '"answer": "q1", "by": "page"' in timeline


def test_an_answer_to_what_was_not_asked_or_is_settled_counts_for_nothing():
    async def main():
        desk = Desk()
        heard = []
        desk.attend(heard.append)
        assert not desk.answer("q1", yes=True, by="page")
        waits = asyncio.create_task(desk.ask("?", 5.0, NoTap()))
        await asyncio.sleep(0)
        assert not desk.answer("q9", yes=True, by="page")
        assert desk.answer("q1", yes=True, by="page")
        assert not desk.answer("q1", yes=False, by="terminal")
        assert (await waits).yes
        assert [question and question.id for question in heard] == ["q1", None]

    asyncio.run(main())


class NoTap:
    def record(self, *event, **details):
        pass


def test_who_sits_down_late_hears_the_question_and_who_leaves_hears_no_more():
    async def main():
        desk = Desk()
        early, late = [], []
        desk.attend(early.append)
        waits = asyncio.create_task(desk.ask("?", 5.0, NoTap()))
        await asyncio.sleep(0)
        leave = desk.attend(late.append)
        leave()
        desk.answer("q1", yes=True, by="page")
        await waits
        assert (len(early), len(late)) == (2, 1)

    asyncio.run(main())


def test_a_paused_run_begins_no_case_until_it_goes_on(tmp_path):
    desk = Desk()
    desk.pause("page")

    def arrange(parts):
        asyncio.get_running_loop().call_later(0.3, desk.resume)

    found = run(tmp_path, cases_of(tmp_path, ASK, "- wait: {for: 1 ms}"), arrange, desk=desk)
    told = (tmp_path / "pack" / "run.jsonl").read_text().splitlines()
    paused, on = (line for line in told if '"paused"' in line)
    assert ("paused by the page" in paused, "goes on" in on) == (True, True)
    assert found.results[0].started_s - found.runner.pack.clock.began_unix_s > 0.25


def test_to_stop_is_to_cancel_the_run():
    async def main():
        desk = Desk()
        assert not desk.stop("page")
        with desk.stops(asyncio.current_task()):
            asyncio.get_running_loop().call_soon(desk.stop, "page")
            await asyncio.sleep(5)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
