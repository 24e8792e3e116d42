"""The MAC of a node: addressing, acknowledgements, retries, and frames kept for sleeping children.

Source: IEEE 802.15.4-2006 §7.5.6 (transmission, reception, acknowledgement), §7.5.6.3 (polling).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.virtual.medium import Medium
from drivers.virtual.stack.timings import Timings
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import mac
from harness.zigbee.mac import DataRequest, MacFrame, MacFrameType

_REMEMBERED = 32  # frames, against duplicates


@dataclass(frozen=True, slots=True)
class Reception:
    """A MAC frame that was for this node, and how it was heard."""

    frame: MacFrame
    rssi_dbm: float
    lqi: int


@dataclass(slots=True)
class _Kept:
    frame: MacFrame
    sent: asyncio.Future[bool]


@dataclass(slots=True)
class _Mailbox:
    frames: deque[_Kept] = field(default_factory=deque)


class MacLayer:
    """One radio. `received` is given every frame for this node, acknowledged already, duplicates left out."""

    def __init__(
        self,
        medium: Medium,
        eui64: Eui64,
        received: Callable[[Reception], None],
        *,
        rng: random.Random,
        timings: Timings,
    ) -> None:
        self._medium = medium
        self._eui64 = eui64
        self._received = received
        self._timings = timings
        self._sequence = rng.randrange(256)
        self._on = False
        self._awake = 0
        self._awaited: dict[int, asyncio.Future[bool]] = {}
        self._heard: deque[tuple[int | Eui64, int, bytes]] = deque(maxlen=_REMEMBERED)
        self._lock = asyncio.Lock()
        self._mailboxes: dict[int | Eui64, _Mailbox] = {}
        self.channel: int | None = None
        self.pan_id: int | None = None
        self.short_address: int | None = None
        self.always_on = True

    @property
    def eui64(self) -> Eui64:
        """The radio's EUI-64."""
        return self._eui64

    @property
    def listens_on(self) -> int | None:
        """The channel that the receiver is on, None when it is off."""
        return self.channel if self._on and (self.always_on or self._awake) else None

    def power(self, on: bool) -> None:
        """Switch the radio."""
        if on == self._on:
            return
        self._on = on
        if on:
            self._medium.attach(self)
            return
        self._medium.detach(self)
        for waiting in self._awaited.values():
            if not waiting.done():
                waiting.set_result(False)
        for address in tuple(self._mailboxes):
            self.forget_mail(address)

    def wake(self) -> None:
        """Keep a sleepy receiver on until `sleep` was called as often."""
        self._awake += 1

    def sleep(self) -> None:
        """Let the receiver sleep again."""
        self._awake -= 1

    # Sending.

    def frame(
        self,
        frame_type: MacFrameType,
        destination: int | Eui64 | None,
        payload: bytes,
        *,
        pan: int | None = None,
        source: int | Eui64 | None = None,
        source_pan: int | None = None,
    ) -> MacFrame:
        """Return a frame with the next sequence number; one to a node asks for an acknowledgement."""
        self._sequence = (self._sequence + 1) & 0xFF
        destination_pan = self.pan_id if pan is None else pan
        own_pan = destination_pan if source_pan is None else source_pan
        both = destination is not None and source is not None
        return MacFrame(
            frame_type=frame_type,
            sequence=self._sequence,
            ack_request=destination is not None and destination != mac.BROADCAST,
            pan_id_compression=both and own_pan == destination_pan,
            destination_pan=None if destination is None else destination_pan,
            destination=destination,
            source_pan=None if source is None or (both and own_pan == destination_pan) else own_pan,
            source=source,
            payload=payload,
        )

    async def send(self, frame: MacFrame) -> bool:
        """Send until it is acknowledged, or once when it asks for none; return whether it arrived."""
        if not frame.ack_request:
            self._transmit(frame)
            return True
        async with self._lock:
            self.wake()
            try:
                for _ in range(self._timings.mac_tries):
                    if not self._on:
                        return False
                    if await self._sent_and_acknowledged(frame):
                        return True
            finally:
                self.sleep()
        return False

    async def _sent_and_acknowledged(self, frame: MacFrame) -> bool:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bool] = loop.create_future()
        self._awaited[frame.sequence] = waiting
        timer = loop.call_later(self._timings.mac_ack_s, _settle, waiting, False)
        self._transmit(frame)
        try:
            return await waiting
        finally:
            timer.cancel()
            self._awaited.pop(frame.sequence, None)

    def _transmit(self, frame: MacFrame) -> None:
        if self._on and self.channel is not None:
            self._medium.transmit(self, self.channel, mac.with_fcs(frame.to_bytes()))

    async def keep_for(self, address: int | Eui64, frame: MacFrame) -> bool:
        """Keep a frame until its sleeping receiver polls; return whether it arrived in time."""
        kept = _Kept(frame, asyncio.get_running_loop().create_future())
        self._mailboxes.setdefault(address, _Mailbox()).frames.append(kept)
        try:
            async with asyncio.timeout(self._timings.indirect_s):
                return await kept.sent
        except TimeoutError:
            return False
        finally:
            box = self._mailboxes.get(address)
            if box is not None and kept in box.frames:
                box.frames.remove(kept)

    def forget_mail(self, address: int | Eui64) -> None:
        """Drop what is kept for a node."""
        box = self._mailboxes.pop(address, None)
        for kept in box.frames if box else ():
            _settle(kept.sent, False)

    # Receiving.

    def hear(self, psdu: bytes, rssi_dbm: float, lqi: int) -> None:
        """Take what the antenna heard; what is broken or for others is passed over."""
        try:
            frame = MacFrame.from_bytes(mac.strip_fcs(psdu))
        except DecodeError:
            return
        if frame.frame_type is MacFrameType.ACK:
            waiting = self._awaited.get(frame.sequence)
            if waiting is not None:
                self.more_pending = frame.frame_pending
                _settle(waiting, True)
            return
        if not self._is_for_us(frame):
            return
        if frame.ack_request and frame.destination != mac.BROADCAST:
            self._transmit(mac.ack(frame.sequence, frame_pending=self._has_mail(frame)))
        if frame.source is not None:
            name = (frame.source, frame.sequence, frame.payload)
            if name in self._heard:
                return
            self._heard.append(name)
        if _is_poll(frame):
            self._heard.pop()  # a poll is never a repeat of the one before
            self._hand_over(frame.source)
        self._received(Reception(frame, rssi_dbm, lqi))

    more_pending = False

    def _is_for_us(self, frame: MacFrame) -> bool:
        if frame.frame_type is MacFrameType.BEACON:
            return True
        if frame.destination_pan not in (self.pan_id, mac.BROADCAST):
            return False
        return frame.destination in (self._eui64, mac.BROADCAST) or (
            frame.destination == self.short_address and self.short_address is not None
        )

    def _has_mail(self, frame: MacFrame) -> bool:
        box = self._mailboxes.get(frame.source) if _is_poll(frame) and frame.source is not None else None
        return bool(box and box.frames)

    def _hand_over(self, address: int | Eui64 | None) -> None:
        box = self._mailboxes.get(address) if address is not None else None
        if not box or not box.frames:
            return
        kept = box.frames.popleft()
        task = asyncio.get_running_loop().create_task(self.send(kept.frame))
        task.add_done_callback(lambda done: _settle(kept.sent, not done.cancelled() and done.result()))


def _is_poll(frame: MacFrame) -> bool:
    return frame.frame_type is MacFrameType.COMMAND and frame.payload == DataRequest().to_bytes()


def _settle(waiting: asyncio.Future[bool], result: bool) -> None:
    if not waiting.done():
        waiting.set_result(result)
