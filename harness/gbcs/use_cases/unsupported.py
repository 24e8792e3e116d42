"""ECS100: a device says that it has not got the use case of a command (alert 8F85).

DLMS data notification whose one more element is an octet-string: the command's message code (2) and
originator counter (8). Signed only, to whoever sent the command. A device without DLMS raises it in the same
form.
Source: RTDS NA_ECS100.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DecodeError
from harness.gbcs import dlms
from harness.gbcs.access import Notification
from harness.gbcs.builder import Protection
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.octets import Reader
from harness.gbcs.use_case import AlertCase, Content

COMMAND_NOT_SUPPORTED = 0x8F85


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSupported:
    """ECS100: when, and which command: its message code and originator counter."""

    time: CosemTime
    message_code: int
    originator_counter: int


def _write(alert: NotSupported, counter: int) -> bytes:
    command = alert.message_code.to_bytes(2, "big") + alert.originator_counter.to_bytes(8, "big")
    body = (dlms.octet_string(command),)
    return Notification(COMMAND_NOT_SUPPORTED, alert.time, body).to_bytes(counter)


def _read(octets: bytes, counter: int) -> NotSupported:
    notification = Notification.from_bytes(octets, counter)
    if notification.alert_code != COMMAND_NOT_SUPPORTED or len(notification.body) != 1:
        raise DecodeError("alert code", "is not 8F85 with one command")
    command = dlms.read_whole(
        notification.body[0], "command", lambda reader: reader.octet_string("command", 10)
    )
    fields = Reader(command)
    return NotSupported(
        time=notification.time,
        message_code=fields.number(2, "message code of the command"),
        originator_counter=fields.number(8, "originator counter of the command"),
    )


ECS100 = AlertCase(name="ECS100", alert=Protection.SIGNED, content=Content(_write, _read))
