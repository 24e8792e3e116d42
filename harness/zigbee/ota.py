"""Zigbee OTA upgrade files: the header, by which a hub knows for whom an image is.

Source: Zigbee OTA Upgrade Cluster (095264) §6.3; the published 11.4 request has one for a PPMID.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.errors import DecodeError

CLUSTER = 0x0019
_MAGIC = bytes.fromhex("1EF1EE0B")
_FIXED = struct.Struct("<HHHHHIH32sI")  # all behind the magic that is always there
_VERSION, _STACK = 0x0100, 2
_CREDENTIAL, _DEVICE, _HARDWARE = 0x0001, 0x0002, 0x0004
_HARDWARE_VERSIONS = struct.Struct("<HH")
_TEXT_OCTETS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OtaHeader:
    """The header of an OTA file. `size` is of the whole file; `hardware` the least and greatest version."""

    manufacturer: int
    image_type: int
    file_version: int
    size: int
    text: str = ""
    hardware: tuple[int, int] | None = None


def read_header(image: bytes) -> OtaHeader:
    """Read the header of an OTA file; raises DecodeError for what is none, or is cut short."""
    start = len(_MAGIC) + _FIXED.size
    if len(image) < start:
        raise DecodeError("OTA file", f"has {len(image)} octets, its header alone has {start}")
    if image[: len(_MAGIC)] != _MAGIC:
        raise DecodeError("OTA file", f"begins with {image[:4].hex().upper()}, not {_MAGIC.hex().upper()}")
    _, length, control, manufacturer, image_type, version, _, text, size = _FIXED.unpack_from(
        image, len(_MAGIC)
    )
    if size > len(image) or length > size:
        raise DecodeError("OTA file", f"says {size} octets, header {length}, and has {len(image)}")
    return OtaHeader(
        manufacturer=manufacturer,
        image_type=image_type,
        file_version=version,
        size=size,
        text=text.rstrip(b"\0").decode("latin-1"),
        hardware=_hardware(image[start:length], control),
    )


def _hardware(optional: bytes, control: int) -> tuple[int, int] | None:
    if not control & _HARDWARE:
        return None
    offset = (1 if control & _CREDENTIAL else 0) + (8 if control & _DEVICE else 0)
    if len(optional) < offset + _HARDWARE_VERSIONS.size:
        raise DecodeError("OTA file", "its header has no room for the hardware versions that it has")
    least, greatest = _HARDWARE_VERSIONS.unpack_from(optional, offset)
    return least, greatest


def ota_file(
    content: bytes, *, manufacturer: int, image_type: int, file_version: int, text: str = ""
) -> bytes:
    """Return an OTA file with one tag, the upgrade image (0x0000), that holds `content`."""
    element = struct.pack("<HI", 0, len(content)) + content
    length = len(_MAGIC) + _FIXED.size
    header = _FIXED.pack(
        _VERSION,
        length,
        0,
        manufacturer,
        image_type,
        file_version,
        _STACK,
        text.encode("latin-1")[:_TEXT_OCTETS],
        length + len(element),
    )
    return _MAGIC + header + element
