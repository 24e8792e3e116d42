"""A DCC that is another program, as a plan uses it: requests over HTTP, and what its documents show.

Its inventory is what 8.2 says, and the way that a request took is what the form of the response says. What a
plan does to a DCC beside that (another CPL, another supplier, meters out of nothing) needs the administrative
interface of one of ours; without it such a case ends as inconclusive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from harness.dcc.acb import Acb
from harness.dcc.administration import Administration
from harness.dcc.alerts import DeviceAlert
from harness.dcc.counters import Clock, OriginatorCounter, utc_now
from harness.dcc.documents import (
    GbcsResponse,
    InventoryRecord,
    InventoryResponse,
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
from harness.dcc.gbcs_trials import LinkTrials
from harness.dcc.http.hub_link import Exchange
from harness.dcc.meters import METERS
from harness.dcc.routes import RouteRecord
from harness.dcc.service_user import ServiceUser
from harness.dcc.supplier import Supplier
from harness.dcc.user_gateway import UserGateway
from harness.dcc.users import Users
from harness.errors import DecodeError, RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.requests import Answer, code_for
from harness.smets.rulebook import Rulebook
from harness.smets.version import SmetsVersion

_ON_THE_WAY = (Answer.NO_COMMUNICATION, Answer.NO_ANSWER, Answer.BAD_ANSWER, Answer.DEVICE_FAILED)


class RemoteDcc(UserGateway):
    """A DCC behind users' sides of DUIS; `cpl` is what the tester knows of its list.

    `sides` are those of the users whose XML-signing keys the rig has, `users` says how they are called, and
    `eui64` is who sends when a case begins. `keys` has their GBCS keys, for what they must sign, and the
    devices' certificates. `ours` is there for a DCC of ours that can be administered.
    """

    def __init__(
        self,
        sides: Mapping[Eui64, DuisUser],
        *,
        rules: Rulebook,
        cpl: Cpl,
        eui64: Eui64,
        dsp: Eui64,
        keys: KeyStore,
        close: Callable[[], Awaitable[None]],
        users: Users | None = None,
        ours: Administration | None = None,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__()
        self.rules = rules
        self.cpl = self.own_cpl = cpl
        self.dsp = dsp
        self._sides = sides
        self._keys = keys
        self._acb = Acb(keys, OriginatorCounter(clock))
        self._close = close
        self._directory = users or Users()
        self._administered = ours
        self.shows_hubs = ours is not None
        self._users = {
            user: ServiceUser(self._send, OriginatorCounter(clock), Supplier(keys, user, clock), dsp=dsp)
            for user in sides
        }
        self._first = self.service_user = self._users[eui64]
        self.answer_within_s = sides[eui64].answer_within_s
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
        self.service_user = self._first
        if self._administered is not None:
            await self._administered.begin_case(self.own_cpl if self.cpl is not self.own_cpl else None)
            self.cpl = self.own_cpl
        else:
            await self._forgotten(device, hubs)
        self._routes.clear()
        self._shown.clear()
        for side in self._sides.values():
            side.forget_alerts()

    async def _forgotten(self, device: Eui64, hubs: Iterable[Eui64]) -> None:
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

    # --- as a service user sees it ----------------------------------------------------------------------

    async def read_inventory(self, device: Eui64) -> InventoryRecord | None:
        """Return the inventory's record of a device (8.2), None when the DCC does not know it."""
        response = await self.service_user.read_inventory(device)
        if not isinstance(response.body, InventoryResponse):
            return None
        self._shown |= {record.device: record for record in response.body.records}
        if self._administered is not None and device in self._shown:
            hub = await self._administered.admin.hub_of(device)
            self._shown[device] = replace(self._shown[device], hub=hub)
        return self._shown.get(device)

    def answer_to(self, request: ServiceRequest) -> ServiceResponse | None:
        """Return the response to a request that was held for later, None while there is none.

        Raises RigFault when it was a hub of the rig's that kept it from the device.
        """
        response = self._sides[request.request_id.originator].answer_to(request)
        if response is None:
            return None
        exchanges = self._administered.link.exchanges if self._administered is not None else ()
        response = self._staged(response)
        return _explained(response, exchanges[-1]) if exchanges else response

    def act_as(self, name: str) -> Eui64:
        """Send what follows as this user of the rig, until the case ends; return its EUI-64.

        Raises StimulusImpossible for one that the rig has not, or has no XML-signing key of.
        """
        self.service_user = self._users[self.user_named(name)]
        return self.service_user.eui64

    def user_named(self, name: str) -> Eui64:
        """Return a user of the rig; raises as `act_as` does."""
        user = self._directory.named(name)
        if user is None or user.eui64 not in self._sides:
            known = [one.name for one in self._directory.users if one.eui64 in self._sides]
            raise StimulusImpossible(
                f"the rig has no user `{name}` with an XML-signing key",
                remedy=f"give it one; it has {', '.join(known) or 'none by a name'}",
            )
        return user.eui64

    async def _send(self, request: ServiceRequest) -> ServiceResponse:
        ours = self._administered
        seen = 0
        if ours is not None:
            await ours.link.settle()
            seen = len(ours.link.exchanges)
        response = await self._sides[request.request_id.originator].send(request)
        response = self._staged(response)
        exchange: Exchange | None = None
        if ours is not None:
            await ours.link.settle()
            exchange = next(iter(ours.link.exchanges[: seen - 1 if seen else None : -1]), None)
        if exchange is not None:
            response = _explained(response, exchange)
        self._routes.append(_route(request, response, exchange))
        return response

    def _staged(self, response: ServiceResponse) -> ServiceResponse:
        """Say of a response that came to nothing whether that was on the way: its code alone can tell."""
        if response.ok:
            return response
        return replace(response, stage=Stage.DELIVERY if response.code in self._on_the_way else None)

    # --- what its documents show ------------------------------------------------------------------------

    def inventory(self) -> tuple[InventoryRecord, ...]:
        """Return what 8.2 has shown since the case began."""
        return tuple(self._shown.values())

    @property
    def alerts(self) -> tuple[DeviceAlert, ...]:
        """Alerts as GBCS: of a DCC of ours what it made of them; another one shows none here."""
        return self._administered.link.alerts if self._administered is not None else ()

    @property
    def told(self) -> Mapping[Eui64, tuple[Response, ...]]:
        """What the rig's users were sent that answers no request: nobody else's post is seen here."""
        return {user: side.alerts for user, side in self._sides.items()}

    # --- what only a DCC of our own does ----------------------------------------------------------------

    async def change_cpl(self, cpl: Cpl) -> None:
        """Have it go by another list until the case ends. StimulusImpossible: its list is its own."""
        await self._ours("be given another Central Products List").admin.publish_cpl(cpl)
        self.cpl = cpl

    async def change_supplier(self, hub: Eui64, to: str) -> str:
        """Make a user the supplier where a hub is. StimulusImpossible: registrations are its own."""
        ours = self._ours(f"have `{to}` become the supplier at hub {hub}")
        return await ours.admin.change_supplier(hub, to)

    def provision_meter(self, device_type: DeviceType, hub: Eui64) -> Eui64:
        """Have a meter of the bench put into the SMI. StimulusImpossible: one there must be real."""
        self._ours(f"be given a {device_type.value} on hub {hub}").link.meter(device_type, hub)
        return METERS[device_type]

    def provision_old_hub(self, hub: Eui64, family: SmetsVersion, devices: Iterable[Eui64]) -> None:
        """Have a hub put into the SMI that the bench has not. StimulusImpossible: one there must be real."""
        self._ours(f"be given a {family.value} hub {hub}").link.old_hub(hub, family, devices)

    def provision_old_gpf(self, gpf: Eui64, hub: Eui64, log: Iterable[JoinedDevice]) -> None:
        """Have a GPF put into the SMI that the bench has not. StimulusImpossible: one there must be real."""
        self._ours(f"be given the GPF {gpf}").link.old_gpf(gpf, hub, log)

    def provision_hub(self, notice: Prenotification, hub: HubFace | None = None) -> None:
        """Lend it this hub. A DCC that is not ours knows its hubs: nothing is done."""
        if self._administered is not None and hub is not None:
            self._administered.link.attach(notice, hub)

    def device_joined(self, hub: Eui64, device: Eui64) -> None:
        """Tell it, if it is ours: others are told by their hubs."""
        if self._administered is not None:
            self._administered.link.joined(hub, device)

    def take_alert(self, hub: Eui64, message: bytes) -> None:
        """Tell it, if it is ours: others are told by their hubs."""
        if self._administered is not None:
            self._administered.link.alert(hub, message)

    @property
    def trials(self) -> LinkTrials:
        """GBCS messages good and spoilt. StimulusImpossible: its commands are its own."""
        return LinkTrials(self._ours("be made to send a spoilt command").link, self._acb, self._keys)

    def _ours(self, what: str) -> Administration:
        if self._administered is None:
            raise StimulusImpossible(
                f"a DCC without an administrative interface cannot {what}",
                remedy="name the `admin-url` of one of ours, or run this case with `dcc: {type: embedded}`",
            )
        return self._administered


def _explained(response: ServiceResponse, exchange: Exchange) -> ServiceResponse:
    """Say why a device's answer did not come, or did not hold: the rig, whose hub it is, knows."""
    if isinstance(exchange.fault, RigFault):
        raise exchange.fault
    if response.stage is not Stage.DELIVERY:
        return response
    cause: BaseException | None = exchange.fault
    if cause is None and exchange.response and response.body is None:
        cause = DecodeError("response", "reached the DSP and did not hold there")
    return replace(response, cause=cause, reason=response.reason or str(cause or ""))


def _route(request: ServiceRequest, response: ServiceResponse, exchange: Exchange | None) -> RouteRecord:
    body = response.body if isinstance(response.body, GbcsResponse) else None
    return RouteRecord(
        request_id=request.request_id,
        srv=request.srv,
        device=about(request),
        hub=exchange.hub if exchange is not None else None,
        via=response.via,
        use_case=body.use_case if body else None,
        command=exchange.command if exchange is not None else b"",
        response=body.message if body else b"",
        code=response.code,
        judged=(),
        rules=(),
        turned_down=not response.ok,
    )
