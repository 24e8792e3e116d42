"""The firmware images that a hub holds for devices on its HAN, until they have them or the time is over.

Source: facts gb-domain §2 (CS05, CCS08); how long a hub keeps an image, and how many, is not public.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.errors import DecodeError, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs.use_cases.firmware import TransferResult
from harness.zigbee.ota import OtaHeader, read_header

MOST_IMAGES = 8


@dataclass(slots=True)
class HeldImage:
    """An image, for whom it is, and until when (seconds of the hub's clock) it is kept."""

    header: OtaHeader
    octets: bytes
    devices: set[Eui64]
    until: float


class FirmwareImages:
    """Images in the order in which they came. `ended` is told what became of one, device by device."""

    def __init__(
        self, clock: Callable[[], float], ended: Callable[[Eui64, OtaHeader, TransferResult], None]
    ) -> None:
        self._clock = clock
        self._ended = ended
        self._held: list[HeldImage] = []
        self._ended_by: dict[Eui64, OtaHeader] = {}

    @property
    def held(self) -> tuple[HeldImage, ...]:
        """The images that are there."""
        return tuple(self._held)

    def take(self, image: bytes, devices: Iterable[Eui64], keep_s: float) -> OtaHeader:
        """Hold an image for devices; the oldest gives way when there are too many.

        Raises StimulusImpossible for what is no OTA file.
        """
        try:
            header = read_header(image)
        except DecodeError as error:
            raise StimulusImpossible(f"a hub cannot hand out this image: {error}") from error
        wanted = set(devices)
        for device in wanted:
            self._ended_by.pop(device, None)
        for held in self._held:
            held.devices -= wanted  # a device is given the last that came for it
        self._held = [held for held in self._held if held.devices]
        while len(self._held) >= MOST_IMAGES:
            self._drop(self._held[0])
        octets = image[: header.size]
        self._held.append(
            HeldImage(header=header, octets=octets, devices=wanted, until=self._clock() + keep_s)
        )
        return header

    def image_for(self, device: Eui64) -> HeldImage | None:
        """Return what is held for a device."""
        return next((held for held in self._held if device in held.devices), None)

    def end(self, device: Eui64, result: TransferResult) -> None:
        """Note how the transfer to a device ended; it is given no more."""
        held = self.image_for(device)
        if held is None:
            return
        held.devices.discard(device)
        self._held = [one for one in self._held if one.devices]
        self._ended(device, held.header, result)

    def ended_by(self, device: Eui64, result: TransferResult) -> None:
        """Note how the transfer to a device ended, by its own account."""
        held = self.image_for(device)
        if held is not None:
            self._ended_by[device] = held.header
            self.end(device, result)

    def last_ended_by(self, device: Eui64) -> OtaHeader | None:
        """Return of which image a device has said how it ended, and nothing has come for it since."""
        return self._ended_by.get(device)

    def gone(self, device: Eui64) -> None:
        """Know nothing any more of what a device said: it has left."""
        self._ended_by.pop(device, None)

    def forget(self) -> None:
        """Hold none any more: a case begins afresh."""
        self._held.clear()
        self._ended_by.clear()

    # --- a part of the hub that keeps time -----------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Drop what has been there for too long."""
        for held in [held for held in self._held if held.until <= now]:
            self._drop(held)

    def next_deadline(self) -> float | None:
        """Return when the first image is dropped."""
        return min((held.until for held in self._held), default=None)

    def _drop(self, held: HeldImage) -> None:
        for device in sorted(held.devices, key=lambda one: one.value):
            self.end(device, TransferResult.IMAGE_DISCARDED)
