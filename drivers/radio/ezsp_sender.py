"""Sending through an EZSP dongle: APS options, message tags, acknowledgements, fragments.

The dongle says how a unicast ended in a `messageSentHandler` that carries the tag we gave it; it may say
so twice, and before `sendUnicast` itself has answered.
Source: UG100 `sendUnicast`, `EmberApsOption`; Zigbee 2017 §2.2.8.4.5 for fragments.
"""

from __future__ import annotations

import asyncio
from typing import Any

from drivers.radio.ezsp_frames import Sent
from drivers.radio.ezsp_link import EzspLink
from drivers.radio.ezsp_surface import status_of, t
from drivers.radio.fragments import Block, split
from harness.errors import RadioUndelivered, RigFault
from harness.rig.faces import ApsMessage

_APS_SECURITY_OCTETS = 9  # auxiliary header 5, message integrity code 4
_FRAGMENT_OCTETS = 2  # extended header: control and block number
_LARGEST_PAYLOAD = 82  # without APS security, under NWK security
_BLOCK_TRIES = 3
_BUSY_WAIT_S = 0.1
_RADIUS = 30

_BUSY = {
    t.sl_Status.ZIGBEE_MAX_MESSAGE_LIMIT_REACHED,
    t.sl_Status.TRANSMIT_BUSY,
    t.sl_Status.NO_MORE_RESOURCE,
    t.sl_Status.ALLOCATION_FAILED,
    t.sl_Status.BUSY,
}
RADIO_DOWN = {t.sl_Status.NETWORK_DOWN, t.sl_Status.NOT_JOINED, t.sl_Status.INVALID_STATE}


class EzspSender:
    """Sends APS messages, one at a time to the dongle's own queue."""

    def __init__(self, link: EzspLink) -> None:
        self._link = link
        self._tag = 0
        self._awaited: dict[int, asyncio.Future[Any]] = {}
        self._largest = _LARGEST_PAYLOAD

    async def learn_sizes(self) -> None:
        """Ask the dongle how long an APS payload may be."""
        answer = await self._link.optional("maximumPayloadLength")
        if answer is not None and 0 < answer[0] < _LARGEST_PAYLOAD:
            self._largest = int(answer[0])

    def largest_payload(self, *, link_key_secured: bool, fragment: bool) -> int:
        """Return how many octets one APS frame carries."""
        return (
            self._largest
            - (_APS_SECURITY_OCTETS if link_key_secured else 0)
            - (_FRAGMENT_OCTETS if fragment else 0)
        )

    def sent(self, report: Sent) -> None:
        """Take a `messageSentHandler`; reports of nothing awaited (repeated or late) are dropped."""
        future = self._awaited.get(report.tag)
        if future is not None and not future.done():
            future.set_result(report.status)

    async def send(self, message: ApsMessage, *, timeout_s: float) -> None:
        """Send and wait for the acknowledgement of everything sent; RadioUndelivered or RigFault."""
        frame = _frame(message)
        if message.broadcast:
            await self._broadcast(message, frame)
            return
        whole = self.largest_payload(link_key_secured=message.link_key_secured, fragment=False)
        try:
            async with asyncio.timeout(timeout_s):
                if len(message.payload) <= whole:
                    await self._deliver(message, frame, message.payload)
                else:
                    await self._deliver_blocks(message, frame)
        except TimeoutError:
            raise RadioUndelivered(
                f"no APS acknowledgement from {_peer(message)} within {timeout_s:.1f} s "
                f"(cluster 0x{message.cluster:04X}, {len(message.payload)} octets)"
            ) from None

    async def _deliver_blocks(self, message: ApsMessage, frame: Any) -> None:
        size = self.largest_payload(link_key_secured=message.link_key_secured, fragment=True)
        frame.options |= t.EmberApsOption.APS_OPTION_FRAGMENT
        for block in split(message.payload, size):
            await self._deliver_block(message, frame, block)

    async def _deliver_block(self, message: ApsMessage, frame: Any, block: Block) -> None:
        frame.groupId = t.uint16_t(block.group_id)
        for attempt in range(1, _BLOCK_TRIES + 1):
            try:
                # The first block is given an APS counter by the dongle; the others must carry the same.
                frame.sequence = t.uint8_t(await self._deliver(message, frame, block.payload))
            except RadioUndelivered as error:
                if attempt == _BLOCK_TRIES:
                    raise RadioUndelivered(
                        f"{error.message}; block {block.index + 1} of {block.total}, tried {attempt} times"
                    ) from error
            else:
                return

    async def _deliver(self, message: ApsMessage, frame: Any, payload: bytes) -> int:
        """Send one APS frame, wait for its end, return its APS counter."""
        tag, future = self._next_tag()
        try:
            counter = await self._hand_over(message, frame, tag, payload)
            status = await self._link.race(future, what="messageSentHandler", timeout_s=None)
        finally:
            del self._awaited[tag]
        if status != t.sl_Status.OK:
            raise RadioUndelivered(
                f"{_peer(message)} did not acknowledge cluster 0x{message.cluster:04X} ({status.name})"
            )
        return counter

    async def _hand_over(self, message: ApsMessage, frame: Any, tag: int, payload: bytes) -> int:
        clock = asyncio.get_running_loop().time
        given_up_at = clock() + self._link.command_s
        while True:
            status, counter = await self._link.command(
                "send_unicast",
                nwk=t.NWK(message.peer),
                aps_frame=frame,
                message_tag=t.uint8_t(tag),
                data=payload,
            )
            if status == t.sl_Status.OK:
                return int(counter)
            if status in RADIO_DOWN:
                raise RigFault(
                    f"radio on {self._link.path} is not on a network ({status.name})",
                    remedy="start the hub again",
                )
            if status not in _BUSY:
                raise RadioUndelivered(f"the dongle cannot send to {_peer(message)}: {status.name}")
            if clock() >= given_up_at:
                raise RigFault(
                    f"radio on {self._link.path} has been too busy to send for {self._link.command_s:g} s "
                    f"({status.name})",
                    remedy="unplug the dongle and plug it in again",
                )
            await asyncio.sleep(_BUSY_WAIT_S)

    async def _broadcast(self, message: ApsMessage, frame: Any) -> None:
        status, _ = await self._link.command(
            "send_broadcast",
            address=t.BroadcastAddress(message.peer),
            aps_frame=frame,
            radius=t.uint8_t(_RADIUS),
            message_tag=t.uint8_t(0),
            aps_sequence=t.uint8_t(0),
            data=message.payload,
        )
        if status_of(status) != t.sl_Status.OK:
            raise RigFault(f"radio on {self._link.path} refused a broadcast: {status_of(status).name}")

    def _next_tag(self) -> tuple[int, asyncio.Future[Any]]:
        for _ in range(255):
            self._tag = self._tag % 255 + 1  # 0 is for what nobody waits for
            if self._tag not in self._awaited:
                future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
                self._awaited[self._tag] = future
                return self._tag, future
        raise RigFault(f"radio on {self._link.path} owes the end of 255 messages")


def _frame(message: ApsMessage) -> Any:
    option = t.EmberApsOption
    options = option.APS_OPTION_ENABLE_ROUTE_DISCOVERY
    if not message.broadcast:
        options |= option.APS_OPTION_RETRY
    if message.link_key_secured:
        options |= option.APS_OPTION_ENCRYPTION
    return t.EmberApsFrame(
        profileId=t.uint16_t(message.profile),
        clusterId=t.uint16_t(message.cluster),
        sourceEndpoint=t.uint8_t(message.source_endpoint),
        destinationEndpoint=t.uint8_t(message.destination_endpoint),
        options=options,
        groupId=t.uint16_t(0),
        sequence=t.uint8_t(0),
    )


def _peer(message: ApsMessage) -> str:
    return str(message.peer_eui64) if message.peer_eui64 is not None else f"0x{message.peer:04X}"
