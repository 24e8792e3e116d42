"""What a network processor remembers: with power only (`Volatile`), and without (`NonVolatile`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.eui64 import Eui64

WILDCARD = Eui64(0xFFFFFFFFFFFFFFFF)
NO_INDEX = 0xFF

KEY_TABLE_SIZE = 0x1E
APPLICATION_ZDO_FLAGS = 0x2A
ADDRESS_TABLE_SIZE = 0x05
UNICAST_MESSAGE_COUNT = 0x03

# Configuration values as a dongle starts with them (EzspConfigId).
_CONFIGURATION: Mapping[int, int] = {
    0x01: 75,  # packet buffers
    0x02: 16,  # neighbour table
    UNICAST_MESSAGE_COUNT: 10,
    0x04: 32,  # binding table
    ADDRESS_TABLE_SIZE: 16,
    0x06: 16,  # multicast table
    0x07: 16,  # route table
    0x08: 8,  # discovery table
    0x0C: 2,  # stack profile
    0x0D: 5,  # security level
    0x10: 30,  # hops
    0x11: 32,  # children
    0x12: 7680,  # indirect transmission, ms
    0x13: 8,  # end device poll timeout
    0x17: 0,
    0x18: 0,
    0x19: 2,  # trust centre address cache
    0x1A: 16,  # source route table
    0x1C: 1,  # fragment window
    0x1D: 0,
    KEY_TABLE_SIZE: 12,
    0x1F: 1600,  # APS acknowledgement, ms
    0x20: 3,
    0x22: 1,
    0x24: 0,
    0x29: 0,
    APPLICATION_ZDO_FLAGS: 0,
    0x2B: 15,  # broadcast table
    0x2C: 8,
    0x2D: 1,  # networks
    0x2E: 0,
    0x33: 0,
    0x34: 4,
    0x35: 2,
    0x36: 300,  # transient key timeout, s
    0x37: 0,
    0x38: 300,
    0x40: 0,
    0x41: 0,
    0x42: 0,
}

TRUST_CENTRE_POLICY = 0
_POLICIES: Mapping[int, int] = {
    TRUST_CENTRE_POLICY: 0x01,
    1: 0x10,
    2: 0x20,
    3: 0x30,
    4: 0x40,
    5: 0x51,
    6: 0x60,
    7: 0x62,
    8: 0,
    9: 0,
}


@dataclass(slots=True)
class Volatile:
    """What a reset clears."""

    configuration: dict[int, int] = field(default_factory=lambda: dict(_CONFIGURATION))
    policies: dict[int, int] = field(default_factory=lambda: dict(_POLICIES))
    values: dict[int, bytes] = field(default_factory=dict)
    transient_keys: dict[Eui64, bytes] = field(default_factory=dict)
    multicast: dict[int, dict[str, int]] = field(default_factory=dict)
    addresses: dict[int, tuple[Eui64, int]] = field(default_factory=dict)
    security_set: bool = False
    tx_power: int = 8


@dataclass(slots=True)
class NonVolatile:
    """What stays without power; written to `file`, if there is one, at every change."""

    file: Path | None = None
    stack: dict[str, Any] | None = None  # the network, as the stack saved it
    keys: dict[int, tuple[Eui64, bytes]] = field(default_factory=dict)
    security_bitmask: int = 0
    preconfigured_key: bytes = bytes(16)
    tx_power: int = 8
    tokens: dict[int, bytes] = field(default_factory=dict)
    token_data: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def find(self, eui64: Eui64) -> int | None:
        """Return the key-table index of a device."""
        return next((index for index, (owner, _) in self.keys.items() if owner == eui64), None)

    def key_of(self, eui64: Eui64) -> bytes | None:
        """Return a device's link key."""
        index = self.find(eui64)
        return self.keys[index][1] if index is not None else None

    def free_index(self, size: int) -> int | None:
        """Return the first unused index of a key table of so many entries."""
        return next((index for index in range(size) if index not in self.keys), None)

    def store(self) -> None:
        """Write everything to the file."""
        if self.file is None:
            return
        plain = {
            "stack": self.stack,
            "keys": {str(index): [str(owner), key.hex()] for index, (owner, key) in self.keys.items()},
            "security_bitmask": self.security_bitmask,
            "preconfigured_key": self.preconfigured_key.hex(),
            "tx_power": self.tx_power,
            "tokens": {str(token): value.hex() for token, value in self.tokens.items()},
            "token_data": [[token, index, value.hex()] for (token, index), value in self.token_data.items()],
        }
        beside = self.file.with_name(f".{self.file.name}.new")
        beside.write_text(json.dumps(plain, indent=1), encoding="utf-8")
        beside.replace(self.file)

    @classmethod
    def load(cls, file: Path | None) -> NonVolatile:
        """Read the file, if it is there; raises ConfigError when it is no dongle's."""
        if file is None or not file.exists():
            return cls(file=file)
        try:
            return cls._read(file, json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"this is not the memory of a virtual dongle ({type(error).__name__}: {error})",
                file=file,
                remedy="remove it: the dongle then begins without a network",
            ) from None

    @classmethod
    def _read(cls, file: Path, plain: dict[str, Any]) -> NonVolatile:
        return cls(
            file=file,
            stack=plain["stack"],
            keys={
                int(index): (Eui64.parse(owner), bytes.fromhex(key))
                for index, (owner, key) in plain["keys"].items()
            },
            security_bitmask=plain["security_bitmask"],
            preconfigured_key=bytes.fromhex(plain["preconfigured_key"]),
            tx_power=plain["tx_power"],
            tokens={int(token): bytes.fromhex(value) for token, value in plain["tokens"].items()},
            token_data={(token, index): bytes.fromhex(value) for token, index, value in plain["token_data"]},
        )
