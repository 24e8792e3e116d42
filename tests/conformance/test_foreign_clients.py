"""Programs that nobody here wrote take the virtual dongle for a real one, at each EZSP version they speak.

Each forms or restores a network, lets the virtual PPMID in with its install code, and has frames go each way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.zigbee import install_code
from tests.conformance.foreign import CHANNEL, INSTALL_CODE, PPMID, VERSIONS, Program, served
from tests.conformance.oracles import client_program, node_module, node_program

PERMIT_S = 7  # time for the join and the interview on a busy machine
NODE = PPMID.replace("-", ":").lower()
# What the PPMID says of its endpoint, in zigpy's words: Smart Energy's profile, an in-home display.
ENDPOINT = r"Discovered endpoint information: \S+\(endpoint=1, profile=265, device_type=1282"


@pytest.fixture(params=VERSIONS, ids=lambda version: f"EZSP {version}")
def version(request):
    return request.param


@pytest.mark.slow
@pytest.mark.timeout(110)
def test_bellows_forms_lets_the_ppmid_in_and_talks_with_it(tmp_path, version):
    (tmp_path / "devices.db").touch()
    database = ("-D", "devices.db")

    def bellows(*words):
        program = Path(sys.executable).with_name("bellows")
        return Program(program, "-v", "INFO", "-d", bench.dongle, *words, folder=tmp_path)

    with served("--ezsp-version", version) as bench:
        bellows("form", *database, "-c", CHANNEL).ended()
        said = bellows("info").ended()
        assert "JOINED_NETWORK" in said
        assert f"radioChannel={CHANNEL}," in said
        with bellows("permit-with-key", *database, "-t", PERMIT_S, NODE, INSTALL_CODE) as permitting:
            permitting.wait_for("Joins are permitted")
            assert bench.join().joined
            permitting.wait_for(ENDPOINT)  # zigpy has asked, and the PPMID has answered
            permitting.ended()


@pytest.mark.slow
@pytest.mark.timeout(110)
def test_zigpy_cli_forms_backs_up_and_lets_the_ppmid_in_by_a_key_that_it_restored(tmp_path, version):
    """zigpy-cli has no install codes: a backup that is restored with the PPMID's link key stands for one."""

    def zigpy(*words, verbose=("-v",)):
        program = client_program("zigpy")
        return Program(program, *verbose, "radio", "ezsp", bench.dongle, *words, folder=tmp_path)

    with served("--ezsp-version", version) as bench:
        zigpy("form").ended()
        zigpy("backup", "-z", "backup.json").ended()
        backup = json.loads((tmp_path / "backup.json").read_text())
        network = backup["network_info"]
        assert len(network["stack_specific"]["ezsp"]["hashed_tclk"]) == 32
        key = install_code.link_key(bytes.fromhex(INSTALL_CODE)[:-2])
        network["channel"], network["channel_mask"] = CHANNEL + 5, [CHANNEL + 5]
        network["key_table"] = [{**network["tc_link_key"], "key": key.hex(":"), "partner_ieee": NODE}]
        (tmp_path / "backup.json").write_text(json.dumps(backup))
        zigpy("restore", "backup.json").ended()
        said = zigpy("info").ended()
        assert f"Channel:               {CHANNEL + 5}\n" in said
        assert f"PAN ID:                0x{network['pan_id']}\n" in said
        with zigpy("permit", "-t", PERMIT_S, verbose=("-vv",)) as permitting:
            permitting.wait_for(rf"Sending command\s+permitJoining: \({PERMIT_S},\)")
            assert bench.join().joined
            permitting.wait_for(ENDPOINT)
            permitting.ended()
        zigpy("reset").ended()


@pytest.mark.slow
def test_universal_silabs_flasher_says_what_firmware_it_found(tmp_path, version):
    firmware = {8: "6.10.3.0", 13: "7.4.4.0", 14: "8.0.2.0", 19: "8.2.1.0"}[version]
    with served("--ezsp-version", version) as bench:
        program = client_program("universal-silabs-flasher")
        said = Program(program, "--device", bench.dongle, "probe", folder=tmp_path).ended()
    assert f"Detected ApplicationType.EZSP, version '{firmware} build 250'" in said
    assert "CONFIG_KEY_TABLE_SIZE=12" in said


@pytest.mark.node
@pytest.mark.parametrize(
    "version", [13, pytest.param(14, marks=pytest.mark.slow), pytest.param(19, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("links", ["tcp", pytest.param("pty", marks=pytest.mark.slow)])
def test_zigbee_herdsman_forms_lets_the_ppmid_in_and_talks_with_it(tmp_path, version, links):
    with (
        served("--ezsp-version", version, "--links", links) as bench,
        herdsman(tmp_path, bench.dongle) as hosting,
    ):
        hosting.wait_for('"permitted"')
        assert bench.join().joined
        happened = {line["what"]: line for line in map(json.loads, hosting.ended().splitlines())}
    assert happened["version"]["version"]["meta"]["ezsp"] == version
    assert happened["network"]["parameters"]["channel"] == CHANNEL
    assert happened["joined"]["ieeeAddr"] == f"0x{PPMID.replace('-', '').lower()}"
    assert happened["descriptor"]["descriptor"]["logicalType"] == 2
    answer = happened["answer"]  # Basic's ManufacturerName, as a Read Attributes Response
    assert answer["payload"] == "18010104000042" + "04" + b"1234".hex()
    assert (answer["aps"]["profileId"], answer["sender"]) == (0x0109, happened["joined"]["networkAddress"])
    assert "log" not in happened
    assert "stopped" in happened


@pytest.mark.node
@pytest.mark.slow
def test_with_another_install_code_the_ppmid_stays_out(tmp_path):
    other = install_code.with_crc(bytes(16)).hex()
    with (
        served("--links", "tcp") as bench,
        herdsman(tmp_path, bench.dongle, code=other) as hosting,
    ):
        hosting.wait_for('"permitted"')
        outcome = bench.join()
    assert (outcome.joined, outcome.reason) == (False, "wrong-key")


@pytest.mark.node
@pytest.mark.slow
def test_zigbee_herdsman_refuses_a_version_older_than_it_speaks(tmp_path):
    with (
        served("--ezsp-version", 8, "--links", "tcp") as bench,
        herdsman(tmp_path, bench.dongle) as hosting,
    ):
        assert hosting.wait_for(r"protocol version \((\d+)\) is not supported by Host") == "8"


def herdsman(folder, path, code=INSTALL_CODE):
    question = {
        "path": path,
        "channel": CHANNEL,
        "eui64": PPMID.replace("-", "").lower(),
        "install_code": code,
    }
    script = Path(__file__).with_name("herdsman_ember.cjs")
    return Program(
        node_program(), script, node_module("zigbee-herdsman"), folder=folder, told=json.dumps(question)
    )
