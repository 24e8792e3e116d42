"""The faults of a virtual dongle by name, with their arguments: for rig files and the `inject_fault` step."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from drivers.virtual.ncp.ash import ResetCode
from drivers.virtual.ncp.faults import Direction, LineFaults, Mishaps
from harness.errors import StimulusImpossible

Arguments = Mapping[str, object]
_JUNK = b"\x00\x1a\x11\x11Bootloader v2.0\r\n\x1a"
_TO_HOST, _TO_DONGLE = "host", "dongle"


class Faulty(Protocol):
    """What a dongle lets a fault do to it."""

    @property
    def line(self) -> LineFaults:
        """What goes wrong on its line."""

    @property
    def mishaps(self) -> Mishaps:
        """What goes wrong behind the line."""

    async def plug(self, *, into: bool) -> None:
        """Pull its plug, or put it back."""

    def fall_over(self, code: int, *, stopped: bool) -> None:
        """Reset by itself, or stop with an ERROR frame."""

    def second_host(self) -> None:
        """Take a reset and a command from another host on the same line."""

    def network_down(self, *, really: bool, told: bool) -> None:
        """Fall off the network, or only say so."""

    def cure(self) -> None:
        """Misbehave no more."""


async def inject(dongle: Faulty, fault: str, arguments: Arguments) -> None:
    """Make a dongle misbehave; StimulusImpossible for a fault or an argument that there is not."""
    known = FAULTS.get(fault)
    if known is None:
        raise StimulusImpossible(f"a virtual dongle knows no fault `{fault}`", remedy=nearest(fault, FAULTS))
    takes, do = known
    for name in arguments:
        if name not in takes:
            raise StimulusImpossible(
                f"the fault `{fault}` takes no `{name}`", remedy=f"it takes {', '.join(takes) or 'nothing'}"
            )
    doing = do(dongle, arguments)
    if doing is not None:
        await doing


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word is meant, or which there are."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}"


def _number(given: Arguments, name: str, otherwise: float) -> float:
    value = given.get(name, otherwise)
    try:
        return float(int(value, 0)) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise StimulusImpossible(f"`{name}` of a fault is a number, not {value!r}") from None


def _frames(given: Arguments) -> int:
    return int(_number(given, "frames", 1))


def _way(dongle: Faulty, given: Arguments) -> Direction:
    to = given.get("to", _TO_HOST)
    if to not in (_TO_HOST, _TO_DONGLE):
        raise StimulusImpossible(f"`to` of a fault is `{_TO_HOST}` or `{_TO_DONGLE}`, not {to!r}")
    return dongle.line.to_host if to == _TO_HOST else dongle.line.to_dongle


def _spoil(what: str) -> Callable[[Faulty, Arguments], None]:
    return lambda dongle, given: setattr(_way(dongle, given), what, _frames(given))


def _delay(dongle: Faulty, given: Arguments) -> None:
    way = _way(dongle, given)
    way.delay, way.delay_s = _frames(given), _number(given, "seconds", 0.2)


def _line(what: str) -> Callable[[Faulty, Arguments], None]:
    return lambda dongle, _: setattr(dongle.line, what, True)


def _mishap(what: str) -> Callable[[Faulty, Arguments], None]:
    return lambda dongle, _: setattr(dongle.mishaps, what, True)


def _count(what: str) -> Callable[[Faulty, Arguments], None]:
    return lambda dongle, given: setattr(dongle.mishaps, what, _frames(given))


def _status_late(dongle: Faulty, given: Arguments) -> None:
    dongle.mishaps.status_late = _frames(given)
    dongle.mishaps.status_late_s = _number(given, "seconds", 0.5)


def _junk(dongle: Faulty, given: Arguments) -> None:
    octets = given.get("octets")
    try:
        dongle.line.junk = bytes.fromhex(str(octets)) if octets is not None else _JUNK
    except ValueError:
        raise StimulusImpossible(f"`octets` of a fault are hex digits, not {octets!r}") from None


def _fall_over(usual: ResetCode, *, stopped: bool) -> Callable[[Faulty, Arguments], None]:
    def do(dongle: Faulty, given: Arguments) -> None:
        code = int(_number(given, "code", usual.value))
        if not 0 <= code <= 0xFF:
            raise StimulusImpossible(f"`code` of a fault is one octet, not {code}")
        dongle.fall_over(code, stopped=stopped)

    return do


def _network_lost(dongle: Faulty, given: Arguments) -> None:
    dongle.network_down(really=True, told=given.get("told", True) is True)


# Name: the arguments that it takes, and what it does.
FAULTS: Mapping[str, tuple[tuple[str, ...], Callable[[Any, Arguments], Awaitable[None] | None]]] = {
    # the line
    "corrupt": (("frames", "to"), _spoil("corrupt")),
    "drop": (("frames", "to"), _spoil("drop")),
    "duplicate": (("frames", "to"), _spoil("duplicate")),
    "cut": (("frames", "to"), _spoil("cut")),
    "delay": (("frames", "to", "seconds"), _delay),
    "junk": (("octets",), _junk),
    "eats-nuls": ((), _line("eats_nuls")),
    "ack-starved": ((), _line("starved")),
    "silent": ((), _line("silent")),
    "deaf": ((), _line("deaf")),
    "unplug": ((), lambda dongle, _: dongle.plug(into=False)),
    "replug": ((), lambda dongle, _: dongle.plug(into=True)),
    "second-host": ((), lambda dongle, _: dongle.second_host()),
    # the dongle
    "reset": (("code",), _fall_over(ResetCode.WATCHDOG, stopped=False)),
    "error": (("code",), _fall_over(ResetCode.MAXIMUM_ACK_TIMEOUTS, stopped=True)),
    # its network
    "network-down": ((), lambda dongle, _: dongle.network_down(really=False, told=True)),
    "network-lost": (("told",), _network_lost),
    "status-missing": (("frames",), _count("status_missing")),
    "status-twice": (("frames",), _count("status_twice")),
    "status-late": (("frames", "seconds"), _status_late),
    "scan-partial": ((), _mishap("scans_partly")),
    "scan-twice": ((), _mishap("scans_twice")),
    # its messages
    "delivery-failed": (("frames",), _count("failures")),
    "busy": (("frames",), _count("refusals")),
    "sent-twice": (("frames",), _count("repeats")),
    # who may join
    "stays-shut": ((), _mishap("stays_shut")),
    "key-forgotten": ((), _mishap("forgets_keys")),
    # link keys
    "key-table-full": ((), _mishap("keys_full")),
    "keys-refused": ((), _mishap("refuses_keys")),
    # all of them taken back, but for the plug
    "well": ((), lambda dongle, _: dongle.cure()),
}
