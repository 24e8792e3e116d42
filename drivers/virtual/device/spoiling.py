"""What a deliberately defective device does to the GBCS messages that it sends."""

from __future__ import annotations


def spoil_mac(message: bytes) -> bytes:
    """Return a message, whose MAC comes last, under a MAC that is wrong in one bit."""
    return message[:-1] + bytes([message[-1] ^ 0x01])
