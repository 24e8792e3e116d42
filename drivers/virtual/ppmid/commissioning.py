"""How a bilingual PPMID finds out what it has joined: the hub's key-establishment suites decide.

Suite 2 offered: SMETS2+. Suite 1 only: SMETS1. Neither, or no link key by it: no mode, and no place here.
Source: facts sec-cpl-testing §5 (suites on the two kinds of HAN). Basis: inferred.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from drivers.virtual.device.key_establishment import KeyEstablishment, read_suites
from drivers.virtual.device.questions import Questions, Unanswered
from drivers.virtual.device.surroundings import DeviceStack
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.nonvolatile import Mode, NonVolatile
from drivers.virtual.stack.faces import JoinFailure, JoinResult
from harness.zigbee import install_code
from harness.zigbee.key_establishment import KeyEstablishmentSuites


async def join(stack: DeviceStack, kept: NonVolatile, config: PpmidConfig, timeout_s: float) -> JoinResult:
    """Join by the link key of a network that sent the device away, else by the install code."""
    if kept.old_network is not None and Defect.FORGETS_OLD_KEY not in config.defects:
        where, channel, old_key = kept.old_network
        result = await stack.join((channel,), old_key, timeout_s, where)
        if result.failure is None:
            return result
    key = install_code.link_key(kept.install_code)
    for _ in range(config.timings.join_tries):
        result = await stack.join(config.channels, key, timeout_s)
        if result.failure is not JoinFailure.NO_KEY:
            break
    return result


def choose_mode(suites: int, defects: frozenset[Defect]) -> Mode:
    """Return the mode for the suites offered; NONE when neither suite is."""
    if Defect.MODE_FROM_FACTORY in defects:
        return Mode.SMETS2_PLUS
    if suites & KeyEstablishmentSuites.SUITE_2:
        right, wrong = Mode.SMETS2_PLUS, Mode.SMETS1
    elif suites & KeyEstablishmentSuites.SUITE_1:
        right, wrong = Mode.SMETS1, Mode.SMETS2_PLUS
    else:
        return Mode.NONE
    return wrong if Defect.WRONG_MODE in defects else right


async def settle_in(
    questions: Questions,
    keys: KeyEstablishment,
    kept: NonVolatile,
    config: PpmidConfig,
    *,
    on_network: Callable[[], bool],
) -> str | None:
    """Choose the mode and establish the link key; return why not, in the test port's word."""
    try:
        endpoint, suites = await read_suites(questions)
    except Unanswered:
        if config.stays_without_mode and on_network():
            return None
        return "no-key-establishment" if on_network() else "refused"
    if Defect.KEEPS_MODE_ON_LEAVE not in config.defects or kept.mode is Mode.NONE:
        kept.suites, kept.mode = suites, choose_mode(suites, config.defects)
    if kept.mode is Mode.NONE:
        return "no-key-establishment"
    if Defect.SKIPS_KEY_ESTABLISHMENT in config.defects:
        return None
    return None if await keys.establish(endpoint, suites) else "key-establishment-failed"


async def settle_in_anew(
    stack: DeviceStack, kept: NonVolatile, settle_in: Callable[[], Awaitable[str | None]]
) -> bool:
    """Settle in with another trust centre, keeping nothing of it before that is done; whether it worked.

    Where it came to nothing the device is where it was.
    """
    before = kept.mode, kept.suites, kept.suite_used, kept.old_network
    kept.suite_used = 0
    if await settle_in() is None:
        return True
    kept.mode, kept.suites, kept.suite_used, kept.old_network = before
    if kept.stack is not None:
        stack.restore(kept.stack)
    return False
