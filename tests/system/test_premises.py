"""A premises comes up on the virtual bench, and what is wrong with a meter or the DSP is caught by a case."""

from __future__ import annotations

import pytest

from tests.dcc.duis.schema import flaws
from tests.system.runs import CHECKOUT, certify, changed_rig
from tests.system.test_breaks import dcc

PLAN = CHECKOUT / "test_plans" / "ppmid" / "premises.yaml"
ELECTRICITY, GAS, WRONG_METER = "PREM-ELECTRICITY", "PREM-GAS", "PREM-WRONG-METER"


@pytest.fixture(scope="module")
def premises(tmp_path_factory):
    return certify(tmp_path_factory.mktemp("premises") / "pack", PLAN)


@pytest.mark.timeout(60)
def test_the_plan_passes(premises):
    assert premises.verdicts == {ELECTRICITY: "pass", GAS: "pass", WRONG_METER: "pass"}, premises.said


@pytest.mark.dcc_data
@pytest.mark.timeout(60)
def test_every_document_of_it_is_one_by_the_schema(premises):
    documents = sorted((premises.pack / "cases").glob("*/duis/*.xml"))
    assert len(documents) > 100
    assert [(path.name, flaw) for path in documents for flaw in flaws(path.read_bytes())] == []


def meter(kind, *words):
    entry = f"{{kind: {kind}, "
    return (entry, f"{entry}defects: [{', '.join(words)}], ")


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("change", "fails", "says"),
    [
        (meter("ESME", "accepts-replayed-utrn"), ELECTRICITY, "2.2 to the ESME: expected failure"),
        (meter("GSME", "accepts-replayed-utrn"), GAS, "2.2 to the GSME: expected failure"),
        (meter("ESME", "accepts-any-utrn"), WRONG_METER, "2.2 to the ESME: expected failure"),
        (meter("ESME", "bad-response-mac"), ELECTRICITY, "response to 2.2 does not hold: MAC"),
        (meter("GSME", "bad-response-mac"), GAS, "response to 2.2 does not hold: MAC"),
        (meter("ESME", "takes-any-time"), ELECTRICITY, "8.1.1 to the ESME: expected failure"),
        (meter("GSME", "takes-any-time"), GAS, "8.1.1 to the GSME: expected failure"),
        (dcc("commission-anyway"), ELECTRICITY, "the DSP takes it for a success"),
        (dcc("commission-anyway"), GAS, "the DSP takes it for a success"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1].split("[")[1].split("]")[0],
)
def test_what_is_wrong_is_caught(tmp_path, change, fails, says):
    run = certify(tmp_path / "pack", PLAN, "-k", fails, rig=changed_rig(tmp_path, change))
    assert run.verdicts == {fails: "fail"}, run.said
    assert [says in reason for reason in run.reasons("fail")] == [True], run.reasons("fail")
