"""Every format: what decodes encodes to the same octets, and what does not raises DecodeError."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import harness.zigbee
from harness.errors import DecodeError
from harness.zigbee import aps, aps_commands, mac, nwk, nwk_commands, zcl_clusters, zcl_general, zdo
from harness.zigbee.fields import Cursor, OpenEnum, Record
from harness.zigbee.zcl import ZclFrame
from harness.zigbee.zcl_types import take_typed
from tests.zigbee.conversation import HUB


def formats() -> list[type[Record]]:
    found = {}
    for module in pkgutil.iter_modules(harness.zigbee.__path__):
        for name, kind in inspect.getmembers(
            importlib.import_module(f"harness.zigbee.{module.name}"), inspect.isclass
        ):
            if issubclass(kind, Record) and kind is not Record and hasattr(kind, "__dataclass_fields__"):
                found[name] = kind
    return sorted(found.values(), key=lambda kind: kind.__name__)


def test_the_formats_are_found():
    assert len(formats()) > 80


@pytest.mark.parametrize("kind", formats(), ids=lambda kind: kind.__name__)
@given(octets=st.binary(max_size=60))
def test_what_decodes_encodes_to_the_same_octets(kind, octets):
    try:
        record = kind.from_bytes(octets)
    except DecodeError:
        return
    assert "nan" in repr(record) or record.to_bytes() == octets


PARSERS = [
    mac.parse_command,
    mac.strip_fcs,
    nwk_commands.parse_command,
    aps_commands.parse_command,
    lambda octets: take_typed(Cursor(octets)),
    *(
        lambda octets, cluster=cluster: zdo.decode(cluster, octets)
        for cluster in (*zdo.BODIES, 0x0099, 0x8099)
    ),
]


@pytest.mark.parametrize("parser", PARSERS)
@given(octets=st.binary(max_size=100))
def test_random_octets_raise_only_decode_errors(parser, octets):
    with contextlib.suppress(DecodeError):
        parser(octets)


@given(octets=st.binary(max_size=100), cluster=st.sampled_from([0x0704, 0x0800, 0x0000]))
@example(octets=b"\x08\x01\x01\x00\x00\x00" + b"\x48\x48\x01\x00" * 400, cluster=0x0000)
@example(octets=b"\x08\x01\x0a\x00\x00" + b"\x4c\x01\x00" * 400, cluster=0x0000)
@example(octets=b"\x08\x01\x0a\x00\x00\x48\x00\xff\xff", cluster=0x0000)
def test_random_zcl_raises_only_decode_errors(octets, cluster):
    with contextlib.suppress(DecodeError):
        frame = ZclFrame.from_bytes(octets)
        zcl_general.parse(frame)
        zcl_clusters.parse(cluster, frame)


def test_an_enum_keeps_a_value_that_it_does_not_know():
    unknown = nwk_commands.NetworkStatusCode(0x77)
    assert (int(unknown), unknown.name) == (0x77, "UNKNOWN_0x77")
    assert isinstance(unknown, OpenEnum)


def test_octets_left_over_are_an_error():
    with pytest.raises(DecodeError, match="1 octets left over"):
        mac.DataRequest.from_bytes(b"\x04\x00")


def test_a_field_that_is_cut_is_named_with_its_place():
    with pytest.raises(DecodeError) as caught:
        mac.AssociationResponse.from_bytes(b"\x02\x34")
    assert (caught.value.field, caught.value.offset) == ("short_address", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mac.AssociationResponse(short_address=0x10000).to_bytes(),
        lambda: mac.ZigbeeBeacon(extended_pan_id=HUB, depth=16).to_bytes(),
        lambda: aps_commands.TransportKey(
            key_type=aps_commands.KeyType.STANDARD_NETWORK_KEY, key=bytes(16), destination=None
        ).to_bytes(),
        lambda: aps_commands.SwitchKey(key_sequence=256).to_bytes(),
        lambda: aps_commands.VerifyKey(source=HUB, digest=bytes(15)).to_bytes(),
        lambda: aps.ApsFrame(frame_type=aps.ApsFrameType.COMMAND, counter=1, cluster=5).to_bytes(),
        lambda: aps.ApsFrame(frame_type=aps.ApsFrameType.DATA, counter=1).to_bytes(),
        lambda: mac.MacFrame(
            frame_type=mac.MacFrameType.DATA, sequence=1, pan_id_compression=True
        ).to_bytes(),
        lambda: nwk.NwkFrame(
            frame_type=nwk.NwkFrameType.DATA, destination=0, source=0, sequence=300
        ).to_bytes(),
    ],
)
def test_values_that_a_format_cannot_carry_are_refused(wrong):
    with pytest.raises(ValueError):  # noqa: PT011 - each has a text of its own
        wrong()
