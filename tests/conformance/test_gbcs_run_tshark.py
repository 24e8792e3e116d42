"""tshark reads every GBCS message in the tunnels of a certify run, and reads it as the DSP does."""

from __future__ import annotations

import pytest

from harness.dcc.meters import METERS
from harness.errors import DecodeError
from harness.gbcs import parse
from harness.plan.spoil import SOMEBODY_ELSE
from tests.conformance.test_certify_tshark import ask, cases, keys_of
from tests.conformance.test_gbcs_tshark import FIELDS, as_tshark_says
from tests.gbcs.vectors import PPMID

pytestmark = [pytest.mark.tshark, pytest.mark.slow, pytest.mark.timeout(240)]

FRAGMENTED = "zbee_aps.reassembled.length"
PPMIDS = {PPMID, SOMEBODY_ELSE}  # who a command to the PPMID is for, one with another target too
HAN_DEVICES = {PPMID, *METERS.values()}
SPOILT = "-BAD-"  # looked at message by message
DATA_FRAMES = "gbcs_message && zbee_aps.type == 0"


def octets_at_the_dsp(folder):
    return [bytes.fromhex(path.read_text()) for path in sorted((folder / "gbcs").glob("*.hex"))]


def at_the_dsp(folder, devices=PPMIDS):
    """What the DSP had to do with devices: what a hub's CHF and GPF say themselves is not on its HAN."""
    return [message for message in map(parse, octets_at_the_dsp(folder)) if is_theirs(message, devices)]


def is_theirs(message, devices=PPMIDS):
    return not devices.isdisjoint((message.originator, message.recipient))


def whole(octets):
    """A message, and whether it was: one whose last octet is missing is given another."""
    try:
        return parse(octets), True
    except DecodeError:
        return parse(octets + bytes(1)), False


def once(messages):
    return [one for place, one in enumerate(messages) if one not in messages[:place]]


def on_the_air(folder, *fields):
    seen = ask(folder, tuple(keys_of(folder)), DATA_FRAMES, *fields)
    return once(seen)  # a repeat on the air


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
        messages = [one for one in at_the_dsp(folder, HAN_DEVICES) if one.mac is not None or one.signature]
        wanted = [as_tshark_says(message) for message in messages]  # pre-commands go on no air
        assert on_the_air(folder, *FIELDS) == wanted, folder
        seen_codes |= {message.use_case for message in messages}
    assert {"ECS70", "GCS28", "CS01a", "CS01b", "ECS09", "GCS06", "ECS10", "GCS07", "CS03A1"} <= seen_codes


def test_a_message_with_a_certificate_came_in_fragments_and_was_put_together(gbcs_certified):
    (folder,) = [folder for folder in cases(gbcs_certified) if folder.name == "GBCS-JOIN-GSME"]
    name, length = FIELDS[0], FRAGMENTED
    sizes = [int(size) for code, size in on_the_air(folder, name, length) if code == "0x00af"]
    assert max(sizes) > 585


@pytest.mark.parametrize(
    ("case", "cut_short", "unreadable_inside"),
    [
        ("GBCS-BAD-COMMANDS", 1, 1),  # the second: one with a bit of its content turned
        ("GBCS-BAD-JOINS", 0, 0),
    ],
)
def test_a_spoilt_command_is_on_the_air_as_it_was_spoilt(gbcs_certified, case, cut_short, unreadable_inside):
    (folder,) = [folder for folder in cases(gbcs_certified) if folder.name == case]
    sent = [pair for pair in map(whole, once(octets_at_the_dsp(folder))) if is_theirs(pair[0])]
    seen = on_the_air(folder, *FIELDS)
    short = [line for (_, is_whole), line in zip(sent, seen, strict=True) if not is_whole]
    inside = [line for (_, is_whole), line in zip(sent, seen, strict=True) if is_whole and line[-1]]
    for (message, is_whole), line in zip(sent, seen, strict=True):
        wanted = as_tshark_says(message)
        # tshark finds no MAC in a message that is cut short, and says that it is; the rest it reads as we do.
        assert line[:-1] == (wanted[:-1] if is_whole else [*wanted[:-2], ""]), folder
    assert all("_ws.malformed" in line[-1] for line in short)
    assert (len(short), len(inside)) == (cut_short, unreadable_inside)
    commands = [line for line in seen if line[1] == "0x01"]
    assert len({line[3] for line in commands}) == 2, "one was from a supplier"
    assert len({line[4] for line in commands}) == 2, "one was to another device"


def test_a_response_that_was_spoilt_behind_the_radio_is_right_on_the_air(gbcs_certified):
    (folder,) = [folder for folder in cases(gbcs_certified) if folder.name == "GBCS-BAD-RESPONSES"]
    messages = [message for message, _ in map(whole, octets_at_the_dsp(folder)) if is_theirs(message)]
    at_dsp = [as_tshark_says(message) for message in messages]
    seen = on_the_air(folder, *FIELDS)
    assert seen[::2] == at_dsp[::2], "commands"
    spoilt = [(mine, theirs) for mine, theirs in zip(at_dsp[1::2], seen[1::2], strict=True) if mine != theirs]
    assert len(spoilt) == 9 - 1, (
        "all but the one with a bit of the content turned, of which tshark shows none"
    )
    for command, response in zip(seen[::2], seen[1::2], strict=True):
        assert response[2] == command[2], "the counter is echoed"
        assert (response[3], response[4]) == (command[4], command[3])
        assert response[-1] == ""


def test_what_a_chf_is_sent_is_not_on_its_han(gbcs_certified):
    (folder,) = [folder for folder in cases(gbcs_certified) if folder.name == "CHF-BAD-COMMANDS"]
    assert octets_at_the_dsp(folder)
    assert on_the_air(folder, "frame.number") == []


def test_on_a_smets1_hub_tshark_sees_no_gbcs(certified, gbcs_certified):
    for folder in folders(certified, gbcs_certified):
        if folder.name in ("GBCS-NONE-ON-SMETS1", "MP202-ROW-1", "MP202-ROW-3"):
            assert on_the_air(folder, "frame.number") == []
