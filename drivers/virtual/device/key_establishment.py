"""Key establishment on a device: it begins, after a join, and answers a hub that begins.

The mathematics runs off the event loop. Source: Zigbee SE 1.4 Annex C.3.1.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from drivers.virtual.device.questions import HUB, Questions, Unanswered, zcl_request
from drivers.virtual.stack.faces import ApsIndication, ApsRequest, Delivery
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import key_establishment
from harness.zigbee.cbke import commands
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.commands import Command, ConfirmKey, Initiate
from harness.zigbee.cbke.exchange import Established, Exchange, Outcome, Reaction
from harness.zigbee.cbke.suites import SUITES, Suite
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType
from harness.zigbee.zcl_types import DataType

Send = Callable[[ApsRequest], Awaitable[Delivery]]
UseKey = Callable[[bytes, Suite], None]


@dataclass(slots=True)
class _Talk:
    endpoint: int
    direction: Direction  # of what the device says
    inbox: asyncio.Queue[Command] = field(default_factory=asyncio.Queue)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHabits:
    """Who establishes a key, and how; `credentials` is the seed of the authority of his certificates.

    Another's certificate is shown, and another key than the established one proved, by a defective device.
    """

    eui64: Eui64
    credentials: str
    tries: int
    shows_anothers_certificate: bool = False
    proves_wrong_key: bool = False


class KeyEstablishment:
    """One conversation at a time with the hub. `use_key` makes the stack share a key that was established."""

    def __init__(
        self,
        habits: KeyHabits,
        *,
        send: Send,
        spawn: Callable[..., object],
        next_sequence: Callable[[], int],
        hub: Callable[[], Eui64 | None],
        use_key: UseKey,
    ) -> None:
        self._habits = habits
        self._send = send
        self._spawn = spawn
        self._next_sequence = next_sequence
        self._hub = hub
        self._use_key = use_key
        self._authority = BenchAuthority(habits.credentials)
        self._talk: _Talk | None = None

    async def establish(self, endpoint: int, suites: int) -> bool:
        """Establish a key with the hub in the best suite that it offers; whether it worked."""
        suite = SUITES[2] if suites & 2 else SUITES[1]
        for _ in range(self._habits.tries):
            talk = _Talk(endpoint, Direction.TO_SERVER)
            exchange = await self._exchange(suite, initiator=True)
            first = exchange.start(asyncio.get_running_loop().time())
            outcome = await self._converse(talk, suite, exchange, Reaction(send=first))
            if isinstance(outcome, Established):
                return True
            if outcome is not None and outcome.status is not None:
                return False  # ended by either side; only silence is worth another try
        return False

    def take(self, message: ApsIndication, frame: ZclFrame) -> None:
        """Take a command of the cluster."""
        kind = commands.COMMANDS.get((frame.direction, frame.command))
        if message.source != HUB or kind is None:
            return
        try:
            command = kind.from_bytes(frame.payload)
        except DecodeError:
            return
        if isinstance(command, Initiate) and frame.direction is Direction.TO_SERVER:
            self._spawn(self._respond(message.source_endpoint, command))
        elif self._talk is not None and self._talk.direction is not frame.direction:
            self._talk.inbox.put_nowait(command)

    async def _respond(self, endpoint: int, first: Initiate) -> None:
        suite = SUITES.get(first.suite)
        if suite is None:
            return
        talk = _Talk(endpoint, Direction.TO_CLIENT)
        talk.inbox.put_nowait(first)
        exchange = await self._exchange(suite, initiator=False)
        await self._converse(talk, suite, exchange, await self._next(talk, exchange))

    async def _exchange(self, suite: Suite, *, initiator: bool) -> Exchange:
        own, hub = self._habits.eui64, self._hub()
        if self._habits.shows_anothers_certificate:
            own = Eui64(own.value ^ 1)
        ephemeral = 1 + secrets.randbelow(suite.curve.order - 1)

        def prepared() -> Exchange:
            credentials = self._authority.credentials(own, suite)
            return Exchange(credentials, peer=hub or Eui64(0), ephemeral=ephemeral, initiator=initiator)

        return await asyncio.to_thread(prepared)

    async def _converse(
        self, talk: _Talk, suite: Suite, exchange: Exchange, reaction: Reaction
    ) -> Outcome | None:
        self._talk = talk
        try:
            while True:
                if isinstance(reaction.outcome, Established):
                    self._use_key(reaction.outcome.link_key, suite)
                if reaction.send is not None:
                    await self._say(talk, reaction.send)
                if reaction.outcome is not None:
                    return reaction.outcome
                reaction = await self._next(talk, exchange)
        finally:
            if self._talk is talk:
                self._talk = None

    async def _next(self, talk: _Talk, exchange: Exchange) -> Reaction:
        now, deadline = asyncio.get_running_loop().time, exchange.next_deadline()
        try:
            async with asyncio.timeout_at(deadline):
                command = await talk.inbox.get()
        except TimeoutError:
            return exchange.tick(max(now(), deadline or 0.0))
        return await asyncio.to_thread(exchange.take, command, now())

    async def _say(self, talk: _Talk, command: Command) -> None:
        if isinstance(command, ConfirmKey) and self._habits.proves_wrong_key:
            command = replace(command, mac=bytes(octet ^ 0xFF for octet in command.mac))
        frame = ZclFrame(
            frame_type=ZclFrameType.CLUSTER,
            direction=talk.direction,
            disable_default_response=True,
            sequence=self._next_sequence(),
            command=command.COMMAND,
            payload=command.to_bytes(),
        )
        await self._send(zcl_request(talk.endpoint, key_establishment.CLUSTER, frame, secured=False))


def is_key_establishment(message: ApsIndication, frame: ZclFrame) -> bool:
    """Whether a frame is a command of the cluster's own, not an attribute read or the like."""
    return message.cluster == key_establishment.CLUSTER and frame.frame_type is ZclFrameType.CLUSTER


async def read_suites(questions: Questions) -> tuple[int, int]:
    """Return the hub's Key Establishment endpoint and the suite bitmap that it offers. Raises Unanswered."""
    endpoint = await questions.match(key_establishment.CLUSTER)
    value = await questions.read(
        endpoint, key_establishment.CLUSTER, key_establishment.KEY_ESTABLISHMENT_SUITE, secured=False
    )
    if value.type is not DataType.BITMAP16 or not isinstance(value.value, int):
        raise Unanswered(f"KeyEstablishmentSuite is no bitmap16: {value}")
    return endpoint, value.value
