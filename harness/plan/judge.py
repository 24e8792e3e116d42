"""The table that turns an exception into a verdict, and what the rig's health does to it.

The case runner is the only place where that happens. An unhealthy rig never fails a device, whatever was
seen; on a healthy one the silence of a PPMID that took a message, or that says itself that it is off the
network, is the PPMID's own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.errors import (
    AssumptionNotMet,
    BenchError,
    ConfigError,
    DeviceSilent,
    DutFault,
    HarnessBug,
    OperatorDeclined,
    RadioUndelivered,
    RigFault,
    StimulusImpossible,
    SystemFault,
)
from harness.evidence.verdict import Verdict
from harness.rig.bench import Bench

VERDICT_OF: tuple[tuple[type[Exception], Verdict], ...] = (
    (DutFault, Verdict.FAIL),
    (SystemFault, Verdict.FAIL),
    (StimulusImpossible, Verdict.INCONCLUSIVE),
    (OperatorDeclined, Verdict.INCONCLUSIVE),
    (AssumptionNotMet, Verdict.INCONCLUSIVE),
    (RigFault, Verdict.ERROR),
    (RadioUndelivered, Verdict.ERROR),
    (HarnessBug, Verdict.ERROR),
    (ConfigError, Verdict.ERROR),
    (BenchError, Verdict.ERROR),
)
_HEALTH_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an exception came to. `health` is what is wrong with the rig, None when nothing is."""

    verdict: Verdict
    reason: str
    health: str | None = None


def verdict_of(error: Exception) -> Verdict:
    """Return the verdict by the error's class alone; what is not a BenchError is a bug of ours."""
    for kind, verdict in VERDICT_OF:
        if isinstance(error, kind):
            return verdict
    return Verdict.ERROR


def reason_of(error: Exception) -> str:
    """Return one sentence that a bench engineer can act on."""
    if isinstance(error, BenchError):
        return str(error)
    return (
        f"the bench itself failed: {type(error).__name__}: {error}; please report it with the evidence pack"
    )


async def judge(error: Exception, bench: Bench) -> Judgement:
    """Turn what ended a case into a verdict, with the rig's health at this moment."""
    verdict, reason = verdict_of(error), reason_of(error)
    wrong = await health_of(bench)
    if wrong is not None:
        if isinstance(error, RigFault) and wrong in reason:
            return Judgement(verdict=Verdict.ERROR, reason=reason, health=wrong)
        return Judgement(
            verdict=Verdict.ERROR, reason=f"{reason}. The rig is not healthy: {wrong}", health=wrong
        )
    if isinstance(error, RadioUndelivered):
        return await _whose_silence(error, bench)
    return Judgement(verdict=verdict, reason=reason)


async def health_of(bench: Bench) -> str | None:
    """Return what is wrong with the rig; a check that hangs or breaks is an answer too."""
    try:
        async with asyncio.timeout(_HEALTH_WITHIN_S):
            return await bench.health()
    except TimeoutError:
        return f"its health check did not end within {_HEALTH_WITHIN_S:g} s"
    except Exception as error:  # noqa: BLE001 - a broken check is no sign of health
        return f"its health check failed: {reason_of(error)}"


async def _whose_silence(error: RadioUndelivered, bench: Bench) -> Judgement:
    reason = reason_of(error)
    try:
        status = await bench.ppmid.status()
    except BenchError as silence:
        return Judgement(verdict=verdict_of(silence), reason=f"{reason}. Asked where it is: {silence}")
    says = f"the PPMID says state={status.state} mode={status.mode}"
    if status.state != "joined":
        return Judgement(
            verdict=Verdict.FAIL,
            reason=f"{reason}. The rig is healthy, and {says}: it is off the network",
        )
    if isinstance(error, DeviceSilent):
        return Judgement(
            verdict=Verdict.FAIL, reason=f"{reason}. The rig is healthy, and {says}: it does not answer"
        )
    return Judgement(
        verdict=Verdict.ERROR,
        reason=f"{reason}. {says[0].upper()}{says[1:]}: something between it and the hub is amiss",
    )
