"""What the steps of one attempt at a case share: the bench, the evidence, and what has happened so far."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.dcc.documents import ServiceResponse
from harness.dcc.routes import RouteRecord
from harness.errors import BenchError
from harness.eui64 import Eui64
from harness.evidence.air import HeardFrame
from harness.evidence.recorder import CaseRecorder
from harness.plan.desk import Desk
from harness.plan.hub_functions import Function
from harness.plan.row import Row
from harness.rig.bench import Bench, HubOnBench
from harness.smets.cpl import DeviceModel, DeviceType
from harness.smets.rulebook import Consultation
from harness.smets.version import SmetsVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitelisting:
    """The last whitelisting. `frames` and `routes` count what the air and the DSP had before it."""

    hub: str
    frames: int
    routes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The last exchange of a hub: from `old` to `new`, by their names in the rig.

    `link_key` is what the device had established with the old one, None when nothing; `extended_pan_id` the
    old one's; `events` counts what the new one had seen before.
    """

    old: str
    new: str
    extended_pan_id: Eui64
    link_key: bytes | None
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The last service request. `hub` names the hub that it was to, None when it was to the PPMID.

    `function` is which of that hub's two.
    """

    srv: str
    response: ServiceResponse
    route: RouteRecord
    hub: str | None = None
    function: Function = "CHF"
    operation: str = ""  # what tells its use cases apart, as `harness.smets.routing.route` has it


@dataclass(slots=True, kw_only=True)
class CaseContext:
    """One attempt. `rules` keeps account of every rule that an expectation or the DSP went by.

    `version` is what the rulebook says that the SMI has of the device by now, `version_rules` why.
    """

    bench: Bench
    recorder: CaseRecorder
    rules: Consultation
    row: Row = field(default_factory=Row)
    version: SmetsVersion | None = None
    version_rules: tuple[str, ...] = ()
    desk: Desk = field(default_factory=Desk)
    limit: asyncio.Timeout | None = None  # the case's own time
    whitelisting: Whitelisting | None = None
    exchange: Exchange | None = None
    request: Request | None = None
    clear_keys_meant: int = 0  # network keys that a hub was told to send in the clear, the first so many
    meters: dict[DeviceType, Eui64] = field(default_factory=dict)  # installed by the case
    utrns: dict[DeviceType, str] = field(default_factory=dict)  # the last that each was sent

    @property
    def device_model(self) -> DeviceModel:
        """The device under test, as the CPL spells it."""
        device = self.bench.ppmid_device
        return DeviceModel(
            manufacturer=device.manufacturer,
            model=device.model,
            device_type=DeviceType.PPMID,
            firmware=device.firmware,
        )

    @property
    def hub(self) -> HubOnBench | None:
        """The hub that the device was last whitelisted on."""
        return self.bench.hub(self.whitelisting.hub) if self.whitelisting else None

    @contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """Let the case's own time stand still: a person takes as long as a person takes."""
        limit, loop = self.limit, asyncio.get_running_loop()
        when = limit.when() if limit is not None else None
        if limit is None or when is None:
            yield
            return
        left = when - loop.time()
        limit.reschedule(None)
        try:
            yield
        finally:
            limit.reschedule(loop.time() + left)

    def note_keys(self) -> None:
        """Give the recorder every key that the hubs have by now, so that it can read what is on the air."""
        for entry in self.bench.hubs.values():
            try:
                keys = entry.hub.keys()
            except BenchError:  # not started: there is nothing on its air either
                continue
            self.recorder.add_keys([keys.network_key], keys.link_keys)

    def keys_in_clear(self) -> tuple[HeardFrame, ...]:
        """Return the frames that carried a network key for everybody to read, and were not told to."""
        return self.recorder.air_record.network_keys_in_clear()[self.clear_keys_meant :]

    async def air_is_quiet(self) -> bool:
        """Wait for the sniffer to hand over all that was on the air; False when the rig has none."""
        if self.bench.sniffer is None:
            return False
        await self.bench.sniffer.drain()
        return True
