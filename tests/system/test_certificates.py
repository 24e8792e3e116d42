"""A hub with a certificate of a user's own works with a PPMID of the same authority, and with no other."""

from __future__ import annotations

import pytest

from harness.eui64 import Eui64
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.suites import SUITE_1
from tests.system.runs import certify, changed_rig

HUB = Eui64.parse("00-DB-12-34-56-78-91-01")
FIRMWARE = '      firmware: "01020304"\n'
SEED = "  seed: ppmid-bench\n"


def certificate(folder, authority):
    """Write the SMETS1 hub's certificate of an authority; return the change that puts it into the rig."""
    own = BenchAuthority(authority).credentials(HUB, SUITE_1)
    (folder / "hub.yaml").write_text(
        "schema: ppmid-bench/certificate@1\n"
        f'certificate: "{own.certificate.octets.hex()}"\n'
        f'private-key: "{own.private_key.to_bytes(21, "big").hex()}"\n'
        f'ca-key: "{SUITE_1.curve.encode(own.issuer_key).hex()}"\n'
    )
    return (SEED, f"{SEED}  certificates: [hub.yaml]\n")


@pytest.mark.parametrize(
    ("device", "verdict"), [("of another", "pass"), ("ppmid-bench", "fail")], ids=["same", "not the same"]
)
def test_both_have_to_be_of_one_authority(tmp_path, device, verdict):
    changes = [
        certificate(tmp_path, "of another"),
        (FIRMWARE, f'{FIRMWARE}      credentials: "{device}"\n'),
    ]
    run = certify(tmp_path / "pack", "-k", "MP202-ROW-1", rig=changed_rig(tmp_path, *changes))
    assert run.verdicts == {"MP202-ROW-1": verdict}, run.said
    if verdict == "fail":
        assert "key not established" in run.reasons("fail")[0]


def test_a_certificate_for_another_dongle_is_an_error_before_anything_is_judged(tmp_path):
    own = BenchAuthority("of another").credentials(Eui64(HUB.value + 1), SUITE_1)
    change = certificate(tmp_path, "of another")
    text = (tmp_path / "hub.yaml").read_text().splitlines(keepends=True)
    text[1:3] = [
        f'certificate: "{own.certificate.octets.hex()}"\n',
        f'private-key: "{own.private_key.to_bytes(21, "big").hex()}"\n',
    ]
    (tmp_path / "hub.yaml").write_text("".join(text))
    run = certify(tmp_path / "pack", "-k", "MP202-ROW-1", rig=changed_rig(tmp_path, change))
    assert run.code == 3, run.said
    assert "has no suite 1 certificate for its dongle" in run.said


def test_a_bad_certificate_file_is_said_with_its_line(tmp_path):
    change = certificate(tmp_path, "of another")
    text = (tmp_path / "hub.yaml").read_text()
    (tmp_path / "hub.yaml").write_text(text.replace('certificate: "', 'certificate: "00'))
    run = certify(tmp_path / "pack", "-k", "MP202-ROW-1", rig=changed_rig(tmp_path, change))
    assert run.code == 2, run.said
    assert "hub.yaml:2" in run.said
    assert "not 49" in run.said
