"""GBCS by itself, past the DSP's stages: what a device or the DSP makes of a message good or spoilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.dcc.acb import Acb
from harness.dcc.delivery import Delivery, Undelivered
from harness.dcc.duis.requests import ServiceRequest
from harness.errors import StimulusImpossible
from harness.gbcs import KeyStore


@dataclass(frozen=True, slots=True)
class GbcsTrials:
    """What a test may do with the DCC's messages."""

    delivery: Delivery
    acb: Acb

    @property
    def keys(self) -> KeyStore:
        """The ACB's private and everybody's public keys."""
        return self.acb.keys

    def command(self, use_case: str, request: ServiceRequest) -> bytes:
        """Return a GBCS command as the DSP would make it of a request, unsent.

        Raises StimulusImpossible for one that it cannot make.
        """
        try:
            return self.delivery.command_of(request, use_case)
        except Undelivered as failure:
            raise StimulusImpossible(f"the DSP cannot make {use_case}: {failure.reason}") from failure

    def read(self, use_case: str, response: bytes, command: bytes) -> Mapping[str, str]:
        """Judge a response as the DSP does and return what it says; raises DecodeError."""
        return self.acb.read(use_case, response, command)

    def spoil_next_response(self, change: Callable[[bytes], bytes]) -> None:
        """Change the next GBCS response on its way to the DSP."""
        self.delivery.spoil_next_response(change)
