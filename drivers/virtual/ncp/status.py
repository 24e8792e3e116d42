"""Outcomes, and the numbers that stand for them: EmberStatus and EzspStatus up to EZSP 13, sl_Status from 14.

Source: UG100 §4 (status codes), Silicon Labs sl_status.h.
"""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """An outcome: its number as an EmberStatus, as an EzspStatus, as an sl_Status."""

    OK = (0x00, 0x00, 0x0000)
    FAILED = (0x01, 0x38, 0x0001)
    BAD_ARGUMENT = (0x02, 0x36, 0x0021)
    NOT_FOUND = (0x03, 0x36, 0x002D)
    INVALID_STATE = (0x70, 0x38, 0x0002)
    BUSY = (0x72, 0x41, 0x0C03)
    MESSAGE_TOO_LONG = (0x74, 0x40, 0x0038)
    DELIVERY_FAILED = (0x66, 0x38, 0x0C02)
    NETWORK_UP = (0x90, 0x00, 0x0015)
    NETWORK_DOWN = (0x91, 0x38, 0x0016)
    NOT_JOINED = (0x93, 0x38, 0x0017)
    NETWORK_OPENED = (0x9C, 0x00, 0x0C18)
    NETWORK_CLOSED = (0x9D, 0x00, 0x0C19)
    INVALID_ENDPOINT = (0xA3, 0x36, 0x0021)
    NO_KEY = (0xA6, 0x38, 0x0C0A)
    SECURITY_STATE_NOT_SET = (0xA8, 0x48, 0x0C0B)
    NO_NETWORK_FOUND = (0xAB, 0x38, 0x0018)
    INDEX_OUT_OF_RANGE = (0xB1, 0x36, 0x0027)
    INVALID_POWER = (0x8B, 0x36, 0x0056)
    TABLE_FULL = (0xB4, 0x35, 0x001C)
    TABLE_ENTRY_ERASED = (0xB6, 0x36, 0x002D)
    LIBRARY_NOT_PRESENT = (0xB5, 0x37, 0x000F)
    INVALID_ID = (0x02, 0x37, 0x0021)
    OUT_OF_MEMORY = (0x18, 0x35, 0x0019)
    INVALID_CALL = (0x70, 0x38, 0x0002)
    # Reasons of `invalidCommand`, which hosts read as one octet at every version.
    VERSION_NOT_SET = (0x70, 0x30, 0x0030)
    INVALID_FRAME_ID = (0x70, 0x31, 0x0031)
    TRUNCATED = (0x70, 0x33, 0x0033)

    @property
    def ember(self) -> int:
        """The EmberStatus, one octet."""
        return self.value[0]

    @property
    def ezsp(self) -> int:
        """The EzspStatus, one octet."""
        return self.value[1]

    @property
    def sl(self) -> int:
        """The sl_Status, four octets."""
        return self.value[2]
