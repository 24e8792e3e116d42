"""What is secret does not reach the disk, however it is written."""

from __future__ import annotations

import base64
import json

import pytest

from harness.eui64 import Eui64
from harness.evidence.pack import EvidencePack
from harness.evidence.secrets import MASKED, Policy, Secrets
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary
from harness.zigbee.install_code import link_key
from tests.evidence.test_pack import result

CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
NETWORK_KEY = bytes.fromhex("C8C72B82FF56910ED0A77F31722A519B")
LATER_KEY = bytes.fromhex("11223344556677889900AABBCCDDEEFF")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")


def ways_to_write(secret):
    yield secret
    for text in (secret.hex(), secret.hex(":"), secret.hex("-"), secret.hex(" ")):
        yield text.encode()
        yield text.upper().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\xaa" * before + secret + b"\xaa")
        yield encoded[4:-8]  # what neighbours cannot change, whatever the alignment


def record_everything(folder, policy):
    """Write a pack in which every kind of file would hold the install code and the keys."""
    pack = EvidencePack(folder, secrets=policy)
    pack.secrets.add_install_code(CODE)
    pack.describe(plan=f"set_install_code {{value: {CODE.hex()}}}")
    recorder = pack.begin_case("ROW-1")
    recorder.add_keys([NETWORK_KEY], {PPMID: (link_key(CODE),)})
    recorder.add_keys([NETWORK_KEY], {PPMID: (LATER_KEY,)})
    line = f"install-code seq=1 value={CODE.hex().upper()}"
    pack.tap.record(Boundary.SERIAL, "bench", "ppmid", line, line.encode(), raw=CODE.hex("-"))
    keys = NETWORK_KEY + LATER_KEY + link_key(CODE)
    pack.tap.record(Boundary.GBCS, "dsp", "hub", keys.hex(), b"\xdf" + CODE + keys)
    recorder.air(SniffedFrame(time_s=1.0, channel=20, psdu=b"\x01" + CODE + keys, rssi_dbm=-1.0, lqi=1))
    recorder.save("duis/001-request.xml", f"<InstallCode>{CODE.hex().upper()}</InstallCode>")
    recorder.save("duis/002-gbcs.xml", f"<GBCS>{base64.b64encode(b'x' + CODE + keys).decode()}</GBCS>")
    recorder.save("raw.bin", keys + CODE)
    pack.end_case(result(title=f"whitelist {CODE.hex(':')}"))
    pack.finish(0)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def holding(files, secret):
    return sorted({name for way in ways_to_write(secret) for name, octets in files.items() if way in octets})


def test_when_all_is_kept_every_file_has_it(tmp_path):
    """So that the tests below would notice."""
    found = holding(record_everything(tmp_path / "pack", Policy.KEEP), CODE)
    assert {name.split("/")[-1] for name in found} >= {
        *("run.json", "result.json", "junit.xml", "timeline.jsonl", "ppmid-serial.log", "han.pcapng"),
        *("001-request.xml", "002-gbcs.xml", "raw.bin", "001-dsp-to-hub.hex"),
    }


@pytest.mark.parametrize("policy", [Policy.HAN, Policy.MASK])
def test_an_install_code_and_its_link_key_are_nowhere(tmp_path, policy):
    files = record_everything(tmp_path / "pack", policy)
    assert holding(files, CODE) == []
    assert holding(files, link_key(CODE)) == []
    assert MASKED.encode() in files["cases/ROW-1/timeline.jsonl"]


def test_by_default_the_keys_of_the_hans_are_there_to_open_the_capture(tmp_path):
    files = record_everything(tmp_path / "pack", Policy.HAN)
    assert json.loads(files["cases/ROW-1/keys.json"]) == {
        "network": [NETWORK_KEY.hex().upper()],
        "link": {str(PPMID): [MASKED, LATER_KEY.hex().upper()]},
    }
    assert NETWORK_KEY in files["cases/ROW-1/han.pcapng"]


def test_masked_a_pack_has_no_key_at_all(tmp_path):
    files = record_everything(tmp_path / "pack", Policy.MASK)
    assert [holding(files, key) for key in (NETWORK_KEY, LATER_KEY)] == [[], []]


@pytest.mark.parametrize(
    "text",
    [
        "install-code seq=18316 value={}",
        "set_install_code {{value: {}}}",
        "whitelist {{hub: smets1, install-code: '{}'}}",
        '{{"install_code": "{}"}}',
        "<sr:InstallCode>{}</sr:InstallCode>",
        "Install Code: {}",
    ],
)
def test_an_install_code_that_nobody_announced_is_known_by_its_name(text):
    masked = Secrets(Policy.HAN).text(text.format("AABBCCDDEEFF00112233445566778899"))
    assert masked == text.format(MASKED)


def test_a_private_key_is_masked_and_a_public_one_is_not():
    pem = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\nand more"
    assert Secrets(Policy.HAN).text(pem) == f"{MASKED}\nand more"
    assert Secrets(Policy.HAN).text(pem.replace("PRIVATE", "PUBLIC")) == pem.replace("PRIVATE", "PUBLIC")


def test_what_is_no_secret_stays_as_it_is():
    secrets = Secrets(Policy.MASK)
    secrets.add_install_code(CODE)
    line = "ok seq=18317 value=8A83FED3407A93972 install-codes are 16 octets 00-DB-12-34-56-78-90-A4"
    assert secrets.text(line) == line
    assert secrets.octets(line.encode()) == line.encode()
