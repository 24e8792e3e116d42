"""A hub sends the PPMID the network key unprotected, as no hub may, and the PPMID must not take it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.documents import Seconds
from harness.errors import BenchError, DutFault, StimulusImpossible
from harness.hub.core import CommunicationsHub
from harness.hub.trust_centre import HubEvent, HubEventKind
from harness.plan.context import CaseContext
from harness.plan.steps.han import where
from harness.plan.steps.step import Seen, Step, step
from harness.rig.faces import JoinOutcome

_WITHIN = Seconds(20)
_ON_THE_HAN = (HubEventKind.JOINED, HubEventKind.REJOINED)


@step("expect_clear_key_refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectClearKeyRefused(Step):
    """The PPMID tries to join a hub that sends the network key in the clear, and must stay out.

    The hub is told past the DCC, with the PPMID's own install code. That the key was sent so is asked of the
    air; on a rig without a sniffer the hub's radio is believed.
    """

    hub: str
    within: Seconds = _WITHIN

    async def run(self, case: CaseContext) -> Seen:
        """Have it try, and shut the door again."""
        hub = case.bench.hub(self.hub).hub
        before = len(hub.events)
        code = bytes(case.bench.ppmid_device.install_code)
        await hub.add_to_device_log(case.bench.device, code, self.within, in_clear=True)
        case.note_keys()
        outcome = await case.bench.ppmid.join(self.within)
        sniffed = await case.air_is_quiet()
        heard = len(case.keys_in_clear())
        events = [event for event in hub.events[before:] if event.eui64 == case.bench.device]
        sent = bool(heard) if sniffed else any(event.kind is HubEventKind.KEY_SENT for event in events)
        fault = _taken(hub, outcome, events) or await _not_out(case, outcome)
        if not sent:
            raise StimulusImpossible(_why_not_sent(hub, outcome, events))
        if fault is not None:
            raise fault
        await hub.remove_from_device_log(case.bench.device)
        await case.air_is_quiet()
        case.clear_keys_meant += len(case.keys_in_clear())
        return {"hub": self.hub, "reason": outcome.reason, "heard_in_clear": heard if sniffed else None}


def _taken(hub: CommunicationsHub, outcome: JoinOutcome, events: list[HubEvent]) -> BenchError | None:
    """Return the PPMID's fault when it took the key, by its own account or by what the hub heard of it."""
    says = f"the PPMID took a network key that hub {hub.name} sent in the clear"
    if outcome.joined:
        return DutFault(f"{says}, and joined; {where(outcome.status)}")
    announced = [event for event in events if event.kind in _ON_THE_HAN]
    if announced:
        return DutFault(
            f"{says}; it says {outcome.reason!r}, but the hub heard it under that key: {announced[0]}"
        )
    return None


async def _not_out(case: CaseContext, outcome: JoinOutcome) -> BenchError | None:
    status = await case.bench.ppmid.status()
    if outcome.joined or status.state == "out":
        return None
    return DutFault(f"the PPMID says that it could not join ({outcome.reason}), and yet {where(status)}")


def _why_not_sent(hub: CommunicationsHub, outcome: JoinOutcome, events: list[HubEvent]) -> str:
    told = f"; the hub says: {events[-1]}" if events else ""
    ended = "it joined all the same" if outcome.joined else f"the PPMID says {outcome.reason!r}"
    meant = f"hub {hub.name} was to send the PPMID the network key in the clear"
    return f"{meant}, and none was heard: {ended}{told}"
