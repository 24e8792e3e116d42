"""Steps on the HAN: join, leave, and what the PPMID and the hub must then say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.documents import Seconds
from harness.errors import BenchError, DutFault, RigFault, StimulusImpossible, SystemFault
from harness.hub.core import CommunicationsHub
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import BY_HISTORIC_KEY, HubEvent, HubEventKind, Refusal
from harness.plan import air, key_witnesses
from harness.plan.context import CaseContext
from harness.plan.expect import hold, unmet
from harness.plan.radio_witness import why_not_by_radio
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import eventually, until
from harness.rig.bench import HubOnBench
from harness.rig.faces import JoinOutcome, PpmidStatus
from harness.smets.han import HISTORIC_LINK_KEY, HUB_ADMISSION, expected_mode, expected_suite
from harness.smets.version import SmetsVersion
from harness.zigbee.install_code import link_key

_DONGLE = "look at the hub's dongle and its firmware, and try it again"
_HUB_NOTICES_S = 3.0
_LEAVES_WITHIN_S = 10.0
_HUBS_OWN_REFUSALS = (Refusal.NOT_WHITELISTED, Refusal.WINDOW_OVER)


@step("join")
@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Step):
    """The PPMID joins the hub that it is whitelisted on; `by` its historic link key, if that is asked for."""

    within: Seconds
    by: Literal["historic-link-key"] | None = None

    async def run(self, case: CaseContext) -> Seen:
        """Have it join; its hub must have heard it announce itself."""
        entry = case.hub
        if entry is None:
            raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
        before = len(entry.hub.events)
        frames = len(case.recorder.air_record.frames)
        outcome = await case.bench.ppmid.join(self.within)
        case.note_keys()
        case.row.note("on-air mode", outcome.status.mode)
        if not outcome.joined:
            radio = await why_not_by_radio(case, entry.hub, entry.hub.events[before:], frames, outcome)
            if radio is not None:
                raise RigFault(f"{_says(outcome, self.within)}; {radio}", remedy=_DONGLE)
            raise await _why_out(case, entry.hub, before, outcome, self.within)
        if not await until(lambda: on_han(case, entry.hub), _HUB_NOTICES_S):
            raise DutFault(
                f"the PPMID says that it joined, but hub {entry.hub.name} has not heard it announce itself;"
                f" {where(outcome.status)}"
            )
        if self.by is not None:
            await _by_historic_key(case, entry.hub, before)
        return {"elapsed_s": outcome.elapsed_s, **_plain(outcome.status)}


@step("unjoin")
@dataclass(frozen=True, slots=True, kw_only=True)
class Unjoin(Step):
    """The PPMID leaves its HAN: by its own test port, or told to by the hub that is named."""

    hub: str | None = None

    async def run(self, case: CaseContext) -> Seen:
        """Have it leave; it must then say that it is out."""
        if self.hub is None:
            await case.bench.ppmid.leave()
        else:
            await case.bench.hub(self.hub).hub.unjoin(case.bench.device)
        status = await case.bench.ppmid.status()

        async def is_out() -> bool:
            nonlocal status
            status = await case.bench.ppmid.status()
            return status.state == "out"

        if not await eventually(is_out, _LEAVES_WITHIN_S):
            raise DutFault(
                f"told to leave, the PPMID is still there {_LEAVES_WITHIN_S:g} s later; {where(status)}"
            )
        return _plain(status)


@step("expect_han")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectHan(Step):
    """The PPMID is on the HAN of its hub, in this mode, and has its link key by this suite, which it uses."""

    mode: SmetsVersion
    key_establishment: int | None = None

    def __post_init__(self) -> None:
        if self.key_establishment not in (None, 1, 2):
            raise ValueError(f"`key_establishment` is suite 1 or 2, not {self.key_establishment}")

    async def run(self, case: CaseContext) -> Seen:
        """Ask PPMID, hub and air; the suite comes first, as the mode follows from it."""
        entry = case.hub
        if entry is None:
            raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
        status = await case.bench.ppmid.status()
        case.row.note("on-air mode", status.mode)
        _on_this_network(case, entry.hub, status)
        if self.key_establishment is not None:
            await _suite(case, entry, status, self.key_establishment)
            await _suite_used(case, entry, status, self.key_establishment)
        ruled, rule = expected_mode(entry.family, case.bench.rules)
        hold(
            case,
            f"mode of the PPMID on hub {entry.hub.name}, which offers suites 0x{status.suites_offered:04X}",
            wanted=self.mode.value,
            seen=status.mode,
            ruled=ruled.value,
            rules=(rule,),
            fault=DutFault,
        )
        return _plain(status)


async def _suite(case: CaseContext, entry: HubOnBench, status: PpmidStatus, suite: int) -> None:
    """Hold what the hub offers, as the air or else the PPMID has it, against the suite that is expected."""
    ruled, rule = expected_suite(entry.family, case.bench.rules)
    offered = status.suites_offered
    if await case.air_is_quiet():
        on_air = air.heard(case.recorder, case.bench).suites_offered(entry.hub.eui64)
        if on_air is not None and on_air != offered:
            raise DutFault(
                f"the PPMID says that hub {entry.hub.name} offers suites 0x{offered:04X};"
                f" on the air the hub said 0x{on_air:04X}"
            )
    seen = suite if offered >> (suite - 1) & 1 else f"suites 0x{offered:04X}"
    hold(
        case,
        f"key-establishment suite offered by hub {entry.hub.name}",
        wanted=suite,
        seen=seen,
        ruled=ruled,
        rules=(rule,),
        fault=SystemFault,
    )


async def _suite_used(case: CaseContext, entry: HubOnBench, status: PpmidStatus, suite: int) -> None:
    """Hold the suite by which the link key was established against the one that is expected."""
    ruled, rule = expected_suite(entry.family, case.bench.rules)
    hold(
        case,
        f"suite by which the PPMID established its link key with hub {entry.hub.name}",
        wanted=suite,
        seen=await key_witnesses.of_key_establishment(case, entry, status),
        ruled=ruled,
        rules=(rule,),
        fault=DutFault,
    )
    await key_witnesses.link_key_is_used(case)


def _on_this_network(case: CaseContext, hub: CommunicationsHub, status: PpmidStatus) -> None:
    network = hub.network
    if status.state != "joined":
        raise DutFault(f"the PPMID is not on the HAN of hub {hub.name}; {where(status)}")
    for what, seen, own in (
        ("channel", status.channel, network.channel),
        ("PAN id", status.pan_id, network.pan_id),
        ("extended PAN id", status.extended_pan_id, network.extended_pan_id),
    ):
        if seen is not None and seen != own:
            raise DutFault(f"the PPMID is on another network: {what} {seen}, that of hub {hub.name} is {own}")
    if not on_han(case, hub):
        raise SystemFault(f"hub {hub.name} does not have {case.bench.device} on its HAN; {where(status)}")


async def _by_historic_key(case: CaseContext, hub: CommunicationsHub, before: int) -> None:
    """Raise SystemFault for a hub that used the key of the install code: so it was on the air, or it says."""
    by_install_code = (
        f"hub {hub.name} let the PPMID in by its install code, in the time of its historic link key"
    )
    heard = await key_witnesses.on_air(case)
    sent = heard.network_keys_to(case.bench.device) if heard is not None else ()
    if sent and air.opens(link_key(bytes(case.bench.ppmid_device.install_code)), sent[-1]):
        raise SystemFault(f"{by_install_code}: so it was on the air")
    joined = [
        event
        for event in hub.events[before:]
        if event.eui64 == case.bench.device and event.kind is HubEventKind.JOINED
    ]
    if not joined or joined[-1].note != BY_HISTORIC_KEY:
        raise SystemFault(f"{by_install_code}, by its own account")


async def _why_out(
    case: CaseContext, hub: CommunicationsHub, before: int, outcome: JoinOutcome, within_s: float
) -> BenchError:
    """Say whose fault it is that the PPMID stayed out: the hub's when it did wrong, else the PPMID's."""
    says = _says(outcome, within_s)
    refusals = [
        event
        for event in hub.events[before:]
        if event.eui64 == case.bench.device and event.refusal is not None
    ]
    for event in refusals:
        if event.refusal in _HUBS_OWN_REFUSALS:
            case.rules.note(HUB_ADMISSION)
            return SystemFault(f"{says}; hub {hub.name} refused it: {event}")
    if await case.air_is_quiet() and case.keys_in_clear():
        return SystemFault(f"{says}; hub {hub.name} sent the network key in the clear")
    told = [*refusals, *_without_key(case, hub, before)]
    note = f"; the hub says: {told[-1]}" if told else ""
    says = f"{says}, {where(outcome.status)}{note}"
    if any(entry.eui64 == case.bench.device and entry.historic_key for entry in hub.device_log()):
        says += f"; hub {hub.name} lets it in by its historic link key only, for half the join time"
        return unmet(case, says, (HISTORIC_LINK_KEY,), DutFault)
    return DutFault(says)


def _says(outcome: JoinOutcome, within_s: float) -> str:
    return f"the PPMID did not join within {within_s:g} s: it says {outcome.reason!r}"


def _without_key(case: CaseContext, hub: CommunicationsHub, before: int) -> list[HubEvent]:
    return [
        event
        for event in hub.events[before:]
        if event.eui64 == case.bench.device and event.kind is HubEventKind.KEY_NOT_ESTABLISHED
    ]


def on_han(case: CaseContext, hub: CommunicationsHub) -> bool:
    """Whether a hub has the device under test on its HAN."""
    return any(
        entry.eui64 == case.bench.device and entry.state is DeviceState.JOINED for entry in hub.device_log()
    )


def where(status: PpmidStatus) -> str:
    """Say where a PPMID is, by its own account."""
    return f"it says state={status.state} mode={status.mode}"


def _plain(status: PpmidStatus) -> dict[str, object]:
    return {
        "state": status.state,
        "mode": status.mode,
        "suites": status.suites_offered,
        "key_establishment": status.suite_used,
        "channel": status.channel,
        "pan": None if status.pan_id is None else f"{status.pan_id:04X}",
        "extended_pan": None if status.extended_pan_id is None else str(status.extended_pan_id),
        "short": None if status.short_address is None else f"{status.short_address:04X}",
        "parent": None if status.parent is None else str(status.parent),
    }
