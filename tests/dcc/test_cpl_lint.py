"""What the linter finds in a Central Products List, and where."""

import inspect
import re

import pytest

from harness.dcc import cpl_lint
from harness.dcc.cpl_file import read_rows
from harness.dcc.cpl_lint import Severity, lint
from tests.dcc.estate import CPL_FILE
from tests.smets.rules import changed, own

HEADER = "Manufacturer,Model,Firmware Version,Device Type,SMETS/CHTS Version,Status\n"
INTERIM = changed("CPL-REGIME", "INTERIM")


def findings(tmp_path, *rows, rules=None):
    path = tmp_path / "cpl.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return lint(read_rows(path, rules or own()), rules or own())


def row(firmware, version, status="Active", *, model="00090100", kind="PPMID"):
    return f"1234,{model},{firmware},{kind},{version},{status}"


def told(found):
    return [(one.word, one.severity, one.line, one.others) for one in found]


def test_two_rows_of_one_firmware_version_are_as_they_should_be(tmp_path):
    assert findings(tmp_path, row("01", "SMETS1"), row("01", "SMETS2+")) == ()


def test_the_virtual_benchs_own_list_has_nothing_wrong():
    assert lint(read_rows(CPL_FILE, own()), own()) == ()


def test_a_duplicate_key_names_both_lines_and_what_the_key_is(tmp_path):
    found = findings(tmp_path, row("01", "SMETS2+"), row("01", "SMETS1"), row("01", "SMETS V5.1"))
    assert ("duplicate-key", Severity.ERROR, 4, (2,)) in told(found)
    assert "smets" in found[0].remedy
    assert ("too-many-rows", Severity.ERROR, 4, (2, 3)) in told(found)


def test_before_mp202_the_pair_of_one_firmware_version_is_the_duplicate(tmp_path):
    found = findings(tmp_path, row("01", "SMETS1"), row("01", "SMETS2+"), rules=INTERIM)
    assert told(found) == [("duplicate-key", Severity.ERROR, 3, (2,))]


def test_a_tactical_pair_is_found_and_expected_only_before_mp202(tmp_path):
    pair = row("F1020304", "SMETS1"), row("01020304", "SMETS2+")
    (found,) = findings(tmp_path, *pair)
    assert told([found]) == [("tactical-pair", Severity.WARNING, 2, (3,))]
    assert "F1020304" in found.says
    assert "01020304" in found.says
    (found,) = findings(tmp_path, *pair, rules=INTERIM)
    assert (found.word, found.severity) == ("tactical-pair", Severity.NOTE)


def test_a_fictitious_row_beside_a_whole_pair_is_a_missing_counterpart(tmp_path):
    found = findings(tmp_path, row("01", "SMETS1"), row("01", "SMETS2+"), row("02", "SMETS2+"))
    assert told(found) == [("missing-counterpart", Severity.WARNING, 4, ())]


def test_a_ppmid_of_one_family_alone_may_be_meant_so(tmp_path):
    found = findings(tmp_path, row("01", "SMETS2+"), row("01", "SMETS1", model="000A0100"))
    assert [(one.word, one.severity) for one in found] == [("missing-counterpart", Severity.NOTE)] * 2


@pytest.mark.parametrize("status", ["Cancelled", "Expired", "Withdrawn"])
def test_a_counterpart_that_is_not_active_is_found(tmp_path, status):
    found = findings(tmp_path, row("01", "SMETS1"), row("01", "SMETS2+", status))
    assert told(found) == [("counterpart-not-active", Severity.WARNING, 3, (2,))]


def test_a_row_that_is_out_of_use_needs_no_counterpart(tmp_path):
    assert findings(tmp_path, row("01", "SMETS2+", "Withdrawn")) == ()


def test_meters_have_no_counterparts(tmp_path):
    assert findings(tmp_path, row("01", "SMETS1", kind="ESME"), row("02", "SMETS2+", kind="ESME")) == ()


def test_the_page_names_every_finding():
    page = (CPL_FILE.parents[1] / "docs" / "look-over-a-cpl.md").read_text()
    words = set(re.findall(r'word="([a-z-]+)"', inspect.getsource(cpl_lint)))
    assert words
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == words
