"""Firmware on its way: from an 11.1 or 11.4 that was taken to the hubs of its devices, and how that ends.

On a SMETS2+ system a hub takes the image and hands it to its devices over the air; no GBCS message carries
it. For devices on a SMETS1 system it is the S1SP that takes it. What was taken, and to whom it is under way,
is on the agenda: it outlasts a restart, and ends by an alert of hub or device, or when the time is over.
Source: facts gb-domain §2 (CS05a to CS05c: no GBCS message), §1.5 (alerts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from harness.dcc.agenda import Entry, Matter
from harness.dcc.alerts import DeviceAlert
from harness.dcc.dcc_alerts import DccAlertKind, DccAlerts
from harness.dcc.defects import DccDefect
from harness.dcc.duis import alerts as a
from harness.dcc.duis.requests import FirmwareDistribution, RequestId
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import read_request_tree, request_tree
from harness.dcc.enquiry import Estate
from harness.dcc.faces import HubFace
from harness.dcc.s1sp import S1sp
from harness.errors import BenchError, HarnessBug
from harness.eui64 import Eui64
from harness.gbcs.use_cases.firmware import FirmwareTransfer, PpmidActivation
from harness.smets.routing import FIRMWARE_KEPT
from harness.smets.smi import DeviceRecord
from harness.smets.version import SmetsVersion
from harness.tap import Boundary, Tap

_HUB_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Brings images to `hubs`, and to the S1SP."""

    estate: Estate
    hubs: Mapping[Eui64, HubFace]
    s1sp: S1sp
    alerts: DccAlerts
    tap: Tap

    def under_way(self, device: Eui64) -> bool:
        """Whether firmware is on its way to a device."""
        return self.estate.store.agenda.get(Matter.IMAGE, str(device)) is not None

    def take(self, request: FirmwareDistribution, devices: Iterable[Eui64]) -> None:
        """Take a request on, for these of its devices; the image is sent soon after."""
        agenda, now = self.estate.store.agenda, self.estate.clock()
        wanted = replace(request, devices=tuple(dict.fromkeys(devices)))
        if not wanted.devices:
            return
        key = str(request.request_id)
        agenda.put(
            Entry(matter=Matter.DISTRIBUTION, key=key, due=now, content=serialise(request_tree(wanted)))
        )
        until = now + timedelta(seconds=self._keep_s)
        for device in wanted.devices:
            content = f"{key} {request.firmware}".encode()
            agenda.put(Entry(matter=Matter.IMAGE, key=str(device), due=until, content=content))

    async def send_due(self) -> None:
        """Send every image that was taken and not sent yet, hub by hub; tell its sender how that went."""
        agenda = self.estate.store.agenda
        for entry in agenda.entries(Matter.DISTRIBUTION):
            request = read_request_tree(parse_xml(entry.content))
            if not isinstance(request, FirmwareDistribution):
                raise HarnessBug(f"{request.srv} is no request that has an image")
            for hub, devices in self._by_hub(request.devices).items():
                await self._to_hub(request, hub, devices)
            agenda.take(Matter.DISTRIBUTION, entry.key)
            await self.estate.store.durable()

    def heard(self, alert: DeviceAlert) -> None:
        """A hub or a PPMID has raised an alert: an image that it is about is under way no more."""
        match alert.content:
            case FirmwareTransfer(device=device):
                self._ended(device)
            case PpmidActivation() if alert.originator is not None:
                self._ended(alert.originator)

    def overdue(self) -> None:
        """Give up what has been under way for too long, and tell its sender."""
        now, agenda = self.estate.clock(), self.estate.store.agenda
        lost: dict[str, list[Eui64]] = {}
        for entry in agenda.entries(Matter.IMAGE):
            if entry.due <= now:
                agenda.take(Matter.IMAGE, entry.key)
                lost.setdefault(entry.content.decode().split()[0], []).append(Eui64.parse(entry.key))
        for text, devices in lost.items():
            self._lost(RequestId.parse(text), tuple(devices))

    # --- one hub -------------------------------------------------------------------------------------------

    def _by_hub(self, devices: Iterable[Eui64]) -> dict[Eui64 | None, list[DeviceRecord]]:
        by_hub: dict[Eui64 | None, list[DeviceRecord]] = {}
        for device in devices:
            record = self.estate.store.get(device)
            if record is not None:
                by_hub.setdefault(record.hub, []).append(record)
        return by_hub

    async def _to_hub(
        self, request: FirmwareDistribution, hub: Eui64 | None, records: list[DeviceRecord]
    ) -> None:
        devices = tuple(record.device for record in records)
        wrong = "they are in no hub's device log"
        if hub is not None:
            smets1 = records[0].family is SmetsVersion.SMETS1
            smets1 = smets1 and DccDefect.OTA_TO_SMETS1 not in self.estate.defects
            wrong = await self._handed_over(request, hub, devices, smets1=smets1)
            for device in devices:
                body = a.FirmwareDelivery(
                    request_id=request.request_id,
                    hub=hub,
                    device=device,
                    firmware=request.firmware,
                    when=self.estate.clock(),
                    delivered=not wrong,
                )
                self.alerts.tell(DccAlertKind.FIRMWARE_DELIVERY, body, sender=request.request_id.originator)
        names = ", ".join(map(str, devices))
        said = f"not sent: {wrong}" if wrong else "sent"
        self.tap.record(
            Boundary.HUB, "dsp", str(hub or "nobody"), f"firmware {request.firmware} for {names} {said}"
        )
        if wrong:
            for device in devices:
                self._ended(device)
            self._lost(request.request_id, devices)

    async def _handed_over(
        self, request: FirmwareDistribution, hub: Eui64, devices: tuple[Eui64, ...], *, smets1: bool
    ) -> str:
        """Hand an image over; return what went wrong, nothing when it is there."""
        if smets1:
            self.s1sp.take_image(request, hub, devices)
            return ""
        face = self.hubs.get(hub)
        if face is None:
            return f"no hub on the bench is {hub}"
        try:
            async with asyncio.timeout(_HUB_WITHIN_S):
                await face.take_image(request.image, devices, self._keep_s)
        except (BenchError, TimeoutError) as error:
            return str(error) or f"the hub has not taken it within {_HUB_WITHIN_S:g} s"
        return ""

    @property
    def _keep_s(self) -> float:
        return self.estate.rules.rule(FIRMWARE_KEPT).number("days") * 86400

    def _ended(self, device: Eui64) -> None:
        self.estate.store.agenda.take(Matter.IMAGE, str(device))

    def _lost(self, request_id: RequestId, devices: tuple[Eui64, ...]) -> None:
        body = a.FirmwareDistributionFailure(request_id=request_id, devices=devices)
        self.alerts.tell(DccAlertKind.FIRMWARE_FAILURE, body, sender=request_id.originator)
