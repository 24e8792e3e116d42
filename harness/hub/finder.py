"""Finds the endpoint of a device that serves or uses a cluster, by Match_Desc_req.

Source: Zigbee 2017 §2.4.3.1.7 (Match_Desc_req), §2.4.4.2.7 (Match_Desc_rsp).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.errors import DecodeError, DeviceSilent
from harness.eui64 import Eui64
from harness.hub.exchanges import Exchanges
from harness.rig.faces import ApsMessage
from harness.zigbee import zdo

Send = Callable[[ApsMessage, float], Awaitable[None]]


class Finder:
    """Asks once for each device, profile, cluster and side, and remembers the answer."""

    def __init__(self, send: Send, exchanges: Exchanges) -> None:
        self._send = send
        self._exchanges = exchanges
        self._known: dict[tuple[Eui64, int, int, bool], int] = {}
        self._sequence = 0

    async def endpoint(
        self, eui64: Eui64, peer: int, *, profile: int, cluster: int, client_side: bool, timeout_s: float
    ) -> int:
        """Return the endpoint; raises DeviceSilent when the device does not answer or has none."""
        key = (eui64, profile, cluster, client_side)
        if key not in self._known:
            side = "uses" if client_side else "serves"
            found = await self._match(peer, profile, cluster, client_side=client_side, timeout_s=timeout_s)
            if found is None:
                raise DeviceSilent(f"{eui64} has no endpoint that {side} cluster 0x{cluster:04X}")
            self._known[key] = found
        return self._known[key]

    def forget(self, eui64: Eui64) -> None:
        """Forget a device: it may come back as another."""
        self._known = {key: value for key, value in self._known.items() if key[0] != eui64}

    def response(self, message: ApsMessage) -> bool:
        """Take a ZDO message; True when it answers a question."""
        if message.cluster != zdo.MatchDescRsp.CLUSTER or not message.payload:
            return False
        return self._exchanges.answer(("zdo", message.peer, message.payload[0]), message.payload[1:])

    async def _match(
        self, peer: int, profile: int, cluster: int, *, client_side: bool, timeout_s: float
    ) -> int | None:
        self._sequence = (self._sequence + 1) & 0xFF
        sequence = self._sequence
        request = zdo.MatchDescReq(
            nwk_address=peer,
            profile=profile,
            input_clusters=() if client_side else (cluster,),
            output_clusters=(cluster,) if client_side else (),
        )
        message = ApsMessage(
            peer=peer,
            profile=0,
            cluster=zdo.MatchDescReq.CLUSTER,
            source_endpoint=zdo.ENDPOINT,
            destination_endpoint=zdo.ENDPOINT,
            payload=bytes([sequence]) + request.to_bytes(),
        )
        octets = await self._exchanges.ask(
            ("zdo", peer, sequence),
            lambda: self._send(message, timeout_s),
            what=f"Match_Desc_req for cluster 0x{cluster:04X} to 0x{peer:04X}",
            timeout_s=timeout_s,
        )
        try:
            answer = zdo.MatchDescRsp.from_bytes(octets)
        except DecodeError as error:
            raise DeviceSilent(f"0x{peer:04X} answered Match_Desc_req with what is none: {error}") from error
        return answer.endpoints[0] if answer.endpoints else None
