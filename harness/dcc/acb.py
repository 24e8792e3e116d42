"""The Access Control Broker: makes the DSP's GBCS commands and judges the responses to them.

It holds the ACB's private key-agreement key; the MAC of every command to a device and of its response is made
between that key and the device's. Commands are the ACB's own, on behalf of the user whose request is named in
them as the supplementary remote party.
Source: facts gb-domain §3.3 to §3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from harness.dcc.counters import OriginatorCounter
from harness.dcc.defects import DccDefect
from harness.dcc.documents import RequestId
from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.gbcs import ACB, KeyNotFound, KeyStore, OwnKeys, parse
from harness.gbcs.builder import Heading, secure
from harness.gbcs.use_cases import cs08

FIRMWARE_VERSION = "FirmwareVersion"
MESSAGE_SUCCESS = "MessageSuccess"


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

    def command(self, use_case: str, device: Eui64, on_behalf_of: RequestId) -> bytes:
        """Return the command of a use case to a device.

        Raises UseCaseNotBuilt, and RigFault when the rig has not got the keys for it.
        """
        if use_case not in _COMMANDS:
            raise UseCaseNotBuilt(f"this DCC does not build {use_case}")
        heading = Heading(
            originator=self.eui64,
            device=device,
            counter=self._counter.next(),
            supplementary_party=on_behalf_of.originator,
            supplementary_counter=on_behalf_of.counter,
        )
        try:
            return _COMMANDS[use_case](heading, self._keys)
        except KeyNotFound as missing:
            raise _no_key(missing) from missing

    def read(self, use_case: str, response: bytes, command: bytes) -> Mapping[str, str]:
        """Check a response against its command and return what it says; raises DecodeError."""
        if self._believes_anything:
            response = self._with_right_mac(response)
        return _RESPONSES[use_case](response, self._keys, command)

    def _with_right_mac(self, response: bytes) -> bytes:
        """Not to check a MAC comes to the same as to put the right one in its place."""
        return secure(parse(response), self._keys, cs08.CS08.response)


def _cs08_command(heading: Heading, keys: KeyStore) -> bytes:
    return cs08.command(keys=keys, **heading)


def _cs08_response(response: bytes, keys: KeyStore, command: bytes) -> Mapping[str, str]:
    result = cs08.read_response(response, keys, command=command)
    return {
        FIRMWARE_VERSION: result.firmware.hex().upper(),
        MESSAGE_SUCCESS: "true" if result.ok else "false",
    }


_COMMANDS: Mapping[str, Callable[[Heading, KeyStore], bytes]] = {"CS08": _cs08_command}
_RESPONSES: Mapping[str, Callable[[bytes, KeyStore, bytes], Mapping[str, str]]] = {"CS08": _cs08_response}


def _no_key(missing: KeyNotFound) -> RigFault:
    return RigFault(f"the DCC has {missing}", remedy="give the rig the credentials of the ACB and the device")
