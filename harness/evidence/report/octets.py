"""Octets with names on them: what an event's octets are, field by field, layer by layer.

A view is one run of octets and the fields found in it. What travels encrypted has a view as it was on the
air and further views of what was inside.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.errors import DecodeError
from harness.evidence.report.meaning import said
from harness.gbcs import layout as gbcs_layout
from harness.gbcs.message import parse
from harness.zigbee import tunnel, zcl_clusters, zcl_general, zdo
from harness.zigbee.aps import ZDO_PROFILE, ApsFrame
from harness.zigbee.fields import Record
from harness.zigbee.layout import Part, parts
from harness.zigbee.mac import Beacon, MacFrame, ZigbeeBeacon
from harness.zigbee.nwk import NwkFrame
from harness.zigbee.records import DecodedFrame
from harness.zigbee.security import MIC_OCTETS, AuxHeader, split
from harness.zigbee.zcl import ZclFrame, ZclFrameType
from harness.zigbee.zcl_attributes import name_of
from harness.zigbee.zcl_clusters import NAMES

LONGEST_HEX = 4096  # octets of a view that a report shows
_HEARD_TOGETHER = 64  # messages; what passes several boundaries does so within so many


@dataclass(slots=True)
class View:
    """One run of octets with the fields in it: (depth, name, value, offset, length[, first bit, bits])."""

    title: str
    octets: bytes
    fields: list[list[Any]] = field(default_factory=list)

    def heading(self, name: str, offset: int, length: int, text: str = "") -> None:
        """Begin a layer."""
        self.fields.append([0, name, text, offset, length])

    def add(self, found: Iterable[Part | gbcs_layout.Part], *, without: str | None = None) -> None:
        """Add fields inside the layer, `without` the one of that name."""
        for part in found:
            if part[0] != without and (part[1] != "0" or part[0] != "reserved"):
                entry: list[Any] = [part[4] + 1, *part[:4]]
                if isinstance(part, Part) and part.bits is not None:
                    entry += [part.bits.shift, part.bits.width]
                self.fields.append(entry)

    def place(self, fields: Iterable[tuple[Any, ...]], offset: int) -> None:
        """Add fields that were found in octets which begin at `offset` here."""
        self.fields += [[*field[:3], field[3] + offset, *field[4:]] for field in fields]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain json values, cut to what a report shows."""
        shown: dict[str, Any] = {"title": self.title, "hex": self.octets[:LONGEST_HEX].hex()}
        if self.fields:
            shown["fields"] = self.fields
        if len(self.octets) > LONGEST_HEX:
            shown["cut"] = len(self.octets)
        return shown


class _Views:
    """Builds views from the outside in; the last one is where the next layer goes."""

    def __init__(self, title: str, octets: bytes) -> None:
        self.all = [View(title, octets)]
        self.at = 0

    @property
    def view(self) -> View:
        return self.all[-1]

    def record(self, name: str, kind: type[Record], octets: bytes, *, inside: str | None = None) -> None:
        """Show a record at the place reached; `inside` is its field that the next layer lies in."""
        found = parts(kind, octets, offset=self.at)
        end = self.at
        for part in found:
            if part.depth == 0:
                end = part.offset if part.name == inside else part.offset + part.length
        self.view.heading(name, self.at, end - self.at)
        self.view.add(found, without=inside)
        self.at = end

    def sealed(self, name: str, secured: bytes) -> None:
        """Show auxiliary header, ciphertext and MIC."""
        _, rest = split(secured)
        self.record(f"{name} auxiliary header", AuxHeader, secured)
        sealed = len(rest) - MIC_OCTETS
        self.view.heading(f"{name} payload, encrypted", self.at, sealed)
        self.view.heading(f"{name} MIC", self.at + sealed, MIC_OCTETS, rest[sealed:].hex(" ").upper())

    def opened(self, title: str, octets: bytes) -> None:
        """Go on in octets of their own, if there are any."""
        if octets:
            self.all.append(View(title, octets))
            self.at = 0


def air_views(record: DecodedFrame) -> list[View]:
    """Return the views of a frame off the air."""
    views = _Views("Frame on the air", record.psdu)
    try:
        _mac(views, record)
        _nwk(views, record)
        _aps(views, record)
    except (DecodeError, ValueError) as error:
        views.view.heading("cannot be shown further", views.at, 0, str(error))
    if len(record.psdu) >= 2 and record.mac is not None:
        views.all[0].heading("FCS", len(record.psdu) - 2, 2, record.psdu[-2:].hex(" ").upper())
    return views.all


def _mac(views: _Views, record: DecodedFrame) -> None:
    if record.mac is None:
        return
    views.record("MAC", MacFrame, record.psdu[:-2], inside="payload")
    if record.mac_body is not None:
        inside = "payload" if record.zigbee_beacon is not None else None
        views.record(type(record.mac_body).__name__, type(record.mac_body), record.mac.payload, inside=inside)
    if record.zigbee_beacon is not None and isinstance(record.mac_body, Beacon):
        views.record("Zigbee beacon", ZigbeeBeacon, record.mac_body.payload)


def _nwk(views: _Views, record: DecodedFrame) -> None:
    if record.nwk is None or record.mac is None:
        return
    secured = record.nwk_aux is not None
    views.record("NWK", NwkFrame, record.mac.payload, inside="payload")
    if secured:
        views.sealed("NWK", record.psdu[views.at : -2])
        if not record.nwk_decrypted:
            return
        views.opened("NWK payload in clear", record.nwk.payload)
    if record.nwk_command is not None:
        command = type(record.nwk_command)
        views.record(f"NWK {command.__name__}", command, record.nwk.payload)


def _aps(views: _Views, record: DecodedFrame) -> None:
    if record.aps is None or record.nwk is None:
        return
    start = views.at
    views.record("APS", ApsFrame, record.nwk.payload, inside="payload")
    if record.aps_aux is not None:
        views.sealed("APS", record.nwk.payload[views.at - start :])
        if not record.aps_decrypted:
            return
        views.opened("APS payload in clear", record.aps.payload)
    if record.aps_command is not None:
        command = type(record.aps_command)
        views.record(f"APS {command.__name__}", command, record.aps.payload)
    if record.message is None:
        return
    if record.fragments:
        views.opened(f"Message put together from {len(record.fragments)} frames", record.message)
    views.view.place(_message(record.message, record.aps.profile or 0, record.aps.cluster or 0), views.at)


@functools.lru_cache(maxsize=_HEARD_TOGETHER)
def _message(message: bytes, profile: int, cluster: int) -> tuple[tuple[Any, ...], ...]:
    """Return the fields of an APS message, which is seen at a hub's radio and heard on the air."""
    views = _Views("", message)
    try:
        _in_message(views, message, profile, cluster)
    except (DecodeError, ValueError) as error:
        views.view.heading("cannot be shown further", views.at, 0, str(error))
    return tuple(tuple(field) for field in views.view.fields)


def _in_message(views: _Views, message: bytes, profile: int, cluster: int) -> None:
    if profile == ZDO_PROFILE:
        sequence, body = zdo.decode(cluster, message)
        views.view.heading("ZDO sequence", views.at, 1, str(sequence))
        views.at += 1
        views.record(f"ZDO {type(body).__name__}", type(body), message[1:])
        return
    frame = ZclFrame.from_bytes(message)
    name = f"ZCL {NAMES.get(cluster, f'cluster 0x{cluster:04X}')}"
    views.record(name, ZclFrame, message, inside="payload")
    is_global = frame.frame_type is ZclFrameType.GLOBAL
    said = zcl_general.parse(frame) if is_global else zcl_clusters.parse(cluster, frame)
    first = len(views.view.fields)
    _command(views, said, frame.payload)
    if is_global and frame.manufacturer is None:
        _name_attributes(cluster, views.view.fields[first:])


def _name_attributes(cluster: int, fields: list[list[Any]]) -> None:
    """Put names to attributes, which global commands have by number: one by one, or in a list of them."""
    in_list_below: int | None = None
    for entry in fields:
        depth, name, text = entry[:3]
        if in_list_below is not None and depth <= in_list_below:
            in_list_below = None
        if name == "attribute" or in_list_below is not None:
            known = name_of(cluster, int(text.split()[0]))
            entry[2] = f"{text} {known}" if known else text
        elif name == "attributes":
            in_list_below = depth


def _command(views: _Views, body: Record | None, octets: bytes) -> None:
    if isinstance(body, tunnel.TransferData):
        views.record("TransferData", tunnel.TransferData, octets, inside="data")
        _tunnelled(views, body.data)
    elif body is not None:
        views.record(type(body).__name__, type(body), octets)


def _tunnelled(views: _Views, data: bytes) -> None:
    try:
        carried = tunnel.HrgpMessage.from_bytes(data)
    except (DecodeError, ValueError):
        return
    views.record(f"GB-HRGP {carried.verb.name}", tunnel.HrgpMessage, data, inside="message")
    if carried.message:
        views.view.place(_gbcs(carried.message), views.at)


@functools.lru_cache(maxsize=_HEARD_TOGETHER)
def _gbcs(message: bytes) -> tuple[tuple[Any, ...], ...]:
    """Return what a message says first, and then how it says it."""
    view = View("", message)
    parts = gbcs_layout.parts(message)
    content = next((part for part in parts if part.name == "content"), None)
    if content is not None:
        try:
            parsed = parse(message)
        except DecodeError:
            parsed = None
        if parsed is not None and (fields := said(parsed)):
            title = f"{parsed.use_case} {parsed.cra.name.lower()} says"
            view.heading(title, content.offset, content.length)
            view.fields += [[1, name, text, content.offset, content.length] for name, text in fields]
    view.heading("GBCS message", 0, len(message))
    view.add(parts)
    return tuple(tuple(field) for field in view.fields)


def radio_views(payload: bytes, profile: int, cluster: int) -> list[View]:
    """Return the views of an APS message between a hub and its radio."""
    view = View("APS message at the hub's radio", payload)
    view.place(_message(payload, profile, cluster), 0)
    return [view]


def gbcs_views(message: bytes) -> list[View]:
    """Return the view of a GBCS message."""
    view = View("GBCS message", message)
    view.place(_gbcs(message), 0)
    return [view]


def plain_views(octets: bytes) -> list[View]:
    """Return the view of octets that nobody here names."""
    return [View("Octets", octets)]
