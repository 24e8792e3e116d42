"""What a plan's steps act on: everything of one rig, opened and healthy, and how to begin afresh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.dcc.embedded import EmbeddedDcc
from harness.errors import PlanError
from harness.eui64 import Eui64
from harness.hub.core import CommunicationsHub
from harness.rig.faces import Environment, Power, PpmidPort, Sniffer
from harness.rig.model import PpmidDevice
from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion
from harness.tap import Tap


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOnBench:
    """A hub of the rig. `family` is what the rig says it is."""

    hub: CommunicationsHub
    family: SmetsVersion


@dataclass(slots=True, kw_only=True)
class Bench:
    """A rig in use. `ppmid_device` is what the rig file says of the device under test."""

    rules: Rulebook
    dcc: EmbeddedDcc
    hubs: Mapping[str, HubOnBench]
    ppmid: PpmidPort
    ppmid_device: PpmidDevice
    tap: Tap
    power: Power | None = None
    sniffer: Sniffer | None = None
    environment: Environment | None = None
    nodes: Mapping[str, str] = field(default_factory=dict)  # resource name -> the environment's node

    def hub(self, name: str) -> HubOnBench:
        """Return a hub by its name in the rig; PlanError when it has none of that name."""
        try:
            return self.hubs[name]
        except KeyError:
            raise PlanError(f"this rig has no hub `{name}`; it has {', '.join(self.hubs)}") from None

    @property
    def device(self) -> Eui64:
        """The EUI-64 of the PPMID under test."""
        return self.ppmid_device.eui64

    async def reset_case(self) -> None:
        """Begin afresh: PPMID off every HAN with its own install code, device logs and SMI without it."""
        raise NotImplementedError

    async def health(self) -> str | None:
        """Return what is wrong with the rig in one sentence, or None when all of it answers."""
        raise NotImplementedError

    async def recover(self) -> str:
        """Bring the rig back as far as it can be; return what was done. RigFault when it stays unhealthy."""
        raise NotImplementedError
