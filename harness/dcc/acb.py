"""The Access Control Broker: makes the DSP's GBCS commands and judges the responses and alerts of devices.

It holds the ACB's private keys: MACs of commands and responses are made between its key-agreement key and the
device's, and it signs what a user's request has no signature for (joins and unjoins). Commands are the ACB's
own, on behalf of the user whose request is named in them as the supplementary remote party; those of a
supplier to his meter are in the supplier's name.
Source: facts gb-domain §3.3 to §3.5.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from harness.dcc.counters import OriginatorCounter
from harness.dcc.defects import DccDefect
from harness.dcc.duis.requests import RequestId
from harness.dcc.spoken import MESSAGE_SUCCESS
from harness.dcc.use_cases import FIRMWARE_VERSION, SPOKEN
from harness.errors import DecodeError, RigFault
from harness.eui64 import Eui64
from harness.gbcs import ACB, KeyNotFound, KeyStore, OwnKeys, parse
from harness.gbcs.builder import Heading, Protection, expect_answer, secure
from harness.gbcs.header import Cra
from harness.gbcs.use_case import UseCase, expect_kind

__all__ = ["FIRMWARE_VERSION", "MESSAGE_SUCCESS", "Acb", "UseCaseNotBuilt"]


class UseCaseNotBuilt(LookupError):
    """This DCC does not build commands of that use case."""


class Acb:
    """Makes commands and reads responses. `keys` gives the ACB's private and everybody's public keys."""

    def __init__(
        self,
        keys: KeyStore,
        counter: OriginatorCounter,
        *,
        defects: Collection[DccDefect] = (),
        eui64: Eui64 = ACB,
    ) -> None:
        self.eui64 = eui64
        self._keys = OwnKeys(eui64, keys)
        self._counter = counter
        self._believes_anything = DccDefect.SKIP_RESPONSE_MAC_CHECK in defects
        self._compares = DccDefect.SKIP_ANSWER_CHECK not in defects

    @property
    def keys(self) -> KeyStore:
        """The ACB's private and everybody's public keys."""
        return self._keys

    def command(self, use_case: str, device: Eui64, on_behalf_of: RequestId, fields: Any = None) -> bytes:
        """Return the command of a use case to a device; `fields` is what the use case's command carries.

        Raises UseCaseNotBuilt, and RigFault when the rig has not got the keys for it.
        """
        if use_case not in SPOKEN:
            raise UseCaseNotBuilt(f"this DCC does not build {use_case}")
        spoken = SPOKEN[use_case]
        if spoken.by_user:
            heading = Heading(originator=on_behalf_of.originator, device=device, counter=on_behalf_of.counter)
        else:
            heading = Heading(
                originator=self.eui64,
                device=device,
                counter=self._counter.next(),
                supplementary_party=on_behalf_of.originator,
                supplementary_counter=on_behalf_of.counter,
            )
        try:
            return spoken.use_case.build_command(fields, self._keys, **heading)
        except KeyNotFound as missing:
            raise no_key(missing) from missing

    def read(self, use_case: str, response: bytes, command: bytes) -> Mapping[str, str]:
        """Check a response against its command and return what it says; raises DecodeError.

        One that is the user's own has a MAC that only the user can check.
        """
        spoken = SPOKEN[use_case]
        if spoken.by_user:
            return spoken.told(_unverified(spoken.use_case, response, command))
        if self._believes_anything and Protection.MACED in spoken.use_case.response:
            response = self._with_right_mac(response, spoken.use_case.response)
        answered = command if self._compares else None
        return spoken.told(spoken.use_case.read_response(response, self._keys, command=answered))

    def _with_right_mac(self, response: bytes, protection: Protection) -> bytes:
        """Not to check a MAC comes to the same as to put the right one in its place."""
        return secure(parse(response), self._keys, protection)


def _unverified(use_case: UseCase[Any, Any], response: bytes, command: bytes) -> Any:
    """Return the fields of a response that answers the command and has a MAC, right or wrong."""
    message = parse(response)
    expect_kind(message, use_case.name, Cra.RESPONSE)
    expect_answer(message, parse(command))
    if message.mac is None:
        raise DecodeError("MAC", "is missing")
    return use_case.response_fields(message)


def no_key(missing: KeyNotFound) -> RigFault:
    """Return (not raise) what it comes to when the DCC lacks a key."""
    return RigFault(f"the DCC has {missing}", remedy="give the rig the credentials of the ACB and the device")
