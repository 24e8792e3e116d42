"""What every virtual device leaves the factory with: a radio for 2.4 GHz, and an install code."""

from __future__ import annotations

CHANNELS_2_4_GHZ = tuple(range(11, 27))
_INSTALL_CODE_OCTETS = 16


def check_install_code(code: bytes) -> None:
    """Raise ValueError unless this is an install code of 16 octets, without its CRC."""
    if len(code) != _INSTALL_CODE_OCTETS:
        raise ValueError(f"an install code has {_INSTALL_CODE_OCTETS} octets, not {len(code)}")
