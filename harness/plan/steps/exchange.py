"""Steps of a hub that takes another's place: the old goes dark, the new gets its log, the PPMID comes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.dcc.duis.requests import RestoreHanDeviceLog
from harness.dcc.inventory import row_states
from harness.documents import Seconds
from harness.errors import DutFault, RigFault, StimulusImpossible, SystemFault
from harness.hub.core import CommunicationsHub
from harness.hub.device_log import DeviceLogEntry
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.plan import air, key_witnesses
from harness.plan.context import CaseContext, Exchange, Whitelisting
from harness.plan.expect import refused, unmet
from harness.plan.steps.han import where
from harness.plan.steps.step import Seen, Step, step
from harness.plan.steps.trust import answers
from harness.plan.waiting import until
from harness.smets import table
from harness.smets.han import TRUST_CENTRE_SWAP
from harness.zigbee.swap_out import swap_out_key

_COMES_WITHIN = Seconds(60)
_AT_ONCE_S = 10.0  # for a new link key, once it is on the network


@step("switch_hub_off")
@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchHubOff(Step):
    """A hub is off the air, as without supply, until the case ends."""

    hub: str

    async def run(self, case: CaseContext) -> Seen:
        """Reset its dongle and leave it so; what it has had stays known."""
        case.note_keys()
        await case.bench.switch_hub_off(self.hub)
        return {}


@step("exchange_hub")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeHub(Step):
    """A hub takes the place of another one (8.12.1): the SMI moves the devices of `from` to `hub`."""

    from_: str
    hub: str

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.12.1; note what the rulebook makes of the SMI's version by that."""
        bench = case.bench
        old, new = bench.hub(self.from_), bench.hub(self.hub)
        await case.air_is_quiet()
        moved = Whitelisting(
            hub=self.hub, frames=len(case.recorder.air_record.frames), routes=len(bench.dcc.routes)
        )
        exchange = Exchange(
            old=self.from_,
            new=self.hub,
            extended_pan_id=old.hub.network.extended_pan_id,
            link_key=_link_key(case, old.hub),
            events=len(new.hub.events),
        )
        rows = row_states(bench.dcc.cpl, case.device_model)
        resolution = table.resolve(case.version, new.family, rows, bench.rules)
        response = await bench.dcc.send(RestoreHanDeviceLog, new.hub.eui64, old_hub=old.hub.eui64)
        case.rules.note(*response.rules)
        if not response.ok:
            raise refused(case, response, f"hub {self.hub} in the place of {self.from_}")
        case.whitelisting, case.exchange = moved, exchange
        case.note_keys()
        if bench.rules.rule(table.EXCHANGE).part("versioning") is True:
            case.version = resolution.version
            case.version_rules = (table.EXCHANGE, *resolution.rules)
        return {"code": response.code, "via": response.via.value}


@step("expect_taken_over")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectTakenOver(Step):
    """The PPMID comes to the hub that has taken its hub's place, of its own accord, not whitelisted.

    The network key must have come under the hash of its old link key; a new link key must be established.
    """

    within: Seconds = _COMES_WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Look at what the new hub was given, wait, and ask hub, air and PPMID."""
        exchange = case.exchange
        if exchange is None:
            raise StimulusImpossible("no hub has taken another's place; `exchange_hub` comes before")
        if exchange.link_key is None:
            raise StimulusImpossible(f"the PPMID had established no link key with hub {exchange.old}")
        case.rules.note(TRUST_CENTRE_SWAP)
        entry = case.bench.hub(exchange.new)
        _handed_over(case, entry.hub, exchange, exchange.link_key)
        event = await _came(case, entry.hub, exchange, self.within)
        await _by_hash(case, entry.hub, exchange.link_key)
        await _has_new_key(case, entry.hub)
        await answers(case, entry, "after the exchange of the hub", DutFault)
        return {"event": str(event)}


@step("expect_impostor_refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectImpostorRefused(Step):
    """A hub stands in the place of `from` that has the PPMID's link key itself, not its hash.

    None can have it who was given a hub's log: the PPMID must take it for no trust centre of its own.
    """

    from_: str
    hub: str
    within: Seconds = _COMES_WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Give the hub that key past the DSP, have it send the network key, and see the PPMID stay away."""
        old, new = case.bench.hub(self.from_).hub, case.bench.hub(self.hub).hub
        device, link_key = case.bench.device, _link_key(case, old)
        if link_key is None:
            raise StimulusImpossible(f"the PPMID has established no link key with hub {self.from_}")
        backup = replace(old.backup(), link_key_hashes={device: link_key})
        before = len(new.events)
        await new.restore_device_log(backup)
        case.note_keys()
        case.rules.note(TRUST_CENTRE_SWAP)

        def seen(*kinds: HubEventKind) -> list[HubEvent]:
            return [one for one in new.events[before:] if one.eui64 == device and one.kind in kinds]

        if not await until(lambda: bool(seen(HubEventKind.KEY_SENT)), self.within):
            raise StimulusImpossible(
                f"the PPMID has not asked hub {self.hub} to be let in within {self.within:g} s",
                remedy="give it more time: how soon a device notices that its hub is gone is its own affair",
            )
        taken = (HubEventKind.JOINED, HubEventKind.REJOINED, HubEventKind.KEY_ESTABLISHED)
        if await until(lambda: bool(seen(*taken)), _AT_ONCE_S):
            says = (
                f"the PPMID took hub {self.hub} for its own, which has its link key itself and not the hash"
            )
            raise unmet(case, f"{says}: {seen(*taken)[-1]}", (TRUST_CENTRE_SWAP,), DutFault)
        return {"tries": len(seen(HubEventKind.KEY_SENT))}


def _entry(case: CaseContext, hub: CommunicationsHub) -> DeviceLogEntry | None:
    return next((entry for entry in hub.device_log() if entry.eui64 == case.bench.device), None)


def _link_key(case: CaseContext, hub: CommunicationsHub) -> bytes | None:
    entry = _entry(case, hub)
    return entry.derived_key if entry is not None else None


def _handed_over(case: CaseContext, hub: CommunicationsHub, exchange: Exchange, old_key: bytes) -> None:
    """Raise SystemFault unless the new hub can let the PPMID in, and by nothing but the hash."""
    entry = _entry(case, hub)
    if entry is None:
        raise SystemFault(f"hub {hub.name} has the log of hub {exchange.old}, and the PPMID is not in it")
    if entry.link_key == old_key:
        raise SystemFault(
            f"hub {hub.name} was given the link key itself that the PPMID had with hub {exchange.old},"
            " and not its hash"
        )
    if entry.link_key != swap_out_key(old_key):
        raise SystemFault(
            f"hub {hub.name} has another key for the PPMID than the hash of its key with hub {exchange.old}"
        )
    if hub.network.extended_pan_id != exchange.extended_pan_id:
        raise SystemFault(
            f"hub {hub.name} has taken the place of hub {exchange.old}, and its extended PAN id is still"
            f" {hub.network.extended_pan_id}: expected {exchange.extended_pan_id}"
        )


async def _came(case: CaseContext, hub: CommunicationsHub, exchange: Exchange, within_s: float) -> HubEvent:
    mine = (HubEventKind.JOINED, HubEventKind.REJOINED)

    def seen() -> HubEvent | None:
        found = [one for one in hub.events[exchange.events :] if one.eui64 == case.bench.device]
        return next((one for one in found if one.kind in mine), None)

    await until(lambda: seen() is not None, within_s)
    event = seen()
    if event is None:
        last = [one for one in hub.events[exchange.events :] if one.eui64 == case.bench.device]
        status = await case.bench.ppmid.status()
        says = (
            f"the PPMID has not come to hub {hub.name}, which took its hub's place, within {within_s:g} s;"
            f" {where(status)}; the hub says: {last[-1]}"
        )
        raise unmet(case, says, (TRUST_CENTRE_SWAP,), DutFault)
    if event.kind is HubEventKind.JOINED:
        says = f"the PPMID was to come back to hub {hub.name} by its key, and joined it anew"
        raise unmet(case, says, (TRUST_CENTRE_SWAP,), DutFault)
    return event


async def _by_hash(case: CaseContext, hub: CommunicationsHub, old_key: bytes) -> None:
    heard = await key_witnesses.on_air(case)
    if heard is None:
        return
    sent = heard.network_keys_to(case.bench.device)
    if not sent:
        raise RigFault(
            f"the sniffer did not hear hub {hub.name} send the PPMID the network key",
            remedy="move the sniffer nearer, or check its channel",
        )
    if not air.opens(swap_out_key(old_key), sent[-1]):
        raise SystemFault(
            f"hub {hub.name} sent the PPMID the network key, but not under the hash of its old link key"
        )


async def _has_new_key(case: CaseContext, hub: CommunicationsHub) -> None:
    def established() -> bool:
        entry = _entry(case, hub)
        return entry is not None and entry.established

    if not await until(established, _AT_ONCE_S):
        kinds = (HubEventKind.KEY_NOT_ESTABLISHED, HubEventKind.UNSECURED)
        told = [one for one in hub.events if one.eui64 == case.bench.device and one.kind in kinds]
        note = f"the hub says: {told[-1]}" if told else "the hub was not asked for one"
        says = (
            f"the PPMID came to hub {hub.name}, and {_AT_ONCE_S:g} s later it has established no new link key"
            f" there; {note}"
        )
        raise unmet(case, says, (TRUST_CENTRE_SWAP,), DutFault)
