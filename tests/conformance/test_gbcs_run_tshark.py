"""tshark reads every GBCS message in the tunnels of a certify run, and reads it as the DSP does."""

from __future__ import annotations

import pytest

from harness.gbcs import parse
from tests.conformance.test_certify_tshark import ask, cases, keys_of
from tests.conformance.test_gbcs_tshark import FIELDS, as_tshark_says

pytestmark = [pytest.mark.tshark, pytest.mark.slow, pytest.mark.timeout(240)]

FRAGMENTED = "zbee_aps.reassembled.length"
CHFS_OWN = ("CCS", "CS14")
SPOILT = "-BAD-"  # messages that cannot be read as what they were
DATA_FRAMES = "gbcs_message && zbee_aps.type == 0"


def at_the_dsp(folder):
    """What the DSP had to do with the PPMID: the CHF's own messages are not on its HAN."""
    messages = [parse(bytes.fromhex(path.read_text())) for path in sorted((folder / "gbcs").glob("*.hex"))]
    return [message for message in messages if not (message.use_case or "").startswith(CHFS_OWN)]


def on_the_air(folder, *fields):
    seen = ask(folder, tuple(keys_of(folder)), DATA_FRAMES, *fields)
    return [line for place, line in enumerate(seen) if line not in seen[:place]]  # a repeat on the air


def folders(*runs):
    return [folder for run in runs for folder in cases(run)]


def test_tshark_and_the_dsp_read_the_same_messages(certified, gbcs_certified):
    compared = 0
    for folder in folders(certified, gbcs_certified):
        if SPOILT in folder.name:
            continue
        wanted = [as_tshark_says(message) for message in at_the_dsp(folder)]
        assert on_the_air(folder, *FIELDS) == wanted, folder
        compared += len(wanted)
    assert compared >= 20


def test_tshark_reads_what_passes_between_a_supplier_and_his_meters(premises_certified):
    seen_codes = set()
    for folder in folders(premises_certified):
        messages = [one for one in at_the_dsp(folder) if one.mac is not None or one.signature]
        wanted = [as_tshark_says(message) for message in messages]  # pre-commands go on no air
        assert on_the_air(folder, *FIELDS) == wanted, folder
        seen_codes |= {message.use_case for message in messages}
    assert {"ECS70", "GCS28", "CS01a", "CS01b", "ECS09", "GCS06", "ECS10", "GCS07", "CS03A1"} <= seen_codes


def test_a_message_with_a_certificate_came_in_fragments_and_was_put_together(gbcs_certified):
    (folder,) = [folder for folder in cases(gbcs_certified) if folder.name == "GBCS-JOIN-GSME"]
    name, length = FIELDS[0], FRAGMENTED
    sizes = [int(size) for code, size in on_the_air(folder, name, length) if code == "0x00af"]
    assert max(sizes) > 585


def test_a_spoilt_message_is_on_the_air_as_it_was_spoilt(gbcs_certified):
    (folder,) = [folder for folder in cases(gbcs_certified) if folder.name == "GBCS-BAD-COMMANDS"]
    seen = on_the_air(folder, *FIELDS[:5])
    targets = {line[4] for line in seen if line[1] == "0x01"}
    assert len(targets) == 2, "one was to another device"
    assert len({line[3] for line in seen if line[1] == "0x01"}) == 2, "one was from a supplier"
    assert "0x0fff" in {line[0] for line in seen}


def test_on_a_smets1_hub_tshark_sees_no_gbcs(certified, gbcs_certified):
    for folder in folders(certified, gbcs_certified):
        if folder.name in ("GBCS-NONE-ON-SMETS1", "MP202-ROW-1", "MP202-ROW-3"):
            assert on_the_air(folder, "frame.number") == []
