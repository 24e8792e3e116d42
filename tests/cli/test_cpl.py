"""``ppmid-bench cpl lint``."""

import json

import pytest

from harness.cli import run
from tests.dcc.estate import CPL_FILE

HEADER = "Manufacturer,Model,Firmware Version,Device Type,SMETS/CHTS Version,Status\n"
PAIR = "1234,00090100,F1020304,PPMID,SMETS1,Active\n1234,00090100,01020304,PPMID,SMETS2+,Active\n"
TWICE = PAIR + "1234,00090100,01020304,PPMID,SMETS V5.1,Active\n"


@pytest.fixture
def cpl(tmp_path):
    def write(rows):
        path = tmp_path / "cpl.csv"
        path.write_text(HEADER + rows)
        return str(path)

    return write


def test_a_good_list(capsys):
    assert run(["cpl", "lint", str(CPL_FILE)]) == 0
    assert capsys.readouterr().out == "13 row(s): nothing wrong\n"


def test_each_finding_has_file_line_severity_and_word(cpl, capsys):
    path = cpl(PAIR)
    assert run(["cpl", "lint", path]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"{path}:2: warning: SMETS1 under firmware version F1020304")
    assert first.endswith("[tactical-pair]")
    assert run(["cpl", "lint", "--strict", path]) == 2


def test_an_error_ends_with_2_also_as_json(cpl, capsys):
    assert run(["cpl", "lint", "--json", cpl(TWICE)]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["rows"]) == (False, 3)
    assert ("duplicate-key", 4, [3]) in [
        (one["finding"], one["line"], one["others"]) for one in found["findings"]
    ]


def test_what_is_no_list_is_said_with_its_line(cpl, capsys):
    assert run(["cpl", "lint", cpl("1234,0009\n")]) == 2
    assert "cpl.csv:2" in capsys.readouterr().err
