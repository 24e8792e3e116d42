"""The DCC User Gateway as a plan uses it: what a service user asks, and the way that each request took.

Whichever DCC is behind it: how a request is sent is the service user's, what is recorded of its way the
DCC's.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from harness.dcc.documents import (
    InventoryRecord,
    InventoryResponse,
    LogAction,
    Prenotification,
    ServiceRequest,
    ServiceResponse,
)
from harness.dcc.routes import RouteRecord
from harness.dcc.service_user import ServiceUser
from harness.errors import HarnessBug, StimulusImpossible
from harness.eui64 import Eui64

MOST_ROUTES = 20_000  # of a case; a DCC that serves for long forgets the oldest


class UserGateway:
    """A DccFace for the service user who acts now: `service_user`."""

    service_user: ServiceUser
    answer_within_s: float  # how long a device may take to answer
    shows_hubs = True  # whether a record of the inventory says on which hub a device is: in DUIS none does

    def __init__(self, most_routes: int = MOST_ROUTES) -> None:
        self._routes: deque[RouteRecord] = deque(maxlen=most_routes)

    async def prenotify(self, prenotification: Prenotification) -> ServiceResponse:
        """Pre-notify a device (12.2)."""
        return await self.service_user.prenotify(prenotification)

    async def whitelist(
        self, hub: Eui64, device: Eui64, install_code: bytes, join_time_s: float
    ) -> ServiceResponse:
        """Add a device to a hub's device log (8.11); the SMI's version of a PPMID is resolved here.

        Raises ValueError for an install code or a window that DUIS has no room for.
        """
        return await self.service_user.update_device_log(
            hub, device, LogAction.ADD, install_code=install_code, join_time_s=join_time_s
        )

    async def unwhitelist(self, hub: Eui64, device: Eui64) -> ServiceResponse:
        """Take a device out of a hub's device log (8.11)."""
        return await self.service_user.update_device_log(hub, device, LogAction.REMOVE)

    async def read_inventory(self, device: Eui64) -> InventoryRecord | None:
        """Return the SMI's record of a device (8.2), None when the DCC does not know it."""
        response = await self.service_user.read_inventory(device)
        return response.body.records[0] if isinstance(response.body, InventoryResponse) else None

    async def request(self, srv: str, device: Eui64) -> ServiceResponse:
        """Send a service request that has no parameters to a device, such as 11.2.

        Raises StimulusImpossible for a service reference that DUIS has not.
        """
        try:
            return await self.service_user.request(srv, device)
        except ValueError as error:
            raise StimulusImpossible(str(error)) from error

    async def send(self, kind: type[ServiceRequest], target: Eui64, **fields: Any) -> ServiceResponse:
        """Send a service request of any kind; `fields` are the kind's own."""
        return await self.service_user.send(kind, target, **fields)

    async def send_twice(self, kind: type[ServiceRequest], target: Eui64) -> tuple[ServiceResponse, ...]:
        """Send a request, and the same once more under the same request id."""
        user = self.service_user
        request = user.make(kind, target)
        return await user.send_made(request), await user.send_made(request)

    def make(self, kind: type[ServiceRequest], target: Eui64, **fields: Any) -> ServiceRequest:
        """Return a service request of any kind, unsent."""
        return self.service_user.make(kind, target, **fields)

    async def send_made(self, request: ServiceRequest) -> ServiceResponse:
        """Send a request that `make` has made."""
        return await self.service_user.send_made(request)

    @property
    def user(self) -> Eui64:
        """The user who sends requests now."""
        return self.service_user.eui64

    @property
    def routes(self) -> tuple[RouteRecord, ...]:
        """The way that every request took, in order."""
        return tuple(self._routes)

    def route_of(self, response: ServiceResponse) -> RouteRecord:
        """Return the way that the request of this response took."""
        for record in reversed(self._routes):
            if record.request_id == response.request_id:
                return record
        raise HarnessBug(f"no route was recorded for {response.request_id}")
