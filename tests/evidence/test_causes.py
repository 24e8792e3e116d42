"""What caused what, as it is recorded: and nothing is said where nothing is told."""

from __future__ import annotations

import pytest

from harness.eui64 import Eui64
from harness.evidence.causes import Causes
from harness.gbcs.header import Cra
from harness.gbcs.message import parse
from harness.tap import Boundary
from tests.evidence.report.packs import MESSAGE

PPMID, OTHER = "00-DB-12-34-56-78-90-A4", "00-DB-12-34-56-78-90-A5"
PEER = {"peer": "0x1234", "profile": 0x0109, "cluster": 0x0800}


class Told:
    """Events one after the other, each answered by the number of its cause."""

    def __init__(self):
        self.causes = Causes()
        self.count = 0

    def __call__(self, boundary, summary="", data=b"", source="dsp", **details):
        _, cause = self.causes.of(self.count, boundary, source, summary, data, details)
        self.count += 1
        return cause


@pytest.fixture
def told():
    return Told()


def test_a_change_of_the_smi_leads_to_the_request_that_made_it(told):
    told(Boundary.DUIS, "request 8.11", request_id="a:b:1")
    told(Boundary.DUIS, "request 8.2", request_id="a:b:2")
    assert told(Boundary.INVENTORY, change={"by": "a:b:1"}) == 0
    assert told(Boundary.INVENTORY, change={"by": "a:b:2"}) == 1
    assert told(Boundary.INVENTORY, change={"by": "a:b:3"}) is None
    assert told(Boundary.INVENTORY, change={"by": None}) is None


def test_what_a_hub_was_told_by_the_s1sp_about_one_device_is_the_cause_for_no_other(told):
    told(Boundary.DUIS, "request 8.11", request_id="a:b:1")
    told(Boundary.S1SP, "countersigned", request_id="a:b:1", device=PPMID)
    assert told(Boundary.HUB, f"{PPMID} whitelisted: window", event="whitelisted") == 1
    assert told(Boundary.HUB, f"{OTHER} whitelisted: window", event="whitelisted") is None


def test_what_a_hub_was_told_by_a_command_leads_to_the_command_and_not_to_its_answer(told, monkeypatch):
    command = _as_command(monkeypatch)
    told(Boundary.GBCS, "command", command)
    told(Boundary.GBCS, "response", MESSAGE)
    assert told(Boundary.HUB, f"{PPMID} removed: was joined", event="removed") == 0
    assert told(Boundary.HUB, f"{OTHER} removed: was joined", event="removed") is None


def test_a_decision_that_nothing_on_the_air_led_to_has_no_cause(told):
    for event in ("joined", "left", "network key sent", "key established", "whitelisted", "removed", "?"):
        assert told(Boundary.HUB, f"{PPMID} {event}", event=event) is None


def test_what_a_hub_answers_at_its_radio_leads_to_what_it_was_asked(told):
    inwards = {"source": PPMID, **PEER}
    told(Boundary.RADIO, data=bytes.fromhex("00 07 00 0000"), **inwards)
    told(Boundary.RADIO, data=bytes.fromhex("00 08 00 0000"), **inwards)
    assert told(Boundary.RADIO, data=bytes.fromhex("18 07 01 0000"), source="hubs.a.radio", **PEER) == 0
    elsewhere = {**PEER, "peer": "0x4321"}
    assert (
        told(Boundary.RADIO, data=bytes.fromhex("18 08 01 0000"), source="hubs.a.radio", **elsewhere) is None
    )


def test_a_message_in_the_tunnel_leads_to_the_command_that_it_carries(told, monkeypatch):
    command = _as_command(monkeypatch)
    told(Boundary.GBCS, "command", command)
    tunnel = {**PEER, "cluster": 0x0704, "source": "hubs.a.radio"}
    assert told(Boundary.RADIO, data=b"\x09\x01\x02\x00\x00\x21" + command, **tunnel) == 0
    assert told(Boundary.RADIO, data=b"\x09\x01\x02\x00\x00\x21" + command[:-1], **tunnel) is None


def test_an_alert_leads_to_the_hub_that_handed_it_on(told):
    told(Boundary.HUB, "GBCS message that nobody asked for", b"alert")
    assert told(Boundary.GBCS, "alert", b"alert") == 0
    assert told(Boundary.GBCS, "alert", b"another") is None


def _as_command(monkeypatch):
    """Return a message that names the PPMID and reads as a command."""
    command = b"\xdd" + MESSAGE[1:] + Eui64.parse(PPMID).to_bytes_be()

    def read(octets):
        message = parse(MESSAGE)
        if octets != command:
            return message
        object.__setattr__(message, "cra", Cra.COMMAND)
        return message

    monkeypatch.setattr("harness.evidence.causes.parse", read)
    return command
