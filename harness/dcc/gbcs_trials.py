"""GBCS by itself, past the DSP's stages: what a device or the DSP makes of a message good or spoilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.dcc.acb import Acb, UseCaseNotBuilt
from harness.dcc.delivery import Delivery, Undelivered
from harness.dcc.duis.requests import ServiceRequest
from harness.dcc.http.hub_link import HubLink
from harness.dcc.meters import METERS
from harness.dcc.use_cases import SPOKEN
from harness.errors import StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import KeyNotFound, KeyStore, KeyUsage
from harness.gbcs.use_cases.device_log import LoggedDevice
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import DeviceType


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


@dataclass(frozen=True, slots=True)
class LinkTrials:
    """The same towards a DCC of ours that is another program, on its way to the hubs, which are the rig's.

    `acb` has the DCC's keys, and `everybody` all that it has.
    """

    link: HubLink
    acb: Acb
    everybody: KeyStore

    @property
    def keys(self) -> KeyStore:
        """The ACB's private and everybody's public keys."""
        return self.acb.keys

    def command(self, use_case: str, request: ServiceRequest) -> bytes:
        """Return a GBCS command as the DSP would make it of a request, unsent; StimulusImpossible."""
        known = _BenchKnowledge(self.everybody)
        try:
            fields = SPOKEN[use_case].fill(request, known) if use_case in SPOKEN else None
            return self.acb.command(use_case, request.request_id.target, request.request_id, fields)
        except (UseCaseNotBuilt, KeyNotFound) as missing:
            raise StimulusImpossible(f"the rig cannot make {use_case}: {missing}") from missing

    def read(self, use_case: str, response: bytes, command: bytes) -> Mapping[str, str]:
        """Judge a response as the DSP does and return what it says; raises DecodeError."""
        return self.acb.read(use_case, response, command)

    def spoil_next_response(self, change: Callable[[bytes], bytes]) -> None:
        """Change the next GBCS response on its way to the DSP."""
        self.link.spoil_next_response(change)


@dataclass(frozen=True, slots=True)
class _BenchKnowledge:
    """What is known without an SMI: the bench's own meters, and the PPMID beside them."""

    keys: KeyStore

    def device_type(self, device: Eui64) -> DeviceType:
        """Return a meter's type; what is none is the PPMID."""
        return next((kind for kind, meter in METERS.items() if meter == device), DeviceType.PPMID)

    def key_agreement_certificate(self, device: Eui64) -> bytes:
        """Return a device's certificate (DER); raises KeyNotFound."""
        return self.keys.certificate(device, KeyUsage.KEY_AGREEMENT)

    def device_log_of(self, hub: Eui64) -> tuple[LoggedDevice, ...]:
        """Return nothing: no hub has told anything here."""
        del hub
        return ()

    def extended_pan_id_of(self, hub: Eui64) -> bytes:
        """Return the extended PAN id (8 octets) of a hub's network; KeyNotFound: nobody asks for it here."""
        raise KeyNotFound(hub, KeyUsage.KEY_AGREEMENT, "network")

    def gpf_log_of(self, gpf: Eui64) -> tuple[JoinedDevice, ...]:
        """Return nothing: no GPF has backed anything up here."""
        del gpf
        return ()
