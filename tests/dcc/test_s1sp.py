"""The S1SP by itself: its own hubs, its own requests, text in its answers."""

import asyncio

import pytest

from harness.dcc.documents import CountersignedRequest, RequestId, ServiceRequest
from harness.dcc.s1sp import S1sp
from harness.errors import SystemFault
from harness.gbcs import SUPPLIER
from harness.tap import NullTap
from tests.dcc.estate import HUB_1, HUB_2, PPMID, Hub, Record, Value
from tests.smets.rules import changed, own


def handle(hub, *, srv="11.2", on=HUB_1, rules=None):
    s1sp = S1sp(rules or own(), NullTap(), timeout_s=1.0)
    s1sp.serve(hub)
    request = ServiceRequest(request_id=RequestId(SUPPLIER, PPMID, 1), srv=srv)
    return asyncio.run(s1sp.handle(CountersignedRequest(request=request, device=PPMID, hub=on)))


def test_a_device_on_a_hub_that_is_not_its_own_is_not_reached_by_another():
    hub = Hub(HUB_1, tunnel=False)
    with pytest.raises(SystemFault, match="91-02"):
        handle(hub, on=HUB_2)
    assert hub.asked == []


def test_a_request_that_it_does_not_support_is_not_carried_out():
    hub = Hub(HUB_1, tunnel=False)
    with pytest.raises(SystemFault, match=r"4\.1\.1"):
        handle(hub, srv="4.1.1")
    assert hub.asked == []


def test_it_reads_where_the_rulebook_says():
    hub = Hub(HUB_1, tunnel=False)
    hub.records = {0x0001: Record(0, Value(0x0A0B0C0D))}
    where = {"cluster": 0x0000, "attribute": 0x0001, "side": "server"}
    response = handle(hub, rules=changed("SMETS1-FIRMWARE-READ", where))
    assert hub.asked == [("read", PPMID, 0x0000, (0x0001,), False)]
    assert response.fields["FirmwareVersion"] == "0A0B0C0D"


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ({}, "no answer for it"),
        ({2: Record(0x86, None)}, "0x86"),
        ({2: Record(0, Value(b"\1\2\3\4"))}, "0x00"),
    ],
    ids=["absent", "unsupported", "octets where a number belongs"],
)
def test_an_attribute_that_cannot_be_read_is_a_failure_said_in_text(records, says):
    hub = Hub(HUB_1, tunnel=False)
    hub.records = records
    response = handle(hub)
    assert not response.success
    assert says in response.fields["Error"]
    assert "FirmwareVersion" not in response.fields
