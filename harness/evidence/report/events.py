"""Events of a timeline as a sequence diagram shows them: plain data, one event after the other.

An `EventReader` is fed events in their order, from a file or while they happen, and knows what it has learnt
from those before: keys, short addresses, fragments. Keys of the plain data:

``n`` number, ``t`` seconds of the run, ``b`` boundary, ``from`` and ``to`` lanes, ``who`` the names behind
them, ``sum`` one line, ``lvl`` how far down it is (0 story, 1 message, 2 frame), ``size`` octets, ``views``
octets with fields, ``text`` a document or a line, ``seal`` how it is signed or secured, ``det`` details,
``cut`` how many octets there were when some were left out, ``bad`` when it could not be decoded, ``step`` and
``cause`` numbers of the step under way and of the event answered, ``mark`` when the recorder itself speaks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.evidence.report.documents import certificates, read_document
from harness.evidence.report.octets import View, air_views, gbcs_views, plain_views, radio_views
from harness.evidence.report.parties import Parties
from harness.evidence.report.text import all_visible, shortened, visible
from harness.evidence.timeline import RECORDER, Event
from harness.gbcs.message import parse as parse_gbcs
from harness.tap import Boundary
from harness.zigbee.aps import ApsFrameType
from harness.zigbee.decoder import Decoder
from harness.zigbee.mac import MacFrameType
from harness.zigbee.records import DecodedFrame

STORY, MESSAGE, FRAME = 0, 1, 2
_LONGEST_TEXT = 20_000
_LONGEST_SUMMARY = 400
_SHORTEST_ADDRESSED = 10  # octets; what is no longer has no short address, so nothing learnt bears on it
_LEVELS = {Boundary.SERIAL: MESSAGE, Boundary.RADIO: MESSAGE, Boundary.AIR: MESSAGE}


class EventReader:
    """Turns events into plain data, in the order in which they happened."""

    def __init__(self, parties: Parties, keys: Mapping[str, Any]) -> None:
        """Take who is who, and the keys of a case's ``keys.json``; what is no key there is passed over."""
        self._parties = parties
        network, links = keys.get("network", ()), keys.get("link", {})
        self._decoder = Decoder(network_keys=[(0, key) for text in network if (key := _octets(text))])
        for name, texts in links.items():
            for text in texts:
                if (key := _octets(text)) and (device := _eui64(name)):
                    self._decoder.keys.add_link_key(key, device)
        self._readers: Mapping[Boundary, Callable[[Event, dict[str, Any]], None]] = {
            Boundary.AIR: self._air,
            Boundary.RADIO: _radio,
            Boundary.GBCS: _gbcs,
            Boundary.HUB: _gbcs,
            Boundary.SERIAL: _serial,
        }
        self._signers = certificates(parties.signers)

    def read(self, event: Event) -> dict[str, Any]:
        """Return one event as plain json values, all text in it visible."""
        source, destination = self._parties.lanes_of(event)
        plain: dict[str, Any] = {
            "n": event.number,
            "t": round(event.elapsed_s, 6),
            "b": event.boundary.value,
            "from": source,
            "to": destination,
            "who": [visible(event.source), visible(event.destination)],
            "sum": shortened(visible(event.summary), _LONGEST_SUMMARY),
            "lvl": _LEVELS.get(event.boundary, STORY),
        }
        if event.step is not None:
            plain["step"] = event.step
        if event.cause is not None:
            plain["cause"] = event.cause
        if event.boundary is Boundary.STEP and event.source == RECORDER:
            plain["mark"] = True
        if event.data:
            plain["size"] = event.cut or len(event.data)
            self._readers.get(event.boundary, self._document)(event, plain)
        if len(event.summary) > _LONGEST_SUMMARY:
            plain.setdefault("text", shortened(visible(event.summary), _LONGEST_TEXT))
        if event.details:
            plain["det"] = all_visible(dict(event.details))
        if event.cut is not None:
            plain["cut"] = event.cut
        return plain

    def _air(self, event: Event, plain: dict[str, Any]) -> None:
        if len(event.data) <= _SHORTEST_ADDRESSED:
            plain.update(_short_frame(event.data))
        else:
            plain.update(_frame(self._decoder.feed(event.data)))

    def _document(self, event: Event, plain: dict[str, Any]) -> None:
        document = (
            read_document(event.data, self._signers, masked=event.masked) if event.cut is None else None
        )
        if document is None:
            plain["views"] = [view.as_json() for view in plain_views(event.data)]
            return
        plain["text"] = shortened(visible(document.text), _LONGEST_TEXT)
        plain["seal"] = [visible(line) for line in document.signature]
        if document.error:
            plain["bad"] = visible(document.error)


@functools.lru_cache(maxsize=2048)
def _short_frame(psdu: bytes) -> Mapping[str, Any]:
    """Read a frame without addresses (an acknowledgement, a beacon request): it means the same each time."""
    return _frame(Decoder().feed(psdu))


def _frame(record: DecodedFrame) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "views": [view.as_json() for view in air_views(record)],
        "lvl": FRAME if _is_routine(record) else MESSAGE,
    }
    if record.error is not None and not record.error.endswith("key opens it"):  # sealed is not broken
        plain["bad"] = record.error
    if layers := _security(record):
        plain["seal"] = layers
    return plain


def _is_routine(record: DecodedFrame) -> bool:
    """Whether a frame only keeps the network going: acknowledgements, beacons, polls."""
    if record.error is not None or record.mac is None:
        return False
    if record.aps is not None:
        return record.aps.frame_type is ApsFrameType.ACK or (
            record.message is None and record.aps_command is None
        )
    if record.mac.frame_type is MacFrameType.COMMAND:
        return type(record.mac_body).__name__ in ("BeaconRequest", "DataRequest")
    return record.mac.frame_type in (MacFrameType.ACK, MacFrameType.BEACON)


def _security(record: DecodedFrame) -> list[str]:
    found = []
    if record.nwk_aux is not None:
        found.append("NWK: opened with the network key" if record.nwk_decrypted else "NWK: sealed")
    if record.aps_aux is not None:
        key = record.aps_aux.key_id.name.lower().replace("_", "-")
        found.append(f"APS: opened with the {key} key" if record.aps_decrypted else f"APS: sealed, {key} key")
    return found


def _radio(event: Event, plain: dict[str, Any]) -> None:
    profile, cluster = event.details.get("profile"), event.details.get("cluster")
    if isinstance(profile, int) and isinstance(cluster, int):
        views = radio_views(event.data, profile, cluster)
    else:
        views = plain_views(event.data)
    plain["views"] = [view.as_json() for view in views]


def _gbcs(event: Event, plain: dict[str, Any]) -> None:
    plain["views"] = [view.as_json() for view in gbcs_views(event.data)]
    try:
        message = parse_gbcs(event.data)
    except DecodeError as error:
        plain["bad"] = str(error)
        return
    signed = {None: "no signature field", b"": "not signed"}.get(message.signature, "signed")
    plain["seal"] = [signed, "no MAC" if message.mac is None else "with MAC"]


def _serial(event: Event, plain: dict[str, Any]) -> None:
    plain["views"] = [View("Octets on the line", event.data).as_json()]


def _octets(text: object) -> bytes | None:
    try:
        key = bytes.fromhex(str(text))
    except ValueError:
        return None
    return key if len(key) == 16 else None


def _eui64(text: str) -> Eui64 | None:
    try:
        return Eui64.parse(text)
    except ValueError:
        return None
