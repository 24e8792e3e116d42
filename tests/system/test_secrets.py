"""A whole run leaves no install code behind unless the rig says so, and still opens in tshark."""

from __future__ import annotations

import json

import pytest

from harness.zigbee.install_code import link_key
from tests.conformance.oracles import tshark
from tests.evidence.test_secrets import CODE, holding
from tests.system.runs import certify


@pytest.fixture(scope="module", params=["han", "mask"])
def masked(request, tmp_path_factory):
    run = certify(tmp_path_factory.mktemp(request.param) / "pack", "-k", "ROW-2", "--secrets", request.param)
    assert run.code == 0, run.said
    return request.param, run.pack


def files_of(pack):
    return {str(path.relative_to(pack)): path.read_bytes() for path in pack.rglob("*") if path.is_file()}


def test_the_install_code_and_its_link_key_are_nowhere(masked, certified):
    _, pack = masked
    assert holding(files_of(certified.pack), CODE), "the virtual rig keeps it, so that this could fail"
    assert holding(files_of(pack), CODE) == []
    assert holding(files_of(pack), link_key(CODE)) == []


def test_what_is_printed_does_not_tell_them_either(tmp_path):
    run = certify(tmp_path / "pack", "-k", "WRONG-INSTALL", "--secrets", "han", "--json")
    assert run.code == 0, run.said
    titles = [step["title"] for step in json.loads(run.out)["cases"][0]["steps"]]
    assert any("install_code: [masked]" in title for title in titles), titles


@pytest.mark.tshark
def test_the_capture_opens_with_the_keys_that_are_left(masked, tmp_path):
    from harness.evidence.pcapng import read_psdus

    policy, pack = masked
    case = pack / "cases" / "MP202-ROW-2"
    told = json.loads((case / "keys.json").read_text())["network"]
    keys = [bytes.fromhex(key) for key in told if key != "[masked]"]
    packets = tshark(tmp_path, list(read_psdus(case / "han.pcapng")), keys)
    opened = [packet for packet in packets if "zbee_aps" in packet.protocols]
    assert bool(keys) == (policy == "han")
    assert (len(opened) > 5) == bool(keys)  # the frame that brings the network key is in no network yet
