"""Messages cut into blocks and put together again, in any order, with blocks lost, repeated and forged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.block_transfer import Assembly, Block, cut, is_block
from harness.gbcs.header import Cra
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyUsage, OwnKeys
from harness.gbcs.message import parse
from harness.gbcs.use_cases.joining import CS03C, DeviceType, Join, JoinMethod
from tests.gbcs.vectors import GSME, PPMID

PKI = BenchPki("test")
MESSAGE = CS03C.build_command(
    Join(
        method=JoinMethod.METHOD_C,
        device=GSME,
        device_type=DeviceType.GSME,
        certificate=PKI.certificate(GSME, KeyUsage.KEY_AGREEMENT),
    ),
    OwnKeys(ACB, PKI),
    originator=ACB,
    device=PPMID,
    counter=9,
    supplementary_party=SUPPLIER,
    supplementary_counter=10,
)
BLOCKS = cut(MESSAGE, 100)


def assemble(blocks):
    assembly = Assembly()
    wholes = [assembly.feed(block) for block in blocks]
    return [whole for whole in wholes if whole is not None], assembly


@given(st.integers(1, 700), st.randoms(use_true_random=False))
def test_a_message_is_put_together_from_its_blocks_in_any_order(size, rng):
    blocks = [Block.from_bytes(block.to_bytes()) for block in cut(MESSAGE, size)]
    assert all(len(block.data) <= size for block in blocks)
    rng.shuffle(blocks)
    wholes, assembly = assemble(blocks)
    assert wholes == [MESSAGE]
    assert assembly.missing == ()
    assert assembly.acknowledged == len(blocks)


@given(st.lists(st.sampled_from(BLOCKS)))
def test_without_all_its_blocks_there_is_no_message_and_the_missing_ones_are_known(some):
    wholes, assembly = assemble(some)
    if {block.number for block in some} == {block.number for block in BLOCKS}:
        assert set(wholes) == {MESSAGE}
    else:
        assert wholes == []
        if any(block.last for block in some):
            have = {block.number for block in some}
            assert assembly.missing == tuple(block.number for block in BLOCKS if block.number not in have)


def test_a_block_is_these_octets():
    block = replace(BLOCKS[0], data=b"\xaa\xbb", number=2, acknowledged=1, window=3)
    route = "dd090100000000000000090890b3d51f300000020800db1234567890a4000200af00"
    for flags, control in (({}, "03"), ({"last": True}, "83"), ({"streaming": True}, "43")):
        octets = replace(block, **flags).to_bytes()
        assert octets.hex() == route + "0e" + "0000000000" + "e0" + control + "0002000102aabb"


def test_a_block_is_told_from_a_message():
    assert is_block(BLOCKS[0].to_bytes())
    assert not is_block(MESSAGE)
    with pytest.raises(DecodeError, match="MAC header"):
        parse(BLOCKS[0].to_bytes())


def test_every_block_carries_the_route_of_its_message():
    for number, block in enumerate(BLOCKS, start=1):
        assert block.route == (Cra.COMMAND, 9, ACB, PPMID, 0x00AF)
        assert (block.number, block.last) == (number, number == len(BLOCKS))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"counter": 10}, "routing header"),
        ({"originator": SUPPLIER}, "routing header"),
        ({"recipient": GSME}, "routing header"),
        ({"message_code": 1}, "routing header"),
        ({"cra": Cra.RESPONSE}, "routing header"),
        ({"data": b"other"}, "block data"),
        ({"last": True}, "block data"),
        ({"number": 0}, "block number"),
        ({"number": 99}, "block number"),
    ],
)
def test_a_block_that_is_not_the_messages_is_refused_and_changes_nothing(change, field):
    assembly = Assembly()
    for block in (BLOCKS[0], BLOCKS[-1]):
        assembly.feed(block)
    with pytest.raises(DecodeError, match=field):
        assembly.feed(replace(BLOCKS[0], **change))
    assert [assembly.feed(block) for block in BLOCKS[1:-1]][-1] == MESSAGE


def test_an_end_before_what_came_is_refused():
    assembly = Assembly()
    assembly.feed(BLOCKS[3])
    with pytest.raises(DecodeError, match="came before"):
        assembly.feed(replace(BLOCKS[1], last=True))


def test_a_message_without_end_is_refused_before_it_fills_the_memory():
    assembly = Assembly()
    for number in range(1, 66):
        assembly.feed(replace(BLOCKS[0], number=number, data=bytes(1000)))
    with pytest.raises(DecodeError, match="makes a message of 66000 octets"):
        assembly.feed(replace(BLOCKS[0], number=66, data=bytes(1000)))


def test_an_acknowledgement_goes_back_and_adds_nothing():
    reply = BLOCKS[2].acknowledgement(3)
    assert (reply.originator, reply.recipient, reply.acknowledged, reply.data) == (PPMID, ACB, 3, b"")
    assert Block.from_bytes(reply.to_bytes()) == reply
    assert Assembly().feed(reply) is None


@pytest.mark.parametrize("size", [0, -1])
def test_there_is_no_cutting_into_nothing(size):
    with pytest.raises(ValueError, match="cannot cut"):
        cut(MESSAGE, size)


@pytest.mark.parametrize(
    "change", [{"window": 64}, {"number": 1 << 16}, {"acknowledged": -1}, {"counter": 1 << 64}]
)
def test_a_block_that_cannot_be_written_cannot_be_made(change):
    with pytest.raises(ValueError, match=r"window|fit"):
        replace(BLOCKS[0], **change).to_bytes()


@given(st.data())
def test_a_mutated_block_raises_only_a_decode_error_or_reads_back(data):
    octets = bytearray(BLOCKS[0].to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut_at = data.draw(st.integers(0, len(octets)))
    for octets_ in (bytes(octets), bytes(octets[:cut_at])):
        try:
            assert Block.from_bytes(octets_).to_bytes() == octets_
        except DecodeError:
            continue


def test_octets_after_a_block_are_refused():
    with pytest.raises(DecodeError, match="length in the routing header"):
        Block.from_bytes(BLOCKS[0].to_bytes() + b"\x00")


def test_another_device_is_another_route():
    assert replace(BLOCKS[0], recipient=Eui64(1)).route != BLOCKS[0].route
