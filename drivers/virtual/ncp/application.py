"""The EZSP application of a network processor: requests in, responses and callbacks out."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from drivers.virtual.ncp import layouts
from drivers.virtual.ncp.basics import STACK_VERSIONS, Basics
from drivers.virtual.ncp.core import Answer, Handler, NcpCore, outcome
from drivers.virtual.ncp.faults import Mishaps
from drivers.virtual.ncp.keys import Keys
from drivers.virtual.ncp.messaging import Messaging
from drivers.virtual.ncp.networking import Networking
from drivers.virtual.ncp.state import NonVolatile, Volatile
from drivers.virtual.ncp.status import Status
from drivers.virtual.ncp.trust_centre import NcpTrustCentre
from drivers.virtual.stack.faces import (
    ApsIndication,
    CoordinatorStack,
    JoinStatus,
    LeaveReason,
    TrustDecision,
)
from harness.errors import DecodeError
from harness.eui64 import Eui64

_LOG = logging.getLogger(__name__)
_VERSION = 0
_END_DEVICE = 3
_USE_PRECONFIGURED_KEY, _KEY_IN_CLEAR, _DENY, _NO_ACTION = 0, 1, 2, 3


class NcpApplication:
    """Takes EZSP frames, and sends EZSP frames through `write`; also the stack's listener.

    `make_stack` is called once with ``listener`` and ``trust_centre``.
    """

    def __init__(
        self,
        make_stack: Callable[..., CoordinatorStack],
        write: Callable[[bytes], None],
        spawn: Callable[[Awaitable[object]], object],
        *,
        eui64: Eui64,
        version: int,
        kept: NonVolatile,
        rng: random.Random,
    ) -> None:
        if version not in STACK_VERSIONS:
            raise ValueError(f"EZSP version {version}: expected one of {sorted(STACK_VERSIONS)}")
        self._write = write
        self._version = version
        self._agreed = False
        self._sequence = 0
        self._trust_centre = NcpTrustCentre()
        self._trust_centre.kept = kept
        self.stack = make_stack(listener=self, trust_centre=self._trust_centre)
        self._core = NcpCore(
            eui64=eui64,
            version=version,
            rng=rng,
            trust_centre=self._trust_centre,
            callback=self._callback,
            spawn=spawn,
            stack=self.stack,
            endpoints=[],
        )
        self.messaging = Messaging(self._core)
        self._handlers = self._found()

    def _found(self) -> dict[str, Handler]:
        groups: tuple[Any, ...] = (
            Basics(self._core),
            Networking(self._core),
            Keys(self._core),
            self.messaging,
        )
        return {
            name.removeprefix("on_"): getattr(group, name)
            for group in groups
            for name in dir(group)
            if name.startswith("on_")
        }

    def reset(self) -> None:
        """Begin anew, as after a reset: what is not kept is forgotten, and the network is down."""
        self._agreed = False
        if self._core.up:
            self._core.remember_network()
            self.stack.abandon()
        self._trust_centre.volatile = Volatile()
        self._core.endpoints.clear()
        self.stack.clear_endpoints()
        self.messaging = Messaging(self._core)
        self._handlers = self._found()

    # From the host.

    def request(self, frame: bytes) -> None:
        """Take an EZSP frame and answer it."""
        try:
            asked = layouts.read_request(frame, self._version if self._agreed else None)
        except DecodeError as error:
            _LOG.warning("EZSP %d, frame %s: %s", self._version, frame.hex(), error)
            if len(frame) >= 1:
                self._invalid(frame[0], Status.TRUNCATED if self._agreed else Status.VERSION_NOT_SET)
            return
        self._sequence = asked.sequence
        if asked.identifier == _VERSION:
            self._answer_version(frame)
            return
        if not self._agreed:
            self._invalid(asked.sequence, Status.VERSION_NOT_SET)
            return
        handler = self._handlers.get(asked.command.name) if asked.command is not None else None
        if asked.command is None or handler is None:
            _LOG.warning("EZSP %d has no command 0x%04X here", self._version, asked.identifier)
            self._invalid(asked.sequence)
            return
        answer = handler(asked.fields)
        self._core.keep_counters()
        self._write(layouts.write_response(self._version, asked.sequence, asked.command.name, answer))

    def _answer_version(self, frame: bytes) -> None:
        extended = len(frame) >= 5 and frame[2] == 1
        desired = frame[5] if extended and len(frame) > 5 else frame[3] if len(frame) > 3 else 0
        self._agreed = desired == self._version
        major, minor, patch = STACK_VERSIONS[self._version]
        stack_version = major << 12 | minor << 8 | patch << 4
        self._write(layouts.write_version(frame[0], self._version, stack_version, extended=extended))

    def _invalid(self, sequence: int, why: Status = Status.INVALID_FRAME_ID) -> None:
        answer = outcome(why)
        self._write(layouts.write_response(self._version, sequence, "invalidCommand", answer))

    def _callback(self, name: str, fields: Answer) -> None:
        self._core.keep_counters()
        if self._agreed:
            self._write(layouts.write_callback(self._version, self._sequence, name, fields))

    def knows(self, eui64: Eui64) -> bool:
        """Whether the key table has a link key of a device."""
        return self._core.kept.find(eui64) is not None

    @property
    def mishaps(self) -> Mishaps:
        """What goes wrong behind the line."""
        return self._core.mishaps

    def cure(self) -> None:
        """Let nothing go wrong any more."""
        self._core.mishaps = Mishaps()

    def network_down(self, *, really: bool, told: bool) -> None:
        """Fall off the network, which is not forgotten, or only say so."""
        if really and self._core.up:
            self._core.remember_network()
            self.stack.abandon()
        if told:
            self._core.network_status(Status.NETWORK_DOWN)

    # From the stack.

    def aps_received(self, message: ApsIndication) -> None:
        """Take an APS message."""
        self.messaging.received(message)

    def device_update(
        self, eui64: Eui64, short_address: int, status: JoinStatus, decision: TrustDecision, parent: int
    ) -> None:
        """Tell the host of a device that joined, rejoined or left."""
        self._core.remember_network()
        self._callback(
            "trustCenterJoinHandler",
            {
                "short": short_address,
                "eui64": eui64,
                "update": status.value,
                "decision": _decision(status, decision),
                "parent": parent,
            },
        )

    def child_update(self, short_address: int, eui64: Eui64, *, joining: bool) -> None:
        """Tell the host of a child."""
        self._callback(
            "childJoinHandler",
            {"joining": joining, "short": short_address, "eui64": eui64, "child_type": _END_DEVICE},
        )

    def left_network(self, reason: LeaveReason) -> None:
        """Take no notice: a coordinator does not leave by itself."""


def _decision(status: JoinStatus, decision: TrustDecision) -> int:
    if status is JoinStatus.LEFT or (decision.admit and not decision.send_network_key):
        return _NO_ACTION
    if not decision.admit:
        return _DENY
    return _USE_PRECONFIGURED_KEY if decision.link_key is not None else _KEY_IN_CLEAR
