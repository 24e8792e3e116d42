"""Records one attempt at a case: timeline, capture, the serial port's log, GBCS messages, other files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.eui64 import Eui64
from harness.evidence.air import AirRecord, HeardFrame
from harness.evidence.limits import Allowance
from harness.evidence.lines import write_lines
from harness.evidence.pcapng import CapturedFrame, PcapngWriter
from harness.evidence.secrets import Secrets
from harness.evidence.sums import write_whole
from harness.evidence.timeline import RunClock, Timeline
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary

CAPTURE, TIMELINE, SERIAL_LOG, WIRESHARK_KEYS = (
    "han.pcapng",
    "timeline.jsonl",
    "ppmid-serial.log",
    "keys.json",
)


class CaseRecorder:
    """A Tap that writes into one folder; its files are whole after every event."""

    def __init__(
        self,
        folder: Path,
        clock: RunClock,
        *,
        application: str,
        allowance: Allowance | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.secrets = secrets or Secrets()
        self.air_record = AirRecord()
        self._clock = clock
        self._allowance = allowance or Allowance()
        self._timeline = Timeline(folder / TIMELINE, clock, allowance=self._allowance, secrets=self.secrets)
        self._capture = PcapngWriter(folder / CAPTURE, application, allowance=self._allowance)
        self._serial = (folder / SERIAL_LOG).open(
            "w", encoding="utf-8", errors="backslashreplace", buffering=1
        )
        self._network_keys: dict[bytes, None] = {}
        self._link_keys: dict[Eui64, list[bytes]] = {}
        self._serial_octets = 0
        self._gbcs = 0
        self._comment: str | None = None
        self._lock = threading.Lock()

    def record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes = b"",
        **details: object,
    ) -> None:
        """Stamp and store an event, and what else the pack keeps of its boundary."""
        self._timeline.record(boundary, source, destination, summary, data, **details)
        if boundary is Boundary.SERIAL:
            self._log_serial(source, destination, summary)
        elif boundary is Boundary.GBCS and data:
            self._keep_gbcs(source, destination, data)
        elif boundary is Boundary.STEP:
            with self._lock:
                self._comment = summary

    def _log_serial(self, source: str, destination: str, line: str) -> None:
        with self._lock:
            if self._serial.closed or self._serial_octets > self._allowance.limits.file:
                return
            told = self.secrets.text(_printable(line[: self._allowance.limits.text]))
            if len(line) > self._allowance.limits.text:
                told += f" … ({len(line)} characters)"
            entry = f"{self._clock.elapsed_s():10.6f}  {source} -> {destination}  {told}\n"
            self._serial_octets += len(entry)
            if self._serial_octets > self._allowance.limits.file or not self._allowance.take(len(entry)):
                self._serial_octets, entry = self._allowance.limits.file + 1, "… the log is full\n"
            self._serial.write(entry)

    def _keep_gbcs(self, source: str, destination: str, message: bytes) -> None:
        with self._lock:
            self._gbcs += 1
            number = self._gbcs
        name = f"gbcs/{number:03d}-{_word(source)}-to-{_word(destination)}.hex"
        self.save(name, self.secrets.octets(message).hex().upper() + "\n")

    def add_keys(
        self, network_keys: Iterable[bytes] = (), link_keys: Mapping[Eui64, bytes] | None = None
    ) -> None:
        """Know keys (16 octets) of the HANs that are heard; the pack keeps them for others to decode."""
        news = False
        for key in network_keys:
            if key not in self._network_keys:
                news = True
                self._network_keys[key] = None
                self.air_record.add_network_key(key)
                if self.secrets.add_han_key(key):
                    self._capture.add_network_key(key, pan_id=0xFFFF)
        for eui64, key in (link_keys or {}).items():
            known = self._link_keys.setdefault(eui64, [])
            if key not in known:
                news = True
                known.append(key)
                self.air_record.add_link_key(eui64, key)
                self.secrets.add_han_key(key)
        if news:
            self._write_keys()

    def _write_keys(self) -> None:
        keys = {
            "network": [self._told(key) for key in self._network_keys],
            "link": {str(eui): [self._told(key) for key in keys] for eui, keys in self._link_keys.items()},
        }
        self.save(WIRESHARK_KEYS, json.dumps(keys, indent=2) + "\n")

    def _told(self, key: bytes) -> str:
        return self.secrets.text(key.hex().upper())

    def air(self, frame: SniffedFrame) -> HeardFrame:
        """Take a frame off the air: into the capture, and decoded into the timeline."""
        with self._lock:
            comment, self._comment = self._comment, None
        number = self._capture.write(
            CapturedFrame(
                time_s=frame.time_s,
                channel=frame.channel,
                psdu=self.secrets.octets(frame.psdu),
                rssi_dbm=frame.rssi_dbm,
                lqi=frame.lqi,
                page=frame.page,
                comment=comment,
            )
        )
        heard = self.air_record.heard(frame)
        self._timeline.record(
            Boundary.AIR,
            heard.source,
            heard.destination,
            heard.summary,
            frame.psdu,
            frame=number,
            channel=frame.channel,
            rssi_dbm=round(frame.rssi_dbm, 1),
            lqi=frame.lqi,
        )
        return heard

    def frames(self) -> int:
        """Return how many frames the capture has."""
        return self._capture.frames

    def save(self, name: str, content: bytes | str) -> Path:
        """Write a file of the case, secrets masked, whole or not at all; `name` may have a folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        masked = self.secrets.text(content) if isinstance(content, str) else self.secrets.octets(content)
        return write_whole(path, masked)

    @property
    def failed(self) -> OSError | None:
        """Why not everything could be written, when it could not."""
        return self._timeline.failed

    def close(self) -> None:
        """Close every file; may be called twice."""
        self._timeline.close()
        write_lines(self.folder / TIMELINE)
        self._capture.close()
        with self._lock:
            self._serial.close()


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def _word(party: str) -> str:
    return "".join(letter.lower() if letter.isalnum() else "-" for letter in party).strip("-")
