"""11.1 and 11.4: who is sent firmware, and on which list of the warning the others stand (MP202's BR7)."""

import asyncio
from dataclasses import replace

import pytest

from harness.dcc.defects import DccDefect
from harness.dcc.documents import FirmwareWarning, RequestId, Via
from harness.dcc.duis.requests import UpdateFirmware, UpdatePpmidFirmware
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import Cpl, CplRow, CplStatus, key_in_force
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_2, NOTICE, PPMID, S1, S2, Estate
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
