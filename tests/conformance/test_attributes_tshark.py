"""tshark knows the attributes that we name by the same names."""

from __future__ import annotations

import re

import pytest

from harness.zigbee.zcl_attributes import NAMES
from tests.conformance.oracles import tshark_values

pytestmark = pytest.mark.tshark

FIELDS = {
    0x0000: "zbee_zcl_general.basic.attr_id",
    0x000A: "zbee_zcl_general.time.attr_id",
    0x0019: "zbee_zcl_general.ota.attr_id",
    0x0704: "zbee_zcl_se.tun.attr_id",
    0x0705: "zbee_zcl_se.pp.attr_id",
    0x0800: "zbee_zcl_se.ke.attr_id",
}


def plain(name):
    return re.sub("[^a-z0-9]", "", name.lower())


@pytest.mark.parametrize("cluster", NAMES, ids=lambda cluster: f"{cluster:04X}")
def test_an_attribute_is_named_as_tshark_names_it(cluster):
    theirs = tshark_values(FIELDS[cluster])
    for number, name in NAMES[cluster].items():
        assert plain(theirs[number]) == plain(name), f"{cluster:04X}/{number:04X}"
