"""The captures of a pack as their reader opens them: by the line that stands in the pack, decrypted."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from harness.evidence.pcapng import read_psdus
from tests.conformance.oracles import tshark_program
from tests.system.runs import bench
from tests.system.test_certify import ROWS

pytestmark = [pytest.mark.tshark, pytest.mark.slow]


def shell(line, pack, scratch):
    """Run a line in the pack with tshark in Wireshark's place, and return what it says."""
    stand_in = scratch / "bin" / "wireshark"
    stand_in.parent.mkdir(exist_ok=True)
    stand_in.write_text(f'#!/bin/sh\nexec {tshark_program()} -r "$@"\n')
    stand_in.chmod(0o755)
    environment = {**os.environ, "PATH": f"{stand_in.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=pack, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines_of(pack):
    found = re.findall(r"^  (c=.*)$", (pack / "README.txt").read_text(), re.MULTILINE)
    assert len(found) == 2
    return found


def files_of(pack):
    return {path: path.stat().st_mtime_ns for path in pack.rglob("*")}


def heard_in(pack):
    """Return the cases of a pack with anything on the air."""
    captures = sorted((pack / "cases").glob("*/han.pcapng"))
    return [path.parent.name for path in captures if any(read_psdus(path))]


def decrypted_frames(line, pack, scratch):
    """Run a line, hold what it shows against what encrypted frames show, and count the frames."""
    said = shell(f"{line} -O zbee_nwk,zbee_aps", pack, scratch)
    assert "Encrypted Payload" not in said
    assert "Malformed" not in said
    return len(re.findall(r"^Frame \d+:", said, re.MULTILINE))


def test_the_text_line_of_the_readme_shows_every_frame_decrypted_as_it_stands(certified, tmp_path):
    before = files_of(certified.pack)
    line = lines_of(certified.pack)[1]
    assert len(shell(line, certified.pack, tmp_path).splitlines()) > 10
    heard = heard_in(certified.pack)
    assert set(ROWS) <= set(heard)
    for case in heard:
        frames = decrypted_frames(re.sub("^c=[^;]*", f"c={case}", line), certified.pack, tmp_path)
        assert frames == len(list(read_psdus(certified.pack / "cases" / case / "han.pcapng")))
    assert files_of(certified.pack) == before


def test_the_wireshark_line_of_the_readme_hands_the_keys_over_as_it_stands(certified, tmp_path):
    before = files_of(certified.pack)
    assert decrypted_frames(lines_of(certified.pack)[0], certified.pack, tmp_path) > 10
    assert files_of(certified.pack) == before


def test_without_the_keys_the_same_frames_are_encrypted(certified, tmp_path):  # the above can fail
    line = re.sub(
        "WIRESHARK_CONFIG_DIR=[^ ]*", f"WIRESHARK_CONFIG_DIR={tmp_path}", lines_of(certified.pack)[1]
    )
    assert "Encrypted" in shell(f"{line} -O zbee_nwk", certified.pack, tmp_path)


def test_steps_and_expectations_are_comments_on_frames(certified, tmp_path):
    line = re.sub("^c=[^;]*", "c=MP202-ROW-2", lines_of(certified.pack)[1])
    said = shell(f"{line} -T fields -e frame.number -e frame.comment", certified.pack, tmp_path)
    comments = [
        entry.split("\t", 1)
        for entry in said.splitlines()
        if entry.endswith(("}", "pass")) or "step" in entry
    ]
    begun = [int(number) for number, text in comments if "step 4: join {within: 60 s}" in text]
    judged = [
        int(number) for number, text in comments if "step 7 judged after this frame: expect_route" in text
    ]
    assert len(begun) == len(judged) == 1
    assert begun < judged
    assert all("pass" in text for _, text in comments if "judged" in text)


def test_the_hubs_own_view_decodes_and_says_what_is_not_real_in_it(certified, tmp_path):
    capture = "cases/MP202-ROW-2/hub-smets2.pcapng"
    said = shell(f"tshark -r {capture}", certified.pack, tmp_path)
    assert "Read Attributes Response" in said
    assert "Tunneling" in said
    assert b"is not real" in (certified.pack / capture).read_bytes()


def test_report_open_shows_a_case_and_leaves_the_pack_alone(certified):
    tshark_program()
    before = files_of(certified.pack)
    done = bench("report", "open", certified.pack, "MP202-ROW-2", "--text", pack=certified.pack)
    assert done.code == 0
    assert "Transport Key" in done.out
    assert files_of(certified.pack) == before


def test_report_open_names_the_cases_when_there_is_none_such(certified):
    done = bench("report", "open", certified.pack, "ROW-9", "--text", pack=certified.pack)
    assert done.code == 2
    assert "MP202-ROW-1" in done.err
