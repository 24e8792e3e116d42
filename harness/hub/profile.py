"""What makes a hub a SMETS1 or a SMETS2+ one: a file of `ppmid-bench/hub-profile@1`.

Both kinds are one core; endpoints, clusters, key-establishment suites and the tunnel come from here, and
each thing the public sources leave open is listed under `rests-on` with its basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

from harness.documents import bind, load_document
from harness.rig.faces import Endpoint

PROFILES = Path(__file__).parent / "profiles"

_KEY_ESTABLISHMENT = 0x0800
_TUNNELING = 0x0704
_LARGEST_ENDPOINT = 240
_LONGEST_SILENCE_S = 0xFFFF


class Basis(Enum):
    """Where a rule comes from."""

    PUBLISHED = "published"
    INFERRED = "inferred"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRule:
    """One choice in a profile, and why it is so."""

    rule: str
    basis: Basis
    says: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEndpoint:
    """A simple descriptor of the hub."""

    number: int
    profile: int
    device_id: int
    input_clusters: tuple[int, ...]
    output_clusters: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.number <= _LARGEST_ENDPOINT:
            raise ValueError(f"endpoint {self.number}: expected 1 to {_LARGEST_ENDPOINT}")

    def descriptor(self) -> Endpoint:
        """Return it as a radio takes it."""
        return Endpoint(
            number=self.number,
            profile=self.profile,
            device_id=self.device_id,
            input_clusters=self.input_clusters,
            output_clusters=self.output_clusters,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelProfile:
    """The tunnels that the hub serves: of which protocol id, how many, and how much data it takes at once.

    `close_after_s` is the silence in seconds after which it closes one (CloseTunnelTimeout, uint16).
    """

    protocol: int
    manufacturer: int = 0xFFFF  # none
    max_incoming: int = 1500
    most_tunnels: int = 16
    close_after_s: int = _LONGEST_SILENCE_S
    flow_control: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.close_after_s <= _LONGEST_SILENCE_S:
            raise ValueError(f"close-after-s {self.close_after_s}: expected 1 to {_LONGEST_SILENCE_S}")
        if self.most_tunnels < 1:
            raise ValueError(f"most-tunnels {self.most_tunnels}: a hub that serves tunnels has at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAttributes:
    """What the hub's Basic cluster says."""

    manufacturer_name: str
    model_identifier: str
    zcl_version: int = 1
    application_version: int = 1
    power_source: int = 1  # mains, single phase
    physical_environment: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HubProfile:
    """A kind of hub."""

    generation: Literal["SMETS1", "SMETS2+"]
    endpoints: tuple[ProfileEndpoint, ...]
    key_establishment_suites: int  # bitmap16: bit 0 suite 1, bit 1 suite 2
    basic: BasicAttributes
    tunnel: TunnelProfile | None = None
    historic_link_keys: bool = False  # a device removed may come back by the link key of then (CCS01)
    link_key_secured: bool = True  # what the hub sends on Smart Energy clusters of its own accord
    rests_on: tuple[ProfileRule, ...] = ()

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ValueError("a hub has at least one endpoint")
        numbers = [endpoint.number for endpoint in self.endpoints]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"endpoint numbers are given twice: {numbers}")
        if self.endpoint_of(_KEY_ESTABLISHMENT) is None:
            raise ValueError("no endpoint serves key establishment (0x0800)")
        if (self.endpoint_of(_TUNNELING) is None) != (self.tunnel is None):
            raise ValueError("`tunnel` and an endpoint that serves 0x0704 go together")
        if not 1 <= self.key_establishment_suites <= 3:
            raise ValueError(
                f"key-establishment-suites 0x{self.key_establishment_suites:04X}: expected 1 to 3"
            )
        rules = [entry.rule for entry in self.rests_on]
        twice = sorted({rule for rule in rules if rules.count(rule) > 1})
        if twice:
            raise ValueError(f"rests-on has {', '.join(twice)} twice: a rule's id says which one it is")

    def endpoint_of(self, cluster: int) -> ProfileEndpoint | None:
        """Return the endpoint that serves a cluster, or None."""
        return next((entry for entry in self.endpoints if cluster in entry.input_clusters), None)

    def client_endpoint_of(self, cluster: int) -> ProfileEndpoint:
        """Return the endpoint that speaks as a cluster's client; the first one when none says so."""
        found = next((entry for entry in self.endpoints if cluster in entry.output_clusters), None)
        return found or self.endpoints[0]


def load_profile(source: Path | str) -> HubProfile:
    """Load a profile by path, or one of ours by name (`smets1`, `smets2`); raises ConfigError."""
    path = source if isinstance(source, Path) else PROFILES / f"{source}.yaml"
    return bind(load_document(path, "hub-profile"), HubProfile)
