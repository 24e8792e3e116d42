"""tshark reads every frame of a certify run, and sees what each row of the table must show."""

from __future__ import annotations

import json
import subprocess
from functools import cache

import pytest

from harness.evidence.timeline import read_timeline
from harness.tap import Boundary
from tests.conformance.oracles import tshark_program
from tests.system.test_certify import ROWS, TABLE

pytestmark = pytest.mark.tshark


def keys_of(folder, *, link_only=False):
    keys = json.loads((folder / "keys.json").read_text())
    link = [key for known in keys["link"].values() for key in known]
    return link if link_only else keys["network"] + link


def options(keys):
    return [
        argument
        for key in keys
        for argument in ("-o", f'uat:zigbee_pc_keys:"{bytes.fromhex(key).hex(":")}","Normal",""')
    ]


@cache
def ask(folder, keys, display_filter, *fields):
    wanted = [argument for field in fields for argument in ("-e", field)]
    done = subprocess.run(
        [
            *(tshark_program(), "-r", str(folder / "han.pcapng"), *options(keys)),
            *("-Y", display_filter, "-T", "fields", "-E", "separator=|", *wanted),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "damaged" not in done.stderr, done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


def frames_before_whitelisting(folder):
    """How many frames are of the PPMID's leaving the HAN of the case before."""
    heard = 0
    for event in read_timeline(folder / "timeline.jsonl"):
        if event.boundary is Boundary.STEP and event.summary.startswith("whitelist"):
            return heard
        heard = event.details.get("frame", heard) if event.boundary is Boundary.AIR else heard
    raise AssertionError(f"{folder} has no whitelisting")


def cases(certified):
    return sorted(path for path in (certified.pack / "cases").iterdir() if (path / "han.pcapng").exists())


def frames_heard(folder):
    events = read_timeline(folder / "timeline.jsonl")
    return sum(event.boundary is Boundary.AIR for event in events)


def test_no_frame_of_any_case_is_malformed_or_stays_encrypted(certified):
    assert all(frames_heard(certified.pack / "cases" / row) for row in ROWS)
    for folder in cases(certified):  # some of which are quiet on the air
        keys = tuple(keys_of(folder))
        assert len(ask(folder, keys, "frame", "frame.number")) == frames_heard(folder), folder
        wrong = "_ws.malformed || _ws.expert.severity >= 0x00600000 || wpan.fcs_ok == 0"
        found = ask(folder, keys, wrong, "frame.number", "_ws.col.Info", "_ws.expert.message")
        assert found == [], (folder.name, found)


def test_without_keys_frames_stay_encrypted(certified):  # the check above can fail
    folder = certified.pack / "cases" / "MP202-ROW-2"
    assert ask(folder, (), 'zbee_nwk && _ws.expert.message contains "Encrypted"', "frame.number")


@pytest.mark.parametrize("row", ROWS)
def test_the_join_is_on_the_air(certified, row):
    folder = certified.pack / "cases" / row
    keys = tuple(keys_of(folder))
    transport = ask(folder, keys, "zbee_aps.cmd.id == 0x05", "_ws.col.Info")
    assert any("Transport Key" in info for (info,) in transport)
    assert ask(folder, keys, "zbee_aps.zdp_cluster == 0x0013", "_ws.col.Info")
    suites = ask(
        folder, keys, "zbee_aps.cluster == 0x0800 && zbee_zcl.cmd.id == 0x01", "zbee_zcl_se.ke.attr_id"
    )
    assert suites


@pytest.mark.parametrize("row", ROWS)
def test_the_link_key_alone_is_enough_to_follow_the_join(certified, row):
    folder = certified.pack / "cases" / row
    found = ask(
        folder, tuple(keys_of(folder, link_only=True)), "zbee_aps.zdp_cluster == 0x0013", "frame.number"
    )
    assert found


@pytest.mark.parametrize("row", ROWS)
def test_gbcs_is_in_the_tunnel_on_smets2_and_nowhere_on_smets1(certified, row):
    folder = certified.pack / "cases" / row
    keys = tuple(keys_of(folder))
    codes = [
        line[0] for line in ask(folder, keys, "gbcs_message", "gbcs_message.grouping_header.message_code")
    ]
    if TABLE[row][2] == "gbcs":
        assert codes == ["0x0129", "0x0129"]  # the command of CS08 and its response
    else:
        assert codes == []
        tunnelled = f"zbee_aps.cluster == 0x0704 && frame.number > {frames_before_whitelisting(folder)}"
        assert ask(folder, keys, tunnelled, "frame.number") == []
