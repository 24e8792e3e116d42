"""What the PPMID shows by plain ZCL: its clusters and their attributes.

Source: 07-5123 (ZCL) §11 (OTA Upgrade attributes).
"""

from __future__ import annotations

from drivers.virtual.device.questions import ENDPOINT, PROFILE
from drivers.virtual.device.zcl_server import ZclServer
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.received import ReceivedLog
from harness.zigbee import key_establishment, tunnel
from harness.zigbee.key_establishment import KeyEstablishmentSuites
from harness.zigbee.zcl import Direction, ZclFrame
from harness.zigbee.zcl_types import DataType, TypedValue
from harness.zigbee.zdo import SimpleDescriptor

BASIC = 0x0000
OTA = 0x0019
CURRENT_FILE_VERSION = 0x0002
SERVES = (BASIC, key_establishment.CLUSTER)
USES = (
    key_establishment.CLUSTER,
    0x0700,  # Price
    0x0702,  # Metering
    0x0705,  # Prepayment
    0x0703,  # Messaging
    tunnel.CLUSTER,
    OTA,
    0x000A,  # Time
)

DESCRIPTOR = SimpleDescriptor(
    endpoint=ENDPOINT,
    profile=PROFILE,
    device_id=0x0502,  # In-Home Display
    input_clusters=SERVES,
    output_clusters=USES,
)

_BOTH_SUITES = KeyEstablishmentSuites.SUITE_1 | KeyEstablishmentSuites.SUITE_2


def ppmid_server(config: PpmidConfig, received: ReceivedLog) -> ZclServer:
    """Return the server of a PPMID; requests that it takes are noted in `received`."""

    def note(cluster: int, request: ZclFrame, attributes: tuple[int, ...]) -> None:
        received.add(
            "zcl",
            cluster=f"{cluster:04X}",
            command=f"{request.command:02X}",
            attribute=",".join(f"{number:04X}" for number in attributes),
            side="server" if request.direction is Direction.TO_SERVER else "client",
        )

    firmware = int.from_bytes(config.reported_firmware, "big")
    suites = {key_establishment.KEY_ESTABLISHMENT_SUITE: key_establishment.suites_value(_BOTH_SUITES)}
    return ZclServer(
        serves=SERVES,
        uses=USES,
        attributes={
            (Direction.TO_SERVER, BASIC): {
                0x0000: TypedValue(DataType.UINT8, 3),  # ZCLVersion
                0x0004: TypedValue(DataType.CHARACTER_STRING, config.manufacturer),
                0x0005: TypedValue(DataType.CHARACTER_STRING, config.model),
                0x0007: TypedValue(DataType.ENUM8, 0x01),  # PowerSource: mains, single phase
            },
            (Direction.TO_SERVER, key_establishment.CLUSTER): suites,
            (Direction.TO_CLIENT, key_establishment.CLUSTER): suites,
            (Direction.TO_CLIENT, OTA): {
                CURRENT_FILE_VERSION: TypedValue(DataType.UINT32, firmware),
                0x0006: TypedValue(DataType.ENUM8, 0x00),  # ImageUpgradeStatus: normal
                0x0007: TypedValue(DataType.UINT16, int(config.manufacturer, 16)),
            },
        },
        note=note,
    )
