"""A rig's hubs for a DCC of ours that is another program: the rig's end of their line (`hub_wire`)."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from harness.dcc.alerts import DeviceAlert
from harness.dcc.documents import Prenotification
from harness.dcc.faces import AttributeRecord, HubFace
from harness.dcc.http.hub_wire import Message, backup_read, backup_told, fault_read, fault_told, value_told
from harness.errors import BenchError, RigFault
from harness.eui64 import Eui64
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import DeviceType
from harness.smets.version import SmetsVersion

_SETTLED_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a hub was asked by the DCC: the GBCS octets if there were any, the fault if it ended in one."""

    hub: Eui64
    target: Eui64
    command: bytes = b""
    response: bytes = b""
    fault: Exception | None = None


class HubLink:
    """The line to the DCC over a web socket; `close` ends it. Give it to one event loop."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._out: asyncio.Queue[Message] = asyncio.Queue()
        self._done: dict[int, asyncio.Future[Message]] = {}
        self._hubs: dict[Eui64, HubFace] = {}
        self._faults: list[Exception] = []
        self._alerts: list[DeviceAlert] = []
        self._exchanges: list[Exchange] = []
        self._spoil: Callable[[bytes], bytes] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._ends = [asyncio.create_task(self._write()), asyncio.create_task(self._read())]

    # --- what the rig does ---------------------------------------------------------------------------------

    def attach(self, notice: Prenotification, hub: HubFace) -> None:
        """Have the DCC reach this hub here; its version is that of `notice`."""
        self._hubs[hub.eui64] = hub
        gpf = str(notice.gpf) if notice.gpf else None
        backup = backup_told(hub.backup())
        self._post("attach", hub=str(hub.eui64), version=notice.version, gpf=gpf, backup=backup)

    def joined(self, hub: Eui64, device: Eui64) -> None:
        """Report that a device is on a SMETS1 hub's HAN."""
        self._post("joined", hub=str(hub), device=str(device))

    def alert(self, hub: Eui64, message: bytes) -> None:
        """Hand on a GBCS message that a hub sends unasked."""
        self._post("alert", hub=str(hub), message=message.hex())

    def meter(self, device_type: DeviceType, hub: Eui64) -> None:
        """Have a meter of the bench put into the SMI."""
        self._post("meter", type=device_type.value, hub=str(hub))

    def old_hub(self, hub: Eui64, version: SmetsVersion, devices: Iterable[Eui64]) -> None:
        """Have a hub put into the SMI that the bench does not have."""
        self._post("old-hub", hub=str(hub), version=version.value, devices=[str(one) for one in devices])

    def old_gpf(self, gpf: Eui64, hub: Eui64, log: Iterable[JoinedDevice]) -> None:
        """Have a GPF put into the SMI that the bench does not have, as if of this hub."""
        listed = [[str(one.device), one.device_type.value] for one in log]
        self._post("old-gpf", gpf=str(gpf), hub=str(hub), log=listed)

    def spoil_next_response(self, change: Callable[[bytes], bytes]) -> None:
        """Change the next GBCS response on its way to the DCC."""
        self._spoil = change

    async def settle(self) -> None:
        """Wait until the DCC has seen to all of it, and the rig to all that the DCC has told.

        Raises what could not be done, and RigFault when nobody is there any more.
        """
        backups = {str(hub.eui64): backup_told(hub.backup()) for hub in self._hubs.values()}
        done = self._post("settle", backups=backups)
        try:
            async with asyncio.timeout(_SETTLED_WITHIN_S):
                await done
        except TimeoutError:
            raise RigFault(f"the DCC did not answer the rig within {_SETTLED_WITHIN_S:g} s") from None
        if self._faults:
            first, *_ = self._faults
            self._faults.clear()
            raise first

    @property
    def alerts(self) -> tuple[DeviceAlert, ...]:
        """What the DCC made of the GBCS alerts that it was handed."""
        return tuple(self._alerts)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What the hubs were asked, in order."""
        return tuple(self._exchanges)

    def forget(self) -> None:
        """Begin afresh."""
        self._alerts.clear()
        self._exchanges.clear()
        self._spoil = None

    async def close(self) -> None:
        """End; calls under way are given up."""
        tasks = [*self._ends, *self._calls]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._socket.close()

    # --- the line ------------------------------------------------------------------------------------------

    def _post(self, what: str, **details: object) -> asyncio.Future[Message]:
        number = next(self._numbers)
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if self._ends[1].done():
            done.set_exception(_gone())
            done.exception()  # it is looked at by `settle` alone
            return done
        self._done[number] = done
        self._out.put_nowait({"n": number, what: details})
        return done

    async def _write(self) -> None:
        with suppress(ConnectionError):
            while True:
                await self._socket.send_str(json.dumps(await self._out.get()))

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(json.loads(message.data))
        finally:
            for done in self._done.values():
                if not done.done():
                    done.set_exception(_gone())
                    done.exception()
            self._done.clear()

    def _take(self, message: Message) -> None:
        if "done" in message:
            done = self._done.pop(message["done"])
            if "fault" in message:
                self._faults.append(fault_read(message["fault"]))
            if "alert" in message:
                self._alerts.append(_alert_read(message["alert"]))
            done.set_result(message)
            return
        task = asyncio.create_task(self._carry_out(self._hubs[Eui64.parse(message["hub"])], message))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _carry_out(self, hub: HubFace, message: Message) -> None:
        target = Eui64.parse(message.get("device") or message["hub"])
        command = bytes.fromhex(message.get("message", ""))
        answer: Message = {"answer": message["call"], "value": None}
        response, fault = b"", None
        try:
            if command:
                response = self._spoilt(await _commanded(hub, target, command, message))
                answer["value"] = response.hex()
            else:
                answer["value"] = await _asked(hub, target, message)
        except (BenchError, ValueError) as error:
            fault = error
            answer["fault"] = fault_told(error)
        self._exchanges.append(
            Exchange(hub=hub.eui64, target=target, command=command, response=response, fault=fault)
        )
        self._out.put_nowait(answer)

    def _spoilt(self, response: bytes) -> bytes:
        spoil, self._spoil = self._spoil, None
        return spoil(response) if spoil is not None else response


def _commanded(hub: HubFace, target: Eui64, command: bytes, message: Message) -> Awaitable[bytes]:
    within_s = float(message["timeout_s"])
    if message["do"] == "chf":
        return hub.command_chf(command, within_s)
    if message["do"] == "gpf":
        return hub.command_gpf(command, within_s)
    return hub.deliver_gbcs(target, command, within_s)


async def _asked(hub: HubFace, target: Eui64, message: Message) -> object:
    if message["do"] == "add":
        code = bytes.fromhex(message["install_code"])
        await hub.add_to_device_log(target, code, float(message["join_time_s"]))
        return None
    if message["do"] == "remove":
        await hub.remove_from_device_log(target)
        return None
    if message["do"] == "restore":
        await hub.restore_device_log(backup_read(message["backup"]))
        return None
    if message["do"] == "image":
        devices = [Eui64.parse(device) for device in message["devices"]]
        await hub.take_image(bytes.fromhex(message["image"]), devices, float(message["keep_s"]))
        return None
    records = await hub.read_attributes(
        target,
        message["cluster"],
        message["attributes"],
        client_side=message["client_side"],
        timeout_s=message["timeout_s"],
    )
    return _attributes_told(records)


def _attributes_told(records: Mapping[int, AttributeRecord]) -> Message:
    return {
        str(number): [int(record.status), None if record.value is None else value_told(record.value.value)]
        for number, record in records.items()
    }


def _alert_read(told: Message) -> DeviceAlert:
    return DeviceAlert(
        when=datetime.fromisoformat(told["when"]),
        via=Eui64.parse(told["via"]),
        octets=bytes.fromhex(told["octets"]),
        originator=Eui64.parse(told["originator"]) if told["originator"] else None,
        use_case=told["use_case"],
        alert_code=told["alert_code"],
        refused=told["refused"],
        told=told["told"],
    )


def _gone() -> RigFault:
    return RigFault("the DCC's administrative interface has gone", remedy="is the DCC still running?")
