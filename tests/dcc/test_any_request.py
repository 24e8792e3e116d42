"""Whatever is asked, by whomever, of whatever device: the DSP answers, and a refusal changes nothing."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dcc.duis.requests import (
    ActivateEmergencyCredit,
    ActivateFirmware,
    CommandVariant,
    Commission,
    Decommission,
    DeleteDevice,
    DeviceDetails,
    DisplayMessage,
    HubInstalled,
    JoinCritical,
    JoinNonCritical,
    LogAction,
    Mpxn,
    MpxnKind,
    OtherRequest,
    Prenotification,
    Prenotify,
    ReadDeviceLog,
    ReadFirmwareVersion,
    ReadInventory,
    RequestId,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    ReturnLocalCommandResponse,
    SearchInventory,
    SetHubStatus,
    SetMpxn,
    SetStatus,
    SignedPreCommand,
    TopUp,
    UnjoinCritical,
    UnjoinNonCritical,
    UpdateFirmware,
    UpdateHanDeviceLog,
    UpdateInventory,
    UpdatePpmidFirmware,
)
from harness.dcc.users import BENCH_USERS
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_1, HUB_2, INSTALL_CODE, PPMID, S1, S2
from tests.dcc.stores import WHEN
from tests.dcc.test_device_requests import ESME, GPF, GSME, home

devices = st.sampled_from([PPMID, ESME, GSME, GPF, HUB_1, HUB_2, ACB, Eui64(1)])
users = st.sampled_from([*(user.eui64 for user in BENCH_USERS), SUPPLIER, SUPPLIER, Eui64(2)])
ids = st.builds(RequestId, users, devices, st.integers(0, 40) | st.just(2**64 - 1))
texts = st.sampled_from(["1234", "1236", "00090100", "01020304", "", "SMETS1", "SMETS2+", "V99"])
versions = st.none() | texts
changes = st.one_of(
    st.sampled_from([DeviceStatus.PENDING, DeviceStatus.INSTALLED_NOT_COMMISSIONED]).map(SetStatus),
    st.sampled_from([DeviceStatus.COMMISSIONED, DeviceStatus.WITHDRAWN]).map(SetHubStatus),
    st.builds(DeviceDetails, manufacturer=versions, model=versions, version=versions, firmware=versions),
    st.builds(DeleteDevice),
    st.builds(SetMpxn, st.sampled_from(MpxnKind), st.just("1900000000001")),
)
octets = st.binary(max_size=40)


def any_of(kind, **fields):
    plain = st.builds(kind, request_id=ids, **fields)
    return plain | st.builds(replace, plain, command_variant=st.sampled_from(CommandVariant))


log_updates = any_of(
    UpdateHanDeviceLog,
    device=devices,
    action=st.sampled_from(LogAction),
    install_code=st.just(INSTALL_CODE),
    join_time_s=st.just(90),
    import_mpxn=st.none() | st.just("1900000000001"),
)
notices = st.builds(
    Prenotification,
    device=devices,
    device_type=st.sampled_from(DeviceType),
    manufacturer=texts,
    model=texts,
    version=versions,
    firmware=versions.filter(lambda text: len(text or "") <= 8),
)
images = {
    "image": octets,
    "firmware": st.just("01020304"),
    "devices": st.lists(devices, max_size=4).map(tuple),
}
OTHERS = st.sampled_from(["4.1.1", "5.1", "7.2", "12.1", "99.9"])
JOINS = (JoinCritical, JoinNonCritical, UnjoinCritical, UnjoinNonCritical)
requests = st.one_of(
    any_of(Prenotify, prenotification=notices),
    any_of(ReadInventory, device=devices),
    any_of(SearchInventory, by=st.just(Mpxn("1900000000001"))),
    any_of(UpdateInventory, device=devices, change=changes),
    any_of(Decommission, device=devices),
    log_updates,
    *(any_of(kind, other=devices) for kind in JOINS),
    any_of(Commission, current=st.just(WHEN), tolerance_s=st.just(10)),
    any_of(ReadFirmwareVersion),
    any_of(ReadDeviceLog, security_details=st.booleans()),
    any_of(RestoreHanDeviceLog, old_hub=devices),
    any_of(RestoreGpfDeviceLog, old_gpf=devices),
    any_of(TopUp, utrn=st.just("7" * 20)),
    any_of(ActivateEmergencyCredit),
    any_of(DisplayMessage, message=st.just("hello")),
    any_of(ActivateFirmware, firmware_hash=st.just(bytes(32))),
    any_of(UpdateFirmware, **images),
    any_of(UpdatePpmidFirmware, **images),
    any_of(ReturnLocalCommandResponse, original=st.none() | ids, response=octets),
    any_of(SignedPreCommand, srv=st.sampled_from(["8.7.1", "11.3", "2.5", "99.9"]), payload=octets),
    any_of(OtherRequest, srv=OTHERS, element=texts, content=octets),
    any_of(
        HubInstalled,
        hub=devices,
        install_type=texts,
        mpxn=st.just("1900000000001"),
        aerial=st.booleans(),
        location=texts,
    ),
)


def all_answered(asked, spoil=lambda estate: None):
    for hub in (S1, S2):
        estate = home(hub)
        estate.hubs[hub].answer = lambda message: b"no GBCS at all"
        spoil(estate)
        for request in asked:
            before = tuple(estate.store.records())
            response = asyncio.run(estate.dcc.handle(request))
            route = estate.dcc.routes[-1]
            assert response.request_id == route.request_id == request.request_id
            assert response.code
            if not response.ok:
                assert response.reason
                assert tuple(estate.store.records()) == before
            assert response.ok or response.stage is not None
            if request.command_variant.signed_pre_command is not isinstance(request, SignedPreCommand):
                assert not response.ok


@given(st.lists(requests, min_size=1, max_size=6))
@settings(max_examples=40)
def test_every_request_is_answered(asked):
    all_answered(asked)


@pytest.mark.slow
@pytest.mark.timeout(300)
@given(st.lists(requests, min_size=10, max_size=10))
@settings(max_examples=1000)
def test_ten_thousand_requests_are_answered(asked):
    all_answered(asked)


def test_the_check_notices_a_dsp_that_changes_the_inventory_and_refuses():
    """A DSP that takes a device off a hub and then says that it could not, as this one is made to."""

    def spoil(estate):
        dsp = estate.dcc._dsp
        dsp._answered = partial(_changes_first, dsp)

    request = UpdateHanDeviceLog(
        request_id=RequestId(SUPPLIER, HUB_2, 1), device=PPMID, action=LogAction.REMOVE
    )
    with pytest.raises(AssertionError):
        all_answered([request], spoil)


def _changes_first(self, enquiry, way, body, **more):
    self.store(replace(enquiry.known, hub=None), None)
    return self._end(enquiry, way, "E20", stage=enquiry.judged[-1].stage, reason="x", acknowledgement=None)
