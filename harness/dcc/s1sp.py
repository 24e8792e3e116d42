"""The SMETS1 Service Provider: reaches SMETS1 devices through SMETS1 hubs, with plain Smart Energy.

It takes countersigned requests from the DSP and answers with SMETS1 responses, in which there is no room for
GBCS. How a SMETS1 device is asked is not public: those rules are `assumed`. A join or unjoin has no equal on
a SMETS1 HAN as far as the public knows: the S1SP takes note of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.dcc.acb import FIRMWARE_VERSION, MESSAGE_SUCCESS
from harness.dcc.documents import (
    CountersignedRequest,
    LogAction,
    S1spAlert,
    Smets1Response,
    UpdateHanDeviceLog,
)
from harness.dcc.duis.requests import FirmwareDistribution, JoinOrUnjoin, RestoreHanDeviceLog
from harness.dcc.faces import HubFace
from harness.errors import SystemFault
from harness.eui64 import Eui64
from harness.smets.han import Side, firmware_read
from harness.smets.routing import S1SP_SRVS
from harness.smets.rulebook import Rulebook
from harness.tap import Boundary, Tap

ALERT = "S1SP-ALERT"


class S1sp:
    """Serves the hubs that were given to it. `timeout_s` is how long a device may take to answer."""

    def __init__(self, rules: Rulebook, tap: Tap, *, timeout_s: float) -> None:
        self._rules = rules
        self._tap = tap
        self._timeout_s = timeout_s
        self._hubs: dict[Eui64, HubFace] = {}

    def serve(self, hub: HubFace) -> None:
        """Take on a SMETS1 hub."""
        self._hubs[hub.eui64] = hub

    def take_image(self, request: FirmwareDistribution, hub: Eui64, devices: tuple[Eui64, ...]) -> None:
        """Take firmware for devices on a hub; how it gets from here to them is the S1SP's own affair."""
        self._tap.record(
            Boundary.S1SP,
            "dsp",
            "s1sp",
            f"firmware {request.firmware} ({request.srv}) for {', '.join(map(str, devices))} on {hub}",
            request_id=str(request.request_id),
            srv=request.srv,
            hub=str(hub),
            image_octets=len(request.image),
        )

    async def handle(self, request: CountersignedRequest) -> Smets1Response | S1spAlert:
        """Carry a request out; an alert says that a request of this S1SP's cannot be.

        Raises SystemFault for a hub or a request that is not for this S1SP, DeviceSilent or RadioUndelivered
        when the device does not answer, RigFault.
        """
        srv = request.request.srv
        self._tap.record(
            Boundary.S1SP,
            "dsp",
            "s1sp",
            f"countersigned request {srv} to {request.device}",
            request_id=str(request.request.request_id),
            srv=srv,
            device=str(request.device),
            hub=str(request.hub),
        )
        response = await self._carried_out(request)
        if isinstance(response, S1spAlert):
            self._tap.record(
                Boundary.S1SP,
                "s1sp",
                "dsp",
                f"S1SP alert {response.code}: {response.text}",
                request_id=str(response.request_id),
                device=str(response.device),
                code=response.code,
            )
            return response
        self._tap.record(
            Boundary.S1SP,
            "s1sp",
            "dsp",
            f"SMETS1 response to {srv} of {request.device}",
            request_id=str(response.request_id),
            srv=srv,
            success=response.success,
            fields=dict(response.fields),
        )
        return response

    async def _carried_out(self, request: CountersignedRequest) -> Smets1Response | S1spAlert:
        hub = self._hubs.get(request.hub)
        if hub is None:
            raise SystemFault(f"the S1SP was sent a request for a device on {request.hub}, no hub of its own")
        if isinstance(request.request, UpdateHanDeviceLog):
            return await self._update_log(request, request.request, hub)
        if request.request.srv == "11.2":
            return await self._read_firmware(request, hub)
        if isinstance(request.request, RestoreHanDeviceLog):
            return await self._restore(request, request.request, hub)
        if isinstance(request.request, JoinOrUnjoin):
            return _response(request, {MESSAGE_SUCCESS: "true"}, success=True)
        if request.request.srv not in self._rules.rule(S1SP_SRVS).texts():
            raise SystemFault(f"the S1SP was sent {request.request.srv}, which it does not support")
        rule = self._rules.rule(ALERT)
        return S1spAlert(
            request_id=request.request.request_id,
            device=request.device,
            code=rule.text("unreachable"),
            text=f"the S1SP has no way to do {request.request.srv} on {request.device}",
        )

    async def _update_log(
        self, request: CountersignedRequest, update: UpdateHanDeviceLog, hub: HubFace
    ) -> Smets1Response:
        if update.action is LogAction.ADD:
            await hub.add_to_device_log(update.device, update.install_code, update.join_time_s)
        else:
            await hub.remove_from_device_log(update.device)
        return _response(request, {MESSAGE_SUCCESS: "true"}, success=True)

    async def _restore(
        self, request: CountersignedRequest, restore: RestoreHanDeviceLog, hub: HubFace
    ) -> Smets1Response:
        """Hand the log of a hub of its own to the one that replaces it; of another's hub it has no log."""
        old = self._hubs.get(restore.old_hub)
        try:
            if old is not None:
                await hub.restore_device_log(old.backup())
        except ValueError as error:
            return _response(request, {MESSAGE_SUCCESS: "false", "Error": str(error)}, success=False)
        return _response(request, {MESSAGE_SUCCESS: "true"}, success=True)

    async def _read_firmware(self, request: CountersignedRequest, hub: HubFace) -> Smets1Response:
        where = firmware_read(self._rules)
        records = await hub.read_attributes(
            request.device,
            where.cluster,
            (where.attribute,),
            client_side=where.side is Side.CLIENT,
            timeout_s=self._timeout_s,
        )
        record = records.get(where.attribute)
        value = record.value.value if record is not None and record.value is not None else None
        if not isinstance(value, int):
            status = "no answer for it" if record is None else f"status 0x{int(record.status):02X}"
            reason = f"attribute 0x{where.attribute:04X} of cluster 0x{where.cluster:04X}: {status}"
            return _response(request, {MESSAGE_SUCCESS: "false", "Error": reason}, success=False)
        return _response(request, {FIRMWARE_VERSION: f"{value:08X}", MESSAGE_SUCCESS: "true"}, success=True)


def _response(request: CountersignedRequest, fields: Mapping[str, str], *, success: bool) -> Smets1Response:
    return Smets1Response(
        request_id=request.request.request_id, srv=request.request.srv, success=success, fields=fields
    )
