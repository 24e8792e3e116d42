"""A rig file is checked whole before anything is opened, and says where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.rig.faces import Face
from harness.rig.load import driver_options, environment_nodes, load_rig

RIGS = Path(__file__).parents[2] / "rigs"
VIRTUAL = (RIGS / "virtual.yaml").read_text()


@pytest.fixture
def load(tmp_path):
    def load_changed(*changes, text=VIRTUAL):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "rig.yaml"
        path.write_text(text)
        return load_rig(path)

    return load_changed


@pytest.mark.parametrize("name", ["virtual.yaml", "bench-example.yaml"])
def test_the_rigs_that_come_with_the_bench_are_sound(name):
    rig = load_rig(RIGS / name)
    assert set(rig.hubs) == {"smets1", "smets2"}
    assert rig.dcc.cpl == RIGS / "cpl-virtual.csv"


def test_a_resource_knows_its_node_of_the_environment():
    assert environment_nodes(load_rig(RIGS / "virtual.yaml")) == {
        "hubs.smets1.radio": "smets1",
        "hubs.smets2.radio": "smets2",
        "ppmid.port": "ppmid",
    }
    assert environment_nodes(load_rig(RIGS / "bench-example.yaml")) == {}


def test_what_the_environment_gives_goes_into_the_options(load):
    rig = load()
    values = {"smets1": "tcp://127.0.0.1:7001"}
    assert driver_options(rig.hubs["smets1"].radio, Face.RADIO, values).path == "tcp://127.0.0.1:7001"
    with pytest.raises(ConfigError, match="the environment gives no `smets2`; did you mean `smets1`"):
        driver_options(rig.hubs["smets2"].radio, Face.RADIO, values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ("driver: ezsp", "driver: ezps"),
            r"rig\.yaml:\d+:\d+: there is no driver `ezps`; did you mean `ezsp`",
        ),
        (("driver: ezsp", "driver: test-port"), "drives a ppmid, not a radio"),
        (("{driver: ezsp, ", "{"), "`driver` is missing; known here: `ezsp`"),
        (("channel: 15", "channel: 27"), r"rig\.yaml:\d+:\d+: channel 27: a 2.4 GHz channel is 11 to 26"),
        (("profile: smets1", "profile: smets3"), "there is no hub profile `smets3`; did you mean `smets"),
        (("profile: smets1", "profile: own.yaml"), r"own\.yaml: no such file"),
        (
            ("profile: smets1", "profile: smets1\n    defects: [ignores-windows]"),
            "did you mean `ignores-window`",
        ),
        (("cpl: cpl-virtual.csv", "cpl: x.csv\n  defects: [swap]"), "unknown defect `swap`"),
        (("install-code: 83FE", "install-code: 83"), "has 16 octets, not 15"),
        (('path: "${environment.smets1}"', "path: /dev/x, bautrate: 9600"), "did you mean `baudrate`"),
        (("${environment.smets1}", "${env.smets1}"), r"write \$\{environment.NAME\}"),
        (("schema: ppmid-bench/rig@1", "schema: ppmid-bench/plan@1"), "expected `schema: ppmid-bench/rig@1`"),
        (
            ("channel: 20", "channel: 20\n    gpf: 00-DB-12-34-56-78-90-A4"),
            r"rig\.yaml:\d+:\d+: the GPF of hub `smets2` has the EUI-64 of the PPMID",
        ),
        (("type: GSME", "type: ESME"), r"rig\.yaml:\d+:\d+: a rig has one ESME, this is another"),
        (
            (
                "    type: GSME\n    eui64: 00-DB-12-34-56-78-90-A1",
                "    type: GSME\n    eui64: 00-DB-12-34-56-78-90-A0",
            ),
            "the meter `gsme` has the EUI-64 of the meter `esme`",
        ),
        (
            (
                "    type: ESME\n    eui64: 00-DB-12-34-56-78-90-A0",
                "    type: ESME\n    eui64: 00-DB-12-34-56-78-90-A4",
            ),
            "the meter `esme` has the EUI-64 of the PPMID",
        ),
        (
            ("kind: GSME, eui64", "kind: GSME, defects: [keeps-unjoint], eui64"),
            "`keeps-unjoined`, `takes-any-time`; found 'keeps-unjoint'",
        ),
        (("seed: 202", "seed: many"), "`seed` must be a whole number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(load, change, says):
    with pytest.raises(ConfigError, match=says):
        load(change)


def test_a_reference_needs_an_environment(load):
    text = VIRTUAL[: VIRTUAL.index("environment:")] + VIRTUAL[VIRTUAL.index("hubs:") :]
    with pytest.raises(ConfigError, match="needs an `environment` in the rig"):
        load(text=text)


def test_a_rig_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        load_rig(tmp_path / "none.yaml")


def test_two_gpfs_are_two_devices_and_a_rig_may_say_which(load):
    gpf = "\n    gpf: 00-DB-12-34-56-78-90-A3"
    assert str(load(("channel: 20", f"channel: 20{gpf}")).hubs["smets2"].gpf) == "00-DB-12-34-56-78-90-A3"
    with pytest.raises(ConfigError, match="the EUI-64 of the GPF of hub `smets1`"):
        load(("channel: 15", f"channel: 15{gpf}"), ("channel: 20", f"channel: 20{gpf}"))
