"""That the ACB is told of an activation of the PPMID's firmware (CS09, 8F8B): on command, or when due.

What is due stays so, over power cuts too, until a SMETS2+ hub has taken it; on a SMETS1 hub nobody is told.
"""

from __future__ import annotations

from drivers.virtual.device.tasks import Spawn
from drivers.virtual.device.tunnel_client import TunnelClient
from drivers.virtual.ppmid.console import Refusal
from drivers.virtual.ppmid.gbcs_client import GbcsClient
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.tunnel_keeper import TunnelKeeper
from harness.gbcs.use_cases.firmware import PPMID_FIRMWARE_ACTIVATION


class ActivationAlert:
    """Raises the alert through the tunnel that there is."""

    def __init__(
        self,
        gbcs: GbcsClient,
        tunnels: TunnelKeeper,
        kept: NonVolatile,
        memory: Memory,
        spawn: Spawn,
    ) -> None:
        self._gbcs = gbcs
        self._tunnels = tunnels
        self._kept = kept
        self._memory = memory
        self._spawn = spawn

    def raise_now(self, code: int) -> None:
        """Begin to send it; raises Refusal for another alert, or without anybody to send it to."""
        if code != PPMID_FIRMWARE_ACTIVATION:
            raise Refusal("bad-argument", f"it has no alert {code:04X}, only {PPMID_FIRMWARE_ACTIVATION:04X}")
        tunnel = self._tunnels.client
        if tunnel is None:
            raise Refusal("bad-state", "it is on no SMETS2+ hub, to which it could send one")
        self._spawn(self._put(tunnel))

    def raise_due(self) -> None:
        """Begin to send it when another firmware runs and nobody has been told."""
        if not self._kept.alert_due:
            return
        tunnel = self._tunnels.client
        if tunnel is None:
            self._settled()
        else:
            self._spawn(self._put(tunnel))

    async def _put(self, through: TunnelClient) -> None:
        if await through.put(self._gbcs.firmware_activated()):
            self._settled()

    def _settled(self) -> None:
        self._kept.alert_due = False
        self._memory.store(self._kept)
