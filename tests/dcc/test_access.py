"""Access control, replay and command variants in the DSP: what is refused, where, and that it is recorded."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.dcc.defects import DccDefect
from harness.dcc.documents import LocalCommand, PreCommand, RequestId, ServiceRequest, Stage, Via
from harness.dcc.duis.requests import (
    CommandVariant,
    Decommission,
    OtherRequest,
    Prenotify,
    ReadFirmwareVersion,
    ReadInventory,
    ReturnLocalCommandResponse,
    SignedPreCommand,
    UnjoinCritical,
)
from harness.dcc.users import BENCH_USERS, Registration, User, Users
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, KeyUsage, OwnKeys, parse
from harness.gbcs.signature import sign
from harness.gbcs.use_cases import cs08
from harness.gbcs.use_cases.joining import CS04AC, UnjoinResult
from harness.smets.access import UserRole, UserStatus
from harness.smets.smi import DeviceStatus
from harness.tap import Boundary
from tests.dcc.estate import FIRMWARE, HUB_2, NOTICE, PKI, PPMID, S1, S2, Estate
from tests.dcc.test_dsp import refused
from tests.smets.rules import changed

SUPPLIER_2, NETWORK, OTHER = (BENCH_USERS[place].eui64 for place in (1, 2, 3))
STRANGER = Eui64.parse("00-DB-12-34-56-78-FF-FF")
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")


def asked(originator=SUPPLIER, target=PPMID, counter=1, srv="11.2", variant=CommandVariant.SEND):
    request_id = RequestId(originator, target, counter)
    if srv == "11.2":
        return ReadFirmwareVersion(request_id=request_id, command_variant=variant)
    return ServiceRequest(request_id=request_id, srv=srv, command_variant=variant)


def handled(estate, *requests):
    async def run():
        return [await estate.dcc.handle(request) for request in requests]

    return asyncio.run(run())


def ready(hub=S2, **options):
    """Return an estate with a PPMID that can be asked."""
    estate = Estate(**options)
    asyncio.run(estate.row(hub, hub))
    return estate


# --- the sender ----


def test_who_is_no_user_is_refused():
    refused(handled(ready(), asked(STRANGER))[0], Stage.SENDER, "E1")


def test_a_role_that_is_not_eligible_is_refused():
    estate = ready()
    decommission = Decommission(request_id=RequestId(OTHER, ACB, 1), device=PPMID)
    refused(handled(estate, decommission)[0], Stage.SENDER, "E2")
    assert estate.dcc.routes[-1].judged[-1].plain()["reason"].startswith("8.3 is for the roles IS, GS")


def test_a_user_that_is_suspended_is_refused():
    users = Users([replace(BENCH_USERS[0]), replace(BENCH_USERS[1], status=UserStatus.SUSPENDED)])
    refused(handled(ready(users=users), asked(SUPPLIER_2))[0], Stage.SENDER, "E3")


def test_a_user_of_other_roles_may_be_named():
    users = Users([BENCH_USERS[0], User(name="x", eui64=STRANGER, roles=(UserRole.GAS_TRANSPORTER,))])
    assert handled(ready(users=users), asked(STRANGER))[0].ok


def test_a_dsp_that_skips_access_control_takes_everybody():
    assert handled(ready(defects=(DccDefect.SKIP_ACCESS_CONTROL,)), asked(STRANGER))[0].ok


# --- who is registered: change of supplier ----


NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def registered(*entries):
    """Return an estate whose hub is at a meter point, with these users registered so many days ago."""
    estate = ready(clock=lambda: NOW)
    estate.at_meter_point("1900000000001")
    for user, days in entries:
        estate.users.register(Registration(mpxn="1900000000001", user=user, since=NOW - timedelta(days=days)))
    return estate


def test_after_a_change_of_supplier_the_old_one_is_refused_and_the_new_one_is_not():
    estate = registered((SUPPLIER, 300), (SUPPLIER_2, 1))
    old, new = handled(estate, asked(SUPPLIER), asked(SUPPLIER_2))
    refused(old, Stage.RESPONSIBLE, "E4")
    assert new.ok


def test_a_registration_that_has_not_begun_changes_nothing():
    estate = registered((SUPPLIER, 300), (SUPPLIER_2, -1))
    old, new = handled(estate, asked(SUPPLIER), asked(SUPPLIER_2))
    assert old.ok
    refused(new, Stage.RESPONSIBLE, "E4")


def test_reading_the_inventory_and_other_roles_need_no_registration():
    estate = registered((SUPPLIER_2, 1))
    read = ReadInventory(request_id=RequestId(SUPPLIER, ACB, 7), device=PPMID)
    assert all(response.ok for response in handled(estate, read, asked(OTHER)))


def test_where_nobody_is_registered_any_supplier_is_taken():
    assert handled(registered(), asked(SUPPLIER_2))[0].ok


# --- replay ----


def test_a_counter_is_taken_once_whatever_the_request_was():
    estate = ready()
    first, again, other = handled(
        estate, asked(counter=5), asked(counter=5), asked(counter=5, srv="8.9", target=HUB_2)
    )
    assert first.ok
    for replayed in (again, other):
        refused(replayed, Stage.REQUEST_ID, "E31")
    assert handled(estate, asked(counter=4), asked(SUPPLIER_2, counter=5))[0].ok


def test_a_refused_request_has_used_its_counter_up_and_one_of_nobody_has_not():
    estate = ready()
    gone, again = handled(estate, asked(target=STRANGER, counter=5), asked(counter=5))
    refused(gone, Stage.DEVICE_KNOWN, "E19")
    refused(again, Stage.REQUEST_ID, "E31")
    assert estate.store.last_counter(STRANGER) is None


def test_a_rulebook_may_want_counters_to_increase():
    estate = ready(rules=changed("REQUEST-REPLAY", {"counter": "increasing", "code": "E40"}))
    last = estate.dcc.routes[-1].request_id.counter
    higher, lower = handled(estate, asked(counter=last + 5), asked(counter=last + 4))
    assert higher.ok
    refused(lower, Stage.REQUEST_ID, "E40")


def test_a_dsp_that_takes_replays_does():
    estate = ready(defects=(DccDefect.TAKE_REPLAYS,))
    assert all(response.ok for response in handled(estate, asked(counter=5), asked(counter=5)))


def test_what_is_refused_leaves_the_inventory_as_it_was():
    estate = ready()
    before = estate.dcc.inventory()
    prenotify = Prenotify(request_id=RequestId(STRANGER, ACB, 1), prenotification=NOTICE)
    handled(estate, asked(STRANGER), prenotify, asked(variant=CommandVariant.TRANSFORM))
    assert estate.dcc.inventory() == before


# --- command variants ----


def test_a_variant_that_does_not_apply_is_refused():
    estate = ready()
    (response,) = handled(estate, asked(variant=CommandVariant.TRANSFORM))
    refused(response, Stage.VARIANT, "E12")
    read = ReadInventory(
        request_id=RequestId(SUPPLIER, ACB, 2), device=PPMID, command_variant=CommandVariant.SEND
    )
    refused(handled(estate, read)[0], Stage.VARIANT, "E12")


def test_for_local_delivery_the_command_is_handed_back_and_nothing_is_sent():
    estate = ready()
    sent = len(estate.hubs[S2].asked)
    (response,) = handled(estate, asked(variant=CommandVariant.LOCAL))
    assert isinstance(response.body, LocalCommand)
    assert (response.code, response.via, response.acknowledgement) == ("I0", Via.GBCS, None)
    cs08.read_command(response.body.message, OwnKeys(PPMID, PKI), device=PPMID)
    assert len(estate.hubs[S2].asked) == sent


def test_the_response_to_a_local_command_is_judged_when_it_is_returned():
    estate = ready()
    (handed,) = handled(estate, asked(counter=5, variant=CommandVariant.LOCAL))
    answer = cs08.response(handed.body.message, FIRMWARE, OwnKeys(PPMID, PKI))
    spoilt = answer[:-1] + bytes([answer[-1] ^ 1])

    def returned(octets, counter, original=handed.request_id):
        return ReturnLocalCommandResponse(
            request_id=RequestId(SUPPLIER, ACB, counter), original=original, response=octets
        )

    wrong, right, twice, nobodys = handled(
        estate,
        returned(spoilt, 6),
        returned(answer, 7),
        returned(answer, 8),
        returned(answer, 9, original=None),
    )
    assert (wrong.code, wrong.ok) == ("E21", False)
    assert (right.code, right.ok) == ("I0", True)
    assert right.fields["FirmwareVersion"] == "01020304"
    assert (twice.code, nobodys.code) == ("E081301", "E081301")


def test_sent_and_handed_back_is_both():
    estate = ready()
    (response,) = handled(estate, asked(variant=CommandVariant.SEND_AND_LOCAL))
    assert response.ok
    assert response.local.message == estate.dcc.route_of(response).command
    assert response.acknowledgement.code == "I99"


def test_a_smets1_device_has_no_local_delivery():
    refused(handled(ready(S1), asked(variant=CommandVariant.LOCAL))[0], Stage.VARIANT, "E12")


def esme_ready(**options):
    """Return an estate with an ESME on the SMETS2+ hub, commissioned, that answers CS04AC."""
    estate = ready(**options)
    notice = replace(
        NOTICE,
        device=ESME,
        device_type="ESME",
        manufacturer="1236",
        model="00220100",
        firmware="00020002",
        version="SMETS V5.1",
    )
    from harness.smets.cpl import DeviceType

    asyncio.run(estate.dcc.prenotify(replace(notice, device_type=DeviceType.ESME)))
    asyncio.run(estate.whitelist(S2, ESME))
    estate.force(ESME, status=DeviceStatus.COMMISSIONED)
    estate.hubs[S2].answer = lambda message: CS04AC.build_response(
        message, UnjoinResult.SUCCESS, OwnKeys(ESME, PKI)
    )
    return estate


def unjoin(counter=5):
    return UnjoinCritical(request_id=RequestId(SUPPLIER, ESME, counter), other=PPMID)


def signed(octets, by=SUPPLIER):
    return sign(parse(octets), PKI.private_key(by, KeyUsage.DIGITAL_SIGNATURE)).to_bytes()


def second_half(payload, variant=CommandVariant.SEND_SIGNED, counter=5):
    return SignedPreCommand(
        request_id=RequestId(SUPPLIER, ESME, counter), srv="8.8.1", command_variant=variant, payload=payload
    )


def test_a_critical_request_is_transformed_signed_and_then_sent():
    estate = esme_ready()
    sent = len(estate.hubs[S2].asked)
    (made,) = handled(estate, unjoin())
    assert isinstance(made.body, PreCommand)
    assert (made.code, made.body.use_case, made.body.gbcs_version) == ("I0", "CS04AC", "4.2")
    assert len(estate.hubs[S2].asked) == sent
    message = parse(made.body.message)
    assert (message.originator, message.recipient, message.counter) == (SUPPLIER, ESME, 5)

    (done,) = handled(estate, second_half(signed(made.body.message)))
    assert (done.code, done.ok, done.via) == ("I0", True, Via.GBCS)
    kind, device, octets = estate.hubs[S2].asked[-1]
    assert (kind, device) == ("gbcs", ESME)
    assert CS04AC.read_command(octets, OwnKeys(ESME, PKI), device=ESME) == PPMID
    assert parse(octets).originator == SUPPLIER


def test_a_signed_pre_command_is_taken_once():
    estate = esme_ready()
    (made,) = handled(estate, unjoin())
    payload = signed(made.body.message)
    first, again = handled(estate, second_half(payload), second_half(payload))
    assert first.ok
    refused(again, Stage.REQUEST_ID, "E31")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda octets: octets,
        lambda octets: signed(octets, by=SUPPLIER_2),
        lambda octets: signed(octets)[:-1],
        lambda octets: signed(octets[:-2] + bytes([octets[-2] ^ 1]) + octets[-1:]),
        lambda octets: b"",
    ],
    ids=["unsigned", "signed by another", "cut off", "altered before it was signed", "nothing"],
)
def test_a_pre_command_that_is_not_the_dsps_own_or_not_rightly_signed_is_refused(spoil):
    estate = esme_ready()
    (made,) = handled(estate, unjoin())
    sent = len(estate.hubs[S2].asked)
    (response,) = handled(estate, second_half(spoil(made.body.message)))
    refused(response, Stage.DELIVERY, "E40")
    assert len(estate.hubs[S2].asked) == sent


def test_a_pre_command_that_was_never_made_is_refused():
    estate = esme_ready()
    (made,) = handled(estate, unjoin())
    refused(handled(estate, second_half(signed(made.body.message), counter=6))[0], Stage.DELIVERY, "E40")


def test_a_signed_pre_command_for_local_delivery_is_handed_back_as_a_command():
    estate = esme_ready()
    (made,) = handled(estate, unjoin())
    payload = signed(made.body.message)
    (local,) = handled(estate, second_half(payload, CommandVariant.LOCAL_SIGNED))
    assert isinstance(local.body, LocalCommand)
    assert CS04AC.read_command(local.body.message, OwnKeys(ESME, PKI), device=ESME) == PPMID


# --- what else is asked, and what is kept of it ----


@pytest.mark.parametrize(
    ("srv", "variant", "code"),
    [
        ("4.1.1", CommandVariant.SEND, "E5"),
        ("12.1", CommandVariant.NON_DEVICE, "E11"),
        ("99.9", CommandVariant.SEND, "E11"),
    ],
)
def test_any_other_service_reference_is_answered(srv, variant, code):
    other = OtherRequest(
        request_id=RequestId(SUPPLIER, PPMID, 5), srv=srv, command_variant=variant, element="X", content=b""
    )
    (response,) = handled(ready(), other)
    assert (response.code, response.ok) == (code, False)


def test_what_every_stage_made_of_a_request_is_in_the_evidence():
    estate = ready()
    handled(estate, asked(counter=5), asked(counter=5))
    *_, passed, stopped = [
        event[5]["stages"] for event in estate.tap.at(Boundary.DUIS) if "stages" in event[5]
    ]
    assert [entry["stage"] for entry in passed] == [stage.value for stage in Stage][2:]
    assert all(entry["passed"] for entry in passed)
    assert [(entry["stage"], entry["code"]) for entry in stopped] == [
        ("known request", None),
        ("sender", None),
        ("request id", "E31"),
    ]
    assert stopped[-1]["rules"] == ["REQUEST-REPLAY"]
