"""Which way a request went: three witnesses that know nothing of each other, and what their silence means.

The DSP has the octets that it made; the air (or, without a sniffer, the hub) what was in the tunnel; the
PPMID what reached its application. What air and PPMID both missed was never sent: the system's fault. What
only the PPMID does not know of is the PPMID's, what only the air missed is the sniffer's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.dcc.documents import Via
from harness.dcc.routes import RouteRecord
from harness.errors import BenchError, DecodeError, DutFault, RigFault, SystemFault
from harness.gbcs import parse
from harness.gbcs.codes import CODES
from harness.hub.gbcs_hub import GbcsHub
from harness.plan import air
from harness.plan.air import OnAir
from harness.plan.context import CaseContext, Request
from harness.plan.expect import unmet
from harness.plan.hub_functions import device_of, eui64_of
from harness.rig.bench import HubOnBench
from harness.rig.faces import ReceivedCommand
from harness.smets.han import FIRMWARE_READ, AttributeAddress, Side, firmware_read
from harness.smets.version import SmetsVersion

_GBCS, _ZCL = "gbcs", "zcl"
_FIRMWARE_SRV = "11.2"


async def of_gbcs(case: CaseContext, request: Request) -> dict[str, Any]:
    """Prove that the request went as a GBCS command in the hub's tunnel, and its response came back so."""
    entry, device = _hub(case), case.bench.device
    way = request.route
    if not way.response:
        raise SystemFault(f"the DSP says that {request.srv} went by GBCS, but it made no octets")
    told = await case.bench.ppmid.received()
    mine = [command for command in told if command.kind == _GBCS]
    heard = await _air(case)
    if heard is None:
        if not entry.hub.has_tunnel(device):
            raise SystemFault(
                f"hub {entry.hub.name} has no tunnel to the PPMID, so that no GBCS can have passed"
            )
        in_tunnel = "not heard: the rig has no sniffer; the hub has a tunnel open"
    else:
        _both(
            f"{way.use_case} command",
            heard=_command_heard(way, heard.gbcs(entry.hub.eui64, device)),
            told=bool(mine),
            sealed=heard.sealed,
        )
        if way.response not in heard.gbcs(device, entry.hub.eui64):
            raise RigFault(
                f"the sniffer did not hear the PPMID's {way.use_case} response, which the DSP has",
                remedy="move the sniffer nearer, or check its channel",
            )
        in_tunnel = f"{way.use_case} command and response, octet by octet as at the DSP"
        if not way.command:
            in_tunnel = f"{way.use_case} command; its response octet by octet as in the DSP's document"
    if not mine:
        raise DutFault(f"the PPMID says that no GBCS message reached it; it says {_said(told)}")
    _obeyed(way.use_case or "", mine)
    return {
        "dsp": "gbcs",
        "use_case": way.use_case,
        "air": in_tunnel,
        "ppmid": [dict(c.fields) for c in mine],
    }


def of_hub(case: CaseContext, request: Request, name: str) -> dict[str, Any]:
    """Prove that a request to a hub went as a GBCS command that its CHF or GPF obeyed, or that none was made.

    A command that is for the one must not have come to the other.
    """
    entry, way = case.bench.hub(name), request.route
    hub, function = entry.hub, request.function
    if way.via is Via.S1SP:
        if way.command:
            raise SystemFault(
                f"the DSP made a GBCS {way.use_case} command for hub {name}, which is the S1SP's"
            )
        return {"dsp": "s1sp", "hub": "told in plain words"}
    if not isinstance(hub, GbcsHub):
        raise SystemFault(f"the DSP says that {request.srv} went by GBCS to hub {name}, which knows none")
    if way.command not in device_of(entry, function).obeyed:
        raise SystemFault(
            f"the {function} of hub {name} has not obeyed the {way.use_case} command that the DSP made"
        )
    recipient = parse(way.command).recipient
    if recipient != eui64_of(entry, function):
        raise SystemFault(
            f"the {way.use_case} command that the DSP made for the {function} of hub {name} is to {recipient}"
        )
    return {
        "dsp": "gbcs",
        "use_case": way.use_case,
        "hub": f"its {function} obeyed it",
        "target": str(recipient),
        "command": way.command.hex().upper(),
        "response": way.response.hex().upper(),
    }


async def no_gbcs(case: CaseContext) -> dict[str, Any]:
    """Prove that no GBCS octet was anywhere since the whitelisting. The PPMID's list is empty afterwards."""
    told = await case.bench.ppmid.received()
    heard = await _air(case)
    _no_gbcs(case, [command for command in told if command.kind == _GBCS], heard)
    return {"dsp": "no command", "air": "no sniffer" if heard is None else "no GBCS", "ppmid": "no GBCS"}


async def of_s1sp(case: CaseContext, request: Request) -> dict[str, Any]:
    """Prove that the request went by plain Zigbee, and that no GBCS was anywhere since the whitelisting."""
    told = await case.bench.ppmid.received()
    plain = [command for command in told if command.kind == _ZCL]
    heard = _no_gbcs(case, [command for command in told if command.kind == _GBCS], await _air(case))
    seen = _plain_read(case, request, plain, heard)
    return {"dsp": "s1sp", "air": seen, "ppmid": [dict(command.fields) for command in plain]}


def _command_heard(way: RouteRecord, messages: Iterable[bytes]) -> bool:
    """Whether the command was among these; a DSP that does not show it is known by its use case alone."""
    if way.command:
        return way.command in messages
    return any(_message_code(message) == way.message_code for message in messages)


def _message_code(message: bytes) -> int | None:
    try:
        return parse(message).message_code
    except DecodeError:
        return None


def _no_gbcs(case: CaseContext, gbcs: list[ReceivedCommand], heard: OnAir | None) -> OnAir | None:
    """Raise unless DSP, hub, air and PPMID know of no GBCS since the whitelisting; return the air since."""
    entry, device = _hub(case), case.bench.device
    since = case.whitelisting
    assert since is not None
    made = [
        way
        for way in case.bench.dcc.routes[since.routes :]
        if way.device in (device, entry.gpf) and (way.command or way.response)
    ]
    if made:
        raise SystemFault(f"the DSP made a GBCS {made[0].use_case} command for a device of the S1SP's")
    if isinstance(entry.hub, GbcsHub) and entry.family is SmetsVersion.SMETS1:
        raise SystemFault(f"hub {entry.hub.name} is a SMETS1 hub and has a CHF and a GPF that speak GBCS")
    if entry.hub.has_tunnel(device):
        raise SystemFault(f"hub {entry.hub.name} has a tunnel open to a PPMID that is reached by the S1SP")
    if heard is not None:
        heard = heard.since(since.frames)
        tunnelled = (*heard.gbcs(entry.hub.eui64, device), *heard.gbcs(device, entry.hub.eui64))
        if tunnelled:
            raise SystemFault(
                f"{len(tunnelled)} GBCS message(s) were in a tunnel on the air of hub {entry.hub.name}"
            )
        if heard.sealed:
            raise RigFault(
                f"{heard.sealed} frame(s) on the air could not be read: that no GBCS passed cannot be shown",
                remedy="look for them in han.pcapng: a foreign network on this channel, or a key not known",
            )
    if gbcs:
        raise DutFault(f"the PPMID says that GBCS reached it, which nobody sent; it says {_said(gbcs)}")
    return heard


def _plain_read(
    case: CaseContext, request: Request, plain: list[ReceivedCommand], heard: OnAir | None
) -> str:
    if request.srv != _FIRMWARE_SRV:
        if not plain:
            raise DutFault(f"the PPMID says that no ZCL command reached it for {request.srv}")
        return "no GBCS"
    read = firmware_read(case.bench.rules)
    case.rules.note(*read.rules)
    mine = [command for command in plain if _is_read(command, read)]
    if heard is not None:
        _both(
            "ZCL read of the firmware version",
            heard=heard.reads(case.bench.device, read) > 0,
            told=bool(mine),
            sealed=heard.sealed,
        )
    if not plain:
        raise DutFault("the PPMID says that no ZCL command reached it, and yet its firmware version was read")
    if not mine:
        says = (
            f"expected a read of attribute {read.attribute:04X} of cluster {read.cluster:04X}"
            f" ({read.side.value} side) at the PPMID; it says {_said(plain)}"
        )
        raise unmet(case, says, (FIRMWARE_READ,), DutFault)
    return "not heard: the rig has no sniffer" if heard is None else "a plain ZCL read, no GBCS"


def _both(what: str, *, heard: bool, told: bool, sealed: int) -> None:
    """Raise for what the air or the PPMID did not witness; whose fault that is, the other one says."""
    if heard and not told:
        raise DutFault(f"the {what} was on the air, but the PPMID says that it did not reach it")
    if told and not heard:
        note = f"; {sealed} frame(s) could not be read" if sealed else ""
        raise RigFault(
            f"the PPMID says that the {what} reached it, but the sniffer did not hear it{note}",
            remedy="move the sniffer nearer, or check its channel",
        )
    if not heard:
        raise SystemFault(f"the DSP says that it was answered, but no {what} was on the air or at the PPMID")


def _obeyed(use_case: str, mine: list[ReceivedCommand]) -> None:
    code = f"{CODES.get(use_case, 0):04X}"
    right = [command for command in mine if command.fields.get("code", "").upper() == code]
    if not right:
        raise DutFault(
            f"the PPMID says that GBCS {code} ({use_case}) did not reach it; it says {_said(mine)}"
        )
    last = right[-1].fields
    if last.get("mac") != "valid" or last.get("result") != "answered":
        raise DutFault(f"the PPMID answered {use_case} and says otherwise: {_said(right[-1:])}")


def _is_read(command: ReceivedCommand, read: AttributeAddress) -> bool:
    fields = command.fields
    return (
        fields.get("cluster", "").upper() == f"{read.cluster:04X}"
        and f"{read.attribute:04X}" in fields.get("attribute", "").upper().split(",")
        and fields.get("side", Side.CLIENT.value) == read.side.value
    )


async def _air(case: CaseContext) -> OnAir | None:
    if not await case.air_is_quiet():
        return None
    case.note_keys()
    return air.heard(case.recorder, case.bench)


def _hub(case: CaseContext) -> HubOnBench:
    if case.hub is None:
        raise _not_whitelisted()
    return case.hub


def _not_whitelisted() -> BenchError:
    return SystemFault("a request was answered by a PPMID that the plan has whitelisted on no hub")


def _said(commands: Iterable[ReceivedCommand]) -> str:
    lines = [
        " ".join((command.kind, *(f"{key}={value}" for key, value in command.fields.items())))
        for command in commands
    ]
    return "; ".join(lines) or "nothing reached it"
