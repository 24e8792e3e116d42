"""The PPMID tries to join and must not get in: what its port, the hubs and the air say of that."""

from __future__ import annotations

from dataclasses import dataclass

from harness.documents import Seconds
from harness.errors import DutFault, SystemFault
from harness.hub.device_log import DeviceState
from harness.hub.trust_centre import HubEvent, HubEventKind, Refusal
from harness.plan import join_tries
from harness.plan.context import CaseContext
from harness.plan.expect import unmet
from harness.plan.join_tries import Before
from harness.plan.steps.han import where
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import until
from harness.rig.faces import JoinOutcome
from harness.smets.han import HUB_ADMISSION

_HUB_MAKES_UP_ITS_MIND_S = 7.0  # more than a hub waits for an announcement
_WRONG_KEY = "wrong-key"  # the test port's word: a network key came that the install code does not open
_ADMITTED = (HubEventKind.JOINED, HubEventKind.REJOINED)


@step("expect_stays_out")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectStaysOut(Step):
    """The PPMID tries to join for so long and stays out, refused for this reason if one is given.

    That it tried is not for its own port to say: a hub must have been asked, where the network of one is
    open, else a sniffer must have heard somebody look. No hub may have sent the network key in the clear.
    """

    within: Seconds
    refusal: Refusal | None = None

    async def run(self, case: CaseContext) -> Seen:
        """Have it try, then ask its port, the hubs and the air."""
        case.rules.note(HUB_ADMISSION)
        before = await join_tries.before(case)
        outcome = await case.bench.ppmid.join(self.within)
        clear_key = await _clear_key(case)
        if outcome.joined:
            raise _let_in(case, outcome, join_tries.events_since(case, before), clear_key)
        if clear_key:
            raise unmet(case, f"the PPMID stayed out, but {clear_key}", (HUB_ADMISSION,), SystemFault)
        status = await case.bench.ppmid.status()
        if status.state != "out":
            raise DutFault(
                f"the PPMID says that it could not join ({outcome.reason}), and yet {where(status)}"
            )
        tried = await join_tries.witnessed(case, before, outcome)
        how = await _refusal(case, self.refusal, outcome, before) if self.refusal else None
        admitted = [event for event in join_tries.events_since(case, before) if event.kind in _ADMITTED]
        if admitted:
            raise DutFault(f"the PPMID says that it could not join, but a hub heard it do so: {admitted[0]}")
        return {
            "reason": outcome.reason,
            "elapsed_s": outcome.elapsed_s,
            "tried": tried,
            "hub": how,
            "clear_key_looked_for": case.bench.sniffer is not None,
        }


async def _clear_key(case: CaseContext) -> str | None:
    if not await case.air_is_quiet():
        return None
    frames = case.keys_in_clear()
    return (
        f"{frames[0].source} sent the network key in the clear to {frames[0].destination}" if frames else None
    )


def _let_in(
    case: CaseContext, outcome: JoinOutcome, events: list[HubEvent], clear_key: str | None
) -> Exception:
    says = f"the PPMID joined, which it must not; {where(outcome.status)}"
    if clear_key:
        return unmet(case, f"{says}: {clear_key}", (HUB_ADMISSION,), SystemFault)
    admitted = [event for event in events if event.kind in _ADMITTED]
    if admitted:
        return unmet(case, f"{says}; the hub let it in: {admitted[0]}", (HUB_ADMISSION,), SystemFault)
    return DutFault(f"the PPMID says that it joined, but no hub has heard of it; {where(outcome.status)}")


async def _refusal(case: CaseContext, wanted: Refusal, outcome: JoinOutcome, before: Before) -> str:
    """Return how the hubs testify to a refusal; raises SystemFault when they do not, or to another one."""

    def testimony() -> str | None:
        return _testimony(case, wanted, outcome, join_tries.events_since(case, before))

    def told() -> bool:
        return testimony() is not None or any(
            event.refusal for event in join_tries.events_since(case, before)
        )

    await until(told, _HUB_MAKES_UP_ITS_MIND_S)
    found = testimony()
    if found is not None:
        return found
    refusals = [str(event) for event in join_tries.events_since(case, before) if event.refusal]
    seen = "; ".join(refusals) if refusals else "no hub says that it refused it"
    says = f"refusal: expected {wanted.value}, seen: {seen} (the PPMID says {outcome.reason!r})"
    raise unmet(case, says, (HUB_ADMISSION,), SystemFault)


def _testimony(
    case: CaseContext, wanted: Refusal, outcome: JoinOutcome, events: list[HubEvent]
) -> str | None:
    """Return what bears witness to this refusal, None when nothing does yet.

    A hub that keeps its door shut has nobody to refuse: its device log then says why it was shut.
    """
    refusals = [event for event in events if event.refusal]
    if any(event.refusal is not wanted for event in refusals):
        return None
    if refusals:
        return str(refusals[0])
    key_sent = any(event.kind is HubEventKind.KEY_SENT for event in events)
    if wanted is Refusal.WRONG_INSTALL_CODE:
        if key_sent and outcome.reason == _WRONG_KEY:
            return "a hub sent the network key, and the PPMID says that its install code does not open it"
        return None
    if key_sent:
        return None
    states = [
        entry.state
        for hub in case.bench.hubs.values()
        for entry in hub.hub.device_log()
        if entry.eui64 == case.bench.device
    ]
    if wanted is Refusal.NOT_WHITELISTED and not states:
        return "no hub has it in its device log, and none sent it a key"
    if wanted is Refusal.WINDOW_OVER and states and all(state is DeviceState.EXPIRED for state in states):
        return "its join window on the hub is over, and no hub sent it a key"
    return None
