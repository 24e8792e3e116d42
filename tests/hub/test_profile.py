from __future__ import annotations

import pytest

from harness.errors import ConfigError
from harness.hub.profile import Basis, load_profile

MINIMAL = """\
schema: ppmid-bench/hub-profile@1
generation: SMETS2+
endpoints:
  - number: 11
    profile: 0x0109
    device-id: 0x0500
    input-clusters: [0x0800, 0x0704]
key-establishment-suites: 2
tunnel: {protocol: 6}
basic: {manufacturer-name: m, model-identifier: x}
"""


def load(tmp_path, text):
    path = tmp_path / "hub.yaml"
    path.write_text(text)
    return load_profile(path)


def test_the_two_profiles_differ_in_suite_and_tunnel():
    smets1, smets2 = load_profile("smets1"), load_profile("smets2")
    assert (smets1.generation, smets2.generation) == ("SMETS1", "SMETS2+")
    assert (smets1.key_establishment_suites, smets2.key_establishment_suites) == (0x0001, 0x0002)
    assert smets1.tunnel is None
    assert smets1.endpoint_of(0x0704) is None
    assert smets2.tunnel.protocol == 6
    assert smets2.endpoint_of(0x0704).number == smets2.endpoint_of(0x0800).number
    assert smets2.endpoint_of(0x0800).number % 2 == 1


@pytest.mark.parametrize("name", ["smets1", "smets2"])
def test_every_choice_of_a_profile_says_what_it_rests_on(name):
    profile = load_profile(name)
    assert {rule.basis for rule in profile.rests_on} <= set(Basis)
    assert any(rule.basis is Basis.ASSUMED for rule in profile.rests_on)
    assert all(rule.source and rule.says for rule in profile.rests_on)


def test_an_endpoint_is_shown_as_a_radio_takes_it():
    endpoint = load_profile("smets2").endpoints[0].descriptor()
    assert (endpoint.number, endpoint.profile, endpoint.device_id) == (123, 0x0109, 0x0500)
    assert 0x0704 in endpoint.input_clusters


def test_a_profile_of_ones_own_is_read(tmp_path):
    assert load(tmp_path, MINIMAL).endpoints[0].number == 11


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tunnel: {protocol: 6}\n", "", "go together"),
        ("0x0800, 0x0704", "0x0800", "go together"),
        ("[0x0800, 0x0704]", "[0x0704]", "key establishment"),
        ("suites: 2", "suites: 4", "0x0004"),
        ("number: 11", "number: 241", "endpoint 241"),
        ("generation: SMETS2+", "generation: SMETS2", "SMETS2"),
        ("basic:", "basics:", "did you mean `basic`"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_place(tmp_path, old, new, words):
    with pytest.raises(ConfigError, match=r"hub\.yaml:\d+") as caught:
        load(tmp_path, MINIMAL.replace(old, new))
    assert words in str(caught.value)


def test_a_profile_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"smets3\.yaml"):
        load_profile("smets3")


def test_a_rule_is_there_once(tmp_path):
    rule = "{rule: HUB-001, basis: assumed, says: this, source: that}"
    with pytest.raises(ConfigError, match="HUB-001 twice"):
        load(tmp_path, f"{MINIMAL}rests-on: [{rule}, {rule}]\n")
