"""The conversation ends with one key on both sides, or on both without; the decoder reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.eui64 import Eui64
from harness.zigbee import key_establishment, zcl_clusters
from harness.zigbee.cbke.authority import BenchAuthority, DeviceCredentials
from harness.zigbee.cbke.certificates import Certificate
from harness.zigbee.cbke.commands import (
    COMMANDS,
    ConfirmKey,
    EphemeralData,
    Initiate,
    Terminate,
    TerminateStatus,
)
from harness.zigbee.cbke.exchange import Established, Exchange, Failed
from harness.zigbee.cbke.suites import SUITE_1, SUITE_2
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType
from tests.zigbee.cbke.vectors import VECTORS

HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
AUTHORITY = BenchAuthority("test")
suites = pytest.mark.parametrize("suite", [SUITE_1, SUITE_2], ids=lambda suite: suite.name)


def sides(suite, *, hub=None, ppmid=None):
    return (
        Exchange(ppmid or AUTHORITY.credentials(PPMID, suite), peer=HUB, ephemeral=1234567, initiator=True),
        Exchange(hub or AUTHORITY.credentials(HUB, suite), peer=PPMID, ephemeral=7654321, initiator=False),
    )


def converse(initiator, responder, spoil=None):
    """Let them talk; `spoil` may change a command on its way. Return everything that was said."""
    command, taker, other, said = initiator.start(0.0), responder, initiator, []
    while command is not None:
        said.append(command)
        passed = COMMANDS[Direction.TO_SERVER, command.COMMAND].from_bytes(command.to_bytes())
        command = taker.take(spoil(passed) if spoil else passed, 0.0).send
        taker, other = other, taker
    return said


@suites
def test_both_sides_have_one_key(suite):
    initiator, responder = sides(suite)
    said = converse(initiator, responder)
    assert [type(command) for command in said] == [
        Initiate,
        Initiate,
        *[EphemeralData] * 2,
        *[ConfirmKey] * 2,
    ]
    assert initiator.outcome == Established(peer=HUB, link_key=initiator.outcome.link_key)
    assert responder.outcome == Established(peer=PPMID, link_key=initiator.outcome.link_key)
    assert len(initiator.outcome.link_key) == 16
    assert initiator.next_deadline() is responder.next_deadline() is None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.suite.name)
def test_with_the_published_keys_it_is_the_published_conversation(vector):
    def side(own, peer, *, initiator):
        credentials = DeviceCredentials(
            certificate=Certificate(vector.suite, own.certificate),
            private_key=own.private_key,
            issuer_key=vector.suite.curve.decode(vector.authority),
        )
        return Exchange(credentials, peer=peer.eui64, ephemeral=own.ephemeral_private, initiator=initiator)

    initiator = side(vector.u, vector.v, initiator=True)
    responder = side(vector.v, vector.u, initiator=False)
    said = converse(initiator, responder)
    assert [command.certificate for command in said[:2]] == [vector.u.certificate, vector.v.certificate]
    assert [command.ephemeral_key for command in said[2:4]] == [vector.u.ephemeral, vector.v.ephemeral]
    assert [command.mac for command in said[4:]] == [vector.mac_u, vector.mac_v]
    assert initiator.outcome.link_key == responder.outcome.link_key == vector.link_key


def test_an_issuer_that_nobody_knows_is_refused():
    stranger = VECTORS[1]
    credentials = DeviceCredentials(
        certificate=Certificate(SUITE_2, stranger.u.certificate),
        private_key=stranger.u.private_key,
        issuer_key=SUITE_2.curve.decode(stranger.authority),
    )
    initiator, responder = sides(SUITE_2, ppmid=credentials)
    converse(initiator, responder)
    assert responder.outcome.status is TerminateStatus.UNKNOWN_ISSUER
    assert (initiator.outcome.status, initiator.outcome.told_by_peer) == (
        TerminateStatus.UNKNOWN_ISSUER,
        True,
    )


def test_an_issuer_of_the_same_name_with_another_key_is_found_out_at_the_confirmation():
    initiator, responder = sides(SUITE_2, ppmid=BenchAuthority("other").credentials(PPMID, SUITE_2))
    converse(initiator, responder)
    assert responder.outcome.status is TerminateStatus.BAD_KEY_CONFIRM


def test_somebody_elses_certificate_is_refused():
    initiator, responder = sides(SUITE_2, ppmid=AUTHORITY.credentials(Eui64(5), SUITE_2))
    converse(initiator, responder)
    assert responder.outcome.status is TerminateStatus.BAD_MESSAGE
    assert "showed the certificate of" in responder.outcome.reason


def test_another_suite_is_refused():
    initiator, _ = sides(SUITE_1)
    _, responder = sides(SUITE_2)
    converse(initiator, responder)
    assert responder.outcome.status is TerminateStatus.UNSUPPORTED_SUITE


def flipped(octets):
    return octets[:-1] + bytes([octets[-1] ^ 1])


@suites
@pytest.mark.parametrize(
    ("kind", "field", "statuses"),
    [
        (EphemeralData, "ephemeral_key", {TerminateStatus.BAD_MESSAGE, TerminateStatus.BAD_KEY_CONFIRM}),
        (ConfirmKey, "mac", {TerminateStatus.BAD_KEY_CONFIRM}),
        (Initiate, "certificate", {TerminateStatus.BAD_MESSAGE, TerminateStatus.BAD_KEY_CONFIRM}),
    ],
)
def test_a_flipped_bit_leaves_nobody_with_a_key(suite, kind, field, statuses):
    def spoil(command):
        return (
            replace(command, **{field: flipped(getattr(command, field))})
            if type(command) is kind
            else command
        )

    initiator, responder = sides(suite)
    converse(initiator, responder, spoil)
    assert isinstance(responder.outcome, Failed)
    assert responder.outcome.status in statuses
    assert isinstance(initiator.outcome, Failed)


def test_a_command_out_of_turn_ends_it():
    _, responder = sides(SUITE_2)
    reaction = responder.take(EphemeralData(ephemeral_key=bytes(37)), 0.0)
    assert reaction.send == Terminate(status=TerminateStatus.BAD_MESSAGE, suite=2)
    assert responder.take(ConfirmKey(mac=bytes(16)), 0.0).send is None


def test_silence_ends_it_when_the_other_sides_time_is_over():
    initiator, responder = sides(SUITE_2)
    first = initiator.start(10.0)
    assert initiator.next_deadline() == 12.0
    answer = responder.take(first, 10.0).send
    initiator.take(replace(answer, ephemeral_data_time=5), 11.0)
    assert initiator.next_deadline() == 18.0
    assert initiator.tick(17.9).outcome is None
    assert initiator.tick(18.0).outcome.status is None
    assert "did not send its EphemeralData in time" in initiator.outcome.reason


def test_the_decoder_knows_the_commands():
    frame = ZclFrame(
        frame_type=ZclFrameType.CLUSTER,
        direction=Direction.TO_SERVER,
        sequence=1,
        command=Initiate.COMMAND,
        payload=sides(SUITE_2)[0].start(0.0).to_bytes(),
    )
    assert isinstance(zcl_clusters.parse(key_establishment.CLUSTER, frame), Initiate)
