"""A supply that the environment switches: a device of the virtual bench."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.rig.faces import DriverContext, DriverSpec, Environment, Face


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSupplyOptions:
    """Whose supply it is, by the environment's name of the node."""

    node: str


class EnvironmentSupply:
    """`harness.rig.faces.Power` of one node."""

    def __init__(self, environment: Environment, node: str) -> None:
        self._environment = environment
        self._node = node

    async def switch(self, *, on: bool) -> None:
        """Switch the supply; returns when it is switched."""
        await asyncio.to_thread(self._environment.switch_power, self._node, on=on)


def _create(options: EnvironmentSupplyOptions, context: DriverContext) -> EnvironmentSupply:
    if context.environment is None:
        raise ConfigError("driver `environment-supply` needs an `environment` in the rig")
    return EnvironmentSupply(context.environment, options.node)


DRIVER = DriverSpec(
    face=Face.POWER,
    options=EnvironmentSupplyOptions,
    create=_create,
    summary="the environment switches a node's supply",
)
