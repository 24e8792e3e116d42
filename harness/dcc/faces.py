"""The faces of the DCC: what it needs of a hub, and what a plan's steps use of it.

`harness.hub.core.CommunicationsHub` is a HubFace; `harness.dcc.embedded.EmbeddedDcc` is a DccFace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from harness.dcc.documents import InventoryRecord, Prenotification, ServiceResponse
from harness.eui64 import Eui64
from harness.zigbee.swap_out import TrustCentreBackup


class AttributeValue(Protocol):
    """A value as a device gave it, with its type."""

    @property
    def value(self) -> object:
        """The value itself: a number, text, octets."""


class AttributeRecord(Protocol):
    """A device's answer for one attribute. `value` is None when `status` is not 0 (success)."""

    @property
    def status(self) -> int:
        """The ZCL status."""

    @property
    def value(self) -> AttributeValue | None:
        """The value."""


class HubFace(Protocol):
    """A Communications Hub as the DCC reaches it.

    Methods raise DeviceSilent or RadioUndelivered when a device does not answer, RigFault when the hub's
    radio is at fault, StimulusImpossible for what a hub of its kind cannot do.
    """

    @property
    def eui64(self) -> Eui64:
        """The hub's EUI-64."""

    async def add_to_device_log(self, eui64: Eui64, install_code: bytes, join_time_s: float) -> object:
        """Whitelist a device for `join_time_s` seconds."""

    async def remove_from_device_log(self, eui64: Eui64) -> object:
        """Take a device out of the log."""

    async def command_chf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own CHF and return its response.

        Raises DeviceSilent when the CHF refuses it, StimulusImpossible on a hub without GBCS.
        """

    async def command_gpf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own GPF and return its response; raises as `command_chf` does."""

    def backup(self) -> TrustCentreBackup:
        """Return what a hub needs that takes this one's place."""

    async def restore_device_log(self, backup: TrustCentreBackup) -> None:
        """Take another hub's place; ValueError when it cannot."""

    async def take_image(self, image: bytes, devices: Iterable[Eui64], keep_s: float) -> None:
        """Hold a Zigbee OTA file for devices for so many seconds; StimulusImpossible for what is none."""

    async def deliver_gbcs(self, eui64: Eui64, message: bytes, timeout_s: float) -> bytes:
        """Carry a GBCS message to a device and return its answer."""

    async def read_attributes(
        self, eui64: Eui64, cluster: int, attributes: Iterable[int], *, client_side: bool, timeout_s: float
    ) -> Mapping[int, AttributeRecord]:
        """Read attributes of a device by plain ZCL."""


class DccFace(Protocol):
    """The DCC as a service user sees it. A refusal is a response, not an exception; RigFault is raised."""

    async def prenotify(self, prenotification: Prenotification) -> ServiceResponse:
        """Pre-notify a device (12.2)."""

    async def whitelist(
        self, hub: Eui64, device: Eui64, install_code: bytes, join_time_s: float
    ) -> ServiceResponse:
        """Add a device to a hub's device log (8.11); `install_code` is without its CRC."""

    async def unwhitelist(self, hub: Eui64, device: Eui64) -> ServiceResponse:
        """Take a device out of a hub's device log (8.11)."""

    async def read_inventory(self, device: Eui64) -> InventoryRecord | None:
        """Return the SMI's record of a device (8.2), None when the DCC does not know it."""

    async def request(self, srv: str, device: Eui64) -> ServiceResponse:
        """Send a service request that has no parameters to a device, such as 11.2."""
