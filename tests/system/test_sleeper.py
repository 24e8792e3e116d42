"""A PPMID that sleeps and polls is certified like one that is always on."""

from __future__ import annotations

from tests.system.runs import certify, changed_rig

DEVICE = '      firmware: "01020304"\n'


def test_a_ppmid_that_polls_for_its_messages_passes(tmp_path):
    rig = changed_rig(tmp_path, (f"{DEVICE}  meters:", f"{DEVICE}      sleepy: true\n  meters:"))
    run = certify(tmp_path / "pack", "-k", "ROW-1 or ROW-4", rig=rig)
    assert run.verdicts == {"MP202-ROW-1": "pass", "MP202-ROW-4": "pass"}, run.said
