"""The hub as a ZCL client: reads attributes of a device, whichever side of the cluster it is on.

Source: ZCL (07-5123) §2.5.1 (Read Attributes), §2.4.1.2 (transaction sequence numbers).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from harness.errors import DecodeError, DeviceSilent
from harness.hub.exchanges import Exchanges
from harness.rig.faces import ApsMessage
from harness.zigbee import zcl_general
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType
from harness.zigbee.zcl_general import DefaultResponse, ReadAttributesResponse, ReadRecord

Send = Callable[[ApsMessage, float], Awaitable[None]]


class ZclClient:
    """Asks, and matches answers by peer, cluster and transaction sequence number."""

    def __init__(self, send: Send, exchanges: Exchanges) -> None:
        self._send = send
        self._exchanges = exchanges
        self._sequence = 0

    def next_sequence(self) -> int:
        """Return a transaction sequence number for a command of the hub's own."""
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    def response(self, message: ApsMessage, frame: ZclFrame) -> bool:
        """Take a ZCL frame; True when it answers a question."""
        if frame.frame_type is not ZclFrameType.GLOBAL:
            return False
        if frame.command not in (ReadAttributesResponse.COMMAND, DefaultResponse.COMMAND):
            return False
        return self._exchanges.answer(_key(message.peer, message.cluster, frame.sequence), frame)

    async def read_attributes(
        self, to: ApsMessage, attributes: tuple[int, ...], *, client_side: bool, timeout_s: float
    ) -> Mapping[int, ReadRecord]:
        """Read attributes; `to` is addressed, its payload left open.

        Returns a record for each attribute asked for that was answered: its value, or the status the device
        gave for it. Raises DeviceSilent when no sensible answer comes, RadioUndelivered and RigFault.
        """
        sequence = self.next_sequence()
        direction = Direction.TO_CLIENT if client_side else Direction.TO_SERVER
        request = zcl_general.frame(
            zcl_general.ReadAttributes(attributes=attributes), sequence, direction=direction
        )
        message = replace(to, payload=request.to_bytes())
        what = f"Read Attributes of cluster 0x{to.cluster:04X} to 0x{to.peer:04X}"
        answer = await self._exchanges.ask(
            _key(to.peer, to.cluster, sequence),
            lambda: self._send(message, timeout_s),
            what=what,
            timeout_s=timeout_s,
        )
        try:
            body = zcl_general.parse(answer)
        except DecodeError as error:
            raise DeviceSilent(f"{what}: answered with what is no answer ({error})") from error
        if isinstance(body, DefaultResponse):
            return {number: ReadRecord(attribute=number, status=body.status) for number in attributes}
        assert isinstance(body, ReadAttributesResponse)
        return {record.attribute: record for record in body.records if record.attribute in attributes}


def _key(peer: int, cluster: int, sequence: int) -> tuple[str, int, int, int]:
    return ("zcl", peer, cluster, sequence)
