"""A DCC that is not ours, as a plan uses it: requests over HTTP, and only what its documents show.

Its inventory is what 8.2 says, and the way that a request took is what the form of the response says. What a
plan would do to a DCC of our own (another CPL, another supplier, meters out of nothing) it cannot do here:
that ends a case as inconclusive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from harness.dcc.alerts import DeviceAlert
from harness.dcc.counters import Clock, OriginatorCounter, utc_now
from harness.dcc.documents import (
    GbcsResponse,
    InventoryRecord,
    InventoryResponse,
    LogAction,
    Prenotification,
    ServiceRequest,
    ServiceResponse,
    Stage,
)
from harness.dcc.duis.requests import DeleteDevice, UpdateInventory
from harness.dcc.duis.responses import Response
from harness.dcc.duis.telling import about
from harness.dcc.duis_user import DuisUser
from harness.dcc.faces import HubFace
from harness.dcc.routes import RouteRecord
from harness.dcc.service_user import ServiceUser
from harness.dcc.supplier import Supplier
from harness.errors import HarnessBug, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.requests import Answer, code_for
from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion

_ON_THE_WAY = (Answer.NO_COMMUNICATION, Answer.NO_ANSWER, Answer.BAD_ANSWER, Answer.DEVICE_FAILED)


class RemoteDcc:
    """A DccFace over a user's side of DUIS. `cpl` is what the tester knows of the DCC's list.

    `keys` has the user's GBCS keys, for what he must sign, and the meters' certificates.
    """

    def __init__(
        self,
        user: DuisUser,
        *,
        rules: Rulebook,
        cpl: Cpl,
        eui64: Eui64,
        dsp: Eui64,
        keys: KeyStore,
        close: Callable[[], Awaitable[None]],
        clock: Clock = utc_now,
    ) -> None:
        self.rules = rules
        self.cpl = cpl
        self.dsp = dsp
        self._duis = user
        self._close = close
        supplier = Supplier(keys, eui64, clock)
        self.service_user = self._user = ServiceUser(self._send, OriginatorCounter(clock), supplier, dsp=dsp)
        self._routes: list[RouteRecord] = []
        self._shown: dict[Eui64, InventoryRecord] = {}
        codes = {code_for(answer, rules).code for answer in _ON_THE_WAY}
        self._on_the_way = frozenset(code for code in codes if code is not None)

    async def close(self) -> None:
        """Close what leads there."""
        await self._close()

    async def begin_case(self, device: Eui64, hubs: Iterable[Eui64]) -> None:
        """Have the DCC forget the device: off the hubs' device logs, out of the inventory.

        Raises RigFault when it keeps it.
        """
        self._routes.clear()
        self._shown.clear()
        self._duis.forget_alerts()
        if await self.read_inventory(device) is None:
            return
        for hub in hubs:
            await self.unwhitelist(hub, device)
        gone = await self.send(UpdateInventory, self.dsp, device=device, change=DeleteDevice())
        if not gone.ok:
            raise RigFault(
                f"the DCC keeps {device} in its inventory: it answered 8.4 with {gone.code}",
                remedy="take it out there, or let it be deleted, before a case begins",
            )
        self._routes.clear()
        self._shown.clear()

    # --- as a service user sees it ----------------------------------------------------------------------

    async def prenotify(self, prenotification: Prenotification) -> ServiceResponse:
        """Pre-notify a device (12.2)."""
        return await self._user.prenotify(prenotification)

    async def whitelist(
        self, hub: Eui64, device: Eui64, install_code: bytes, join_time_s: float
    ) -> ServiceResponse:
        """Add a device to a hub's device log (8.11)."""
        return await self._user.update_device_log(
            hub, device, LogAction.ADD, install_code=install_code, join_time_s=join_time_s
        )

    async def unwhitelist(self, hub: Eui64, device: Eui64) -> ServiceResponse:
        """Take a device out of a hub's device log (8.11)."""
        return await self._user.update_device_log(hub, device, LogAction.REMOVE)

    async def read_inventory(self, device: Eui64) -> InventoryRecord | None:
        """Return the inventory's record of a device (8.2), None when the DCC does not know it."""
        response = await self._user.read_inventory(device)
        if not isinstance(response.body, InventoryResponse):
            return None
        self._shown |= {record.device: record for record in response.body.records}
        return self._shown.get(device)

    async def request(self, srv: str, device: Eui64) -> ServiceResponse:
        """Send a service request that has no parameters to a device, such as 11.2."""
        try:
            return await self._user.request(srv, device)
        except ValueError as error:
            raise StimulusImpossible(str(error)) from error

    async def send(self, kind: type[ServiceRequest], target: Eui64, **fields: Any) -> ServiceResponse:
        """Send a service request of any kind; `fields` are the kind's own."""
        return await self._user.send(kind, target, **fields)

    async def send_twice(self, kind: type[ServiceRequest], target: Eui64) -> tuple[ServiceResponse, ...]:
        """Send a request, and the same once more under the same request id."""
        request = self._user.make(kind, target)
        return await self._send(request), await self._send(request)

    def make(self, kind: type[ServiceRequest], target: Eui64, **fields: Any) -> ServiceRequest:
        """Return a service request of any kind, unsent."""
        return self._user.make(kind, target, **fields)

    async def _send(self, request: ServiceRequest) -> ServiceResponse:
        response = await self._duis.send(request)
        if not response.ok:
            stage = Stage.DELIVERY if response.code in self._on_the_way else None
            response = replace(response, stage=stage)
        body = response.body if isinstance(response.body, GbcsResponse) else None
        self._routes.append(
            RouteRecord(
                request_id=request.request_id,
                srv=request.srv,
                device=about(request),
                hub=None,
                via=response.via,
                use_case=body.use_case if body else None,
                command=b"",
                response=body.message if body else b"",
                code=response.code,
                judged=(),
                rules=(),
            )
        )
        return response

    # --- what its documents show ------------------------------------------------------------------------

    @property
    def routes(self) -> tuple[RouteRecord, ...]:
        """The way that every request took, in order: as the form of its response says."""
        return tuple(self._routes)

    def route_of(self, response: ServiceResponse) -> RouteRecord:
        """Return the way that the request of this response took."""
        for record in reversed(self._routes):
            if record.request_id == response.request_id:
                return record
        raise HarnessBug(f"no route was recorded for {response.request_id}")

    def inventory(self) -> tuple[InventoryRecord, ...]:
        """Return what 8.2 has shown since the case began."""
        return tuple(self._shown.values())

    @property
    def alerts(self) -> tuple[DeviceAlert, ...]:
        """Alerts as GBCS: the DCC verifies them, and shows none here."""
        return ()

    @property
    def user(self) -> Eui64:
        """The user who sends requests."""
        return self._user.eui64

    @property
    def told(self) -> Mapping[Eui64, tuple[Response, ...]]:
        """What the rig's own user was sent that answers no request: nobody else's post is seen here."""
        return {self._user.eui64: self._duis.alerts}

    @property
    def own_cpl(self) -> Cpl:
        """The list of the rig file."""
        return self.cpl

    # --- what only a DCC of our own does ----------------------------------------------------------------

    def publish_cpl(self, cpl: Cpl) -> None:
        """Raise StimulusImpossible: its list is its own."""
        del cpl
        _impossible("have another Central Products List")

    def act_as(self, name: str) -> Eui64:
        """Raise StimulusImpossible: the rig has the keys of one user."""
        _impossible(f"be sent requests of user `{name}`")

    def user_named(self, name: str) -> Eui64:
        """Raise StimulusImpossible: the rig has the keys of one user."""
        _impossible(f"be asked what it sent user `{name}`")

    def change_supplier(self, hub: Eui64, to: str) -> str:
        """Raise StimulusImpossible: registrations are its own."""
        _impossible(f"have `{to}` become the supplier at hub {hub}")

    def provision_meter(self, device_type: DeviceType, hub: Eui64) -> Eui64:
        """Raise StimulusImpossible: a meter there must be a real one."""
        _impossible(f"be given a {device_type.value} on hub {hub}")

    def provision_old_hub(self, hub: Eui64, family: SmetsVersion, devices: Iterable[Eui64]) -> None:
        """Raise StimulusImpossible: a hub there must be a real one."""
        del devices
        _impossible(f"be given a {family.value} hub {hub}")

    def provision_old_gpf(self, gpf: Eui64, hub: Eui64, log: Iterable[JoinedDevice]) -> None:
        """Raise StimulusImpossible: a GPF there must be a real one."""
        del hub, log
        _impossible(f"be given the GPF {gpf}")

    def provision_hub(self, notice: Prenotification, hub: HubFace | None = None) -> None:
        """Do nothing: it knows its hubs."""

    def device_joined(self, hub: Eui64, device: Eui64) -> None:
        """Do nothing: its hubs tell it."""

    def take_alert(self, hub: Eui64, message: bytes) -> None:
        """Do nothing: its hubs tell it."""

    @property
    def trials(self) -> Any:
        """Raise StimulusImpossible: its commands are its own."""
        _impossible("be made to send a spoilt command")


def _impossible(what: str) -> NoReturn:
    raise StimulusImpossible(
        f"a DCC that is not ours cannot {what}", remedy="run this case with `dcc: {type: embedded}`"
    )
