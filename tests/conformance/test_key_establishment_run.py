"""Decoders by other hands follow a join, its key establishment and what that secures, in a certify run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.eui64 import Eui64
from harness.evidence.timeline import read_timeline
from harness.tap import Boundary
from harness.zigbee import install_code
from harness.zigbee.cbke.commands import ConfirmKey
from harness.zigbee.cbke.suites import SUITE_1, SUITE_2
from harness.zigbee.decoder import Decoder
from tests.conformance.oracles import ask_node, node_module
from tests.conformance.test_certify_tshark import ask, cases, frames_before_whitelisting, keys_of

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
HUBS = {
    "MP202-ROW-1": (Eui64.parse("00-DB-12-34-56-78-91-01"), SUITE_1),
    "MP202-ROW-2": (Eui64.parse("00-DB-12-34-56-78-91-02"), SUITE_2),
}
INSTALL_CODE_KEY = install_code.link_key(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
ONLY_THAT = (INSTALL_CODE_KEY.hex(),)
SMART_ENERGY = "zbee_aps.type == 0 && zbee_aps.profile == 0x0109 && !(zbee_aps.cluster == 0x0800)"
rows = pytest.mark.parametrize("row", HUBS)


def since_whitelisting(folder, display_filter):
    return f"({display_filter}) && frame.number > {frames_before_whitelisting(folder)}"


@pytest.mark.tshark
@rows
def test_tshark_follows_join_and_key_establishment_by_the_install_codes_key_alone(certified, row):
    folder = certified.pack / "cases" / row
    hub, suite = HUBS[row]
    keys = ask(folder, ONLY_THAT, since_whitelisting(folder, "zbee_aps.cmd.id == 0x05"), "zbee_aps.cmd.key")
    assert len(keys) == 1
    assert ask(
        folder, ONLY_THAT, since_whitelisting(folder, "zbee_aps.zdp_cluster == 0x0013"), "frame.number"
    )
    said = ask(
        folder,
        ONLY_THAT,
        since_whitelisting(folder, "zbee_aps.cluster == 0x0800 && zbee_zcl.type == 1"),
        *("_ws.col.Info", "zbee_zcl_se.ke.attr.suite", "zbee_zcl_se.ke.cert.subject", "zbee_aps.security"),
    )
    words = [info.split("ZCL Key Establishment: ")[1].split(", Seq")[0] for info, *_ in said]
    assert words == [
        *("Initiate Key Establishment Request", "Initiate Key Establishment Response"),
        *("Ephemeral Data Request", "Ephemeral Data Response"),
        *("Confirm Key Data Request", "Confirm Key Data Response"),
    ]
    assert [(int(number, 0), subject.replace(":", "")) for _, number, subject, _ in said[:2]] == [
        (suite.number, device.to_bytes_be().hex()) for device in (PPMID, hub)
    ]
    assert all(security in ("0", "False") for *_, security in said)


@pytest.mark.tshark
@rows
def test_smart_energy_stays_closed_to_the_install_codes_key_and_opens_to_the_derived_one(certified, row):
    folder = certified.pack / "cases" / row
    secured = since_whitelisting(
        folder, "zbee_aps.type == 0 && zbee_aps.profile == 0x0109 && !(zbee_aps.cluster == 0x0800)"
    )
    for keys, opened in ((ONLY_THAT, False), (tuple(keys_of(folder)), True)):
        frames = ask(folder, keys, secured, "frame.number", "zbee_aps.security", "_ws.expert.message")
        assert len(frames) >= 2
        for number, security, remark in frames:
            assert security in ("1", "True"), number
            assert ("Encrypted" not in remark) is opened, (number, remark)


@pytest.mark.tshark
def test_no_smart_energy_frame_of_any_case_goes_without_the_link_key(certified):
    seen = 0
    for folder in cases(certified):
        for number, security in ask(
            folder,
            tuple(keys_of(folder)),
            SMART_ENERGY,
            "frame.number",
            "zbee_aps.security",
        ):
            seen += 1
            assert security in ("1", "True"), (folder.name, number)
    assert seen > 10


@pytest.mark.node
@rows
def test_zigbee_on_host_reads_the_same(certified, row):
    folder = certified.pack / "cases" / row
    hub, _ = HUBS[row]
    decoder = Decoder()
    keys = [bytes.fromhex(key) for key in keys_of(folder, link_only=True)]
    for key in keys_of(folder)[: -len(keys)]:
        decoder.keys.add_network_key(bytes.fromhex(key))
    for key in keys:
        decoder.keys.add_link_key(key, PPMID)
    frames, skip = [], frames_before_whitelisting(folder)
    for event in read_timeline(folder / "timeline.jsonl"):
        if event.boundary is Boundary.AIR:
            frames.append(decoder.feed(event.data))
    mine = [frame for frame in frames[skip:] if frame.nwk is not None]
    assert not any(frame.error for frame in mine)
    confirmed = max(n for n, frame in enumerate(mine) if isinstance(frame.zcl_body, ConfirmKey))
    network = next(frame.aps_command.key for frame in mine if frame.aps_command is not None)
    derived = next(key for key in reversed(keys) if key != INSTALL_CODE_KEY)
    short = next(frame.zdo.nwk_address for frame in mine if type(frame.zdo).__name__ == "DeviceAnnce")
    parts = ((mine[: confirmed + 1], INSTALL_CODE_KEY), (mine[confirmed + 1 :], derived))
    for part, link in parts:
        question = {
            "frames": [frame.psdu.hex() for frame in part],
            "link": link.hex(),
            "network": network.hex(),
            "sources": {"0": hub.to_bytes_be().hex(), str(short): PPMID.to_bytes_be().hex()},
        }
        script = Path(__file__).with_name("zigbee_on_host.cjs")
        theirs = ask_node(script, node_module("zigbee-on-host"), question)["frames"]
        for frame, seen in zip(part, theirs, strict=True):
            assert seen["nwk"]["payload"] == frame.nwk.payload.hex(), frame.summary
            if frame.aps is not None:
                assert seen["aps"]["payload"] == frame.aps.payload.hex(), frame.summary
                assert ("securityHeader" in seen["aps"]["header"]) == frame.aps_decrypted, frame.summary
        assert any(frame.aps_decrypted for frame in part)
