"""What the command handlers of a network processor share: its stack, its memory, its way to the host."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.virtual.ncp.faults import Mishaps
from drivers.virtual.ncp.state import NonVolatile, Volatile
from drivers.virtual.ncp.status import Status
from drivers.virtual.ncp.trust_centre import NcpTrustCentre
from drivers.virtual.stack.faces import CoordinatorStack
from harness.eui64 import Eui64
from harness.zigbee.zdo import SimpleDescriptor

Answer = Mapping[str, Any]
Handler = Callable[[Mapping[str, Any]], Answer]


def outcome(status: Status) -> Answer:
    """Return the answer of a command that answers with a status alone."""
    return {"status": status}


_COUNTERS_BETWEEN = 512  # frames between two writes of the counters; below the margin of a restart


@dataclass(slots=True)
class NcpCore:
    """`callback` sends an EZSP callback; `version` is the EZSP version agreed on."""

    eui64: Eui64
    version: int
    rng: random.Random
    trust_centre: NcpTrustCentre
    callback: Callable[[str, Answer], None]
    spawn: Callable[[Awaitable[object]], object]
    stack: CoordinatorStack
    endpoints: list[SimpleDescriptor]
    mishaps: Mishaps = field(default_factory=Mishaps)
    _counters_kept: tuple[int, int] = (0, 0)

    @property
    def volatile(self) -> Volatile:
        """What a reset clears."""
        return self.trust_centre.volatile

    @property
    def kept(self) -> NonVolatile:
        """What stays without power."""
        return self.trust_centre.kept

    @property
    def up(self) -> bool:
        """Whether the network processor is on a network."""
        return self.stack.network is not None

    def soon(self, name: str, **fields: Any) -> None:
        """Send a callback after the response to the command that is being handled."""
        asyncio.get_running_loop().call_soon(self.callback, name, fields)

    def network_status(self, status: Status) -> None:
        """Tell the host of the network's state after the response to the command that is being handled."""
        mishaps, times = self.mishaps, 1
        if mishaps.status_missing:
            mishaps.status_missing -= 1
            return
        if mishaps.status_twice:
            mishaps.status_twice -= 1
            times = 2
        late_s = 0.0
        if mishaps.status_late:
            mishaps.status_late -= 1
            late_s = mishaps.status_late_s
        for _ in range(times):
            fields = {"status": status}
            asyncio.get_running_loop().call_later(late_s, self.callback, "stackStatusHandler", fields)

    def remember_network(self) -> None:
        """Keep where the stack is, for after a reset."""
        self.kept.stack = self.stack.save() if self.up else None
        self._counters_kept = self.stack.frame_counters()
        self.kept.store()

    def keep_counters(self) -> None:
        """Write the frame counters down when they have moved on far: power may go without a warning."""
        moved = zip(self.stack.frame_counters(), self._counters_kept, strict=True)
        if self.up and any(now - kept >= _COUNTERS_BETWEEN for now, kept in moved):
            self.remember_network()
