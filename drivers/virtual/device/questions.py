"""Questions to the hub: asked, asked again, and given up in time. The hub is the coordinator, address 0.

Source: 05-3474-22 §2.4.3.1.7 (Match_Desc_req); 07-5123 (ZCL) §2.5.1 (Read Attributes).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from drivers.virtual.device.timings import FirmwareTimings
from drivers.virtual.stack.faces import ApsIndication, ApsRequest, Delivery
from harness.errors import DecodeError
from harness.zigbee import ota_commands, tunnel, zcl_general, zdo
from harness.zigbee.zcl import ZclFrame, ZclFrameType
from harness.zigbee.zcl_types import TypedValue

HUB = 0x0000
PROFILE = 0x0109
ENDPOINT = 1

Send = Callable[[ApsRequest], Awaitable[Delivery]]
_Key = tuple[str, int, int]


class Unanswered(Exception):
    """The hub did not answer, or with something else than was asked for."""


class Questions:
    """Asks through `send`, and matches what `take` is given."""

    def __init__(self, send: Send, timings: FirmwareTimings) -> None:
        self._send = send
        self._timings = timings
        self._sequence = 0
        self._waiting: dict[_Key, asyncio.Future[bytes | ZclFrame]] = {}

    def next_sequence(self) -> int:
        """Return a transaction sequence number, ZDO's or ZCL's."""
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    async def match(self, cluster: int) -> int:
        """Return the hub's endpoint that serves a cluster. Raises Unanswered when none is named."""
        sequence = self.next_sequence()
        asked = zdo.MatchDescReq(nwk_address=HUB, profile=PROFILE, input_clusters=(cluster,))
        request = ApsRequest(
            destination=HUB,
            profile=0,
            cluster=zdo.MatchDescReq.CLUSTER,
            source_endpoint=zdo.ENDPOINT,
            destination_endpoint=zdo.ENDPOINT,
            payload=zdo.encode(sequence, asked),
        )
        octets = await self._ask(("zdo", zdo.MatchDescRsp.CLUSTER, sequence), request)
        assert isinstance(octets, bytes)
        try:
            answer = zdo.MatchDescRsp.from_bytes(octets)
        except DecodeError as error:
            raise Unanswered(f"Match_Desc_rsp: {error}") from None
        if not answer.endpoints:
            raise Unanswered(f"the hub does not serve cluster {cluster:04X}")
        return answer.endpoints[0]

    async def read(self, endpoint: int, cluster: int, attribute: int, *, secured: bool) -> TypedValue:
        """Return an attribute of the hub's server. Raises Unanswered for anything else."""
        sequence = self.next_sequence()
        frame = zcl_general.frame(zcl_general.ReadAttributes(attributes=(attribute,)), sequence)
        answer = await self.ask_zcl(endpoint, cluster, frame, secured=secured)
        try:
            body = zcl_general.parse(answer)
        except DecodeError as error:
            raise Unanswered(f"Read Attributes Response: {error}") from None
        value = body.value(attribute) if isinstance(body, zcl_general.ReadAttributesResponse) else None
        if value is None:
            raise Unanswered(f"the hub has no attribute {attribute:04X} in cluster {cluster:04X}")
        return value

    async def ask_zcl(self, endpoint: int, cluster: int, frame: ZclFrame, *, secured: bool) -> ZclFrame:
        """Send a command that has a response and return the response. Raises Unanswered."""
        request = zcl_request(endpoint, cluster, frame, secured=secured)
        answer = await self._ask(("zcl", cluster, frame.sequence), request)
        assert isinstance(answer, ZclFrame)
        return answer

    async def tell_zcl(self, endpoint: int, cluster: int, frame: ZclFrame, *, secured: bool) -> Delivery:
        """Send a command that has no response; return how that ended."""
        return await self._send(zcl_request(endpoint, cluster, frame, secured=secured))

    def take_zdo(self, message: ApsIndication) -> bool:
        """Take a ZDO message; True when it answers a question."""
        if message.source != HUB or not message.payload:
            return False
        return self._answer(("zdo", message.cluster, message.payload[0]), message.payload[1:])

    def take_zcl(self, message: ApsIndication, frame: ZclFrame) -> bool:
        """Take a ZCL frame; True when it answers a question."""
        if message.source != HUB or not _is_response(message.cluster, frame):
            return False
        return self._answer(("zcl", message.cluster, frame.sequence), frame)

    def give_up(self) -> None:
        """Leave every question unanswered at once."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Unanswered("off the network"))

    async def _ask(self, key: _Key, request: ApsRequest) -> bytes | ZclFrame:
        future: asyncio.Future[bytes | ZclFrame] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        try:
            for _ in range(self._timings.question_tries):
                delivery = await self._send(request)
                if delivery is Delivery.NOT_JOINED:
                    break
                if delivery is Delivery.DELIVERED:
                    await asyncio.wait({future}, timeout=self._timings.question_s)
                if future.done():
                    return future.result()
            raise Unanswered(f"no answer from the hub to a request in cluster {request.cluster:04X}")
        finally:
            del self._waiting[key]
            if not future.cancel() and not future.cancelled():
                future.exception()

    def _answer(self, key: _Key, answer: bytes | ZclFrame) -> bool:
        future = self._waiting.get(key)
        if future is None or future.done():
            return False
        future.set_result(answer)
        return True


def zcl_request(endpoint: int, cluster: int, frame: ZclFrame, *, secured: bool) -> ApsRequest:
    """Return a ZCL frame to the hub, APS-secured with the link key or with network security alone."""
    return ApsRequest(
        destination=HUB,
        profile=PROFILE,
        cluster=cluster,
        source_endpoint=ENDPOINT,
        destination_endpoint=endpoint,
        payload=frame.to_bytes(),
        link_key_secured=secured,
    )


def _is_response(cluster: int, frame: ZclFrame) -> bool:
    if frame.frame_type is ZclFrameType.GLOBAL:
        return frame.command in (
            zcl_general.ReadAttributesResponse.COMMAND,
            zcl_general.DefaultResponse.COMMAND,
        )
    way = frame.direction, frame.command
    if cluster == ota_commands.CLUSTER:
        return ota_commands.COMMANDS.get(way) in ota_commands.RESPONSES
    return cluster == tunnel.CLUSTER and tunnel.COMMANDS.get(way) is tunnel.RequestTunnelResponse
