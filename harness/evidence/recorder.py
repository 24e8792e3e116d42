"""Records one attempt at a case: timeline, capture, the serial port's log, GBCS messages, other files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.eui64 import Eui64
from harness.evidence import wireshark
from harness.evidence.air import AirRecord, HeardFrame
from harness.evidence.hub_view import HubViews
from harness.evidence.limits import Allowance
from harness.evidence.lines import write_lines
from harness.evidence.pcapng import CapturedFrame, PcapngWriter, with_comments
from harness.evidence.secrets import Secrets
from harness.evidence.sums import octets_of, write_whole
from harness.evidence.timeline import RunClock, Timeline
from harness.evidence.verdict import StepResult, Verdict
from harness.rig.faces import SniffedFrame
from harness.tap import Boundary

CAPTURE, TIMELINE, SERIAL_LOG, WIRESHARK_KEYS = (
    "han.pcapng",
    "timeline.jsonl",
    "ppmid-serial.log",
    "keys.json",
)
_LONGEST_NAME = 40  # of a party, in a file's name


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
        self._duis = 0
        self._hubs = HubViews(folder, clock, application, self._allowance)
        self._comments: list[str] = []  # for the next frame
        self._begun: dict[int, int] = {}  # step -> frames heard when it began
        self._folders: set[str] = set()  # made already
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
        elif boundary is Boundary.DUIS and data:
            self._keep_duis(source, destination, data)
        elif boundary is Boundary.STEP:
            self._note_step(summary, details.get("step"))
        elif boundary is Boundary.RADIO:
            self._hubs.record(source, destination, self.secrets.octets(data), details)

    def _note_step(self, summary: str, number: object) -> None:
        with self._lock:
            said = self.secrets.text(summary)
            self._comments.append(f"step {number}: {said}" if isinstance(number, int) else said)
            if isinstance(number, int):
                self._begun[number] = self._capture.frames

    def note_verdicts(self, steps: Sequence[StepResult]) -> None:
        """Say on the frames of the closed capture what was judged when they had been heard."""
        comments: dict[int, list[str]] = {}
        for number, step in enumerate(steps, start=1):
            frame = self._begun.get(number + 1, self._capture.frames)
            if frame and (step.title.startswith("expect") or step.verdict is not Verdict.PASS):
                reason = f": {step.reason}" if step.reason else ""
                said = f"step {number} judged after this frame: {step.title}: {step.verdict.value}{reason}"
                comments.setdefault(frame, []).append(self.secrets.text(said))
        if comments:
            path = self.folder / CAPTURE
            write_whole(path, with_comments(path.read_bytes(), comments))

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

    def _keep_duis(self, source: str, destination: str, document: bytes) -> None:
        """Keep a document whole; only secrets are masked, and then its signature does not hold."""
        with self._lock:
            self._duis += 1
            number = self._duis
        name = f"duis/{number:03d}-{_word(source)}-to-{_word(destination)}.xml"
        text = self.secrets.octets(document).decode("utf-8", "surrogateescape")
        self.save(name, self.secrets.text(text).encode("utf-8", "surrogateescape"))

    def add_keys(
        self, network_keys: Iterable[bytes] = (), link_keys: Mapping[Eui64, Iterable[bytes]] | None = None
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
        for eui64, keys in (link_keys or {}).items():
            known = self._link_keys.setdefault(eui64, [])
            for key in keys:
                if key not in known:
                    news = True
                    known.append(key)
                    self.air_record.add_link_key(eui64, key)
                    self.secrets.add_han_key(key)
        if news:
            self._write_keys()

    def _write_keys(self) -> None:
        network = [self._told(key) for key in self._network_keys]
        link = {str(eui): [self._told(key) for key in keys] for eui, keys in self._link_keys.items()}
        keys = {"network": network, "link": link}
        self.save(WIRESHARK_KEYS, json.dumps(keys, indent=2) + "\n")
        if wireshark.FOLDER not in self._folders:
            self.save(f"{wireshark.FOLDER}/{wireshark.PREFERENCES}", wireshark.PREFERENCES_TEXT)
        self.save(f"{wireshark.FOLDER}/{wireshark.KEYS}", wireshark.key_file(network, link))

    def _told(self, key: bytes) -> str:
        return self.secrets.text(key.hex().upper())

    def air(self, frame: SniffedFrame) -> HeardFrame:
        """Take a frame off the air: into the capture, and decoded into the timeline."""
        with self._lock:
            comments, self._comments = tuple(self._comments), []
        number = self._capture.write(
            CapturedFrame(
                time_s=frame.time_s,
                channel=frame.channel,
                psdu=self.secrets.octets(frame.psdu),
                rssi_dbm=frame.rssi_dbm,
                lqi=frame.lqi,
                page=frame.page,
                comments=comments,
            )
        )
        heard = self.air_record.heard(frame)
        self._timeline.heard(
            heard,
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
        """Write a file of the case, secrets masked; `name` may have a folder."""
        path = self.folder / name
        masked = self.secrets.text(content) if isinstance(content, str) else self.secrets.octets(content)
        octets = octets_of(masked) if isinstance(masked, str) else masked
        if "/" in name and (folder := name.rpartition("/")[0]) not in self._folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        try:  # nobody can be reading what is not there yet, and moving a file costs more than writing it
            with path.open("xb") as file:
                file.write(octets)
        except FileExistsError:
            write_whole(path, octets)
        return path

    @property
    def failed(self) -> OSError | None:
        """Why not everything could be written, when it could not."""
        return self._timeline.failed

    def close(self) -> None:
        """Close every file; may be called twice."""
        self._timeline.close()
        write_lines(self.folder / TIMELINE)
        self._capture.close()
        self._hubs.close()
        with self._lock:
            self._serial.close()


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def _word(party: str) -> str:
    words = "".join(letter.lower() if letter.isalnum() else "-" for letter in party[:_LONGEST_NAME])
    return words.strip("-")
