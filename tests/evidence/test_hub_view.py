"""What a hub's radio hands over becomes a capture of its own, which no message can break."""

from __future__ import annotations

import pytest

from harness.evidence.hub_view import HubViews, rebuilt_frame
from harness.evidence.limits import Allowance, Limits
from harness.evidence.timeline import RunClock
from harness.zigbee.decoder import Decoder
from harness.zigbee.mac import with_fcs

DETAILS = {
    "peer": "0x0E61",
    "profile": 0x0109,
    "cluster": 0x0800,
    "source_endpoint": 123,
    "destination_endpoint": 1,
    "broadcast": False,
}
PAYLOAD = bytes.fromhex("180401000000190200")


def decoded(**changes):
    frame = rebuilt_frame(PAYLOAD, {**DETAILS, **changes}, outwards=changes.get("outwards", True), number=3)
    return Decoder().feed(with_fcs(frame))


def test_a_message_keeps_what_the_radio_named_of_it():
    record = decoded()
    assert record.error is None
    assert (record.nwk.source, record.nwk.destination) == (0x0000, 0x0E61)
    assert (record.aps.profile, record.aps.cluster) == (0x0109, 0x0800)
    assert (record.aps.source_endpoint, record.aps.destination_endpoint) == (123, 1)
    assert record.message == PAYLOAD
    assert not record.nwk.security


def test_a_message_from_the_device_goes_the_other_way():
    record = decoded(outwards=False)
    assert (record.nwk.source, record.nwk.destination) == (0x0E61, 0x0000)


@pytest.mark.parametrize(
    "changes", [{"peer": "?"}, {"peer": None}, {"cluster": None}, {"cluster": 1 << 20}, {"profile": "x"}]
)
def test_what_the_radio_names_too_little_of_is_left_out(changes):
    assert rebuilt_frame(PAYLOAD, {**DETAILS, **changes}, outwards=True, number=0) is None
    assert rebuilt_frame(PAYLOAD, {}, outwards=True, number=0) is None


def test_each_hub_has_a_file_of_its_own_within_the_limits(tmp_path):
    views = HubViews(tmp_path, RunClock.start(), "test", Allowance(Limits(file=1000)))
    for _ in range(50):
        views.record("hubs.smets1.radio", "0x0E61", PAYLOAD, DETAILS)
    views.record("0x0E61", "hubs.../../etc.radio", PAYLOAD, DETAILS)
    views.close()
    views.record("hubs.smets2.radio", "0x0E61", PAYLOAD, DETAILS)
    assert [path.name for path in tmp_path.iterdir()] == ["hub-smets1.pcapng"]
    assert (tmp_path / "hub-smets1.pcapng").stat().st_size < 1600
