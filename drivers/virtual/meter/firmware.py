"""The firmware of a virtual meter: joins by itself, keeps a tunnel, and does what comes through it.

It has no port and no memory: while its supply is on it looks for a hub that lets it in, establishes a link
key, asks for the hub's time and opens a tunnel. Told to leave, it stays out until its supply has been off.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from drivers.virtual.device.front import Front
from drivers.virtual.device.homecoming import come_back
from drivers.virtual.device.key_establishment import KeyEstablishment, read_suites
from drivers.virtual.device.questions import ENDPOINT, PROFILE, Questions, Unanswered
from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.device.tasks import Tasks
from drivers.virtual.device.tunnel_client import TunnelClient, TunnelHabits
from drivers.virtual.device.zcl_server import ZclServer
from drivers.virtual.meter.config import MeterConfig
from drivers.virtual.meter.gbcs import MeterGbcs
from drivers.virtual.stack.faces import ApsIndication, JoinResult, LeaveReason
from harness.eui64 import Eui64
from harness.gbcs.gbz import moment_of
from harness.zigbee import install_code, key_establishment, tunnel
from harness.zigbee.cbke.suites import Suite
from harness.zigbee.key_establishment import KeyEstablishmentSuites
from harness.zigbee.zcl import Direction
from harness.zigbee.zcl_types import DataType, TypedValue
from harness.zigbee.zdo import SimpleDescriptor

_BASIC, _TIME, _METERING, _PREPAYMENT, _MESSAGING = 0x0000, 0x000A, 0x0702, 0x0705, 0x0703
_METERING_DEVICE = 0x0501
_JOIN_WITHIN_S = 10.0
_GBCS_SUITE = 2  # of a link key with a hub that speaks GBCS
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

    def __init__(self, stack: DeviceStack, config: MeterConfig) -> None:
        self._stack = stack
        self._config = config
        self._hub: Eui64 | None = None
        self._suite = 0  # by which the link key was established
        self._hub_clock: tuple[datetime, float] | None = None  # the hub's time, and when on the loop's clock
        self._tasks = Tasks("a virtual meter's firmware")
        self._questions = Questions(stack.send, config.timings)
        suites = key_establishment.suites_value(
            KeyEstablishmentSuites.SUITE_1 | KeyEstablishmentSuites.SUITE_2
        )
        offered = {key_establishment.KEY_ESTABLISHMENT_SUITE: suites}
        server = ZclServer(
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
            spawn=self._tasks.spawn,
            next_sequence=self._questions.next_sequence,
            hub=lambda: self._hub,
            use_key=self._use_key,
        )
        self.gbcs = MeterGbcs(config, self._hub_time)
        self._tunnel: TunnelClient | None = None
        self._living: asyncio.Task[None] | None = None
        self._front = Front(
            self._questions,
            self._keys,
            lambda: self._tunnel,
            server.answer,
            established=lambda: self._suite != 0,
            send=stack.send,
            spawn=self._tasks.spawn,
        )

    def start(self) -> None:
        """Power up."""
        self._living = self._tasks.spawn(self._join())

    async def stop(self) -> None:
        """Power down: everything under way ends."""
        await self._tasks.stop()

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

    async def _come_back(self) -> None:
        """Come back to the hub, or settle in with one that has taken its place."""
        before = self._stack.save(), self._hub, self._suite

        async def settle_in(result: JoinResult) -> bool:
            self._hub, self._suite = result.parent_eui64, 0
            if await self._settle_in():
                return True
            saved, self._hub, self._suite = before
            self._stack.restore(saved)
            return False

        await come_back(
            self._stack, self._config.channels, self._config.timings, lost=lambda: True, settle_in=settle_in
        )
        if self._suite == _GBCS_SUITE and self._tunnel is None:
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
            self._living = self._tasks.spawn(self._come_back())

    def _use_key(self, key: bytes, suite: Suite) -> None:
        self._stack.set_link_key(key)
        self._suite = suite.number

    def _open_tunnel(self) -> None:
        habits = TunnelHabits(fetches=self._config.sleepy)
        self._tunnel = TunnelClient(
            self._questions, self.gbcs.handle, self._config.timings, habits, self._tasks.spawn
        )
        self._living = self._tasks.spawn(self._tunnel.keep())

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
        self._front.take(message)
