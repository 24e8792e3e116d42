"""What a pack gets while it is written is seen once, in order, by whoever follows it."""

from __future__ import annotations

from harness.evidence.live.follow import Follower
from harness.evidence.live.picture import FRAMES, Picture
from harness.evidence.pack import EvidencePack
from harness.evidence.verdict import Verdict
from harness.tap import Boundary
from tests.evidence.test_pack import result


def said(news):
    return [(key, event["summary"]) for key, event in news.events]


def test_events_come_once_with_the_attempt_that_they_are_of(tmp_path):
    follower = Follower(tmp_path / "pack")
    assert (follower.poll().run, said(follower.poll())) == (None, [])
    pack = EvidencePack(tmp_path / "pack")
    pack.tap.record(Boundary.HUB, "smets1", "", "started")
    pack.begin_case("A B")
    pack.tap.record(Boundary.STEP, "plan", "A B", "join", step=1)
    assert said(follower.poll()) == [("", "started"), ("A_B", "join")]
    assert said(follower.poll()) == []
    pack.tap.record(Boundary.AIR, "a", "b", "last of A")
    pack.end_case(result("A B", Verdict.ERROR))
    pack.tap.record(Boundary.HUB, "smets1", "", "between")
    pack.begin_case("A B", 2)
    pack.tap.record(Boundary.AIR, "a", "b", "first of the second attempt")
    assert said(follower.poll()) == [
        *[("A_B", "last of A"), ("", "between"), ("A_B.2", "first of the second attempt")]
    ]
    pack.end_case(result("A B", attempt=2))
    pack.finish(0)
    assert follower.poll().run["state"] == "finished"
    assert follower.poll().run is None


def test_half_a_line_waits_for_its_other_half(tmp_path):
    pack = EvidencePack(tmp_path / "pack")
    pack.tap.record(Boundary.HUB, "a", "b", "whole")
    path = pack.folder / "run.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    follower = Follower(pack.folder)
    assert said(follower.poll()) == []
    path.write_bytes(whole)
    assert said(follower.poll()) == [("", "whole")]
    path.write_bytes(whole + b"no json\n[]\n" + whole)
    assert said(follower.poll()) == [("", "whole")]
    pack.finish(0)


def taken(picture, boundary, summary, **details):
    return picture.take("C", {"n": 1, "t": 1.0, "boundary": boundary, "summary": summary, "details": details})


def test_the_picture_has_step_question_and_pause_and_forgets_what_is_settled():
    picture = Picture()
    picture.turn_to("C")
    taken(picture, "step", "ask {question: ready}", step=3)
    taken(picture, "step", "Ready?", question="q1")
    taken(picture, "step", "paused by the page", paused=True)
    plain = picture.plain()
    assert (plain["case"], plain["step"], plain["step_number"]) == ("C", "ask {question: ready}", 3)
    assert (plain["question"], plain["paused"]) == ({"id": "q1", "text": "Ready?"}, True)
    taken(picture, "step", "yes", answer="q1")
    picture.turn_to("D")
    assert (picture.plain()["question"], picture.plain()["step"]) == (None, "")


def test_the_picture_stays_small_and_shows_what_hides():
    picture = Picture()
    for number in range(FRAMES + 20):
        taken(picture, "air", f"frame {number}")
    assert picture.plain()["frames"][0]["s"] == "frame 20"
    told = taken(picture, "serial", "\x1b[2J\u202e" + "x" * 1_000_000)
    assert told["s"].startswith("\\u{1b}[2J\\u{202e}xxx")
    assert len(told["s"]) < 400
