"""Hubs of a rig that is another program: the DCC's end of their line (`harness.dcc.http.hub_wire`)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.dcc.alerts import DeviceAlert
from harness.dcc.bench_hubs import hub_prenotification
from harness.dcc.embedded import EmbeddedDcc
from harness.dcc.http.hub_wire import Message, backup_read, backup_told, fault_read, fault_told, value_read
from harness.errors import BenchError, RadioUndelivered, RigFault
from harness.eui64 import Eui64
from harness.gbcs.use_cases.joining import DeviceType as JoinedType
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import DeviceType
from harness.smets.version import SmetsVersion
from harness.zigbee.swap_out import TrustCentreBackup


@dataclass(frozen=True, slots=True)
class _Value:
    value: object


@dataclass(frozen=True, slots=True)
class _Attribute:
    status: int
    value: _Value | None


class HubLine:
    """The line to one rig. `post` sends a message there; `take` is given what comes from there."""

    def __init__(self, dcc: EmbeddedDcc, post: Callable[[Message], None]) -> None:
        self._dcc = dcc
        self._post = post
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._hubs: dict[Eui64, DistantHub] = {}
        self._open = True
        self._asked: Mapping[str, Callable[[Message], Message]] = {
            "attach": self._attach,
            "joined": self._joined,
            "alert": self._alert,
            "meter": self._meter,
            "old-hub": self._old_hub,
            "old-gpf": self._old_gpf,
            "settle": self._settle,
        }

    @property
    def hubs(self) -> tuple[Eui64, ...]:
        """The hubs at its other end."""
        return tuple(self._hubs)

    def take(self, message: Message) -> None:
        """Take a message; raises ValueError, KeyError or TypeError for one that is none."""
        if "answer" in message:
            waiting = self._waiting.get(message["answer"])
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        what = next((word for word in self._asked if word in message), None)
        if what is None:
            raise ValueError(f"nothing that is known: {', '.join(message)}")
        try:
            done = self._asked[what](message[what])
        except BenchError as error:
            done = {"fault": fault_told(error)}
        self._post({"done": message["n"], **done})

    def close(self) -> None:
        """Tell everybody who waits that the rig has gone."""
        self._open = False
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(_gone())

    async def call(self, hub: DistantHub, do: str, **details: object) -> Any:
        """Have a hub do something and return what it gives; raises what it raises."""
        if not self._open:
            raise _gone()
        number = next(self._numbers)
        self._post({"call": number, "hub": str(hub.eui64), "do": do, **details})
        answered: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        try:
            message = await answered
        finally:
            del self._waiting[number]
        if "fault" in message:
            raise fault_read(message["fault"])
        return message["value"]

    # --- what the rig says ---------------------------------------------------------------------------------

    def _attach(self, told: Message) -> Message:
        eui64 = Eui64.parse(told["hub"])
        gpf = Eui64.parse(told["gpf"]) if told.get("gpf") else None
        hub = self._hubs.setdefault(eui64, DistantHub(eui64, self, backup_read(told["backup"])))
        self._dcc.provision_hub(hub_prenotification(eui64, SmetsVersion(told["version"]), gpf), hub)
        return {}

    def _joined(self, told: Message) -> Message:
        self._dcc.device_joined(Eui64.parse(told["hub"]), Eui64.parse(told["device"]))
        return {}

    def _alert(self, told: Message) -> Message:
        alert = self._dcc.take_alert(Eui64.parse(told["hub"]), bytes.fromhex(told["message"]))
        return {"alert": alert_told(alert)}

    def _meter(self, told: Message) -> Message:
        hub = Eui64.parse(told["hub"])
        if hub not in self._hubs:
            raise RigFault(f"hub {hub} is not one of this rig's")
        meter = self._dcc.provision_meter(DeviceType(told["type"]), hub)
        return {"meter": str(meter)}

    def _old_hub(self, told: Message) -> Message:
        devices = [Eui64.parse(device) for device in told["devices"]]
        self._dcc.provision_old_hub(Eui64.parse(told["hub"]), SmetsVersion(told["version"]), devices)
        return {}

    def _old_gpf(self, told: Message) -> Message:
        log = [JoinedDevice(Eui64.parse(device), JoinedType(kind)) for device, kind in told["log"]]
        self._dcc.provision_old_gpf(Eui64.parse(told["gpf"]), Eui64.parse(told["hub"]), log)
        return {}

    def _settle(self, told: Message) -> Message:
        for eui64, backup in told["backups"].items():
            self._hubs[Eui64.parse(eui64)].known = backup_read(backup)
        return {}


class DistantHub:
    """A HubFace; what it is asked raises RadioUndelivered when the rig is not there any more.

    `known` is what the rig told last of how the hub can be replaced.
    """

    def __init__(self, eui64: Eui64, line: HubLine, known: TrustCentreBackup) -> None:
        self.eui64 = eui64
        self.known = known
        self._call = partial(line.call, self)

    async def add_to_device_log(self, eui64: Eui64, install_code: bytes, join_time_s: float) -> object:
        """Whitelist a device for `join_time_s` seconds."""
        return await self._call(
            "add", device=str(eui64), install_code=install_code.hex(), join_time_s=join_time_s
        )

    async def remove_from_device_log(self, eui64: Eui64) -> object:
        """Take a device out of the log."""
        return await self._call("remove", device=str(eui64))

    async def command_chf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own CHF and return its response."""
        return bytes.fromhex(await self._call("chf", message=message.hex(), timeout_s=timeout_s))

    async def command_gpf(self, message: bytes, timeout_s: float) -> bytes:
        """Hand a GBCS command to the hub's own GPF and return its response."""
        return bytes.fromhex(await self._call("gpf", message=message.hex(), timeout_s=timeout_s))

    async def deliver_gbcs(self, eui64: Eui64, message: bytes, timeout_s: float) -> bytes:
        """Carry a GBCS message to a device and return its answer."""
        return bytes.fromhex(
            await self._call("deliver", device=str(eui64), message=message.hex(), timeout_s=timeout_s)
        )

    async def read_attributes(
        self, eui64: Eui64, cluster: int, attributes: Iterable[int], *, client_side: bool, timeout_s: float
    ) -> Mapping[int, _Attribute]:
        """Read attributes of a device by plain ZCL."""
        told = await self._call(
            "read",
            device=str(eui64),
            cluster=cluster,
            attributes=list(attributes),
            client_side=client_side,
            timeout_s=timeout_s,
        )
        return {
            int(number): _Attribute(status, None if value is None else _Value(value_read(value)))
            for number, (status, value) in told.items()
        }

    def backup(self) -> TrustCentreBackup:
        """Return what a hub needs that takes this one's place, as the rig told it last."""
        return self.known

    async def restore_device_log(self, backup: TrustCentreBackup) -> None:
        """Take another hub's place; ValueError when it cannot."""
        await self._call("restore", backup=backup_told(backup))

    async def take_image(self, image: bytes, devices: Iterable[Eui64], keep_s: float) -> None:
        """Hold a Zigbee OTA file for devices for so many seconds; StimulusImpossible for what is none."""
        await self._call("image", image=image.hex(), devices=[str(one) for one in devices], keep_s=keep_s)


def alert_told(alert: DeviceAlert) -> Message:
    """Return a GBCS alert, as the DSP has it, for the rig."""
    return {
        "when": alert.when.isoformat(),
        "via": str(alert.via),
        "octets": alert.octets.hex(),
        "originator": str(alert.originator) if alert.originator else None,
        "use_case": alert.use_case,
        "alert_code": alert.alert_code,
        "refused": alert.refused,
        "told": dict(alert.told),
    }


def _gone() -> RadioUndelivered:
    return RadioUndelivered("the rig that this hub belongs to has gone")
