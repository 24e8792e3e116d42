"""Key establishment on the hub: one conversation a device at a time, its mathematics off the event loop.

The device begins. The radio has the new link key before the device is told that it is right, as the device
may use it at once. Source: Zigbee SE 1.4 Annex C.3.1.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from harness.errors import DecodeError, RigFault
from harness.eui64 import Eui64
from harness.rig.faces import ApsMessage
from harness.zigbee import key_establishment
from harness.zigbee.cbke import commands
from harness.zigbee.cbke.authority import CredentialStore
from harness.zigbee.cbke.commands import Command, Initiate, Terminate, TerminateStatus
from harness.zigbee.cbke.exchange import Established, Exchange, Failed, Reaction
from harness.zigbee.cbke.suites import SUITES, Suite
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType

Send = Callable[[ApsMessage, float], Awaitable[None]]
Spawn = Callable[[Callable[[], Awaitable[None]], str], asyncio.Task[None]]
SetKey = Callable[[Eui64, bytes, Suite], Awaitable[None]]

_SEND_S = 5.0


@dataclass(slots=True)
class _Talk:
    """A conversation under way; `to` is addressed to the device, its payload left open."""

    to: ApsMessage
    inbox: asyncio.Queue[Command] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None


class KeyEstablishment:
    """Serves key establishment in the suites of the bitmap `suites`.

    `set_key` makes radio and device log use a key that was established; `failed` is told why there is none.
    """

    def __init__(
        self,
        credentials: CredentialStore,
        *,
        suites: int,
        own: Callable[[], Eui64],
        send: Send,
        spawn: Spawn,
        next_sequence: Callable[[], int],
        set_key: SetKey,
        failed: Callable[[Eui64, Failed], None],
    ) -> None:
        self._credentials = credentials
        self._suites = suites
        self._own = own
        self._send = send
        self._spawn = spawn
        self._next_sequence = next_sequence
        self._set_key = set_key
        self._failed = failed
        self._talks: dict[Eui64, _Talk] = {}

    def receive(self, message: ApsMessage, frame: ZclFrame, eui64: Eui64) -> None:
        """Take a command of the cluster from a device that is on the HAN."""
        if frame.direction is Direction.TO_CLIENT:
            return  # an answer, and the hub has asked for none
        known = self._talks.get(eui64)
        to = known.to if known is not None else _back(message)
        command = _read(frame)
        if isinstance(command, Initiate):
            self._begin(eui64, to, command)
        elif command is not None and known is not None:
            known.inbox.put_nowait(command)
        elif not isinstance(command, Terminate):
            refusal = Terminate(status=TerminateStatus.BAD_MESSAGE)
            self._spawn(lambda: self._say(_Talk(to), refusal), "refuse key establishment")

    def _begin(self, eui64: Eui64, to: ApsMessage, first: Initiate) -> None:
        """Answer a device that begins; one that begins anew has given up what was under way."""
        talk = _Talk(to)
        suite = SUITES.get(first.suite) if first.suite & self._suites else None
        if suite is None:
            refusal = Terminate(status=TerminateStatus.UNSUPPORTED_SUITE, suite=self._suites)
            self._spawn(lambda: self._say(talk, refusal), "refuse key establishment")
            reason = f"it asked for suite 0x{first.suite:04X}, 0x{self._suites:04X} is offered"
            self._failed(eui64, Failed(status=TerminateStatus.UNSUPPORTED_SUITE, reason=reason))
            return
        talk.inbox.put_nowait(first)
        self.forget(eui64)
        self._talks[eui64] = talk
        talk.task = self._spawn(lambda: self._respond(eui64, talk, suite), f"key establishment with {eui64}")

    def forget(self, eui64: Eui64) -> None:
        """Give up a conversation with a device that is gone."""
        talk = self._talks.pop(eui64, None)
        if talk is not None and talk.task is not None:
            talk.task.cancel()

    # --- the conversation ---------------------------------------------------------------------------------

    async def _respond(self, eui64: Eui64, talk: _Talk, suite: Suite) -> None:
        exchange = await self._exchange(eui64, suite)
        try:
            while True:
                reaction = await self._next(talk, exchange)
                say = await self._ended(eui64, suite, reaction)
                if say is not None:
                    await self._say(talk, say)
                if reaction.outcome is not None:
                    return
        finally:
            if self._talks.get(eui64) is talk:
                del self._talks[eui64]

    async def _exchange(self, eui64: Eui64, suite: Suite) -> Exchange:
        ephemeral = 1 + secrets.randbelow(suite.curve.order - 1)

        def prepared() -> Exchange:
            credentials = self._credentials.credentials(self._own(), suite)
            return Exchange(credentials, peer=eui64, ephemeral=ephemeral, initiator=False)

        return await asyncio.to_thread(prepared)

    async def _next(self, talk: _Talk, exchange: Exchange) -> Reaction:
        now = asyncio.get_running_loop().time
        deadline = exchange.next_deadline()
        try:
            async with asyncio.timeout_at(deadline):
                command = await talk.inbox.get()
        except TimeoutError:
            return exchange.tick(max(now(), deadline or 0.0))
        return await asyncio.to_thread(exchange.take, command, now())

    async def _ended(self, eui64: Eui64, suite: Suite, reaction: Reaction) -> Command | None:
        """Do what an outcome means, and return what is to be said."""
        outcome = reaction.outcome
        if isinstance(outcome, Established):
            try:
                await self._set_key(eui64, outcome.link_key, suite)
            except RigFault as fault:
                status = TerminateStatus.NO_RESOURCES
                self._failed(
                    eui64, Failed(status=status, reason=f"the radio has no use of it: {fault.message}")
                )
                return Terminate(status=status, suite=suite.number)
        elif isinstance(outcome, Failed):
            self._failed(eui64, outcome)
        return reaction.send

    async def _say(self, talk: _Talk, command: Command) -> None:
        frame = ZclFrame(
            frame_type=ZclFrameType.CLUSTER,
            direction=Direction.TO_CLIENT,
            disable_default_response=True,
            sequence=self._next_sequence(),
            command=command.COMMAND,
            payload=command.to_bytes(),
        )
        await self._send(replace(talk.to, payload=frame.to_bytes()), _SEND_S)


def is_key_establishment(message: ApsMessage, frame: ZclFrame) -> bool:
    """Whether a frame is a command of the cluster's own, not an attribute read or the like."""
    return message.cluster == key_establishment.CLUSTER and frame.frame_type is ZclFrameType.CLUSTER


def _read(frame: ZclFrame) -> Command | None:
    kind = commands.COMMANDS.get((frame.direction, frame.command))
    try:
        return kind.from_bytes(frame.payload) if kind is not None else None
    except DecodeError:
        return None


def _back(message: ApsMessage) -> ApsMessage:
    return replace(
        message,
        source_endpoint=message.destination_endpoint,
        destination_endpoint=message.source_endpoint,
        payload=b"",
        link_key_secured=False,
    )
