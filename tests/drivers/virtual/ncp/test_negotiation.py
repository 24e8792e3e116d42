"""Host and dongle agree on a version, and what a version does not know is told so: frames without a line."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from drivers.virtual.medium import Medium
from drivers.virtual.ncp.application import NcpApplication
from drivers.virtual.ncp.state import NonVolatile
from drivers.virtual.stack.node import Node
from tests.drivers.virtual.stack.network import HUB

VERSIONS = (8, 13, 14, 19)
VERSION_NOT_SET, INVALID_FRAME_ID, TRUNCATED = 0x30, 0x31, 0x33
NOP = bytes((9, 0x00, 0x01, 0x05, 0x00))


class Talk:
    def __init__(self, version):
        self.said = []
        rng = random.Random(1)
        self.ncp = NcpApplication(
            partial(Node, Medium(rng), HUB, coordinator=True, reassemble=False, rng=rng),
            self.said.append,
            lambda work: None,
            eui64=HUB,
            version=version,
            kept=NonVolatile(),
            rng=rng,
        )

    def __call__(self, frame):
        self.ncp.request(bytes(frame))
        (answer,) = self.said
        self.said.clear()
        return answer

    def refusal(self, frame):
        """Return why a frame was refused."""
        answer = self(frame)
        assert answer[:5] == bytes((frame[0], 0x80, 0x01, 0x58, 0x00))
        return answer[5]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_that_begins_with_the_oldest_header_is_told_the_version_and_asks_again(version):
    talk = Talk(version)
    assert talk((0, 0x00, 0x00, 4))[:5] == bytes((0, 0x80, 0x00, version, 2))
    assert talk.refusal(NOP) == VERSION_NOT_SET
    assert talk((1, 0x00, 0x01, 0x00, 0x00, version))[:7] == bytes((1, 0x80, 0x01, 0, 0, version, 2))
    assert talk(NOP) == bytes((9, 0x80, 0x01, 0x05, 0x00))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_that_guesses_the_version_at_once_need_not_ask_again(version):
    talk = Talk(version)
    talk((0, 0x00, 0x00, version))
    assert talk(NOP) == bytes((9, 0x80, 0x01, 0x05, 0x00))


@pytest.mark.parametrize("header", [(0, 0x00, 0x00), (0, 0x00, 0x01, 0x00, 0x00)], ids=["old", "new"])
@pytest.mark.parametrize("asked", [0, 7, 12, 20, 255])
def test_a_host_that_asks_for_a_version_that_is_not_ours_gets_no_further(header, asked):
    talk = Talk(13)
    talk((0, 0x00, 0x00, 13))
    assert bytes((13, 2)) in talk((*header, asked))
    assert talk.refusal(NOP) == VERSION_NOT_SET
    assert bytes((13, 2)) in talk((*header, 13))
    assert talk(NOP)[3] == 0x05


@pytest.mark.parametrize("version", VERSIONS)
def test_after_a_reset_the_version_must_be_agreed_on_again(version):
    talk = Talk(version)
    talk((0, 0x00, 0x00, version))
    talk.ncp.reset()
    assert talk.refusal(NOP) == VERSION_NOT_SET


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("identifier", [0x03FF, 0x7ABC, 0x00A5], ids=hex)
def test_an_unknown_command_is_told_so_and_the_next_is_answered(version, identifier, caplog):
    talk = Talk(version)
    talk((0, 0x00, 0x00, version))
    frame = (5, 0x00, 0x01, *identifier.to_bytes(2, "little"), 1, 2, 3)
    assert talk.refusal(frame) == INVALID_FRAME_ID
    assert f"no command 0x{identifier:04X}" in caplog.text
    assert talk(NOP)[3] == 0x05


@pytest.mark.parametrize("version", VERSIONS)
def test_a_command_cut_short_is_told_so(version):
    talk = Talk(version)
    talk((0, 0x00, 0x00, version))
    assert talk.refusal((5, 0x00, 0x01, 0x55, 0x00, 1)) == TRUNCATED  # setPolicy without a decision
    assert talk.refusal((6, 0x00, 0x01)) == TRUNCATED


@pytest.mark.parametrize("version", VERSIONS)
def test_a_callback_sent_as_a_command_is_refused(version):
    talk = Talk(version)
    talk((0, 0x00, 0x00, version))
    assert talk.refusal((5, 0x00, 0x01, 0x19, 0x00)) == INVALID_FRAME_ID


def test_a_callback_has_the_number_of_the_last_command():
    """With 0xFF instead, bellows takes it for the answer to its command 0xFF, and loses both."""
    talk = Talk(13)
    talk((0, 0x00, 0x00, 13))
    talk(NOP)

    async def fall():
        talk.ncp.network_down(really=False, told=True)
        await asyncio.sleep(0.001)

    asyncio.run(fall())
    (callback,) = talk.said
    assert callback[:5] == bytes((NOP[0], 0x90, 0x01, 0x19, 0x00))
