from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radio.fragments import MessageKey, Reassembler, acknowledgement_group_id, split

KEY = MessageKey(
    sender=0x1234, aps_counter=7, profile=0x0109, cluster=0x0704, source_endpoint=1, destination_endpoint=123
)
OTHER = MessageKey(
    sender=0x1234, aps_counter=8, profile=0x0109, cluster=0x0704, source_endpoint=1, destination_endpoint=123
)


@given(st.binary(min_size=1, max_size=2000), st.integers(8, 82), st.randoms())
def test_blocks_in_any_order_and_number_make_the_message_exactly_once(payload, size, random):
    blocks = list(split(payload, size)) * 2
    random.shuffle(blocks)
    reassembler = Reassembler()
    whole = [
        reassembler.feed(KEY, index=block.index, total=block.total, payload=block.payload, now=0.0)
        for block in blocks
    ]
    assert [message for message in whole if message is not None] == [payload]
    assert reassembler.pending == 0


@given(st.binary(min_size=1, max_size=500), st.integers(2, 82))
def test_blocks_are_full_but_for_the_last_and_say_how_many_there_are(payload, size):
    blocks = split(payload, size)
    assert b"".join(block.payload for block in blocks) == payload
    assert {len(block.payload) for block in blocks[:-1]} <= {size}
    assert 0 < len(blocks[-1].payload) <= size
    assert [block.group_id for block in blocks] == [len(blocks) << 8 | i for i in range(len(blocks))]


def test_a_message_of_too_many_blocks_is_refused():
    with pytest.raises(ValueError, match="256 blocks"):
        split(bytes(256), 1)


@pytest.mark.parametrize(("payload", "size"), [(b"", 10), (b"x", 0)])
def test_nothing_to_cut_is_refused(payload, size):
    with pytest.raises(ValueError, match=r"octet|empty"):
        split(payload, size)


def test_a_missing_block_leaves_the_message_incomplete_until_it_is_given_up():
    reassembler = Reassembler(wait_s=10.0)
    assert reassembler.feed(KEY, index=0, total=2, payload=b"a", now=0.0) is None
    assert reassembler.expire(9.9) == ()
    assert reassembler.expire(10.0) == (KEY,)
    assert reassembler.feed(KEY, index=1, total=None, payload=b"b", now=11.0) is None
    assert reassembler.pending == 1


def test_two_messages_of_one_sender_do_not_mix():
    reassembler = Reassembler()
    reassembler.feed(KEY, index=0, total=2, payload=b"a", now=0.0)
    reassembler.feed(OTHER, index=0, total=2, payload=b"x", now=0.0)
    assert reassembler.feed(KEY, index=1, total=None, payload=b"b", now=0.0) == b"ab"
    assert reassembler.feed(OTHER, index=1, total=None, payload=b"y", now=0.0) == b"xy"


def test_an_aps_counter_may_be_used_again_once_the_old_message_is_forgotten():
    reassembler = Reassembler(wait_s=10.0)
    assert reassembler.feed(KEY, index=0, total=1, payload=b"a", now=0.0) == b"a"
    assert reassembler.feed(KEY, index=0, total=1, payload=b"a", now=1.0) is None
    assert reassembler.feed(KEY, index=0, total=1, payload=b"b", now=10.0) == b"b"


def test_the_total_of_a_later_block_is_not_believed():
    reassembler = Reassembler()
    assert reassembler.feed(KEY, index=1, total=1, payload=b"b", now=0.0) is None
    assert reassembler.feed(KEY, index=0, total=2, payload=b"a", now=0.0) == b"ab"


def test_an_acknowledgement_marks_the_whole_window_received():
    assert acknowledgement_group_id(3) == 0xFF03
