"""Requests and responses as values: ids, and which body goes with which way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.dcc.documents import GbcsResponse, RequestId, ServiceResponse, Smets1Response, Via, WrongForm
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, OwnKeys
from harness.gbcs.use_cases import cs08
from tests.dcc.estate import FIRMWARE, PKI, PPMID

ID = RequestId(SUPPLIER, PPMID, 1000)
COMMAND = cs08.command(
    originator=ACB,
    device=PPMID,
    counter=7,
    supplementary_party=SUPPLIER,
    supplementary_counter=1000,
    keys=OwnKeys(ACB, PKI),
)
RESPONSE = cs08.response(COMMAND, FIRMWARE, OwnKeys(PPMID, PKI))
EUIS = st.builds(Eui64, st.integers(0, 2**64 - 1))


@given(st.builds(RequestId, EUIS, EUIS, st.integers(0, 2**64 - 1)))
def test_a_request_id_is_read_back_as_it_was_written(request_id):
    assert RequestId.parse(str(request_id)) == request_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a:b:c",
        str(ID) + ":1",
        f"{SUPPLIER}:{PPMID}",
        f"{SUPPLIER}:{PPMID}:-1",
        f"{SUPPLIER}:{PPMID}:{2**64}",
        f"{SUPPLIER}:{PPMID}:1x",
        f"{SUPPLIER}:{PPMID}:\u0661",
    ],
)
def test_what_is_no_request_id_is_refused(text):
    with pytest.raises(ValueError, match=r"request id|EUI-64|counter"):
        RequestId.parse(text)


def smets1(**fields):
    return Smets1Response(request_id=ID, srv="11.2", success=True, fields=fields)


def gbcs():
    return GbcsResponse(message=RESPONSE, use_case="CS08", fields={})


@pytest.mark.parametrize("value", [RESPONSE.hex(), COMMAND.hex().upper(), RESPONSE, 7])
def test_a_smets1_response_has_no_room_for_gbcs(value):
    with pytest.raises(WrongForm):
        smets1(FirmwareVersion=value)


def test_a_gbcs_response_is_made_of_a_gbcs_message():
    assert gbcs().message == RESPONSE
    for octets in (b"", b"<SMETS1Response/>", RESPONSE[:-1]):
        with pytest.raises(WrongForm):
            GbcsResponse(message=octets, use_case="CS08", fields={})


@pytest.mark.parametrize(
    ("via", "body", "allowed"),
    [
        (Via.GBCS, gbcs(), True),
        (Via.S1SP, smets1(), True),
        (Via.GBCS, smets1(), False),
        (Via.S1SP, gbcs(), False),
        (Via.DSP, gbcs(), False),
        (Via.DSP, smets1(), False),
    ],
)
def test_a_response_holds_the_body_of_its_way_and_no_other(via, body, allowed):
    def make():
        return ServiceResponse(request_id=ID, code="I0", via=via, body=body, ok=True)

    if allowed:
        assert make().body is body
    else:
        with pytest.raises(WrongForm, match=via.value):
            make()
