"""tshark reads the commands of a key establishment as we mean them."""

from __future__ import annotations

import pytest

from harness.zigbee import key_establishment
from harness.zigbee.cbke.commands import ConfirmKey, EphemeralData, Initiate, Terminate, TerminateStatus
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType
from tests.conformance.oracles import tshark
from tests.zigbee.cbke.vectors import VECTORS
from tests.zigbee.conversation import NETWORK_KEY, Conversation

pytestmark = pytest.mark.tshark


def conversation(vector):
    air = Conversation()
    said = (
        Initiate(
            suite=vector.suite.number,
            ephemeral_data_time=2,
            confirm_key_time=3,
            certificate=vector.u.certificate,
        ),
        EphemeralData(ephemeral_key=vector.u.ephemeral),
        ConfirmKey(mac=vector.mac_u),
        Terminate(status=TerminateStatus.BAD_KEY_CONFIRM, wait_time=9, suite=vector.suite.number),
    )
    for number, command in enumerate(said):
        frame = ZclFrame(
            frame_type=ZclFrameType.CLUSTER,
            direction=Direction.TO_SERVER,
            sequence=number,
            command=command.COMMAND,
            payload=command.to_bytes(),
        )
        air.data(str(number), frame.to_bytes(), up=True, cluster=key_establishment.CLUSTER)
    return [psdu for _, psdu in air.frames]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.suite.name)
def test_the_commands_are_dissected_with_our_values(tmp_path, vector):
    initiate, ephemeral, confirm, terminate = tshark(tmp_path, conversation(vector), [NETWORK_KEY])
    for packet in (initiate, ephemeral, confirm, terminate):
        assert "_ws.malformed" not in packet.protocols, packet.text()
    assert "Initiate Key Establishment Request" in initiate.info
    assert "Ephemeral Data Request" in ephemeral.info
    assert "Confirm Key" in confirm.info
    assert "Terminate" in terminate.info
    assert int(initiate.values("zbee_zcl_se.ke.attr.suite")[0], 0) == vector.suite.number
    assert vector.u.ephemeral.hex(":") in shown(ephemeral)
    assert vector.mac_u.hex(":") in shown(confirm)


def shown(packet):
    """Everything that tshark shows of a packet, octets with colons."""
    return [value for _, value, _ in packet.fields]
