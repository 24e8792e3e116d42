"""11.1 and 11.4: who is sent firmware, and on which list of the warning the others stand (MP202's BR7)."""

import asyncio
from dataclasses import replace

import pytest

from harness.dcc.dcc_alerts import DccAlertKind
from harness.dcc.defects import DccDefect
from harness.dcc.documents import FirmwareWarning, RequestId, Via
from harness.dcc.duis.alerts import FirmwareDistributionFailure
from harness.dcc.duis.requests import UpdateFirmware, UpdatePpmidFirmware
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.errors import RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import Cpl, CplRow, CplStatus, DeviceType, key_in_force
from harness.smets.smi import DeviceStatus
from harness.tap import Boundary
from harness.zigbee.ota import ota_file
from tests.dcc.estate import HUB_1, HUB_2, NOTICE, PPMID, S1, S2, Estate
from tests.dcc.test_alerts import activated, transferred
from tests.dcc.test_dcc_alerts import Clock
from tests.smets.rules import changed, own

NEW = "01020305"
INVALID, NOT_COMMISSIONED, NOT_APPLICABLE, IN_PROGRESS = (
    "InvalidDeviceIDList",
    "NotCommissionedDeviceIDList",
    "NotApplicableFirmwareDeviceIDList",
    "OtherRequestInProgressList",
)


def estate_with(hub=S2, status=DeviceStatus.COMMISSIONED, **options):
    """Return an estate with a PPMID on that hub in that status, and new firmware in the CPL for both."""
    estate = Estate(**options)
    new = [
        CplRow(
            model=NOTICE.device_model.with_firmware(NEW),
            version=family.value,
            family=family,
            gbcs_version="4.2",
        )
        for family in (S1, S2)
    ]
    estate.dcc.cpl = Cpl([*estate.dcc.cpl.rows, *new], key_in_force(own()))
    asyncio.run(estate.row(S1, hub))
    estate.force(PPMID, status=status)
    return estate


def sent(estate, *devices, firmware=NEW, kind=UpdatePpmidFirmware, counter=1):
    request = kind(
        request_id=RequestId(SUPPLIER, ACB, counter),
        image=b"\x1e\xf1\xee\x0b",
        firmware=firmware,
        devices=devices or (PPMID,),
    )
    return asyncio.run(estate.dcc.handle(request))


def lists(response):
    assert isinstance(response.body, FirmwareWarning)
    return dict(response.body.lists)


def test_a_commissioned_ppmid_on_a_smets2_hub_is_sent_it():
    response = sent(estate_with())
    assert (response.code, response.ok, response.via, response.body) == ("I99", True, Via.DSP, None)


def test_a_ppmid_that_is_smets1_is_sent_none():
    response = sent(estate_with(S1))
    assert response.code == "W110401"
    assert lists(response) == {NOT_APPLICABLE: (PPMID,)}
    assert "MP202-OTA" in response.rules


@pytest.mark.parametrize("name", [INVALID, "InvalidGBCSVersionList"])
def test_on_which_list_it_stands_is_the_rulebooks_to_say(name):
    rules = changed("FIRMWARE-LISTS", {"unknown": INVALID, "smets1": name})
    assert lists(sent(estate_with(S1, rules=rules))) == {name: (PPMID,)}


@pytest.mark.parametrize("status", [one for one in DeviceStatus if one is not DeviceStatus.COMMISSIONED])
def test_one_that_is_not_commissioned_is_sent_none(status):
    assert lists(sent(estate_with(status=status))) == {NOT_COMMISSIONED: (PPMID,)}


@pytest.mark.parametrize("device", [HUB_2, Eui64(1)])
def test_what_is_no_ppmid_or_not_there_is_invalid(device):
    assert lists(sent(estate_with(), device)) == {INVALID: (device,)}


def test_firmware_that_has_no_active_row_of_the_devices_version_is_not_applicable():
    estate = estate_with()
    assert lists(sent(estate, firmware="0102FFFF")) == {NOT_APPLICABLE: (PPMID,)}
    model = NOTICE.device_model.with_firmware(NEW)
    estate.dcc.cpl = estate.dcc.cpl.with_status(model, S2, CplStatus.EXPIRED)
    assert lists(sent(estate, counter=2)) == {NOT_APPLICABLE: (PPMID,)}


def test_a_second_one_waits_for_the_first():
    estate = estate_with()
    assert sent(estate).ok
    assert lists(sent(estate, counter=2)) == {IN_PROGRESS: (PPMID,)}


def test_several_devices_are_sorted_out_and_the_good_ones_are_sent_it():
    estate = estate_with()
    other = Eui64.parse("00-DB-12-34-56-78-90-97")
    estate.store.apply(_made(estate, other, family=S1, version="SMETS1"))
    response = sent(estate, Eui64(1), PPMID, other, HUB_2, PPMID)
    assert lists(response) == {INVALID: (Eui64(1), HUB_2), NOT_APPLICABLE: (other,)}
    assert response.body.taken == (PPMID,)


def _made(estate, device, **changes):
    from tests.dcc.stores import put

    return put(replace(estate.store.get(PPMID), device=device, **changes))


def test_a_dsp_that_sends_firmware_to_smets1_devices_shows_it():
    assert sent(estate_with(S1, defects=(DccDefect.OTA_TO_SMETS1,))).code == "I99"


def test_a_ppmid_is_no_device_for_the_meters_request():
    response = sent(estate_with(), kind=UpdateFirmware)
    assert (response.code, lists(response)) == ("W110101", {INVALID: (PPMID,)})


# --- what becomes of it -------------------------------------------------------------------------------------

IMAGE = ota_file(b"firmware", manufacturer=0x1234, image_type=0x0084, file_version=int(NEW, 16))
DAY = 86400


class Sent:
    """An estate that was sent 11.4, and the alerts that its sender got."""

    def __init__(self, hub=S2, **options):
        self.clock = Clock()
        self.estate = estate_with(hub, clock=self.clock, **options)
        self.dcc = self.estate.dcc
        self.heard = []
        self.dcc.initiative.listen(self.heard.append)

    async def send(self, counter=1, image=IMAGE):
        request = UpdatePpmidFirmware(
            request_id=RequestId(SUPPLIER, ACB, counter), image=image, firmware=NEW, devices=(PPMID,)
        )
        response = await self.dcc.handle(request)
        await self.dcc.initiative.see_to_agenda()
        return response

    def images(self, family=S2):
        return [what[1:] for what in self.estate.hubs[family].asked if what[0] == "image"]

    def kinds(self):
        return [alert.kind.value for alert in self.heard]


def work(coroutine_of, **options):
    sent = Sent(**options)

    async def whole():
        try:
            return await coroutine_of(sent)
        finally:
            await sent.dcc.close()

    return asyncio.run(whole())


def test_the_hub_is_handed_the_image_once_and_its_sender_is_told():
    async def steps(it):
        await it.send()
        await it.dcc.initiative.see_to_agenda()
        return it.images(), it.heard

    images, (alert,) = work(steps)
    assert images == [(IMAGE, (PPMID,), 7 * DAY)]
    assert (alert.kind, alert.to) == (DccAlertKind.FIRMWARE_DELIVERY, {SUPPLIER})
    assert alert.body.delivered
    assert (alert.body.hub, alert.body.device, alert.body.firmware) == (HUB_2, PPMID, NEW)


@pytest.mark.parametrize("fault", [RigFault("no radio"), StimulusImpossible("no OTA file"), TimeoutError()])
def test_a_hub_that_does_not_take_it_is_told_and_another_11_4_may_follow(fault):
    async def steps(it):
        it.estate.hubs[S2].fails = fault
        await it.send()
        told = [(alert.kind, getattr(alert.body, "delivered", None)) for alert in it.heard]
        it.estate.hubs[S2].fails = None
        return told, await it.send(counter=2)

    told, again = work(steps)
    assert told == [(DccAlertKind.FIRMWARE_DELIVERY, False), (DccAlertKind.FIRMWARE_FAILURE, None)]
    assert again.code == "I99"


@pytest.mark.parametrize("make", [activated, transferred])
def test_it_is_under_way_until_hub_or_ppmid_tells_how_it_ended(make):
    async def steps(it):
        await it.send()
        second = await it.send(counter=2)
        it.dcc.take_alert(HUB_2, make(1))
        return second, it.heard[-1], await it.send(counter=3)

    second, told, third = work(steps)
    assert lists(second) == {IN_PROGRESS: (PPMID,)}
    assert third.code == "I99" or lists(third) == {}
    if make is transferred:
        assert told.body.transfer.request_id == RequestId(SUPPLIER, ACB, 1)


def test_what_is_under_way_for_too_long_is_given_up_and_its_sender_told():
    async def steps(it):
        await it.send()
        it.clock.passes(7 * DAY - 1)
        await it.dcc.initiative.see_to_agenda()
        before = it.kinds()
        it.clock.passes(1)
        await it.dcc.initiative.see_to_agenda()
        return before, it.heard[-1], await it.send(counter=2)

    before, told, again = work(steps)
    assert "firmware-failure" not in before
    assert told.kind is DccAlertKind.FIRMWARE_FAILURE
    assert told.body == FirmwareDistributionFailure(request_id=RequestId(SUPPLIER, ACB, 1), devices=(PPMID,))
    assert again.code == "I99"


def test_how_long_is_the_rulebooks_to_say():
    async def steps(it):
        await it.send()
        return it.images()

    assert work(steps, rules=changed("FIRMWARE-KEPT", {"days": 1}))[0][2] == DAY


def test_image_and_marks_outlast_a_restart(tmp_path):
    clock = Clock()

    async def again():
        estate = Estate(store=SqliteSmiStore(tmp_path / "smi"), clock=clock)
        heard = []
        estate.dcc.initiative.listen(heard.append)
        before = [what for what in estate.hubs[S2].asked if what[0] == "image"]
        await estate.dcc.initiative.see_to_agenda()
        images = [what for what in estate.hubs[S2].asked if what[0] == "image"]
        second = await estate.dcc.handle(
            UpdatePpmidFirmware(
                request_id=RequestId(SUPPLIER, ACB, 2), image=IMAGE, firmware="01020304", devices=(PPMID,)
            )
        )
        await estate.dcc.close()
        estate.store.close()
        return before, images, second

    async def begun(estate):
        return await estate.dcc.handle(
            UpdatePpmidFirmware(
                request_id=RequestId(SUPPLIER, ACB, 1), image=IMAGE, firmware=NEW, devices=(PPMID,)
            )
        )

    estate = estate_with(store=SqliteSmiStore(tmp_path / "smi"), clock=clock)
    assert asyncio.run(begun(estate)).code == "I99"
    estate.store.close()
    before, images, second = asyncio.run(again())
    assert before == []
    assert images == [("image", IMAGE, (PPMID,), 7 * DAY)]
    assert lists(second) == {IN_PROGRESS: (PPMID,)}


def test_firmware_for_a_smets1_meter_goes_to_the_s1sp_and_no_hub_sees_it():
    async def steps(it):
        meter = it.dcc.provision_meter(DeviceType.ESME, HUB_1)
        model = it.estate.store.get(meter).model
        row = CplRow(model=model.with_firmware(NEW), version="SMETS1", family=S1, gbcs_version="")
        it.dcc.cpl = Cpl([*it.dcc.cpl.rows, row], key_in_force(own()))
        response = await it.dcc.handle(
            UpdateFirmware(
                request_id=RequestId(SUPPLIER, ACB, 9), image=IMAGE, firmware=NEW, devices=(meter,)
            )
        )
        await it.dcc.initiative.see_to_agenda()
        said = [event[3] for event in it.estate.tap.at(Boundary.S1SP) if "firmware" in event[3]]
        return response, it.images(S1), said, it.estate.tap.at(Boundary.GBCS), it.kinds()

    response, images, said, gbcs, told = work(steps, hub=S1)
    assert response.code == "I99"
    assert images == []
    assert len(said) == 1
    assert gbcs == []
    assert told == ["firmware-delivery"]


def test_a_dsp_that_sends_firmware_to_smets1_devices_hands_it_to_their_hub():
    async def steps(it):
        await it.send()
        return it.images(S1)

    assert work(steps, hub=S1, defects=(DccDefect.OTA_TO_SMETS1,)) == [(IMAGE, (PPMID,), 7 * DAY)]
