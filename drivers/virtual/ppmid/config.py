"""What makes one virtual PPMID different from another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from drivers.virtual.device.factory import CHANNELS_2_4_GHZ, check_install_code
from drivers.virtual.device.key_establishment import KeyHabits
from drivers.virtual.device.timings import FirmwareTimings
from drivers.virtual.ppmid.defects import Defect
from harness.eui64 import Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidConfig:
    """A virtual PPMID as it leaves the factory.

    `install_code` has 16 octets, without its CRC; `manufacturer` 4, `model` and `firmware` 8 hex digits;
    `credentials` is the seed of the bench PKI that its keys come from. A `sleepy` one has its receiver off
    when it is idle, and polls for what its parent keeps. With `stays_without_mode` it stays on a network that
    offers no Key Establishment, in no mode. Raises ValueError.
    """

    eui64: Eui64
    install_code: bytes
    manufacturer: str
    model: str
    firmware: str
    credentials: str
    channels: tuple[int, ...] = CHANNELS_2_4_GHZ
    sleepy: bool = False
    flow_control: bool = False
    defects: frozenset[Defect] = frozenset()
    timings: FirmwareTimings = field(default_factory=FirmwareTimings)
    stays_without_mode: bool = False

    def __post_init__(self) -> None:
        check_install_code(self.install_code)
        for name, digits in (("manufacturer", 4), ("model", 8), ("firmware", 8)):
            if not re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", getattr(self, name)):
                raise ValueError(f"`{name}` has {digits} hex digits, not {getattr(self, name)!r}")

    @property
    def key_habits(self) -> KeyHabits:
        """How it establishes link keys."""
        return KeyHabits(
            eui64=self.eui64,
            credentials=self.credentials,
            tries=self.timings.key_tries,
            shows_anothers_certificate=Defect.ANOTHERS_CERTIFICATE in self.defects,
            proves_wrong_key=Defect.WRONG_CONFIRM_KEY in self.defects,
        )

    @property
    def reported_firmware(self) -> bytes:
        """The firmware version that it tells others, 4 octets."""
        version = int(self.firmware, 16)
        if Defect.STALE_FIRMWARE_VERSION in self.defects:
            version = (version - 1) % (1 << 32)
        return version.to_bytes(4, "big")
