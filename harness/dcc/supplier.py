"""The GBCS half of a supplier: signs pre-commands, makes UTRNs, and checks what a meter answers him.

The DSP cannot do any of it: it has not got the supplier's keys.
Source: facts gb-domain §3.3 (pre-command, whose keys), §4 (UTRN).
"""

from __future__ import annotations

from harness.dcc.counters import Clock, utc_now
from harness.dcc.use_cases import SIGNED, SPOKEN
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER, KeyStore, OwnKeys, make_utrn, parse, sign_precommand

_SMALLEST_STEP = 32  # bits of a prepayment counter that are 0: a UTRN carries the ten above them


class Supplier:
    """A service user with his private keys. `keys` has them, and everybody's public keys."""

    def __init__(self, keys: KeyStore, eui64: Eui64 = SUPPLIER, clock: Clock = utc_now) -> None:
        self.eui64 = eui64
        self._keys = OwnKeys(eui64, keys)
        self._clock = clock
        self._last = 0

    def sign(self, pre_command: bytes) -> bytes:
        """Return a pre-command with his signature; raises DecodeError and KeyNotFound."""
        return sign_precommand(pre_command, self._keys)

    def prepayment_counter(self) -> int:
        """Return the next counter of a top-up; its upper half is Unix time, so that none comes twice."""
        self._last = max(self._last + 1, int(self._clock().timestamp()))
        return self._last << _SMALLEST_STEP

    def utrn(self, meter: Eui64, pence: int, counter: int) -> str:
        """Return the UTRN of a top-up; raises ValueError for more than 8191 pence, and KeyNotFound."""
        return make_utrn(pence, supplier=self.eui64, meter=meter, counter=counter, keys=self._keys)

    def check(self, response: bytes) -> None:
        """Check MAC and signature of a meter's response to him; raises DecodeError.

        That it answers his request is the DSP's to see.
        """
        message = parse(response)
        for spoken in (*SPOKEN.values(), *SIGNED.values()):
            if spoken.by_user and spoken.use_case.code == message.message_code:
                spoken.use_case.open_response(message, self._keys)
                return
        raise DecodeError(
            "message code", f"{message.message_code:04X} is none of a supplier's with his meter"
        )
