"""Another firmware over the air, there and back; each way to be wrong about it is caught."""

from __future__ import annotations

import pytest

from tests.system.runs import CHECKOUT, certify, changed_rig
from tests.system.test_breaks import ppmid

PLAN = CHECKOUT / "test_plans" / "ppmid" / "firmware.yaml"


@pytest.mark.timeout(60)
def test_a_ppmid_gets_another_firmware_and_hub_and_ppmid_tell_of_it(firmware_certified):
    verdicts = dict.fromkeys(("FIRMWARE-THERE-AND-BACK", "FIRMWARE-SPOILT"), "pass")
    assert firmware_certified.verdicts == verdicts, firmware_certified.said


def impatient(folder):
    """The plan with less time for the alerts."""
    text = PLAN.read_text().replace("within: 60 s, fields", "within: 8 s, fields")
    text = text.replace("../requirements.yaml", str(PLAN.parents[1] / "requirements.yaml"))
    (folder / "plan.yaml").write_text(text.replace("images/", f"{PLAN.parent}/images/"))
    return folder / "plan.yaml"


@pytest.mark.slow
@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("defect", "fails", "because"),
    [
        ("keeps-old-firmware", "THERE-AND-BACK", "FirmwareVersion 01020304, Activation success"),
        ("tells-no-activation", "THERE-AND-BACK", "no alert 8F8B"),
        ("takes-any-image", "SPOILT", "no alert 8F89"),
    ],
)
def test_a_ppmid_that_is_wrong_about_its_firmware_is_caught(tmp_path, defect, fails, because):
    rig = changed_rig(tmp_path, ppmid(defect))
    run = certify(tmp_path / "pack", impatient(tmp_path), "-k", fails, rig=rig)
    assert run.verdicts == {f"FIRMWARE-{fails}": "fail"}, run.said
    assert because in run.reasons("fail")[0]


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_sleeping_ppmid_gets_it_too(tmp_path):
    device = '      firmware: "01020304"\n'
    rig = changed_rig(tmp_path, (device, f"{device}      sleepy: true\n"))
    run = certify(tmp_path / "pack", PLAN, "-k", "BACK", rig=rig)
    assert run.verdicts == {"FIRMWARE-THERE-AND-BACK": "pass"}, run.said


LEFT_HALF_WAY = """\
schema: ppmid-bench/plan@1
title: A firmware case that ends between there and back, and what comes after it
cases:
  - id: HALF-WAY
    title: Fails when the other firmware has been taken, and nobody has been told
    timeout: 2 min
    steps:
      - prenotify: {as: SMETS2+}
      - whitelist: {hub: smets2}
      - join: {within: 60 s}
      - request: {srv: "8.7.2", with: ESME}
      - send_firmware: {firmware: "01020400", image: IMAGES/virtual-01020400.ota}
      - expect_alert: {code: 8F8A, hub: smets2, within: 60 s}
      - expect_inventory: {smets: SMETS1}
  - id: AFTERWARDS
    title: Row 4, with the firmware of the rig file, and without an alert of another case
    steps:
      - prenotify: {as: SMETS2+}
      - whitelist: {hub: smets2}
      - join: {within: 60 s}
      - request: {srv: "11.2"}
      - expect_route: {via: gbcs, use_case: CS08}
      - expect_firmware
      - expect_dcc_alert: {alert: ppmid, times: 0, within: 2 s}
"""


@pytest.mark.timeout(90)
def test_a_firmware_case_that_fails_half_way_spoils_none_that_come_after(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(LEFT_HALF_WAY.replace("IMAGES", str(PLAN.parent / "images")))
    run = certify(tmp_path / "pack", plan)
    assert run.verdicts == {"HALF-WAY": "fail", "AFTERWARDS": "pass"}, run.said
