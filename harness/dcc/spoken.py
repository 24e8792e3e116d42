"""What it takes to speak a GBCS use case: its command filled from a request, its response told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.eui64 import Eui64
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.device_log import LoggedDevice
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import DeviceType

MESSAGE_SUCCESS = "MessageSuccess"
ACCESS_RESULTS = "AccessResults"

Told = Mapping[str, str]


class Knowledge(Protocol):
    """What the DSP knows besides the request."""

    def device_type(self, device: Eui64) -> DeviceType:
        """Return the type of a device in the SMI."""

    def key_agreement_certificate(self, device: Eui64) -> bytes:
        """Return a device's certificate (DER); raises KeyNotFound."""

    def device_log_of(self, hub: Eui64) -> tuple[LoggedDevice, ...]:
        """Return the device log that a hub has told of last, empty when it has told of none."""

    def extended_pan_id_of(self, hub: Eui64) -> bytes:
        """Return the extended PAN id (8 octets) of a hub's network."""

    def gpf_log_of(self, gpf: Eui64) -> tuple[JoinedDevice, ...]:
        """Return the device log that a GPF has backed up last, empty when it never has."""


Fill = Callable[[Any, Knowledge], Any]


@dataclass(frozen=True, slots=True)
class SpokenUseCase:
    """A use case, how its command is filled from a request, and what its response says.

    A command `by_user` has the user for its originator and his request's counter, and its response is made
    for him: the DSP adds the command's MAC, and has not got the key of the response's.
    """

    use_case: UseCase[Any, Any]
    fill: Fill
    told: Callable[[Any], Told]
    by_user: bool = False


def by_name(*entries: SpokenUseCase) -> dict[str, SpokenUseCase]:
    """Return use cases by the name that the rulebook's USE-CASE- rules have."""
    return {entry.use_case.name: entry for entry in entries}


def nothing(_: object, __: Knowledge) -> None:
    """Fill a command that carries nothing."""


def success(*, ok: bool) -> dict[str, str]:
    """Return that a request came to something, or to nothing."""
    return {MESSAGE_SUCCESS: "true" if ok else "false"}
