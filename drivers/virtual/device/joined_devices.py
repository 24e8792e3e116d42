"""The devices that a device is joined to: its own device log, written by CS03, cleared by CS04, read by CS07.

It has room for one device of a type. No partner link key is established between two devices here: a join by
method A counts as made when the command is obeyed, and so does one with the hub's GPF by method B.
Source: facts gb-domain §3.2 (response codes), §3.4; sec-cpl-testing §5.1 (methods and types).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import KeyUsage
from harness.gbcs.certificates import check_certificate
from harness.gbcs.use_cases.joining import (
    CS03A1,
    CS03A2,
    CS03B,
    CS03C,
    DeviceType,
    Join,
    JoinDetails,
    JoinedDevice,
    JoinMethod,
    JoinResult,
    UnjoinResult,
)

Methods = Mapping[str, tuple[JoinMethod, DeviceType]]
"""The method and the other device's type of each use case that joins."""

OF_A_PPMID: Methods = {
    CS03A2.name: (JoinMethod.METHOD_A_RESPONDER, DeviceType.ESME),
    CS03B.name: (JoinMethod.METHOD_B, DeviceType.GPF),
    CS03C.name: (JoinMethod.METHOD_C, DeviceType.GSME),
}
OF_A_METER: Methods = {
    CS03A1.name: (JoinMethod.METHOD_A_INITIATOR, DeviceType.PPMID),
    CS03B.name: (JoinMethod.METHOD_B, DeviceType.GPF),
    CS03C.name: (JoinMethod.METHOD_C, DeviceType.PPMID),
}


class Kept(Protocol):
    """Memory that holds the log: devices, with the numbers of their types."""

    @property
    def joined(self) -> dict[Eui64, int]:
        """The log, to be changed in place."""


class JoinedDevices:
    """The log in `kept`; `store` writes it down. A device's certificate is signed by one of `authorities`.

    A `careless` one takes any certificate for good, as no device should.
    """

    def __init__(
        self,
        kept: Kept,
        store: Callable[[], None],
        authorities: Iterable[bytes],
        methods: Methods = OF_A_PPMID,
        *,
        careless: bool = False,
    ) -> None:
        self._methods = methods
        self._kept = kept
        self._store = store
        self._authorities = tuple(authorities)
        self._careless = careless

    def join(self, use_case: str, join: Join) -> JoinResult:
        """Join a device; return what the response says."""
        refusal = self._refusal(use_case, join)
        if refusal is not None:
            return refusal
        self._kept.joined[join.device] = int(join.device_type)
        self._store()
        return JoinResult.SUCCESS

    def _refusal(self, use_case: str, join: Join) -> JoinResult | None:
        method, device_type = self._methods[use_case]
        if join.method is not method:
            known = any(join.method is other for other, _ in self._methods.values())
            return (
                JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE
                if known
                else JoinResult.INVALID_METHOD_AND_ROLE
            )
        if join.device_type is not device_type:
            return JoinResult.INVALID_METHOD_AND_ROLE
        if method is JoinMethod.METHOD_C and not self._is_good(join.certificate, join.device):
            return JoinResult.INVALID_OR_MISSING_CERTIFICATE
        others = [device for device, known in self._kept.joined.items() if known == device_type]
        return JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY if others not in ([], [join.device]) else None

    def _is_good(self, certificate: bytes, device: Eui64) -> bool:
        if self._careless:
            return True
        try:
            check_certificate(
                certificate, authorities=self._authorities, subject=device, usage=KeyUsage.KEY_AGREEMENT
            )
        except DecodeError:
            return False
        return True

    def unjoin(self, device: Eui64) -> UnjoinResult:
        """Forget a device; return what the response says."""
        if self._kept.joined.pop(device, None) is None:
            return UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG
        self._store()
        return UnjoinResult.SUCCESS

    def details(self) -> JoinDetails:
        """Return the log as CS07 has it."""
        joined = (JoinedDevice(device, DeviceType(number)) for device, number in self._kept.joined.items())
        return JoinDetails(devices=tuple(joined))
