"""The GBCS plans pass, and each break of GBCS is caught by one of their cases."""

from __future__ import annotations

import pytest

from tests.system.one_run import CHF_PLAN as CHF
from tests.system.one_run import GPF_PLAN as GPF
from tests.system.one_run import PPMID_PLAN as PPMID
from tests.system.runs import certify, changed_rig
from tests.system.test_breaks import IMPATIENT, dcc, hubs, ppmid


@pytest.mark.timeout(90)
def test_the_gbcs_plans_pass_on_the_virtual_bench(gbcs_certified):
    assert set(gbcs_certified.verdicts.values()) == {"pass"}, gbcs_certified.said
    assert len(gbcs_certified.verdicts) >= 11


def one_hub(defect):
    return [hubs(defect)[1]]


@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("plan", "changes", "fails"),
    [
        (PPMID, [ppmid("accepts-replay")], "GBCS-BAD-COMMANDS"),
        (PPMID, [ppmid("ignores-mac")], "GBCS-BAD-COMMANDS"),
        (PPMID, [ppmid("answers-for-others")], "GBCS-BAD-COMMANDS"),
        (PPMID, [ppmid("obeys-anybody")], "GBCS-BAD-COMMANDS"),
        (PPMID, [ppmid("ignores-signature")], "GBCS-BAD-JOINS"),
        (PPMID, [ppmid("wrong-join-response")], "GBCS-JOIN-ESME"),
        (PPMID, [ppmid("joins-without-certificate-check")], "GBCS-JOIN-GSME"),
        (PPMID, [ppmid("keeps-unjoined")], "GBCS-JOIN-ESME"),
        (PPMID, [ppmid("forgets-joins-on-power-cycle")], "GBCS-JOINS-KEPT"),
        (PPMID, [ppmid("alerts-without-signature")], "GBCS-FIRMWARE"),
        (PPMID, [ppmid("silent-tunnel"), IMPATIENT], "GBCS-JOIN-GSME"),
        (PPMID, [ppmid("answers-another-counter")], "GBCS-FIRMWARE"),
        (PPMID, [ppmid("answers-another-code")], "GBCS-FIRMWARE"),
        (PPMID, [ppmid("answers-somebody-else")], "GBCS-FIRMWARE"),
        (PPMID, [ppmid("answers-as-another")], "GBCS-FIRMWARE"),
        (PPMID, [ppmid("names-another-user")], "GBCS-FIRMWARE"),
        (PPMID, [ppmid("repeats-its-response")], "GBCS-JOIN-ESME"),
        (PPMID, [dcc("skip-response-mac-check")], "GBCS-BAD-RESPONSES"),
        (PPMID, [dcc("skip-answer-check")], "GBCS-BAD-RESPONSES"),
        (CHF, one_hub("chf-ignores-mac"), "CHF-BAD-COMMANDS"),
        (CHF, one_hub("chf-accepts-replay"), "CHF-BAD-COMMANDS"),
        (CHF, one_hub("chf-keeps-removed"), "CHF-DEVICE-LOG"),
        (CHF, one_hub("chf-raises-no-alert"), "CHF-DEVICE-LOG"),
        (CHF, one_hub("chf-tells-no-removal"), "CHF-DEVICE-LOG"),
        (GPF, one_hub("gpf-answers-as-chf"), "GPF-JOIN"),
        (GPF, one_hub("gpf-raises-no-alert"), "GPF-JOIN"),
        (GPF, one_hub("gpf-keeps-unjoined"), "GPF-JOIN"),
        (GPF, one_hub("gpf-forgets-restored"), "GPF-RESTORE"),
        (GPF, one_hub("gpf-ignores-mac"), "GPF-BAD-COMMANDS"),
        (GPF, one_hub("gpf-accepts-replay"), "GPF-BAD-COMMANDS"),
        (GPF, one_hub("gpf-obeys-for-others"), "GPF-BAD-COMMANDS"),
    ],
    ids=lambda value: (
        "+".join(new.split("[")[-1][:-2] for _, new in value) if isinstance(value, list) else None
    ),
)
def test_a_break_of_gbcs_is_caught(tmp_path, plan, changes, fails):
    run = certify(tmp_path / "pack", plan, "-k", fails, rig=changed_rig(tmp_path, *changes))
    assert run.verdicts == {fails: "fail"}, run.said
    assert all(run.reasons("fail"))
