"""A timeline is one order of events, on disk as they happen."""

from __future__ import annotations

import json
import threading

import pytest

from harness.errors import DecodeError
from harness.evidence.timeline import LONGEST_DATA, RunClock, Timeline, read_timeline
from harness.tap import Boundary


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
    timeline.record(Boundary.AIR, "a", "b", "s" * 5000, bytes(LONGEST_DATA + 1))
    timeline.close()
    (event,) = read_timeline(path)
    assert (len(event.data), event.cut) == (LONGEST_DATA, LONGEST_DATA + 1)
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
