"""A Central Products List from CSV, and what is wrong with bad ones."""

import contextlib
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.dcc.cpl_file import load_cpl
from harness.errors import ConfigError
from harness.smets.cpl import CplStatus, DeviceType
from tests.dcc.estate import CPL_FILE, NOTICE, S1, S2
from tests.smets.rules import changed, own

HEADER = "Manufacturer,Model,Firmware Version,Device Type,SMETS/CHTS Version,Status\n"
GOOD = "1234,00090100,01020304,PPMID,SMETS1,Active\n"


def load(tmp_path, text, rules=None, **options):
    path = tmp_path / "cpl.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_cpl(path, rules or own(), **options)


def test_the_virtual_benchs_list_has_the_ppmid_twice_under_one_firmware_version():
    cpl = load_cpl(CPL_FILE, own())
    rows = cpl.rows_of(NOTICE.device_model)
    assert [row.family for row in rows] == [S1, S2]
    assert {row.status for row in rows} == {CplStatus.ACTIVE}
    assert rows[0].added == date(2024, 11, 2)
    assert {row.family for row in cpl.rows if row.model.device_type is DeviceType.CHF} == {S1, S2}


def test_before_mp202_that_list_is_refused_with_both_lines():
    with pytest.raises(ConfigError, match=r"cpl-virtual\.csv:3: the same key as line 2"):
        load_cpl(CPL_FILE, changed("CPL-REGIME", "INTERIM"))


def test_columns_may_stand_in_any_order_with_others_among_them_and_a_bom(tmp_path):
    text = "status,Note,SMETS/CHTS  Version,device type,FIRMWARE VERSION,Model,Manufacturer\n"
    cpl = load(tmp_path, "\ufeff" + text + "Active,x,SMETS2+,PPMID,01020304,00090100,1234\n\n,,,,,,\n")
    (row,) = cpl.rows
    assert (row.model, row.line) == (NOTICE.device_model, 2)


def test_a_header_map_gives_columns_other_names(tmp_path):
    text = HEADER.replace("Model", "Device Model") + GOOD
    assert load(tmp_path, text, header_map={"model": "Device Model"}).rows
    with pytest.raises(ConfigError, match="did you mean `model`"):
        load(tmp_path, text, header_map={"modell": "Device Model"})


def test_a_quoted_value_may_have_commas_and_line_breaks_and_lines_are_still_counted(tmp_path):
    text = HEADER.replace("Status", "Status,Note") + GOOD.strip() + ',"a,\nb"\n' + "bad line\n"
    with pytest.raises(ConfigError, match=r"cpl\.csv:4: 1 values where the first line names 7"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "the file is empty"),
        (HEADER.replace("Status", "State") + GOOD, 1, "no column `Status`; did you mean its column `state`"),
        (HEADER.replace("Status", "Model") + GOOD, 1, "`Model` is there twice"),
        (HEADER + GOOD + GOOD, 3, "the same key as line 2"),
        (HEADER + GOOD.replace("PPMID", "PPM1D"), 2, "Device Type must be one of"),
        (HEADER + GOOD.replace("Active", "Current"), 2, "found 'Current'"),
        (HEADER + GOOD.replace("SMETS1", "SMETS9"), 2, "SMETS/CHTS Version must be one that a VERSION- rule"),
        (HEADER + GOOD.replace("01020304", "010203040"), 2, "Firmware Version must be 1 to 8 characters"),
        (HEADER + GOOD.replace("1234", ""), 2, "Manufacturer must be 1 to 30"),
        (HEADER + GOOD.strip() + ",more\n", 2, "7 values where"),
        (HEADER + '"1234', 2, "not CSV"),
        (
            HEADER.replace("Status", "Status,Date Added,Image Hash") + GOOD.strip() + ",2nd May,12\n",
            2,
            "Date Added must be a date such as 2024-11-02, found '2nd May'; line 2: Image Hash",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, line, says):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.line == line
    assert says in str(caught.value)


def test_every_wrong_value_is_named_up_to_ten(tmp_path):
    wrong = "".join(f"1234,0009010{n},01020304,PPMID,V{n}99,active\n" for n in range(3))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, HEADER + wrong)
    assert str(caught.value).count("Status must be") == 3
    assert str(caught.value).count("Version must be") == 3
    with pytest.raises(ConfigError, match="and 30 more"):
        load(tmp_path, HEADER + "x\n" * 40)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.csv: no such file"):
        load_cpl(tmp_path / "nowhere.csv", own())
    with pytest.raises(ConfigError, match="cannot be read"):
        load_cpl(tmp_path, own())
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, b"\xff\xfe\x00")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=120).map(lambda text: (HEADER + text).encode())))
def test_no_file_makes_anything_but_a_list_or_a_config_error(tmp_path, octets):
    with contextlib.suppress(ConfigError):
        load(tmp_path, octets)
