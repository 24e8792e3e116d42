"""A capture is what Wireshark expects, judged by tshark."""

from __future__ import annotations

import subprocess

import pytest

from harness.evidence.pcapng import CapturedFrame, PcapngWriter, read_psdus, with_comments
from harness.zigbee.mac import ack, with_fcs
from tests.conformance.oracles import tshark_program

FRAMES = [
    CapturedFrame(
        time_s=1_700_000_000.25, channel=20, psdu=with_fcs(ack(7).to_bytes()), rssi_dbm=-41.5, lqi=201
    ),
    CapturedFrame(
        time_s=1_700_000_000.5,
        channel=15,
        psdu=with_fcs(ack(8).to_bytes()),
        rssi_dbm=-80,
        lqi=3,
        comments=("join",),
    ),
]


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "han.pcapng"
    writer = PcapngWriter(path, "ppmid-bench test")
    writer.add_network_key(bytes(range(16)), pan_id=0x1234)
    for frame in FRAMES:
        writer.write(frame)
    writer.close()
    writer.write(FRAMES[0])  # too late: dropped
    return path


def test_psdus_read_back(capture):
    assert list(read_psdus(capture)) == [frame.psdu for frame in FRAMES]


def test_a_block_cut_short_is_passed_over(capture):
    capture.write_bytes(capture.read_bytes()[:-5])
    assert list(read_psdus(capture)) == [FRAMES[0].psdu]


@pytest.mark.tshark
def test_tshark_reads_channel_signal_and_comment(capture):
    fields = (
        "frame.time_epoch",
        "wpan-tap.ch_num",
        "wpan-tap.rss",
        "wpan-tap.lqi",
        "frame.comment",
        "wpan.seq_no",
    )
    options = [option for field in fields for option in ("-e", field)]
    done = subprocess.run(
        [tshark_program(), "-r", str(capture), "-T", "fields", "-E", "separator=|", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = (line.split("|") for line in done.stdout.splitlines())
    assert first == ["1700000000.250000000", "20", "-41.5", "201", "", "7"]
    assert second == ["1700000000.500000000", "15", "-80", "3", "join", "8"]


@pytest.mark.tshark
def test_tshark_finds_nothing_wrong_with_the_file(capture):
    done = subprocess.run(
        [tshark_program(), "-r", str(capture), "-Y", "_ws.malformed || wpan.fcs_ok == 0"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert "appears to be damaged" not in done.stderr


def test_more_comments_go_beside_those_that_a_frame_has(capture):
    before = capture.read_bytes()
    comments = {1: ["first"], 2: ["passed", "after all"], 9: ["on no frame"]}
    capture.write_bytes(with_comments(before, comments))
    assert list(read_psdus(capture)) == [frame.psdu for frame in FRAMES]
    assert comments_of(capture) == ["first", "join,passed,after all"]
    assert with_comments(before, {}) == before


def comments_of(capture):
    done = subprocess.run(
        [tshark_program(), "-r", str(capture), "-T", "fields", "-e", "frame.comment"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
