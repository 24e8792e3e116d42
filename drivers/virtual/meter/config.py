"""What makes one virtual meter different from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from drivers.virtual.device.factory import CHANNELS_2_4_GHZ, check_install_code
from drivers.virtual.device.key_establishment import KeyHabits
from drivers.virtual.device.timings import FirmwareTimings
from harness.eui64 import Eui64


class MeterKind(Enum):
    """What it meters, by DUIS's names of device types."""

    ESME = "ESME"
    GSME = "GSME"


class MeterDefect(Enum):
    """A way in which a meter can be wrong, by the name that a rig file gives it."""

    ACCEPTS_REPLAYED_UTRN = "accepts-replayed-utrn"  # credits the same UTRN again and again
    ACCEPTS_ANY_UTRN = "accepts-any-utrn"  # whoever made it
    BAD_RESPONSE_MAC = "bad-response-mac"
    KEEPS_UNJOINED = "keeps-unjoined"  # says that it has unjoined a device, and has not
    TAKES_ANY_TIME = "takes-any-time"  # calls its clock right though the hub's time lies outside the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """A virtual meter as it leaves the factory.

    `install_code` has 16 octets, without its CRC; `credentials` is the seed of the bench PKI that its keys
    come from. A `sleepy` one has its receiver off when it is idle. Raises ValueError.
    """

    eui64: Eui64
    kind: MeterKind
    install_code: bytes
    credentials: str
    channels: tuple[int, ...] = CHANNELS_2_4_GHZ
    sleepy: bool = False
    defects: frozenset[MeterDefect] = frozenset()
    timings: FirmwareTimings = field(default_factory=FirmwareTimings)

    def __post_init__(self) -> None:
        check_install_code(self.install_code)

    @property
    def key_habits(self) -> KeyHabits:
        """How it establishes link keys."""
        return KeyHabits(eui64=self.eui64, credentials=self.credentials, tries=self.timings.key_tries)
