"""The firmware of a bilingual PPMID: where it stands on a HAN, and how it gets there and away.

::

    OUT --join--> JOINING --on the network, mode chosen--> JOINED --leave, told to leave--> OUT
                     |                                       |  ^
                     +--no network, key or suite--> OUT      +--+ parent lost, power back: come back

The mode is chosen once a join, kept without power, and given up on leaving. The link key is established
before the PPMID calls itself joined; Smart Energy without it is refused. On SMETS2+ a tunnel is kept open.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum

from drivers.virtual.device.factory import check_install_code
from drivers.virtual.device.front import Front
from drivers.virtual.device.homecoming import come_back
from drivers.virtual.device.key_establishment import KeyEstablishment
from drivers.virtual.device.questions import Questions
from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.device.tasks import Tasks
from drivers.virtual.ppmid import unsecured
from drivers.virtual.ppmid.activation_alert import ActivationAlert
from drivers.virtual.ppmid.commissioning import join, settle_in, settle_in_anew
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.console import Refusal
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.gbcs_client import GbcsClient
from drivers.virtual.ppmid.nonvolatile import Memory, Mode
from drivers.virtual.ppmid.received import ReceivedLog
from drivers.virtual.ppmid.tunnel_keeper import TunnelKeeper
from drivers.virtual.ppmid.upgrade import Upgrade, is_image_notify
from drivers.virtual.ppmid.zcl_server import ppmid_server
from drivers.virtual.stack.faces import (
    ApsIndication,
    ApsRequest,
    Delivery,
    JoinResult,
    LeaveReason,
)
from harness.eui64 import Eui64
from harness.zigbee import install_code
from harness.zigbee.cbke.suites import Suite
from harness.zigbee.zcl import ZclFrame

Event = Callable[[str, Mapping[str, str]], None]


class State(Enum):
    """Where the PPMID stands; the text of the test port."""

    OUT = "out"
    JOINING = "joining"
    JOINED = "joined"


class Firmware:
    """One run of the firmware, from power-up to power-down; also what the console commands.

    `event` tells the test port; `restart` asks for power-down and power-up.
    """

    def __init__(
        self,
        stack: DeviceStack,
        memory: Memory,
        config: PpmidConfig,
        *,
        event: Event,
        restart: Callable[[], None],
    ) -> None:
        self._stack = stack
        self._memory = memory
        self._kept = memory.load()
        if self._kept.firmware:
            config = replace(config, firmware=self._kept.firmware)
        self._config = config
        self._event = event
        self._restart = restart
        self._state = State.OUT
        self._parent: Eui64 | None = None
        self.tasks = Tasks("a virtual PPMID's firmware")
        self._received = ReceivedLog()
        self._questions = Questions(self._send, config.timings)
        self._server = ppmid_server(config, self._received)
        self._keys = KeyEstablishment(
            config.key_habits,
            send=self._send,
            spawn=self.tasks.spawn,
            next_sequence=self._questions.next_sequence,
            hub=lambda: self._parent,
            use_key=self._use_key,
        )
        self._gbcs = GbcsClient(config, self._kept, memory, self._received)
        self._joining: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._attempt: tuple[str, float] | None = None  # number of the join command, and when it came
        self._tunnels = TunnelKeeper(self._questions, self._gbcs, config, self._kept, self.tasks.spawn)
        self._alerts = ActivationAlert(self._gbcs, self._tunnels, self._kept, memory, self.tasks.spawn)
        self._upgrade = Upgrade(self._questions, config, self._kept, memory, restart)
        self._front = Front(
            self._questions,
            self._keys,
            lambda: self._tunnels.client,
            self._answer,
            established=self._link_key_established,
            send=self._send,
            spawn=self.tasks.spawn,
            accepts_unsecured=Defect.ACCEPTS_UNSECURED in config.defects,
        )

    # --- power ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Power up: be in the place and mode of before, and go on from there."""
        if Defect.FORGETS_MODE_ON_POWER_CYCLE in self._config.defects:
            self._kept.mode, self._kept.suites = Mode.NONE, 0
        if Defect.FORGETS_LINK_KEY in self._config.defects:
            self._stack.set_link_key(install_code.link_key(self._kept.install_code))
        self._gbcs.power_up()
        if self._kept.stack is not None:
            self._state = State.JOINED
            self._tunnels.renew()
            self._returning = self.tasks.spawn(self._come_back())
        self._event("started", self.status())

    async def stop(self) -> None:
        """Power down: everything under way ends, and nothing is kept but the memory."""
        await self.tasks.stop()

    # --- what the console commands --------------------------------------------------------------------------

    def info(self) -> Mapping[str, str]:
        """Return who this is."""
        config = self._config
        return {
            "eui64": str(config.eui64),
            "manufacturer": config.manufacturer,
            "model": config.model,
            "firmware": config.firmware,
        }

    def status(self) -> Mapping[str, str]:
        """Return where this is."""
        kept, network, short = self._kept, self._stack.network, self._stack.short_address
        fields = {
            "state": self._state.value,
            "mode": kept.mode.value,
            "suites": str(kept.suites),
            "key_establishment": str(kept.suite_used),
        }
        if self._state is not State.JOINED or network is None:
            return fields
        fields |= {
            "channel": str(network.channel),
            "pan": f"{network.pan_id:04X}",
            "extended_pan": str(network.extended_pan_id),
        }
        if short is not None:
            fields["short"] = f"{short:04X}"
        if self._parent is not None:
            fields["parent"] = str(self._parent)
        return fields

    def join(self, timeout_s: float, sequence: str) -> None:
        """Begin to join. Raises Refusal when there is nothing to begin."""
        if self._state is not State.OUT:
            raise Refusal("bad-state", f"{self._state.value} already; leave first")
        self._state = State.JOINING
        self._attempt = (sequence, asyncio.get_running_loop().time())
        self._joining = self.tasks.spawn(self._join(timeout_s))

    async def leave(self) -> None:
        """Leave the network and give up the mode; a join under way is given up too."""
        self._kept.old_network = None  # only a hub that sends it away may have it back
        if self._joining is not None and not self._joining.done():
            self._joining.cancel()
            await asyncio.wait({self._joining})
            await self._stay_out("cancelled")
            return
        await self._leave_network()
        self._give_up_place()

    def set_install_code(self, code: bytes) -> None:
        """Take another install code; the next join uses it."""
        check_install_code(code)
        self._kept.install_code = code
        self._memory.store(self._kept)

    async def read_unsecured(self, cluster: int, attribute: int) -> str:
        """Read an attribute of the hub under the network key alone."""
        return await unsecured.read(self._questions, cluster, attribute)

    def take_received(self) -> tuple[Mapping[str, str], ...]:
        """Return and clear what reached the application."""
        return self._received.take()

    def alert(self, code: int) -> None:
        """Begin to send a GBCS alert, when there is a tunnel; raises Refusal for one that it has not."""
        self._alerts.raise_now(code)

    def reset(self) -> None:
        """Restart soon."""
        self._restart()

    # --- joining --------------------------------------------------------------------------------------------

    async def _join(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                reason = await self._find_place(timeout_s)
        except TimeoutError:
            reason = "timeout"
        if reason is not None:
            await self._stay_out(reason)
            return
        self._state = State.JOINED
        self._keep_place()
        self._tunnels.start()
        self._alerts.raise_due()
        self._report("joined", self.status())

    async def _find_place(self, timeout_s: float) -> str | None:
        """Join and choose the mode; return why not, in the test port's word."""
        result = await join(self._stack, self._kept, self._config, timeout_s)
        if result.failure is not None:
            return result.failure.value
        self._parent = result.parent_eui64
        return await self._settle_in()

    async def _settle_in(self) -> str | None:
        """Choose the mode and establish the link key; return why not, in the test port's word."""
        return await settle_in(
            self._questions,
            self._keys,
            self._kept,
            self._config,
            on_network=lambda: self._stack.network is not None,
        )

    def _use_key(self, key: bytes, suite: Suite) -> None:
        self._stack.set_link_key(key)
        self._kept.suite_used = suite.number
        network = self._stack.network
        if network is not None:
            self._kept.old_network = (network.extended_pan_id, network.channel, key)
        if self._state is State.JOINED:
            self._keep_place()

    async def _stay_out(self, reason: str) -> None:
        await self._leave_network()
        self._forget_place()
        self._report("join-failed", {"reason": reason})

    def _report(self, name: str, fields: Mapping[str, str]) -> None:
        if self._attempt is None:
            return
        (sequence, begun), self._attempt = self._attempt, None
        elapsed_s = asyncio.get_running_loop().time() - begun
        self._event(name, {"seq": sequence, **fields, "elapsed": f"{elapsed_s:.3f}"})

    async def _leave_network(self) -> None:
        closing = self._tunnels.stop()
        self._questions.give_up()
        if self._stack.network is None:
            return
        # A node that cannot say goodbye is gone all the same.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.timings.leave_s):
                if closing is not None:
                    await closing.close()
                await self._stack.leave()

    # --- the place on a network -----------------------------------------------------------------------------

    def _keep_place(self) -> None:
        self._kept.stack = self._stack.save()
        self._memory.store(self._kept)

    def _forget_place(self) -> None:
        self._state, self._parent = State.OUT, None
        mode, suites = self._kept.mode, self._kept.suites
        self._kept.forget_network()
        if Defect.KEEPS_MODE_ON_LEAVE in self._config.defects:
            self._kept.mode, self._kept.suites = mode, suites
        self._memory.store(self._kept)

    def _give_up_place(self) -> None:
        was_in = self._state is not State.OUT
        self._forget_place()
        if was_in:
            self._event("left", self.status())

    async def _come_back(self) -> None:
        """Come back to the network that is kept, until it works or the PPMID is told that it is out."""
        result = await come_back(
            self._stack,
            self._config.channels,
            self._config.timings,
            lost=lambda: self._state is State.JOINED,
            settle_in=self._settle_in_again,
        )
        if result is not None and self._state is State.JOINED:
            self._parent = result.parent_eui64
            self._keep_place()
            self._tunnels.start()
            self._alerts.raise_due()

    async def _settle_in_again(self, result: JoinResult) -> bool:
        self._parent = result.parent_eui64
        return await settle_in_anew(self._stack, self._kept, self._establish_anew)

    async def _establish_anew(self) -> str | None:
        if Defect.KEEPS_OLD_KEY in self._config.defects:
            self._kept.suite_used = self._memory.load().suite_used
            return None
        return await self._settle_in()

    # --- what the stack says --------------------------------------------------------------------------------

    def left_network(self, reason: LeaveReason) -> None:
        """Note that the node is off its network."""
        if reason is LeaveReason.OWN_WISH:
            return
        self._questions.give_up()
        if self._state is not State.JOINED:
            return
        self._tunnels.stop()
        if reason is LeaveReason.TOLD:
            self._give_up_place()
        else:
            self._tunnels.renew()
            if self._returning is None or self._returning.done():
                self._returning = self.tasks.spawn(self._come_back())

    def aps_received(self, message: ApsIndication) -> None:
        """Take an APS message and answer it."""
        self._front.take(message)

    def _answer(self, message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
        if is_image_notify(message, frame):
            self.tasks.spawn(self._upgrade.look())
            return None
        return self._server.answer(message, frame)

    def _link_key_established(self) -> bool:
        return self._kept.suite_used != 0 or Defect.SKIPS_KEY_ESTABLISHMENT in self._config.defects

    async def _send(self, request: ApsRequest) -> Delivery:
        if Defect.NETWORK_KEY_ONLY in self._config.defects:
            request = replace(request, link_key_secured=False)
        return await self._stack.send(request)
