"""A timeline is one order of events, on disk as they happen."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest

from harness.errors import DecodeError
from harness.evidence.limits import Allowance, Limits
from harness.evidence.secrets import Policy, Secrets
from harness.evidence.timeline import RECORDER, RunClock, Timeline, merged, read_timeline
from harness.tap import Boundary

LIMITS = Limits()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "timeline.jsonl"


def test_an_event_is_on_disk_when_record_returns(path):
    timeline = Timeline(path, RunClock.start())
    timeline.record(Boundary.GBCS, "dsp", "hub", "CS08", b"\xdf\x09", code=0x0129)
    (event,) = read_timeline(path)
    assert (event.boundary, event.source, event.data, event.details) == (
        Boundary.GBCS,
        "dsp",
        b"\xdf\x09",
        {"code": 0x0129},
    )
    timeline.close()


def test_events_of_several_threads_are_numbered_in_the_order_of_the_file(path):
    timeline = Timeline(path, RunClock.start())

    def speak(name):
        for number in range(200):
            timeline.record(Boundary.SERIAL, name, "bench", str(number))

    threads = [threading.Thread(target=speak, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timeline.close()
    events = list(read_timeline(path))
    assert [event.number for event in events] == list(range(800))
    assert [event.elapsed_s for event in events] == sorted(event.elapsed_s for event in events)


def test_what_is_cut_says_how_long_it_was(path):
    timeline = Timeline(path, RunClock.start())
    timeline.record(Boundary.AIR, "a", "b", "s" * 5000, bytes(LIMITS.data + 1))
    timeline.close()
    (event,) = read_timeline(path)
    assert (len(event.data), event.cut) == (LIMITS.data, LIMITS.data + 1)
    assert event.summary.endswith("(5000 characters)")


def test_events_after_close_are_dropped(path):
    timeline = Timeline(path, RunClock.start())
    timeline.close()
    timeline.close()
    timeline.record(Boundary.STEP, "plan", "bench", "late")
    assert list(read_timeline(path)) == []


def test_hostile_text_stays_one_line(path):
    timeline = Timeline(path, RunClock.start())
    timeline.record(Boundary.SERIAL, "ppmid", "bench", "a\nb\x00\u2028\ud800</script>")
    timeline.close()
    assert len(path.read_bytes().splitlines()) == 1
    assert next(iter(read_timeline(path))).summary == "a\nb\x00\u2028\ud800</script>"


def test_a_last_line_of_a_killed_run_is_passed_over_but_no_other(path):
    timeline = Timeline(path, RunClock.start())
    timeline.record(Boundary.STEP, "plan", "bench", "one")
    timeline.close()
    whole = path.read_text()
    path.write_text(whole + whole[:-9])
    assert [event.summary for event in read_timeline(path)] == ["one"]
    path.write_text(whole[:-9] + "\n" + whole)
    with pytest.raises(DecodeError, match=r"timeline\.jsonl line 1"):
        list(read_timeline(path))


def test_an_unknown_boundary_is_no_event(path):
    path.write_text(
        json.dumps({"n": 0, "t": 0, "at": 0, "boundary": "ether", "source": "", "destination": ""}) + "\n"
    )
    with pytest.raises(DecodeError, match="ether"):
        list(read_timeline(path))


def test_a_full_file_says_where_it_was_full_and_how_much_is_left_out_but_keeps_the_steps(path):
    timeline = Timeline(path, RunClock.start(), allowance=Allowance(Limits(file=2000)))
    for number in range(30):
        timeline.record(Boundary.AIR, "a", "b", str(number), bytes(20))
    timeline.record(Boundary.STEP, "plan", "CASE", "join", step=2)
    timeline.close()
    events = list(read_timeline(path))
    kept = [event for event in events if event.boundary is Boundary.AIR]
    full, step, left_out = events[len(kept) :]
    assert [event.number for event in events] == list(range(len(events)))
    assert (full.source, "full" in full.summary) == (RECORDER, True)
    assert step.summary == "join"
    assert left_out.details == {"left_out": 30 - len(kept)}
    assert 0 < len(kept) < 30


def test_a_run_has_a_limit_over_all_its_files(tmp_path):
    allowance, clock = Allowance(Limits(run=2000)), RunClock.start()
    for name in ("one", "two"):
        timeline = Timeline(tmp_path / name, clock, allowance=allowance)
        for number in range(10):
            timeline.record(Boundary.AIR, "a", "b", str(number), bytes(20))
        timeline.close()
    first, second = (list(read_timeline(tmp_path / name)) for name in ("one", "two"))
    assert [event.source for event in first] == ["a"] * 10
    assert [event.source for event in second][-2:] == [RECORDER, RECORDER]


def test_details_that_are_too_long_or_no_json_do_no_harm(path):
    timeline = Timeline(path, RunClock.start())
    endless: list[object] = []
    endless.append(endless)
    timeline.record(Boundary.SERIAL, "ppmid", "bench", "x", line="y" * 1_000_000)
    timeline.record(Boundary.SERIAL, "ppmid", "bench", "x", line=endless, raw=b"\xff")
    timeline.record(Boundary.SERIAL, "ppmid", "bench", "x", raw=b"\xff")
    timeline.close()
    long, circular, octets = (event.details for event in read_timeline(path))
    assert long["cut"] > 1_000_000
    assert "Circular" in circular["unreadable"]
    assert octets == {"raw": "b'\\xff'"}


def test_every_event_names_the_step_under_way_and_what_it_answers(path):
    timeline = Timeline(path, RunClock.start())
    frame, ack = bytes.fromhex("6188F76200002400"), bytes.fromhex("0200F7B031")
    timeline.record(Boundary.SERIAL, "bench", "ppmid.port", "info seq=7")
    timeline.record(Boundary.STEP, "plan", "CASE", "join", step=1)
    timeline.record(Boundary.SERIAL, "ppmid.port", "bench", "ok seq=7 state=out")
    timeline.record(Boundary.SERIAL, "bench", "ppmid.port", "info seq=7")
    timeline.record(Boundary.DUIS, "user", "dsp", "request 11.2", request_id="A:B:1")
    timeline.record(Boundary.AIR, "a", "b", "NWK", frame)
    timeline.record(Boundary.AIR, "?", "?", "MAC ACK 247", ack)
    timeline.record(Boundary.DUIS, "dsp", "user", "response I0", request_id="A:B:1")
    timeline.record(Boundary.STEP, "plan", "CASE", "fail: no answer", place="plan.yaml:4")
    timeline.close()
    links = [(event.step, event.cause) for event in read_timeline(path)]
    assert links == [
        *[(None, None), (None, None), (1, 0), (1, None)],
        *[(1, None), (1, None), (1, 5), (1, 4), (1, None)],
    ]


def test_the_files_of_a_run_make_one_order(tmp_path):
    clock = RunClock.start()
    paths = [tmp_path / "run.jsonl", tmp_path / "timeline.jsonl"]
    timelines = [Timeline(path, clock) for path in paths]
    for number in range(6):
        timelines[number % 2].record(Boundary.STEP, "plan", "x", str(number))
    assert [(path, event.summary) for path, event in merged(paths)] == [
        (paths[number % 2], str(number)) for number in range(6)
    ]
    for timeline in timelines:
        timeline.close()


def test_a_full_disk_is_remembered_and_raises_nothing(path, monkeypatch):
    timeline = Timeline(path, RunClock.start())
    with timeline._file, Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(timeline, "_file", full)
        timeline.record(Boundary.STEP, "plan", "x", "y")
        timeline.record(Boundary.STEP, "plan", "x", "z")
    assert timeline.failed.errno == errno.ENOSPC


def test_an_event_whose_secrets_are_masked_says_so(tmp_path):
    secrets = Secrets(Policy.MASK)
    secrets.add_han_key(bytes(range(16)))
    timeline = Timeline(tmp_path / "timeline.jsonl", RunClock.start(), secrets=secrets)
    timeline.record(Boundary.DUIS, "user", "dsp", "with a key", b"<a>" + bytes(range(16)) + b"</a>")
    timeline.record(Boundary.DUIS, "user", "dsp", "without", b"<a>1</a>")
    timeline.close()
    assert [event.masked for event in read_timeline(tmp_path / "timeline.jsonl")] == [True, False]
