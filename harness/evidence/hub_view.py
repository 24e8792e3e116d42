"""The hub's own view of its HAN as a capture, apart from what the sniffer heard.

A hub's radio hands over APS messages, not frames. So that Wireshark can show them each one is put into MAC,
NWK and APS headers that were never on the air: addresses, endpoints, cluster and profile are those that the
radio named, everything else in them (PAN id 0000, counters, no security) is the bench's. The capture says
so, and stands in a file of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from harness.evidence.limits import Allowance
from harness.evidence.pcapng import LINKTYPE_IEEE802_15_4_NO_FCS, interface, plain_packet, section
from harness.evidence.timeline import RunClock
from harness.zigbee.aps import ApsFrame, ApsFrameType, DeliveryMode
from harness.zigbee.mac import MacFrame, MacFrameType
from harness.zigbee.nwk import BROADCAST_RX_ON, COORDINATOR, NwkFrame, NwkFrameType

_DESCRIPTION = (
    "APS messages between a hub and its radio. MAC, NWK and APS headers are rebuilt: addresses, endpoints, "
    "cluster and profile as the radio named them, the rest (PAN id 0000, counters, no security) is not real."
)


class HubViews:
    """Writes ``hub-NAME.pcapng`` for each hub that says anything."""

    def __init__(self, folder: Path, clock: RunClock, application: str, allowance: Allowance) -> None:
        self._folder = folder
        self._clock = clock
        self._application = application
        self._allowance = allowance
        self._files: dict[str, FileIO] = {}
        self._octets = 0
        self._count = 0
        self._closed = False
        self._lock = threading.Lock()

    def record(self, source: str, destination: str, payload: bytes, details: Mapping[str, object]) -> None:
        """Write one message; what the radio does not name enough of is in the timeline alone."""
        outwards = source.startswith("hubs.")
        resource = source if outwards else destination
        with self._lock:
            frame = rebuilt_frame(payload, details, outwards=outwards, number=self._count)
            if frame is None or self._closed:
                return
            self._count += 1
            block = plain_packet(0, self._clock.unix_s(self._clock.elapsed_s()), frame)
            self._octets += len(block)
            if self._octets <= self._allowance.limits.file and self._allowance.take(len(block)):
                self._file(resource).write(block)

    def _file(self, resource: str) -> FileIO:
        name = "".join(c if c.isalnum() or c in "._-" else "-" for c in resource.split(".")[1:2] or ["?"])
        if name not in self._files:
            file = FileIO(self._folder / f"hub-{name}.pcapng", "w")
            file.write(section(self._application))
            file.write(interface(f"hub {name}", LINKTYPE_IEEE802_15_4_NO_FCS, _DESCRIPTION))
            self._files[name] = file
        return self._files[name]

    def close(self) -> None:
        """Close every file; may be called twice."""
        with self._lock:
            self._closed = True
            for file in self._files.values():
                file.close()


def rebuilt_frame(payload: bytes, details: Mapping[str, Any], *, outwards: bool, number: int) -> bytes | None:
    """Return an APS message in headers made for it, without FCS; None when too little is known of it."""
    try:
        peer = int(str(details["peer"]), 16)
        broadcast = bool(details.get("broadcast"))
        source, destination = (COORDINATOR, peer) if outwards else (peer, COORDINATOR)
        aps = ApsFrame(
            frame_type=ApsFrameType.DATA,
            delivery_mode=DeliveryMode.BROADCAST if broadcast else DeliveryMode.UNICAST,
            destination_endpoint=details["destination_endpoint"],
            cluster=details["cluster"],
            profile=details["profile"],
            source_endpoint=details["source_endpoint"],
            counter=number & 0xFF,
            payload=payload,
        )
        nwk = NwkFrame(
            frame_type=NwkFrameType.DATA,
            destination=BROADCAST_RX_ON if broadcast else destination,
            source=source,
            sequence=number & 0xFF,
            payload=aps.to_bytes(),
        )
        return MacFrame(
            frame_type=MacFrameType.DATA,
            pan_id_compression=True,
            sequence=number & 0xFF,
            destination_pan=0,
            destination=destination,
            source=source,
            payload=nwk.to_bytes(),
        ).to_bytes()
    except (KeyError, TypeError, ValueError):
        return None
