"""Names of the attributes that a GB HAN's devices read, write and report most, by cluster.

Source: 07-5123 (ZCL) §3.2, §3.12, OTA Upgrade cluster §6; Zigbee SE 1.4 Annexes C, D.3, D.6, D.7.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[int, Mapping[int, str]] = {
    0x0000: {
        0x0000: "ZCL version",
        0x0001: "application version",
        0x0002: "stack version",
        0x0003: "HW version",
        0x0004: "manufacturer name",
        0x0005: "model identifier",
        0x0006: "date code",
        0x0007: "power source",
        0x0010: "location description",
        0x0011: "physical environment",
        0x0012: "device enabled",
        0x4000: "software build id",
    },
    0x000A: {
        0x0000: "time",
        0x0001: "time status",
        0x0002: "time zone",
        0x0003: "daylight saving time start",
        0x0004: "daylight saving time end",
        0x0005: "daylight saving time shift",
        0x0006: "standard time",
        0x0007: "local time",
        0x0008: "last set time",
        0x0009: "valid until time",
    },
    0x0019: {
        0x0000: "upgrade server ID",
        0x0001: "file offset",
        0x0002: "current file version",
        0x0003: "current ZigBee stack version",
        0x0004: "downloaded file version",
        0x0005: "downloaded ZigBee stack version",
        0x0006: "image upgrade status",
        0x0007: "manufacturer ID",
        0x0008: "image type ID",
        0x0009: "minimum block request delay",
    },
    0x0704: {0x0000: "close tunnel timeout"},
    0x0705: {
        0x0000: "payment control configuration",
        0x0001: "credit remaining",
        0x0002: "emergency credit remaining",
        0x0003: "credit status",
        0x0004: "credit remaining timestamp",
        0x0005: "accumulated debt",
        0x0006: "overall debt cap",
        0x0010: "emergency credit limit / allowance",
        0x0011: "emergency credit threshold",
        0x0020: "total credit added",
        0x0021: "max credit limit",
        0x0022: "max credit per top up",
        0x0030: "friendly credit warning",
        0x0031: "low credit warning",
        0x0033: "interrupt suspend time",
        0x0034: "remaining friendly credit time",
        0x0035: "next friendly credit period",
        0x0040: "cut off value",
        0x0080: "token carrier ID",
    },
    0x0800: {0x0000: "supported key establishment suites"},
}


def name_of(cluster: int, attribute: int) -> str | None:
    """Return an attribute's name, None when it has none here."""
    return NAMES.get(cluster, {}).get(attribute)
