"""The firmware of a virtual meter: joins by itself, keeps a tunnel, and does what comes through it.

It has no port and no memory: while its supply is on it looks for a hub that lets it in, establishes a link
key, asks for the hub's time and opens a tunnel. Told to leave, it stays out until its supply has been off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from drivers.virtual.device.key_establishment import KeyEstablishment, is_key_establishment, read_suites
from drivers.virtual.device.questions import ENDPOINT, PROFILE, Questions, Unanswered
from drivers.virtual.device.tunnel_client import TunnelClient, TunnelHabits, is_for_tunnel
from drivers.virtual.device.zcl_server import ZclServer, default_response
from drivers.virtual.meter.config import MeterConfig
from drivers.virtual.meter.gbcs import MeterGbcs
from drivers.virtual.ppmid.surroundings import PpmidStack
from drivers.virtual.stack.faces import ApsIndication, ApsRequest, DeliveryMode, LeaveReason
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.gbz import moment_of
from harness.zigbee import install_code, key_establishment, se_security, tunnel
from harness.zigbee.cbke.suites import Suite
from harness.zigbee.key_establishment import KeyEstablishmentSuites
from harness.zigbee.zcl import Direction, ZclFrame
from harness.zigbee.zcl_types import DataType, TypedValue
from harness.zigbee.zdo import SimpleDescriptor

_BASIC, _TIME, _METERING, _PREPAYMENT, _MESSAGING = 0x0000, 0x000A, 0x0702, 0x0705, 0x0703
_METERING_DEVICE = 0x0501
_JOIN_WITHIN_S = 10.0
_SERVES = (_BASIC, key_establishment.CLUSTER, _METERING, _PREPAYMENT)
_USES = (key_establishment.CLUSTER, _TIME, _MESSAGING, tunnel.CLUSTER)
DESCRIPTOR = SimpleDescriptor(
    endpoint=ENDPOINT,
    profile=PROFILE,
    device_id=_METERING_DEVICE,
    input_clusters=_SERVES,
    output_clusters=_USES,
)


class MeterFirmware:
    """One run of the firmware, from power-up to power-down."""

    def __init__(self, stack: PpmidStack, config: MeterConfig) -> None:
        self._stack = stack
        self._config = config
        self._hub: Eui64 | None = None
        self._suite = 0  # by which the link key was established
        self._hub_clock: tuple[datetime, float] | None = None  # the hub's time, and when on the loop's clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._questions = Questions(stack.send, config.timings)
        suites = key_establishment.suites_value(
            KeyEstablishmentSuites.SUITE_1 | KeyEstablishmentSuites.SUITE_2
        )
        offered = {key_establishment.KEY_ESTABLISHMENT_SUITE: suites}
        self._server = ZclServer(
            serves=_SERVES,
            uses=_USES,
            attributes={
                (Direction.TO_SERVER, _BASIC): {0x0000: TypedValue(DataType.UINT8, 3)},  # ZCLVersion
                (Direction.TO_SERVER, key_establishment.CLUSTER): offered,
                (Direction.TO_CLIENT, key_establishment.CLUSTER): offered,
            },
        )
        self._keys = KeyEstablishment(
            config.key_habits,
            send=stack.send,
            spawn=self.spawn,
            next_sequence=self._questions.next_sequence,
            hub=lambda: self._hub,
            use_key=self._use_key,
        )
        self.gbcs = MeterGbcs(config, self._hub_time)
        self._tunnel: TunnelClient | None = None
        self._living: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Power up."""
        self._living = self.spawn(self._join())

    async def stop(self) -> None:
        """Power down: everything under way ends."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, until power-down at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a virtual meter's firmware failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    # --- its place on a HAN ---------------------------------------------------------------------------------

    async def _join(self) -> None:
        """Look for a hub that lets it in, until one has."""
        link_key = install_code.link_key(self._config.install_code)
        pause_s = self._config.timings.first_pause_s
        while True:
            result = await self._stack.join(self._config.channels, link_key, _JOIN_WITHIN_S)
            if result.failure is None:
                self._hub = result.parent_eui64
                if await self._settle_in():
                    return
                await self._stack.leave()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._config.timings.longest_pause_s)

    async def _settle_in(self) -> bool:
        """Establish a link key; where GBCS is spoken, ask for the time and open a tunnel."""
        try:
            endpoint, suites = await read_suites(self._questions)
        except Unanswered:
            return False
        if not await self._keys.establish(endpoint, suites):
            return False
        if suites & KeyEstablishmentSuites.SUITE_2:
            await self._ask_time()
            self._open_tunnel()
        return True

    async def _rejoin(self) -> None:
        pause_s = self._config.timings.first_pause_s
        while (await self._stack.rejoin()).failure is not None:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._config.timings.longest_pause_s)
        if self._suite == 2:
            self._open_tunnel()

    def left_network(self, reason: LeaveReason) -> None:
        """Note that the node is off its network; lost, it comes back, told to leave it stays out."""
        if reason is LeaveReason.OWN_WISH:
            return
        self._questions.give_up()
        if self._living is not None:
            self._living.cancel()
        self._tunnel = None
        if reason is LeaveReason.LOST_PARENT:
            self._living = self.spawn(self._rejoin())

    def _use_key(self, key: bytes, suite: Suite) -> None:
        self._stack.set_link_key(key)
        self._suite = suite.number

    def _open_tunnel(self) -> None:
        habits = TunnelHabits(fetches=self._config.sleepy)
        self._tunnel = TunnelClient(
            self._questions, self.gbcs.handle, self._config.timings, habits, self.spawn
        )
        self._living = self.spawn(self._tunnel.keep())

    # --- the hub's time -------------------------------------------------------------------------------------

    async def _ask_time(self) -> None:
        try:
            endpoint = await self._questions.match(_TIME)
            value = await self._questions.read(endpoint, _TIME, 0x0000, secured=True)
        except Unanswered:
            return
        if value.type is DataType.UTC_TIME and isinstance(value.value, int):
            self._hub_clock = (moment_of(value.value), asyncio.get_running_loop().time())

    def _hub_time(self) -> datetime | None:
        if self._hub_clock is None:
            return None
        told, when = self._hub_clock
        return told + timedelta(seconds=asyncio.get_running_loop().time() - when)

    # --- what the stack says --------------------------------------------------------------------------------

    def aps_received(self, message: ApsIndication) -> None:
        """Take an APS message and answer it."""
        if message.profile == 0:
            self._questions.take_zdo(message)
            return
        if message.destination_endpoint not in (ENDPOINT, 0xFF):
            return
        try:
            frame = ZclFrame.from_bytes(message.payload)
        except DecodeError:
            return
        if self._is_unsecured(message, frame):
            broadcast = message.mode is not DeliveryMode.UNICAST
            message = replace(message, link_key_secured=False)
            answer = None
            if se_security.may_be_refused(frame, broadcast=broadcast):
                answer = default_response(message, frame, se_security.REFUSAL)
        else:
            answer = self._answer(message, frame)
        if answer is not None:
            self.spawn(self._reply(message, answer))

    def _is_unsecured(self, message: ApsIndication, frame: ZclFrame) -> bool:
        return se_security.is_unsecured(
            message.profile,
            message.cluster,
            frame,
            link_key_secured=message.link_key_secured and self._suite != 0,
            broadcast=message.mode is not DeliveryMode.UNICAST,
        )

    def _answer(self, message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
        if is_key_establishment(message, frame):
            self._keys.take(message, frame)
            return None
        if is_for_tunnel(message, frame) and self._tunnel is not None:
            return self._tunnel.take(message, frame)
        if self._questions.take_zcl(message, frame):
            return None
        return self._server.answer(message, frame)

    async def _reply(self, message: ApsIndication, answer: ZclFrame) -> None:
        await self._stack.send(
            ApsRequest(
                destination=message.source,
                profile=message.profile,
                cluster=message.cluster,
                source_endpoint=ENDPOINT,
                destination_endpoint=message.source_endpoint,
                payload=answer.to_bytes(),
                link_key_secured=message.link_key_secured,
            )
        )
