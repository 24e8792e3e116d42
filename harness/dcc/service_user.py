"""The service user: a supplier that sends service requests and counts them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from harness.dcc.counters import OriginatorCounter
from harness.dcc.documents import (
    LogAction,
    Prenotification,
    Prenotify,
    ReadInventory,
    RequestId,
    ServiceRequest,
    ServiceResponse,
    UpdateHanDeviceLog,
)
from harness.dcc.duis.requests import without_parameters
from harness.dcc.supplier import Supplier
from harness.eui64 import Eui64
from harness.gbcs import ACB

Send = Callable[[ServiceRequest], Awaitable[ServiceResponse]]


class ServiceUser:
    """Sends requests by `send`, those to the DSP itself to `dsp`. `supplier` has the user's GBCS keys."""

    def __init__(
        self, send: Send, counter: OriginatorCounter, supplier: Supplier, *, dsp: Eui64 = ACB
    ) -> None:
        self.supplier = supplier
        self._send = send
        self._counter = counter
        self._dsp = dsp

    async def prenotify(self, prenotification: Prenotification) -> ServiceResponse:
        """Pre-notify a device (12.2)."""
        return await self._send(Prenotify(request_id=self._id(self._dsp), prenotification=prenotification))

    async def read_inventory(self, device: Eui64) -> ServiceResponse:
        """Read the inventory (8.2)."""
        return await self._send(ReadInventory(request_id=self._id(self._dsp), device=device))

    async def update_device_log(
        self,
        hub: Eui64,
        device: Eui64,
        action: LogAction,
        *,
        install_code: bytes = b"",
        join_time_s: float = 0,
    ) -> ServiceResponse:
        """Update a hub's device log (8.11). ValueError for an install code or window that cannot be."""
        return await self._send(
            UpdateHanDeviceLog(
                request_id=self._id(hub),
                device=device,
                action=action,
                install_code=install_code,
                join_time_s=join_time_s,
            )
        )

    async def request(self, srv: str, device: Eui64) -> ServiceResponse:
        """Send a request without parameters to a device."""
        return await self._send(without_parameters(srv, self._id(device)))

    async def send(self, kind: type[ServiceRequest], target: Eui64, **fields: Any) -> ServiceResponse:
        """Send a request of any kind; `fields` are the kind's own. ValueError for what DUIS cannot say."""
        return await self._send(self.make(kind, target, **fields))

    @property
    def eui64(self) -> Eui64:
        """The user's EUI-64."""
        return self.supplier.eui64

    async def send_made(self, request: ServiceRequest) -> ServiceResponse:
        """Send a request that `make` made, or the second half of one."""
        return await self._send(request)

    def make(self, kind: type[ServiceRequest], target: Eui64, **fields: Any) -> ServiceRequest:
        """Return a request with this user's next counter, unsent."""
        return kind(request_id=self._id(target), **fields)

    def _id(self, target: Eui64) -> RequestId:
        return RequestId(self.eui64, target, self._counter.next())
