"""The Central Products List under the key before MP202 and under MP202's."""

from dataclasses import replace

import pytest

from harness.smets.cpl import (
    Cpl,
    CplRow,
    CplStatus,
    DeviceModel,
    DeviceType,
    DuplicateRow,
    RowState,
    key_in_force,
    state_of,
)
from harness.smets.version import SmetsVersion
from tests.smets.rules import changed, own

S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2_PLUS
MODEL = DeviceModel(manufacturer="1234", model="00090100", device_type=DeviceType.PPMID, firmware="01020304")
ROW_1 = CplRow(model=MODEL, version="SMETS1", family=S1)
ROW_2 = CplRow(model=MODEL, version="SMETS2+", family=S2, gbcs_version="4.2")
FICTITIOUS = replace(ROW_1, model=replace(MODEL, firmware="F1020304"))
INTERIM = changed("CPL-REGIME", "INTERIM")


def test_mp202_lets_two_rows_share_a_firmware_version():
    cpl = Cpl([ROW_1, ROW_2], key_in_force(own()))
    assert cpl.find(MODEL, S1) is ROW_1
    assert cpl.find(MODEL, S2) is ROW_2
    assert cpl.rows_of(MODEL) == (ROW_1, ROW_2)


def test_before_mp202_two_rows_of_one_firmware_version_are_duplicates():
    with pytest.raises(DuplicateRow):
        Cpl([ROW_1, ROW_2], key_in_force(INTERIM))


def test_before_mp202_the_smets1_row_has_a_fictitious_firmware_version():
    cpl = Cpl([FICTITIOUS, ROW_2], key_in_force(INTERIM))
    assert cpl.find(MODEL, S1) is None
    assert cpl.find_any_firmware(MODEL, S1) is FICTITIOUS
    assert cpl.find_any_firmware(MODEL, S2) is ROW_2


@pytest.mark.parametrize("rules", [own(), INTERIM], ids=["MP202", "INTERIM"])
def test_two_rows_of_one_family_are_duplicates_in_whichever_case_they_are_written(rules):
    lower = replace(ROW_1, model=replace(MODEL, manufacturer="abcd"))
    upper = replace(ROW_1, model=replace(MODEL, manufacturer="ABCD"))
    with pytest.raises(DuplicateRow):
        Cpl([lower, upper], key_in_force(rules))


@pytest.mark.parametrize(
    "other",
    [
        replace(MODEL, manufacturer="4321"),
        replace(MODEL, model="00090101"),
        replace(MODEL, device_type=DeviceType.IHD),
        replace(MODEL, firmware="01020305"),
    ],
    ids=["manufacturer", "model", "type", "firmware"],
)
def test_each_part_of_the_key_tells_rows_apart(other):
    cpl = Cpl([ROW_1, replace(ROW_1, model=other)], key_in_force(INTERIM))
    assert len(cpl.rows) == 2
    assert cpl.rows_of(MODEL) == (ROW_1,)


@pytest.mark.parametrize("status", list(CplStatus))
def test_a_look_up_tells_the_rows_status_or_that_there_is_none(status):
    cpl = Cpl([ROW_1, ROW_2], key_in_force(own())).with_status(MODEL, S1, status)
    assert state_of(cpl.find(MODEL, S1)).value == status.value
    assert state_of(cpl.find(MODEL, S2)) is RowState.ACTIVE
    assert state_of(cpl.without(MODEL, S1).find(MODEL, S1)) is RowState.MISSING
