"""A premises comes up on the virtual bench, and what is wrong with a meter or the DSP is caught by a case."""

from __future__ import annotations

import pytest

from tests.dcc.duis.schema import flaws
from tests.system.one_run import PREMISES_PLAN as PLAN
from tests.system.runs import certify, changed_rig
from tests.system.test_breaks import NO_DEFECTS, dcc

ELECTRICITY, GAS = "PREM-ELECTRICITY", "PREM-GAS"
PROXY, WRONG_METER = "PREM-PROXY", "PREM-WRONG-METER"


@pytest.mark.timeout(60)
def test_the_plan_passes(premises_certified):
    verdicts = dict.fromkeys((ELECTRICITY, GAS, PROXY, WRONG_METER), "pass")
    assert premises_certified.verdicts == verdicts, premises_certified.said


@pytest.mark.dcc_data
@pytest.mark.timeout(60)
def test_every_document_of_it_is_one_by_the_schema(premises_certified):
    documents = sorted((premises_certified.pack / "cases").glob("*/duis/*.xml"))
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
        # What the ACB checks, and what is the supplier's to check.
        (meter("ESME", "bad-response-mac"), ELECTRICITY, "response to CS07 does not hold: MAC"),
        (meter("GSME", "bad-response-mac"), GAS, "response to CS03B does not hold: MAC"),
        (
            meter("ESME", "bad-response-mac"),
            WRONG_METER,
            "response to 2.2 does not hold: MAC",
        ),
        (meter("GSME", "bad-response-mac"), WRONG_METER, "response to 2.2 does not hold: MAC"),
        (meter("ESME", "takes-any-time"), ELECTRICITY, "8.1.1 to the ESME: expected failure"),
        (meter("GSME", "takes-any-time"), GAS, "8.1.1 to the GSME: expected failure"),
        (meter("ESME", "keeps-unjoined"), ELECTRICITY, "expected the PPMID not in it"),
        (meter("GSME", "keeps-unjoined"), GAS, "expected the PPMID not in it"),
        (dcc("commission-anyway"), ELECTRICITY, "the DSP takes it for a success"),
        (dcc("commission-anyway"), GAS, "the DSP takes it for a success"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1].split("[")[1].split("]")[0],
)
def test_what_is_wrong_is_caught(tmp_path, change, fails, says):
    run = certify(tmp_path / "pack", PLAN, "-k", fails, rig=changed_rig(tmp_path, change))
    assert run.verdicts == {fails: "fail"}, run.said
    assert [says in reason for reason in run.reasons("fail")] == [True], run.reasons("fail")


SLEEPY = ("{kind: GSME, ", "{kind: GSME, sleepy: true, ")
HTTP = (NO_DEFECTS, f"  type: duis-http\n{NO_DEFECTS}")


@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.parametrize("change", [SLEEPY, HTTP], ids=["a gas meter that sleeps", "over HTTP"])
def test_the_plan_passes_in_another_way_too(tmp_path, change):
    run = certify(tmp_path / "pack", PLAN, rig=changed_rig(tmp_path, change))
    assert set(run.verdicts.values()) == {"pass"}, run.said
