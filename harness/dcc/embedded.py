"""The DCC inside the harness: service user, DSP, ACB and S1SP put together over the bench's hubs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from harness.dcc.acb import Acb
from harness.dcc.agenda import Matter
from harness.dcc.alert_effects import effects_of_alert, joined
from harness.dcc.alerts import AlertDesk, DeviceAlert
from harness.dcc.bench_hubs import gpf_record, hub_prenotification, hub_records, same_hub
from harness.dcc.boundary import DuisBoundary
from harness.dcc.counters import Clock, OriginatorCounter, utc_now
from harness.dcc.defects import DccDefect
from harness.dcc.delivery import Delivery, Known
from harness.dcc.documents import (
    InventoryRecord,
    Prenotification,
    ServiceRequest,
    ServiceResponse,
)
from harness.dcc.dsp import Acknowledge, Dsp
from harness.dcc.duis.responses import Response
from harness.dcc.duis.xml_keys import BenchXmlKeys, XmlKeyStore
from harness.dcc.enquiry import Estate
from harness.dcc.faces import HubFace
from harness.dcc.firmware_distribution import Distribution
from harness.dcc.gbcs_trials import GbcsTrials
from harness.dcc.given_out import KEPT as GIVEN_OUT_KEPT
from harness.dcc.given_out import GivenOut
from harness.dcc.initiative import Initiative
from harness.dcc.inventory import Change, MemorySmiStore, SmiStore, Transaction, inventory_record
from harness.dcc.meters import METERS, meter_record
from harness.dcc.s1sp import S1sp
from harness.dcc.service_user import ServiceUser
from harness.dcc.supplier import Supplier
from harness.dcc.user_gateway import MOST_ROUTES, UserGateway
from harness.dcc.users import Registration, Users
from harness.errors import HarnessBug, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, KeyStore
from harness.gbcs.use_cases.device_log import LoggedDevice
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord
from harness.smets.version import SmetsVersion
from harness.tap import Tap

_ANSWER_WITHIN_S = 20.0
_SEED = "ppmid-bench"
_OLD_HASH = bytes(range(16))  # of a link key with a hub that is no more


class EmbeddedDcc(UserGateway):
    """The DCC of a bench. `keys` holds the ACB's private and the devices' public keys; `clock` gives UTC."""

    def __init__(
        self,
        *,
        rules: Rulebook,
        cpl: Cpl,
        keys: KeyStore,
        tap: Tap,
        hubs: Mapping[Eui64, HubFace] | None = None,
        defects: Collection[DccDefect] = (),
        store: SmiStore | None = None,
        users: Users | None = None,
        clock: Clock = utc_now,
        answer_within_s: float = _ANSWER_WITHIN_S,
        xml_keys: XmlKeyStore | None = None,
        most_routes: int = MOST_ROUTES,
    ) -> None:
        super().__init__(most_routes)
        self.rules = rules
        self.answer_within_s = answer_within_s
        self._clock = clock
        self._hubs: dict[Eui64, HubFace] = dict(hubs or {})
        self._estate = Estate(
            store=store or MemorySmiStore(),
            cpl=cpl,
            rules=rules,
            users=users or Users(),
            clock=clock,
            defects=frozenset(defects),
        )
        self._own_cpl = cpl
        self._hub_records: dict[Eui64, DeviceRecord] = {}
        self._s1sp = S1sp(rules, tap, timeout_s=answer_within_s)
        acb = Acb(keys, OriginatorCounter(clock), defects=self._estate.defects)
        self.initiative = Initiative(self._estate, tap)
        self._desk = AlertDesk(acb.keys, self._estate.store, tap, clock, self._alerted)
        known = Known(store=self._estate.store, acb=acb, alerts=self._desk)
        kept = timedelta(days=rules.rule(GIVEN_OUT_KEPT).number("days"))
        agenda = self._estate.store.agenda
        pre_commands = GivenOut(Matter.PRE_COMMAND, agenda, clock, kept)
        local = GivenOut(Matter.LOCAL_COMMAND, agenda, clock, kept)
        delivery = Delivery(
            known,
            self._s1sp,
            self._hubs,
            tap,
            pre_commands=pre_commands,
            timeout_s=answer_within_s,
            defects=self._estate.defects,
        )
        self.trials = GbcsTrials(delivery, acb)
        distribution = Distribution(
            estate=self._estate,
            hubs=self._hubs,
            s1sp=self._s1sp,
            alerts=self.initiative.alerts,
            tap=tap,
        )
        self._dsp = Dsp(
            self._estate,
            delivery,
            tap,
            clock=clock,
            routed=self._routes.append,
            alerts=self.initiative.alerts,
            distribution=distribution,
            local=local,
        )
        everybody = {SUPPLIER, *(user.eui64 for user in self._estate.users.users)}
        self.boundary = DuisBoundary(
            self.handle,
            everybody,
            keys=xml_keys or BenchXmlKeys(_SEED),
            rules=rules,
            tap=tap,
            clock=clock,
            answer_within_s=answer_within_s,
        )
        self.initiative.begin(self._dsp, distribution, self.boundary, (pre_commands, local))
        self._users = {
            user: ServiceUser(self.boundary.send, OriginatorCounter(clock), Supplier(keys, user, clock))
            for user in everybody
        }
        self.service_user = self._users[SUPPLIER]

    # --- what stands before a case -------------------------------------------------------------------------

    def provision_hub(self, notice: Prenotification, hub: HubFace | None = None) -> None:
        """Put a hub into the SMI as commissioned if it is not there, and the GPF that `notice` names with it.

        `hub`, if given, is the way to both. Its SMETS version is the one of `notice`, as of any device; a
        SMETS1 hub is the S1SP's.
        """
        records = hub_records(notice, self.cpl, self.rules)
        for record in records:
            self._hub_records[record.device] = record
            kept = self._estate.store.get(record.device)
            if kept is None or not same_hub(kept, record):
                self._dsp.store(record, None)
        if hub is not None:
            self._hubs[notice.device] = hub
        if records[0].family is SmetsVersion.SMETS1 and notice.device in self._hubs:
            self._s1sp.serve(self._hubs[notice.device])

    def provision_meter(self, device_type: DeviceType, hub: Eui64) -> Eui64:
        """Put a meter of the bench into the SMI, commissioned on a hub, and return its EUI-64."""
        on = self._estate.store.get(hub)
        if on is None or on.family is None:
            raise HarnessBug(f"{hub} is no hub of a known version in the SMI")
        self._dsp.store(meter_record(device_type, hub, on.family, self.cpl), None)
        return METERS[device_type]

    def provision_old_hub(self, hub: Eui64, family: SmetsVersion, devices: Iterable[Eui64]) -> None:
        """Put a hub into the SMI that the bench does not have, with its device log as it told it last."""
        self.provision_hub(hub_prenotification(hub, family))
        self._desk.know(hub, tuple(LoggedDevice(device, _OLD_HASH) for device in devices))

    def provision_old_gpf(self, gpf: Eui64, hub: Eui64, log: Iterable[JoinedDevice]) -> None:
        """Put a GPF into the SMI that the bench does not have, as if of its own `hub`, with its log."""
        self._dsp.store(gpf_record(self._hub_records[hub], gpf), None)
        self._desk.know_gpf(gpf, tuple(log))

    async def begin_case(self, device: Eui64, hubs: Iterable[Eui64]) -> None:
        """Begin afresh, whatever device and hubs the case is about."""
        del device, hubs
        self.forget_devices()

    def forget_devices(self) -> None:
        """Begin afresh: no device in the SMI but the hubs and their GPFs, the rig's own CPL, no routes."""
        store = self._estate.store
        stay = self._hub_records
        types = ((record.device, record.device_type) for record in store.records())
        devices = [one for one, kind in types if kind is not DeviceType.CHF and one not in stay]
        store.apply(Transaction(when=self._clock(), by=None, delete=tuple(devices)))
        store.flush()
        self._dsp.publish_cpl(self._own_cpl)
        self._dsp.apply(Transaction(when=self._clock(), by=None, put=tuple(self._hub_records.values())))
        store.flush()
        self._routes.clear()
        self._desk.forget()
        self.initiative.forget()
        self.boundary.forget_alerts()
        self._estate.users.forget_registrations()
        self.service_user = self._users[SUPPLIER]

    @property
    def cpl(self) -> Cpl:
        """The CPL in use; set, it is also the one that a case begins with."""
        return self._estate.cpl

    @cpl.setter
    def cpl(self, cpl: Cpl) -> None:
        self._estate.cpl = self._own_cpl = cpl

    @property
    def own_cpl(self) -> Cpl:
        """The CPL that a case begins with."""
        return self._own_cpl

    def replace_cpl(self, cpl: Cpl) -> None:
        """Go by another list from now on, and begin cases with it; devices fare as with `publish_cpl`."""
        self._own_cpl = cpl
        self._dsp.publish_cpl(cpl)

    async def change_cpl(self, cpl: Cpl) -> None:
        """Do as `publish_cpl` does."""
        self.publish_cpl(cpl)

    def publish_cpl(self, cpl: Cpl) -> None:
        """Go by another list until the case ends.

        Devices whose rows went are Suspended, those whose rows are back get their status back.
        """
        self._dsp.publish_cpl(cpl)

    async def close(self) -> None:
        """Give up what is under way."""
        await self.initiative.close()
        await self.boundary.close()

    # --- as a service user sees it -------------------------------------------------------------------------

    async def handle(
        self, request: ServiceRequest, acknowledge: Acknowledge | None = None
    ) -> ServiceResponse:
        """Take any request, of any user; see `Dsp.handle`."""
        try:
            return await self._dsp.handle(request, acknowledge)
        finally:
            self.initiative.look()

    def answer_to(self, request: ServiceRequest) -> ServiceResponse | None:
        """Return the response to a request that was held for later, None while there is none."""
        return self.boundary.answer_to(request)

    def act_as(self, name: str) -> Eui64:
        """Send what follows as this user of the rig, until the case ends; return its EUI-64.

        Raises StimulusImpossible for one that the rig has not.
        """
        self.service_user = self._named(name)
        return self.service_user.eui64

    def user_named(self, name: str) -> Eui64:
        """Return a user of the rig. Raises StimulusImpossible for one that the rig has not."""
        return self._named(name).eui64

    @property
    def dsp(self) -> Eui64:
        """The target of requests to the DSP itself."""
        return ACB

    async def change_supplier(self, hub: Eui64, to: str) -> str:
        """Do as `register_supplier` does."""
        return self.register_supplier(hub, to)

    @property
    def directory(self) -> Mapping[str, Eui64]:
        """The users by the names that they have here."""
        return {user.name: user.eui64 for user in self._estate.users.users}

    def register_supplier(self, hub: Eui64, to: str) -> str:
        """Register a user for the meter point that a hub is at, from now on; return that meter point.

        Raises StimulusImpossible for a user that the rig has not.
        """
        record = self._estate.store.get(hub)
        if record is None:
            raise StimulusImpossible(f"hub {hub} is not in the SMI")
        mpxn = record.import_mpxn or f"19{hub.value % 10**11:011d}"
        self._dsp.store(replace(record, import_mpxn=mpxn), None)
        user = self._named(to).eui64
        self._estate.users.register(Registration(mpxn=mpxn, user=user, since=self._clock()))
        return mpxn

    def _named(self, name: str) -> ServiceUser:
        user = self._estate.users.named(name)
        if user is None:
            known = ", ".join(self._estate.users.names())
            raise StimulusImpossible(f"the DCC has no user `{name}`", remedy=f"it has {known}")
        return self._users[user.eui64]

    # --- what hubs report ----------------------------------------------------------------------------------

    def device_joined(self, hub: Eui64, device: Eui64) -> None:
        """Take a hub's report that a device is on its HAN (its alert 0x8F12); one not expected is ignored."""
        record = joined(device, hub, self._estate.store, self.rules)
        if record is not None:
            self._dsp.store(record, None)
        self.initiative.alerts.joined(hub, device)

    def take_alert(self, hub: Eui64, message: bytes) -> DeviceAlert:
        """Take a GBCS message that a hub sends unasked: its CHF's, or that of a device on its HAN."""
        return self._desk.take(hub, message)

    @property
    def alerts(self) -> tuple[DeviceAlert, ...]:
        """Every alert since the case began, in order, those refused too."""
        return self._desk.alerts

    @property
    def told(self) -> Mapping[Eui64, tuple[Response, ...]]:
        """What each user was sent since the case began that answers no request, in order."""
        return self.boundary.told

    def _alerted(self, alert: DeviceAlert) -> None:
        """Do what an alert that counts means for the SMI, and tell users."""
        for record in effects_of_alert(alert, self._estate.store, self.rules):
            self._dsp.store(record, None)
        self.initiative.heard(alert)

    # --- what the evidence wants ---------------------------------------------------------------------------

    def inventory(self) -> tuple[InventoryRecord, ...]:
        """Return the whole SMI as it is, whatever 8.2 would answer."""
        return tuple(
            inventory_record(record, self.cpl, self.rules) for record in self._estate.store.records()
        )

    def hub_of(self, device: Eui64) -> Eui64 | None:
        """Return the hub that a device of the SMI is on."""
        record = self._estate.store.get(device)
        return record.hub if record is not None else None

    def history(self, device: Eui64) -> tuple[Change, ...]:
        """Return everything that ever changed of a device in the SMI."""
        return self._estate.store.history(device)

    def rules_used(self, srvs: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the rules that the DSP went by since the start, of these service references if given."""
        wanted = None if srvs is None else frozenset(srvs)
        taken = (record.rules for record in self._routes if wanted is None or record.srv in wanted)
        return tuple(dict.fromkeys(rule for rules in taken for rule in rules))
