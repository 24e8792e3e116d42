"""A whole run: everything that a user wrote is checked first, then a rig is opened, used and closed.

`prepare` touches no hardware and writes nothing; `certify` leaves a pack behind whatever happens, except
when opening shows that the user's own files are wrong: then it leaves nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BenchError, ConfigError, RigFault
from harness.evidence.live.channel import offered
from harness.evidence.pack import EvidencePack
from harness.evidence.secrets import Policy
from harness.evidence.signature import SigningKey, sign
from harness.evidence.verdict import CaseResult
from harness.plan import needs
from harness.plan.desk import Desk
from harness.plan.judge import reason_of
from harness.plan.load import load_plans
from harness.plan.model import Case, Plan
from harness.plan.observe import Observer
from harness.plan.run import Runner
from harness.plan.select import select
from harness.rig.inventory import inventory
from harness.rig.load import load_rig, load_rules
from harness.rig.model import Rig
from harness.rig.open import close_bench, load_rig_cpl, open_bench
from harness.rig.signers import signers
from harness.smets.rulebook import Rulebook

INTERRUPTED = 130
_WRONG_FILE, _BROKE_OFF = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What is to be run, on what, by which rules; all of it checked."""

    plans: tuple[Plan, ...]
    cases: tuple[Case, ...]
    rig: Rig
    rules: Rulebook
    overlays: tuple[Path, ...] = ()

    @property
    def offers(self) -> frozenset[str]:
        """What the rig has, in the words of a case's `needs`."""
        return needs.offered(self.rig, self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """How a pack is closed: what it keeps of secrets (None: what the rig says), and who signs it."""

    secrets: Policy | None = None
    key: SigningKey | None = None

    def policy(self, rig: Rig) -> Policy:
        """Return what the pack keeps of secrets."""
        return self.secrets or Policy(rig.secrets)

    def seal(self, pack: EvidencePack, code: int) -> None:
        """Close the pack, and sign it."""
        pack.finish(code)
        if self.key is not None:
            sign(pack.folder, self.key)


class _NotOpened(Exception):
    """The rig could not be opened: nothing was run, so there is no evidence to keep. Its cause says why."""

    __cause__: BenchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: the last attempt at each case, and why nothing was executed when nothing was."""

    exit_code: int
    results: tuple[CaseResult, ...]
    pack: Path
    reason: str | None = None


def prepare(
    plans: Iterable[Path], rig: Path, overlays: Sequence[Path] = (), expression: str = ""
) -> Preparation:
    """Read and check plans, rig and rulebook, and choose cases. Raises ConfigError."""
    found = load_plans(plans)
    bench = load_rig(rig)
    rules = load_rules(bench, *overlays)
    load_rig_cpl(bench, rules)
    cases = tuple(case for plan in found for case in plan.cases)
    needs.check_hubs(cases, needs.offered(bench, rules))
    return Preparation(
        plans=found, cases=select(cases, expression), rig=bench, rules=rules, overlays=tuple(overlays)
    )


async def certify(
    preparation: Preparation,
    out: Path,
    observer: Observer,
    *,
    sealing: Sealing | None = None,
    desk: Desk | None = None,
) -> Outcome:
    """Open the rig, run the cases, close it; the pack is in `out`, a new or empty folder.

    A person steers it from `desk`; to stop it there is to cancel the task that awaits this.
    Raises ConfigError, or RigFault when the rig cannot be opened, and leaves nothing in `out` then;
    whatever else ends it before its last case, it leaves a pack that says what.
    """
    sealing, desk = sealing or Sealing(), desk or Desk()
    discard = _discarding(out)
    try:
        pack = EvidencePack(out, secrets=sealing.policy(preparation.rig))
    except OSError as error:
        raise ConfigError(f"cannot be made: {error.strerror}", file=out, remedy="name another") from None
    pack.describe(**facts(preparation))
    try:
        with desk.stops(asyncio.current_task()):
            async with offered(out, desk):
                outcome = await _run(preparation, pack, observer, desk)
    except _NotOpened as error:
        pack.finish(_WRONG_FILE)
        discard()
        raise error.__cause__ from None
    except BaseException as error:
        code, reason = broke_off(error)
        pack.describe(reason=reason)
        sealing.seal(pack, code)
        raise
    sealing.seal(pack, outcome.exit_code)
    return outcome


def broke_off(error: BaseException) -> tuple[int, str]:
    """Return the exit code of a run that ended before its last case, and why it did."""
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    code = _WRONG_FILE if isinstance(error, ConfigError) else _BROKE_OFF
    said = reason_of(error) if isinstance(error, Exception) else repr(error)
    return code, f"the run broke off: {said}"


def _discarding(out: Path) -> Callable[[], None]:
    """Return what makes `out` as it is now: not there, or empty."""
    there_before = out.exists()

    def discard() -> None:
        shutil.rmtree(out)
        if there_before:
            out.mkdir()

    return discard


async def _run(preparation: Preparation, pack: EvidencePack, observer: Observer, desk: Desk) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="ppmid-bench-") as scratch:
        try:
            runner = await open_runner(preparation, pack, observer, Path(scratch))
        except (ConfigError, RigFault) as fault:
            raise _NotOpened from fault
        runner.desk = desk
        try:
            results = await runner.run(preparation.cases)
        finally:
            await asyncio.shield(close_bench(runner.bench))
    reason = None if runner.executed else "no case was executed"
    return Outcome(exit_code=runner.exit_code, results=results, pack=pack.folder, reason=reason)


async def open_runner(
    preparation: Preparation, pack: EvidencePack, observer: Observer, scratch: Path
) -> Runner:
    """Open the rig and return what runs cases on it. Raises RigFault, ConfigError."""
    pack.secrets.add_install_code(bytes(preparation.rig.ppmid.device.install_code))
    for meter in preparation.rig.meters.values():
        pack.secrets.add_install_code(bytes(meter.install_code))
    bench = await open_bench(preparation.rig, preparation.rules, pack.tap, run_dir=scratch)
    pack.describe(bench=inventory(preparation.rig, bench), signers=signers(preparation.rig))
    return Runner(bench=bench, pack=pack, offers=preparation.offers, observer=observer)


def facts(preparation: Preparation) -> dict[str, object]:
    """Return what the pack says of the run besides its cases."""
    rig = preparation.rig
    return {
        "rig": {"name": rig.name, "file": str(rig.where.file), "hubs": sorted(rig.hubs)},
        "plans": [{"file": str(plan.file), "title": plan.title} for plan in preparation.plans],
        "selected": [case.id for case in preparation.cases],
        "rulebook": preparation.rules.digest,
        "overlays": [str(path) for path in preparation.overlays],
        "rules": {
            rule.id: {"title": rule.title, "source": rule.source, "basis": rule.basis.value}
            for rule in preparation.rules.rules.values()
        },
        "requirements": {
            name: {"text": requirement.text, "source": requirement.source}
            for plan in preparation.plans
            for name, requirement in plan.requirements.items()
        },
    }
