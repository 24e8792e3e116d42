"""The ACB against the published vectors."""

import itertools
from datetime import UTC, datetime

import pytest

from harness.dcc.acb import Acb, UseCaseNotBuilt
from harness.dcc.counters import OriginatorCounter
from harness.dcc.documents import RequestId
from harness.errors import DecodeError
from harness.gbcs import SUPPLIER
from tests.dcc.estate import PKI, PPMID
from tests.gbcs.vectors import HCALCS, rtds_keys, vector

EPOCH = datetime.fromtimestamp(0, UTC)


def acb(last, keys):
    return Acb(keys, OriginatorCounter(lambda: EPOCH, last=last))


@pytest.mark.dcc_data
@pytest.mark.parametrize(
    ("outcome", "device", "last", "user_counter", "success"),
    [("SUCCESS", PPMID, 0x513, 1000, "true"), ("ERROR", HCALCS, 0x514, 1001, "false")],
)
def test_the_acb_makes_the_published_command_and_reads_the_published_response(
    outcome, device, last, user_counter, success
):
    broker = acb(last, rtds_keys())
    command = broker.command("CS08", device, RequestId(SUPPLIER, device, user_counter))
    assert command == vector(f"11.2_CS08/CS08_11.2_{outcome}_COMMAND")
    fields = broker.read("CS08", vector(f"11.2_CS08/CS08_11.2_{outcome}_RESPONSE"), command)
    assert fields["MessageSuccess"] == success


@pytest.mark.dcc_data
def test_the_published_response_with_one_bit_turned_is_not_believed():
    broker = acb(0x513, rtds_keys())
    command = broker.command("CS08", PPMID, RequestId(SUPPLIER, PPMID, 1000))
    good = vector("11.2_CS08/CS08_11.2_SUCCESS_RESPONSE")
    for place in range(len(good)):
        octets = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(DecodeError):
            broker.read("CS08", octets, command)


def test_a_use_case_that_is_not_built_is_said_to_be():
    with pytest.raises(UseCaseNotBuilt, match="ECS52"):
        acb(0, PKI).command("ECS52", PPMID, RequestId(SUPPLIER, PPMID, 1))


def test_a_counter_follows_the_clock_and_never_stands_still_or_goes_back():
    times = itertools.chain([5.0, 5.0, 4.0, 5.002], itertools.repeat(9.0))
    counter = OriginatorCounter(lambda: datetime.fromtimestamp(next(times), UTC))
    assert [counter.next() for _ in range(6)] == [5000, 5001, 5002, 5003, 9000, 9001]
