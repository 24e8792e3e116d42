"""Service requests as values: what each is, and what none of them may be."""

import pytest

from harness.dcc.duis.requests import (
    CommandVariant,
    Commission,
    JoinCritical,
    JoinNonCritical,
    RequestId,
    SetHubStatus,
    SetStatus,
    SignedPreCommand,
    UpdateInventory,
    reference_of,
)
from harness.gbcs import ACB, SUPPLIER
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import PPMID

ID = RequestId(SUPPLIER, PPMID, 1)


@pytest.mark.parametrize(("srv", "reference"), [("8.7.2", "8.7"), ("8.2", "8.2"), ("6.2.10", "6.2")])
def test_a_service_reference_is_the_first_two_numbers_of_its_variant(srv, reference):
    assert reference_of(srv) == reference


def test_a_response_has_the_id_of_its_request_the_other_way_round():
    assert RequestId(SUPPLIER, ACB, 7).response_id == RequestId(ACB, SUPPLIER, 7)


@pytest.mark.parametrize(
    ("request_", "variant"),
    [
        (JoinCritical(request_id=ID, other=ACB), CommandVariant.TRANSFORM),
        (JoinNonCritical(request_id=ID, other=ACB), CommandVariant.SEND),
        (SignedPreCommand(request_id=ID, srv="8.7.1", payload=b"x"), CommandVariant.SEND_SIGNED),
        (
            UpdateInventory(request_id=ID, device=PPMID, change=SetStatus(DeviceStatus.PENDING)),
            CommandVariant.NON_DEVICE,
        ),
    ],
)
def test_a_request_has_the_command_variant_of_its_kind(request_, variant):
    assert request_.command_variant is variant


def test_the_variants_say_what_becomes_of_a_request():
    assert [variant.value for variant in CommandVariant if variant.sends] == [1, 3, 5, 7]
    assert [variant.value for variant in CommandVariant if variant.returns_command] == [2, 3, 6, 7]
    assert [variant.value for variant in CommandVariant if variant.signed_pre_command] == [5, 6, 7]


@pytest.mark.parametrize("status", [DeviceStatus.COMMISSIONED, DeviceStatus.WITHDRAWN])
def test_8_4_sets_no_such_status_of_a_device_that_is_no_hub(status):
    SetHubStatus(status)
    with pytest.raises(ValueError, match=r"8\.4 sets Pending, InstalledNotCommissioned here"):
        SetStatus(status)


def test_a_request_of_a_sequence_says_after_which_it_comes():
    first = JoinNonCritical(request_id=ID, other=ACB, first_in_sequence=True)
    second = JoinNonCritical(request_id=RequestId(SUPPLIER, PPMID, 2), other=ACB, preceding=first.request_id)
    assert second.preceding == ID


def test_a_request_has_no_defaults_for_what_only_its_sender_knows():
    with pytest.raises(TypeError, match="tolerance_s"):
        Commission(request_id=ID)
