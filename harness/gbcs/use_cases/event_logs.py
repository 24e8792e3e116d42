"""Event logs of a device on Zigbee: CS10a reads the event log, CS10b the security log, CS11 clears the first.

::

    CS10   Get Event Log     { control and log, event, start, end, number of events, offset }
           Publish Event Log { total events, command index, total commands, control, entry * n }
           entry             { log, event, time, length, data }
    CS11   Clear Event Log   { logs }; response { cleared logs }

GBZ on the Events cluster (0709), little-endian; a failure is a ZCL default response. MAC only both ways.
Source: RTDS 6.13_CS10a, 6.13_CS10b, 3.3_CS11; ZCL Events cluster (names).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.gbcs.builder import Protection
from harness.gbcs.gbz import (
    EVENTS_CLUSTER,
    GbzComponent,
    GbzPayload,
    ZclStatus,
    default_response,
    expect_component,
    is_default_response,
    read_default_response,
)
from harness.gbcs.octets import Reader
from harness.gbcs.use_case import Content, UseCase

_GET, _CLEAR, _PUBLISH, _CLEARED = 0x00, 0x01, 0x01, 0x02
_TO_SERVER, _TO_CLIENT, _TO_CLIENT_NO_DEFAULT = 0x01, 0x09, 0x19


@dataclass(frozen=True, slots=True, kw_only=True)
class GetEventLog:
    """CS10: which log, with what control (the upper four bits), from when to when, in seconds since 2000."""

    control_and_log: int
    start: int
    end: int
    event_id: int = 0
    number_of_events: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An entry of a log; the time counts seconds since 2000."""

    log: int
    event_id: int
    time: int
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """CS10's response: the events, or the status that says why there are none."""

    total_events: int = 0
    events: tuple[LoggedEvent, ...] = ()
    command_index: int = 0
    total_commands: int = 1
    control: int = 0
    status: ZclStatus = ZclStatus.SUCCESS


def _write_get(fields: GetEventLog, _: int) -> bytes:
    payload = b"".join(
        (
            bytes((fields.control_and_log,)),
            fields.event_id.to_bytes(2, "little"),
            fields.start.to_bytes(4, "little"),
            fields.end.to_bytes(4, "little"),
            bytes((fields.number_of_events,)),
            fields.offset.to_bytes(2, "little"),
        )
    )
    return _one(_TO_SERVER, _GET, payload)


def _read_get(octets: bytes, _: int) -> GetEventLog:
    reader = expect_component(octets, EVENTS_CLUSTER, _GET, _TO_SERVER)
    fields = GetEventLog(
        control_and_log=reader.number(1, "event control and log"),
        event_id=_little(reader, 2, "event"),
        start=_little(reader, 4, "start"),
        end=_little(reader, 4, "end"),
        number_of_events=reader.number(1, "number of events"),
        offset=_little(reader, 2, "event offset"),
    )
    reader.end("Get Event Log")
    return fields


def _write_log(log: EventLog, _: int) -> bytes:
    if log.status is not ZclStatus.SUCCESS:
        return default_response(EVENTS_CLUSTER, _GET, log.status)
    head = log.total_events.to_bytes(2, "little")
    head += bytes((log.command_index, log.total_commands, log.control))
    return _one(_TO_CLIENT_NO_DEFAULT, _PUBLISH, head + b"".join(_entry(event) for event in log.events))


def _entry(event: LoggedEvent) -> bytes:
    return b"".join(
        (
            bytes((event.log,)),
            event.event_id.to_bytes(2, "little"),
            event.time.to_bytes(4, "little"),
            bytes((len(event.data),)),
            event.data,
        )
    )


def _read_log(octets: bytes, _: int) -> EventLog:
    if is_default_response(octets):
        return EventLog(status=read_default_response(octets, EVENTS_CLUSTER, _GET))
    reader = expect_component(octets, EVENTS_CLUSTER, _PUBLISH, _TO_CLIENT_NO_DEFAULT)
    total = _little(reader, 2, "total events")
    index, commands, control = reader.take(3, "Publish Event Log")
    events = []
    while reader.remaining:
        events.append(_read_entry(reader))
    return EventLog(
        total_events=total,
        events=tuple(events),
        command_index=index,
        total_commands=commands,
        control=control,
    )


def _read_entry(reader: Reader) -> LoggedEvent:
    return LoggedEvent(
        log=reader.number(1, "log"),
        event_id=_little(reader, 2, "event"),
        time=_little(reader, 4, "event time"),
        data=reader.take(reader.number(1, "length of event data"), "event data"),
    )


def _logs_content(frame_control: int, command: int, field: str) -> Content[int]:
    def read(octets: bytes, _: int) -> int:
        reader = expect_component(octets, EVENTS_CLUSTER, command, frame_control)
        logs = reader.number(1, field)
        reader.end(field)
        return logs

    return Content(lambda logs, _: _one(frame_control, command, bytes((logs,))), read)


def _one(frame_control: int, command: int, payload: bytes) -> bytes:
    component = GbzComponent(
        cluster=EVENTS_CLUSTER, frame_control=frame_control, command=command, payload=payload
    )
    return GbzPayload((component,)).to_bytes()


def _little(reader: Reader, size: int, field: str) -> int:
    return int.from_bytes(reader.take(size, field), "little")


def _reading(name: str) -> UseCase[GetEventLog, EventLog]:
    return UseCase(
        name=name,
        command=Protection.MACED,
        response=Protection.MACED,
        command_content=Content(_write_get, _read_get),
        response_content=Content(_write_log, _read_log),
    )


CS10A = _reading("CS10a")
CS10B = _reading("CS10b")
CS11 = UseCase(
    name="CS11",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=_logs_content(_TO_SERVER, _CLEAR, "logs to clear"),
    response_content=_logs_content(_TO_CLIENT, _CLEARED, "cleared logs"),
)
