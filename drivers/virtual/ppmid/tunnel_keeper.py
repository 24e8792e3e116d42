"""That a SMETS2+ PPMID has a tunnel open with its hub: begun, begun anew, given up."""

from __future__ import annotations

import asyncio

from drivers.virtual.device.questions import Questions
from drivers.virtual.device.tasks import Spawn
from drivers.virtual.device.tunnel_client import TunnelClient, TunnelHabits
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.gbcs_client import GbcsClient
from drivers.virtual.ppmid.nonvolatile import Mode, NonVolatile


class TunnelKeeper:
    """Keeps one tunnel at most. `client` is there in SMETS2+ mode, whether a tunnel is open or not."""

    def __init__(
        self, questions: Questions, gbcs: GbcsClient, config: PpmidConfig, kept: NonVolatile, spawn: Spawn
    ) -> None:
        self._questions = questions
        self._gbcs = gbcs
        self._config = config
        self._kept = kept
        self._spawn = spawn
        self._keeping: asyncio.Task[None] | None = None
        self.client: TunnelClient | None = None

    def start(self) -> None:
        """Open a tunnel, and keep it open."""
        self.renew()
        if self.client is not None:
            self._keeping = self._spawn(self.client.keep())

    def renew(self) -> None:
        """Have no tunnel, but, on SMETS2+, somebody who tells the hub so."""
        self.stop()
        if self._kept.mode is Mode.SMETS2_PLUS:
            habits = TunnelHabits(
                fetches=self._config.sleepy,
                flow_control=self._config.flow_control,
                silent=Defect.SILENT_TUNNEL in self._config.defects,
            )
            self.client = TunnelClient(
                self._questions, self._gbcs.handle, self._config.timings, habits, self._spawn
            )

    def stop(self) -> TunnelClient | None:
        """Keep none open any more; return whose tunnel may still be, to be closed."""
        if self._keeping is not None:
            self._keeping.cancel()
        client, self.client, self._keeping = self.client, None, None
        return client
