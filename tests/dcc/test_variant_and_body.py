"""A body that its command variant does not go with is refused: nothing critical leaves unsigned."""

import asyncio

import pytest

from harness.dcc.documents import RequestId, Stage
from harness.dcc.duis.requests import (
    ActivateEmergencyCredit,
    ActivateFirmware,
    CommandVariant,
    JoinCritical,
    LogAction,
    SignedPreCommand,
    UnjoinCritical,
    UpdateHanDeviceLog,
)
from harness.gbcs import SUPPLIER
from tests.dcc.estate import HUB_2, PPMID, S2
from tests.dcc.test_access import esme_ready, handled, second_half, signed, unjoin
from tests.dcc.test_device_requests import ESME, GSME, home
from tests.dcc.test_dsp import refused

SIGNED = [variant for variant in CommandVariant if variant.signed_pre_command]
PLAIN = [variant for variant in CommandVariant if not variant.signed_pre_command]
BODIES = [
    (JoinCritical, {"other": PPMID}),
    (UnjoinCritical, {"other": PPMID}),
    (ActivateFirmware, {"firmware_hash": bytes(32)}),
    (ActivateEmergencyCredit, {}),
]


def ended(request, device=GSME):
    estate = home()
    sent = len(estate.hubs[S2].asked)
    refused(asyncio.run(estate.dcc.handle(request)), Stage.VARIANT, "E12")
    assert len(estate.hubs[S2].asked) == sent
    assert estate.dcc.routes[-1].command == b""


@pytest.mark.parametrize(("kind", "fields"), BODIES)
@pytest.mark.parametrize("variant", SIGNED)
@pytest.mark.parametrize("device", [ESME, GSME])
def test_a_plain_body_is_not_sent_as_a_signed_one(kind, fields, variant, device):
    ended(kind(request_id=RequestId(SUPPLIER, device, 5), command_variant=variant, **fields))


@pytest.mark.parametrize("srv", ["8.7.1", "8.8.1", "11.3", "2.5"])
@pytest.mark.parametrize("variant", PLAIN)
def test_a_signed_pre_command_is_not_taken_for_a_request(srv, variant):
    ended(
        SignedPreCommand(
            request_id=RequestId(SUPPLIER, GSME, 5), srv=srv, command_variant=variant, payload=bytes(40)
        )
    )


def test_nor_is_one_in_the_place_of_a_request_about_a_hub():
    estate = home()
    body = SignedPreCommand(
        request_id=RequestId(SUPPLIER, HUB_2, 5),
        srv="8.11",
        command_variant=CommandVariant.SEND,
        payload=bytes(40),
    )
    response = asyncio.run(estate.dcc.handle(body))
    assert not response.ok
    update = UpdateHanDeviceLog(
        request_id=RequestId(SUPPLIER, HUB_2, 6),
        device=PPMID,
        action=LogAction.REMOVE,
        command_variant=CommandVariant.SEND_SIGNED,
    )
    refused(asyncio.run(estate.dcc.handle(update)), Stage.VARIANT, "E12")


def test_a_pre_command_comes_back_as_the_request_that_it_was_made_of():
    """Signed and sent under another service reference it is none that the DSP made."""
    estate = esme_ready()
    (made,) = handled(estate, unjoin())
    sent = len(estate.hubs[S2].asked)
    second = second_half(signed(made.body.message))
    other = SignedPreCommand(request_id=second.request_id, srv="11.3", payload=second.payload)
    refused(handled(estate, other)[0], Stage.DELIVERY, "E40")
    assert len(estate.hubs[S2].asked) == sent


def test_a_pre_command_signed_by_its_sender_still_goes():
    estate = esme_ready()
    (made,) = handled(estate, unjoin())
    assert handled(estate, second_half(signed(made.body.message)))[0].ok
