"""Which event answers which: found from what the events say of themselves, as they are recorded.

A response names its request (`request_id`), a change of the SMI the one that made it, a GBCS command the
service request that it is for (its remote party and that one's counter), a GBCS response its command (the
originator counter), a line of the test port its command (``seq=``), an IEEE 802.15.4 acknowledgement its
frame, a message at a hub's radio the frame that carried it, or the other way round (`air_links`). What a hub
decided about a device answers what that device did on the air, or the message that named it. Everything
happens in a step of the plan. Where none of this is told, an event has no cause here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping

from harness.eui64 import Eui64
from harness.evidence.air import HeardFrame
from harness.evidence.air_links import Key, Links, air_links, radio_links
from harness.gbcs.header import Cra
from harness.gbcs.message import parse
from harness.tap import Boundary

BENCH = "bench"  # who speaks to the PPMID's port
_SEQUENCE = re.compile(r"\bseq=(\d+)")
_ACK, _ACK_OCTETS, _KIND = 0b010, 5, 0b111
_REMEMBERED = 4096
_COMMANDS = 16  # of GBCS, among which one that a radio carries, or that names a device, is looked for
_EUI64_TEXT = 23  # characters
_TUNNELING = 0x0704
_DID = {
    "left": ("Leave",),
    "network key sent": ("AssociationRequest",),
    "joined": ("DeviceAnnce",),
    "key established": ("ConfirmKey",),
}
"""What a device did on the air that has a hub decide so about it."""

_TOLD = ("whitelisted", "removed")  # what a hub decides because it was told to
_NONE = Links()


class Causes:
    """Keeps what later events may refer to. One a timeline; not for several threads."""

    def __init__(self) -> None:
        self._step: int | None = None
        self._asked: dict[Key, int] = {}
        self._commands: deque[tuple[int, bytes]] = deque(maxlen=_COMMANDS)

    def of(
        self,
        number: int,
        boundary: Boundary,
        source: str,
        summary: str,
        data: bytes,
        details: Mapping[str, object],
        links: Links | None = None,
    ) -> tuple[int | None, int | None]:
        """Return the numbers of the step under way and of the event that this one answers.

        `links` are those of a frame that was decoded (`frame_links`); of what else there is they are found.
        """
        if boundary is Boundary.STEP:
            if "step" in details:
                self._step = number
                return None, None
            return self._step, None
        if links is None:
            links = _links(boundary, source, summary, data, details)
        cause = self._first(links.answers)
        if boundary is Boundary.HUB:
            cause = self._of_decision(summary, details)
        elif boundary is Boundary.RADIO and details.get("cluster") == _TUNNELING:
            carried = self._carried(data) if source.startswith("hubs.") else None
            cause = cause if carried is None else carried
        for asks in links.asks:
            if asks not in links.answers or cause is None:
                self._remember(asks, number)
        if boundary is Boundary.GBCS and links.asks:
            self._commands.append((number, data))
        return self._step, cause

    def _remember(self, key: Key, number: int) -> None:
        if len(self._asked) >= _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        self._asked[key] = number

    def _first(self, answers: tuple[Key, ...]) -> int | None:
        return next((self._asked[key] for key in answers if key in self._asked), None)

    def _carried(self, data: bytes) -> int | None:
        """Return the GBCS command that a hub sends into its HAN."""
        return next((number for number, message in reversed(self._commands) if data.endswith(message)), None)

    def _of_decision(self, summary: str, details: Mapping[str, object]) -> int | None:
        """Return what a hub's decision about a device follows from."""
        device, event = summary[:_EUI64_TEXT], str(details.get("event"))
        if event in _DID:
            return self._first(tuple(("did", (device, act)) for act in _DID[event]))
        if event not in _TOLD:
            return None
        try:
            octets = Eui64.parse(device).to_bytes_be()
        except ValueError:
            return None
        told = [number for number, message in self._commands if octets in message]
        if (by_s1sp := self._asked.get(("s1sp", device))) is not None:
            told.append(by_s1sp)
        return max(told, default=None)


def frame_links(heard: HeardFrame) -> Links:
    """Return the links of a frame off the air, by its sequence number too, which an acknowledgement names."""
    links = _frame_links(heard.record.psdu)
    if links.answers or not links.asks:
        return links
    more = air_links(heard)
    return Links(asks=(*links.asks, *more.asks), answers=more.answers)


def _frame_links(psdu: bytes) -> Links:
    if len(psdu) < _ACK_OCTETS:
        return _NONE
    number: Key = ("frame", psdu[2])
    is_ack = len(psdu) == _ACK_OCTETS and psdu[0] & _KIND == _ACK
    return Links(answers=(number,)) if is_ack else Links(asks=(number,))


def _links(
    boundary: Boundary, source: str, summary: str, data: bytes, details: Mapping[str, object]
) -> Links:
    """Return what later events may name an event by, and what it names an earlier one by."""
    request, device = details.get("request_id"), details.get("device")
    if isinstance(request, str):  # the first one that names it asks
        told = (("s1sp", device),) if boundary is Boundary.S1SP and isinstance(device, str) else ()
        return Links(asks=(("request", request), *told), answers=(("request", request),))
    match boundary:
        case Boundary.INVENTORY:
            return _change_links(details.get("change"))
        case Boundary.AIR:
            return _frame_links(data)
        case Boundary.RADIO:
            where = str(details.get("peer")), details.get("profile"), details.get("cluster")
            return radio_links(data, *where, inwards=not source.startswith("hubs."))
        case Boundary.SERIAL:
            return _line_links(source, summary)
        case Boundary.HUB if data:
            return Links(asks=(("handed on", data),))
        case Boundary.GBCS:
            return _gbcs_links(data)
    return _NONE


def _line_links(source: str, summary: str) -> Links:
    found = _SEQUENCE.search(summary[:200])
    if found is None:
        return _NONE
    line: Key = ("line", found[1])
    return Links(asks=(line,)) if source == BENCH else Links(answers=(line,))


def _change_links(change: object) -> Links:
    by = change.get("by") if isinstance(change, Mapping) else None
    return Links(answers=(("request", by),)) if isinstance(by, str) else _NONE


def _gbcs_links(octets: bytes) -> Links:
    handed_on: Key = ("handed on", octets)
    try:
        message = parse(octets)
    except ValueError:  # DecodeError among it: what a tap hears may be anything
        return Links(answers=(handed_on,))
    if message.cra is Cra.COMMAND:
        remote = message.supplementary_party or message.originator
        counter = message.supplementary_counter or message.counter
        asks: Key = ("gbcs", (message.recipient, message.counter))
        return Links(asks=(asks,), answers=(("request", f"{remote}:{message.recipient}:{counter}"),))
    if message.cra is Cra.RESPONSE:
        return Links(answers=(("gbcs", (message.originator, message.counter)),))
    return Links(answers=(handed_on,))
